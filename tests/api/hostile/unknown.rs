//! Refused and unknown are equal: whoever may not know of something is answered, and leaves traces, as if there were
//! no such thing.

use std::collections::BTreeMap;

use reqwest::header::{HeaderName, HeaderValue};

use lindung_persistence::Db;
use lindung_tests::{Answered, Session, TestApp};
use serde_json::{Value, json};

use crate::contract::world::{HOSPITAL, POLICE, SCHOOL, WELFARE, World};
use crate::contract::{document, operations};

/// What depends on the moment or on the caller alone.
const VARIES: [&str; 2] = ["date", "x-request-id"];

/// How many rows each table has, and how that changed.
struct Tables<'a> {
    app: &'a TestApp,
    counting: String,
    last: BTreeMap<String, i64>,
}

impl<'a> Tables<'a> {
    fn of(app: &'a TestApp) -> Self {
        let named = "select tablename::text as name from pg_tables where schemaname = 'public'";
        let each: Vec<String> = app
            .database
            .rows(named)
            .iter()
            .map(|it| it["name"].as_str().unwrap().to_owned())
            .map(|it| format!("select '{it}' as name, count(*) as n from {it}"))
            .collect();
        let mut tables = Tables { app, counting: each.join(" union all "), last: BTreeMap::new() };
        tables.written();
        tables
    }

    /// How many rows each table has more than when it was last asked, where it has.
    fn written(&mut self) -> BTreeMap<String, i64> {
        let rows = self.app.database.rows(&self.counting);
        let now: BTreeMap<String, i64> =
            rows.iter().map(|it| (it["name"].as_str().unwrap().to_owned(), it["n"].as_i64().unwrap())).collect();
        let before = std::mem::replace(&mut self.last, now);
        let more = self.last.iter().map(|(name, n)| (name.clone(), n - before.get(name).unwrap_or(&0)));
        more.filter(|it| it.1 != 0).collect()
    }
}

/// All that can be told of an answer: what came back, how many rows of which table it made, its access row.
#[derive(Debug, PartialEq)]
struct Traces {
    status: u16,
    headers: Vec<(String, String)>,
    body: Value,
    written: BTreeMap<String, i64>,
    row: Vec<Value>,
}

impl Traces {
    fn of(tables: &mut Tables<'_>, answered: &Answered) -> Self {
        let text = |it: (&HeaderName, &HeaderValue)| (it.0.to_string(), it.1.to_str().unwrap().to_owned());
        let mut headers: Vec<(String, String)> =
            answered.headers.iter().map(text).filter(|it| !VARIES.contains(&it.0.as_str())).collect();
        headers.sort();
        let request = answered.header("x-request-id").unwrap();
        let row = format!(
            "select to_jsonb(a) - '{{id, at, request_id, xid, target, case_ids}}'::text[] as row from access_log a where request_id = '{request}'"
        );
        let row = tables.app.database.rows(&row);
        Traces { status: answered.status, headers, body: answered.body.clone(), written: tables.written(), row }
    }
}

/// Tries every operation with an id in its path on what is there; where that is not found, on what is nowhere too.
/// Gives the operations that were compared.
async fn compared(world: &World<'_>, who: &Session, few: bool) -> Vec<String> {
    let (document, mut tables, mut compared) = (document(), Tables::of(world.app()), Vec::new());
    for (n, (method, template, operation)) in operations(&document).into_iter().enumerate() {
        let named = template.contains('{') && !template.contains("{code}") && !template.contains("{list}");
        if !named || (few && method != "get") {
            continue;
        }
        let name = operation["operationId"].as_str().unwrap();
        let body = world.body(name, n);
        let refused = world.asks(who, (method, &world.path(template)), body.as_ref()).await;
        let refused = Traces::of(&mut tables, &refused);
        if refused.status != 404 {
            continue;
        }
        assert_eq!(refused.written, BTreeMap::from([("access_log".to_owned(), 1)]), "{} {name}", who.agency);
        // What is asked for is nowhere, and then it is in a case that is nowhere.
        let last = template.rsplit('{').next().and_then(|it| it.split('}').next()).unwrap();
        let last = if last == "section" { "child" } else { last };
        let once = template.matches('{').count() == 1;
        for every in [true, false].into_iter().skip(usize::from(once)) {
            let unknown = world.path_with(template, |id, known| {
                if every || id == last { Db::new_id().to_string() } else { known.to_owned() }
            });
            let answered = world.asks(who, (method, &unknown), body.as_ref()).await;
            assert_eq!(Traces::of(&mut tables, &answered), refused, "{} {name} {unknown}", who.agency);
        }
        compared.push(name.to_owned());
    }
    compared
}

#[actix_web::test]
async fn who_is_no_party_cannot_tell_what_exists() {
    let app = TestApp::start().await;
    let world = World::new(&app, 0).await;
    for who in [
        app.supervisor("KK.MCMC").await,
        app.client("KK").await,
        app.auditor("KK").await,
        app.administrator("KK").await,
    ] {
        let compared = compared(&world, &who, false).await;
        assert!(compared.len() >= 45, "{}: {compared:?}", who.agency);
    }
}

#[actix_web::test]
async fn nor_can_who_is_kept_out_by_a_shield_of_the_case_or_of_its_child() {
    let app = TestApp::start().await;
    for of_child in [false, true] {
        let world = World::new(&app, usize::from(of_child)).await;
        let school = app.supervisor(SCHOOL).await;
        let path = if of_child { world.case.child(0) } else { &world.case.path };
        school.shields(path, &[&format!("{SCHOOL}/supervisor.one")]).await.is(200);
        let people = [
            app.person(SCHOOL, "guru.two", &["supervisor"], Some("education-safeguarding")).await,
            app.officer(POLICE).await,
            app.officer(WELFARE).await,
            app.coordinator().await,
        ];
        for who in &people {
            let compared = compared(&world, who, of_child).await;
            let least = if of_child { 2 } else { 20 };
            assert!(compared.len() >= least, "{} {of_child}: {compared:?}", who.agency);
        }
    }
}

#[actix_web::test]
async fn a_reference_tells_nothing_to_whom_emergencies_are_not_entrusted() {
    let app = TestApp::start().await;
    let world = World::new(&app, 0).await;
    let known = world.body("open_emergency_access", 0).unwrap();
    let mut unknown = known.clone();
    unknown["reference"] = json!("LDG-2026-999999");
    for (agency, role) in [(SCHOOL, "supervisor"), (POLICE, "auditor"), (HOSPITAL, "administrator")] {
        let purpose = match role {
            "supervisor" => Some("education-safeguarding"),
            "auditor" => Some("audit"),
            _ => None,
        };
        let who = app.person(agency, "somebody", &[role], purpose).await;
        let (mut tables, mut traces) = (Tables::of(&app), Vec::new());
        for body in [&known, &unknown] {
            let answered = world.asks(&who, ("post", "/v1/emergency-accesses"), Some(body)).await;
            traces.push(Traces::of(&mut tables, &answered));
        }
        assert_eq!(traces[0].status, 403);
        assert_eq!(traces[0], traces[1], "{agency} {role}");
    }
}
