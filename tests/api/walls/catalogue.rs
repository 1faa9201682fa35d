//! What PostgreSQL's own catalogue says of the walls.

use std::collections::BTreeSet;

use lindung_tests::Database;
use serde_json::json;

use super::{ABOUT_A_CASE, ABOUT_NO_CASE};

fn texts(database: &Database, sql: &str) -> BTreeSet<String> {
    database.rows(sql).iter().map(|it| it["text"].as_str().unwrap().to_owned()).collect()
}

/// A database that was not cloned: clones have not what is granted on the database itself.
fn migrated() -> Database {
    let database = Database::empty();
    database.owner().migrate().unwrap();
    database
}

/// Everything that is wrong with the walls, each on a line.
fn findings(database: &Database) -> BTreeSet<String> {
    let listed: Vec<String> = ABOUT_NO_CASE.iter().map(|it| format!("'{it}'")).collect();
    let sql = include_str!("findings.sql").replace("{about}", ABOUT_A_CASE).replace("{listed}", &listed.join(", "));
    let mut found = texts(database, &sql);
    let is_gone = |it: &&&str| database.count(&format!("pg_class where relname = '{it}'")) == 0;
    found.extend(ABOUT_NO_CASE.iter().filter(is_gone).map(|it| format!("table {it}: listed, but there is none")));
    found
}

/// What the roles that serve may do, and everybody: a line a role and thing.
fn privileges(database: &Database) -> BTreeSet<String> {
    texts(database, include_str!("privileges.sql"))
}

#[test]
fn the_walls_stand() {
    assert_eq!(findings(&migrated()), BTreeSet::new());
}

#[test]
fn who_may_do_what_in_the_database() {
    let lines: Vec<String> = privileges(&migrated()).into_iter().collect();
    insta::assert_snapshot!(lines.join("\n"));
}

/// Each hole in the walls is found, and nothing else is.
#[test]
fn a_hole_is_found() {
    let database = Database::new();
    let hole = |made: &str, mended: &str, expected: &[&str]| {
        database.execute(&format!("set role lindung_owner; {made}"));
        assert_eq!(findings(&database), expected.iter().map(|it| (*it).to_owned()).collect(), "{made}");
        database.execute(mended);
        assert_eq!(findings(&database), BTreeSet::new(), "{mended}");
    };
    let bare = |table: &str| {
        ["no policy", "no row security", "row security is not forced"].map(|it| format!("table {table}: {it}"))
    };
    let unguarded = |table: &str, made: &str| {
        let expected = bare(table);
        hole(made, "drop table rogue", &expected.each_ref().map(String::as_str));
    };
    hole("create table rogue ()", "drop table rogue", &["table rogue: neither about a case nor listed as about none"]);
    unguarded("rogue", "create table rogue (case_id uuid)");
    unguarded("rogue", "create table rogue (it uuid references children)");
    unguarded(
        "rogue_0",
        "create table rogue (case_id uuid) partition by list (case_id); alter table rogue enable row level security; \
         alter table rogue force row level security; create policy all_of_it on rogue using (true); \
         create table rogue_0 partition of rogue default",
    );
    hole(
        "alter table sections no force row level security",
        "alter table sections force row level security",
        &["table sections: row security is not forced"],
    );
    hole("create view rogue as select from cases", "drop view rogue", &["view rogue: passes row security"]);
    hole("create view rogue with (security_invoker = true) as select from cases", "drop view rogue", &[]);
    hole(
        "grant truncate on cases to lindung_api",
        "revoke truncate on cases from lindung_api",
        &["table cases: lindung_api may truncate"],
    );
    hole(
        "grant delete on access_log to lindung_worker",
        "revoke delete on access_log from lindung_worker",
        &["table access_log: lindung_worker may delete"],
    );
    hole("grant select on cases to public", "revoke select on cases from public", &["table cases: - may select"]);
    hole(
        "create function rogue() returns bigint language sql security definer as 'select count(*) from cases'",
        "drop function rogue",
        &[
            "function rogue(): does not belong to maintenance",
            "function rogue(): no fixed search_path, pg_temp last",
            "function rogue(): open to everybody",
        ],
    );
    hole(
        "set role lindung_maintenance; create view policy.rogue as select",
        "drop view policy.rogue",
        &["view policy.rogue: does not belong to the owner", "view policy.rogue: passes row security"],
    );
}

#[test]
fn a_grant_too_many_shows() {
    let database = Database::new();
    let before = privileges(&database);
    database.execute(
        "set role lindung_owner; grant update (at) on messages to lindung_api; grant delete on cases to lindung_worker",
    );
    let after = privileges(&database);
    let more: Vec<String> =
        after.difference(&before).map(|it| it.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(more, ["lindung_api update column messages.at", "lindung_worker delete table cases"]);
}

/// The service's role, whatever it is told to do, only ever adds to the access log.
#[test]
fn the_service_only_adds_to_the_access_log() {
    let database = Database::new();
    let mut api = database.inside("lindung_api", "");
    for sql in [
        "update access_log set rule = null",
        "delete from access_log",
        "truncate access_log",
        "drop table access_log",
        "alter table access_log disable row level security",
        "set role lindung_owner",
        "set role lindung_maintenance",
    ] {
        let refused = api.tries(sql).unwrap_err();
        assert!(refused.contains("permission denied") || refused.contains("must be owner"), "{sql}: {refused}");
    }
}

/// A temporary table stands in for none of ours, in a function that looks past row security; and the service can
/// make none to begin with.
#[test]
fn nobody_stands_in_for_a_table() {
    let database = migrated();
    let id = "00000000-0000-7000-8000-000000000000";
    let context = "set local lindung.agency = 'KK.MCMC'; set local lindung.now = '2026-11-24T00:00:00Z'";
    let stand_in = format!(
        "create temporary table cases as select '{id}'::uuid as id, 'KK.MCMC' as lead_agency, null::text[] as shield"
    );
    let refused = database.inside("lindung_api", context).tries(&stand_in).unwrap_err();
    assert!(refused.contains("permission denied"), "{refused}");
    database.execute(
        "do $$ begin execute format('grant temporary on database %I to lindung_api', current_database()); end $$",
    );
    let mut api = database.inside("lindung_api", context);
    api.tries(&stand_in).unwrap();
    api.tries("grant select on cases to public").unwrap();
    let asked = format!("select policy.leads('{id}') as leads, policy.sees('{id}') as sees");
    assert_eq!(api.rows(&asked), [json!({ "leads": false, "sees": null })]);
}
