//! Migrations: down to nothing and up again, and what the database's shape has to keep to.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use lindung_domain::case::CaseStatus;
use lindung_domain::clock::Ended;
use lindung_domain::consent::Capacity;
use lindung_domain::data_sharing::{DataSharingStatus, SharingPurpose};
use lindung_domain::emergency::{EmergencyCode, ReviewOutcome};
use lindung_domain::grant::Source;
use lindung_domain::handoff::{HandoffStatus, Keeps};
use lindung_domain::occurrence::OccurrenceKind;
use lindung_domain::proposal::{ProposalKind, ProposalStatus};
use lindung_domain::referral::Status;
use lindung_domain::release::{Representative, WithholdGround};
use lindung_domain::section::Section;
use lindung_domain::values::Priority;
use lindung_tests::{Database, TestApp};
use serde_json::{Value, json};

/// What diesel keeps to know which migrations were applied.
const DIESEL: &str = "__diesel_schema_migrations";

/// Everything of a database's shape, one line a thing, as PostgreSQL itself writes it.
fn shape(database: &Database) -> Vec<Value> {
    let ours = format!("relnamespace = 'public'::regnamespace and relname !~ '^{DIESEL}'");
    database.rows(&format!(
        "select * from (
            select 'relation' as what, relname::text as name, relkind::text || ' ' || coalesce(reloptions::text, '') || ' ' || coalesce(obj_description(oid, 'pg_class'), '') as how
            from pg_class where {ours}
            union all
            select 'column', c.relname || '.' || a.attname, a.attnum || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || ' '
                || coalesce(pg_get_expr(d.adbin, d.adrelid), '') || ' ' || coalesce(col_description(c.oid, a.attnum), '')
            from pg_attribute a join pg_class c on c.oid = a.attrelid left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
            where {ours} and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
            union all
            select 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
            from pg_constraint where connamespace = 'public'::regnamespace and conrelid::regclass::text <> '{DIESEL}'
            union all
            select 'index', indexname::text, indexdef from pg_indexes where schemaname = 'public' and tablename <> '{DIESEL}'
            union all
            select 'type', typname::text, typtype::text from pg_type
            where typnamespace = 'public'::regnamespace and typname !~ '{DIESEL}'
            union all
            select 'function', proname::text, proowner::regrole || ' ' || coalesce(proacl::text, '') || ' ' || prosrc from pg_proc
            where pronamespace::regnamespace::text in ('public', 'policy')
            union all
            select 'policy', tablename || '.' || policyname, array_to_string(roles, ',') || ' ' || cmd || ' ' || coalesce(qual, '') || ' ' || coalesce(with_check, '')
            from pg_policies
        ) shape order by what, name, how"
    ))
}

#[actix_web::test]
async fn down_to_nothing_and_up_again_is_where_we_were() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer("KPM.SEKOLAH.WBA0001").await, app.officer("KDN.PDRM.D11").await);
    let case = school.opens_case().await;
    school.refers(&case, &police).await;
    let (before, db) = (shape(&app.database), app.database.owner());
    assert!(before.len() > 200, "{} things", before.len());

    let down = db.unmigrate().unwrap();
    assert_eq!(shape(&app.database), [] as [Value; 0]);
    assert!(app.database.db().ready().is_err(), "without its tables the service is not ready");
    let up = db.migrate().unwrap();
    assert_eq!(up.len(), down);
    assert_eq!(shape(&app.database), before);
    assert_eq!(db.migrate().unwrap(), [] as [String; 0]);
    app.database.db().ready().unwrap();
    assert!(db.ready().is_err(), "whoever passes row-level security is not ready to serve");
}

#[test]
fn an_empty_database_gets_the_same_shape() {
    let (empty, cloned) = (Database::empty(), Database::new());
    empty.owner().migrate().unwrap();
    assert_eq!(shape(&empty), shape(&cloned));
}

#[test]
fn plain_text_about_a_child_is_neither_kept_nor_lost() {
    let database = Database::new();
    database.execute(include_str!("../../migrations/2026-11-24-000009_encrypt_identities/down.sql"));
    let agency = "'KPM.SEKOLAH.WBA0001'";
    let (case, child) = ("01900000-0000-7000-8000-000000000001", "01900000-0000-7001-8000-000000000100");
    database.execute(&format!(
        "insert into cases (id, reference, status, priority, lead_agency, offences, grounds, techniques, version, created_at) \
         values ('{case}', 'LDG-2026-000001', 'open', 'urgent', {agency}, '{{}}', '{{}}', '{{}}', 1, now()); \
         insert into children (id, case_id, created_at) values ('{child}', '{case}', now()); \
         insert into child_identities (child_id, case_id, content, version, agency, updated_at) \
         values ('{child}', '{case}', '{{\"names\":[\"A\"]}}', 1, {agency}, now())"
    ));
    let up = include_str!("../../migrations/2026-11-24-000009_encrypt_identities/up.sql");
    let refused = database.connection().batch_execute(up).unwrap_err().to_string();
    assert!(refused.contains("make wipe YES=1") && !refused.contains("names"), "{refused}");
    assert_eq!(database.count("child_identities where content is not null"), 1);
}

#[test]
fn seeding_again_changes_nothing() {
    let database = Database::new();
    let now = chrono::DateTime::UNIX_EPOCH;
    let rows = || {
        let agencies = database.rows("select * from agencies order by code");
        (
            agencies,
            database.rows("select * from code_lists order by list"),
            database.rows("select * from codes order by list, code"),
        )
    };
    let before = rows();
    database.maintenance().seed_reference(now).unwrap();
    assert_eq!(rows(), before);
}

#[test]
fn every_table_says_what_it_is_for() {
    let silent = Database::new().rows(&format!(
        "select relname::text as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'S') \
         and relname !~ '^{DIESEL}' and coalesce(obj_description(oid, 'pg_class'), '') = ''"
    ));
    assert_eq!(silent, [] as [Value; 0]);
}

/// `schema.rs` is written by hand where diesel's own tool is not at hand.
#[test]
fn the_schema_that_diesel_knows_is_the_databases() {
    let source = include_str!("../../crates/persistence/src/schema.rs");
    let database = Database::new();
    let mut tables = 0;
    for block in source.split("diesel::table! {").skip(1) {
        let mut lines = block.lines().map(str::trim).filter(|it| !it.is_empty());
        let (table, key) = lines.next().unwrap().trim_end_matches(" {").split_once(' ').unwrap();
        let declared: Vec<Value> = lines
            .map_while(|it| it.strip_suffix(',')?.split_once(" -> "))
            .map(|(column, kind)| {
                let (kind, nullable) = match kind.strip_prefix("Nullable<") {
                    Some(inner) => (inner.trim_end_matches('>'), true),
                    None => (kind, false),
                };
                json!({ "column": column, "kind": sql_name(kind), "nullable": nullable })
            })
            .collect();
        let found = database.rows(&format!(
            "select attname::text as column, format_type(atttypid, atttypmod) as kind, not attnotnull as nullable \
             from pg_attribute where attrelid = '{table}'::regclass and attnum > 0 and not attisdropped order by attnum"
        ));
        assert_eq!(declared, found, "{table}");
        let primary = database.rows(&format!(
            "select pg_get_constraintdef(oid) as key from pg_constraint where contype = 'p' and conrelid = '{table}'::regclass"
        ));
        assert_eq!(primary, [json!({ "key": format!("PRIMARY KEY {key}") })]);
        tables += 1;
    }
    assert_eq!(tables, 7);
}

fn sql_name(kind: &str) -> &str {
    match kind {
        "Text" => "text",
        "Jsonb" => "jsonb",
        "Bool" => "boolean",
        "Int4" => "integer",
        "Int8" => "bigint",
        "Date" => "date",
        "Timestamptz" => "timestamp with time zone",
        "Array<Text>" => "text[]",
        other => panic!("a type that this test does not know: {other}"),
    }
}

/// What a CHECK of the column admits.
fn admitted(database: &Database, table: &str, column: &str) -> BTreeSet<String> {
    let found = database.rows(&format!(
        "select pg_get_constraintdef(oid) as text from pg_constraint \
         where contype = 'c' and conrelid = '{table}'::regclass and conname = '{table}_{column}_check'"
    ));
    let text = found[0]["text"].as_str().unwrap();
    text.split('\'').skip(1).step_by(2).map(ToOwned::to_owned).collect()
}

#[test]
fn the_database_admits_just_the_codes_that_the_service_knows() {
    let database = Database::new();
    let check = |table: &str, column: &str, known: Vec<&str>| {
        let known: BTreeSet<String> = known.into_iter().map(ToOwned::to_owned).collect();
        assert_eq!(admitted(&database, table, column), known, "{table}.{column}");
    };
    let priorities = || Priority::ALL.iter().map(|it| it.as_str()).collect();
    check("cases", "status", CaseStatus::ALL.iter().map(|it| it.as_str()).collect());
    check("cases", "priority", priorities());
    check("referrals", "status", Status::ALL.iter().map(|it| it.as_str()).collect());
    check("referrals", "priority", priorities());
    // Identity is kept in a table of its own.
    let sections = Section::ALL.iter().filter(|it| **it != Section::Identity);
    check("sections", "section", sections.map(|it| it.as_str()).collect());
    check("grants", "source", Source::ALL.iter().map(|it| it.as_str()).collect());
    check("agencies", "kind", vec!["heading", "organisation", "unit"]);
    check(
        "events",
        "subject_type",
        vec![
            "case",
            "child",
            "referral",
            "emergency-access",
            "proposal",
            "handoff",
            "grant",
            "consent",
            "override",
            "occurrence",
            "data-sharing-request",
        ],
    );
    check("clocks", "priority", priorities());
    check("clocks", "ended", Ended::ALL.iter().map(|it| it.as_str()).collect());
    check("occurrences", "kind", OccurrenceKind::ALL.iter().map(|it| it.as_str()).collect());
    check("handoffs", "status", HandoffStatus::ALL.iter().map(|it| it.as_str()).collect());
    check("handoffs", "keeps", Keeps::ALL.iter().map(|it| it.as_str()).collect());
    check("emergency_accesses", "code", EmergencyCode::ALL.iter().map(|it| it.as_str()).collect());
    check("emergency_accesses", "review", ReviewOutcome::ALL.iter().map(|it| it.as_str()).collect());
    check("proposals", "status", ProposalStatus::ALL.iter().map(|it| it.as_str()).collect());
    check("proposals", "kind", ProposalKind::ALL.iter().map(|it| it.as_str()).collect());
    check("consents", "capacity", Capacity::ALL.iter().map(|it| it.as_str()).collect());
    check("overrides", "review", ReviewOutcome::ALL.iter().map(|it| it.as_str()).collect());
    check("withheld_accesses", "ground", WithholdGround::ALL.iter().map(|it| it.as_str()).collect());
    check("data_sharing_requests", "status", DataSharingStatus::ALL.iter().map(|it| it.as_str()).collect());
    check("data_sharing_requests", "purpose", SharingPurpose::ALL.iter().map(|it| it.as_str()).collect());
    check("notifications", "priority", priorities());
    check("releases", "representative", Representative::ALL.iter().map(|it| it.as_str()).collect());
    let checks = database.count("pg_constraint where contype = 'c' and connamespace = 'public'::regnamespace");
    assert_eq!(
        checks, 49,
        "a check that this test does not know; others are the grammar of agency codes, what is sealed or destroyed, that \
         a suspension is of either, that a registration takes two, that accesses are whole, that a clock ends at a time, which events have no case, what a subscription needs, that a delivery has an event and an end, what a notification is of and who took note, and that there is one notifier"
    );
}
