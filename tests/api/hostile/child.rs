//! Who a child is stands nowhere in plain text: in no row, no dump, no log of ours and none of PostgreSQL's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lindung_domain::section::Identifier;
use lindung_domain::{Actor, Purpose, Role};
use lindung_persistence::{Call, Db};
use lindung_tests::{Raw, TestApp, case_body};
use serde_json::{Value, json};

use super::canary::lines;

/// A name, a number and what is told of guardians, none of them like anything else.
const CANARIES: [&str; 3] = ["Burungkenarina", "K7190455501X", "Pakcikburung"];

/// Neither as it is, nor as PostgreSQL writes bytes.
fn silent(what: &str, text: &str) {
    let text = text.to_lowercase();
    for canary in CANARIES {
        let hex: String = canary.bytes().map(|it| format!("{it:02x}")).collect();
        assert!(!text.contains(&canary.to_lowercase()) && !text.contains(&hex), "{what} tells {canary}");
    }
}

fn identity() -> Value {
    json!({ "names": [CANARIES[0]], "identifiers": [{ "system": "passport", "value": CANARIES[1] }] })
}

/// `pg_dump` of the newest PostgreSQL that is installed, as `deploy/development/lib.sh` finds it.
fn pg_dump() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed").map(|it| it.unwrap().path());
    let newest = versions
        .filter(|it| it.join("bin/pg_dump").exists())
        .max_by_key(|it| it.file_name().and_then(|it| it.to_str()).and_then(|it| it.parse::<u32>().ok()));
    newest.expect("a PostgreSQL with pg_dump").join("bin/pg_dump")
}

/// The log of the tests' PostgreSQL: beside its socket.
fn server_log(url: &str) -> Vec<u8> {
    let folder = url.split(['?', '&']).find_map(|it| it.strip_prefix("host=")).expect("a socket's folder");
    fs::read(Path::new(folder).join("log")).expect("the log of the tests' PostgreSQL can be read")
}

#[actix_web::test]
async fn a_child_stands_nowhere_in_plain_text() {
    let lines = lines();
    let app = TestApp::start().await;
    let logged_before = server_log(&app.database.url).len();
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let mut body = case_body();
    let guardians = json!({ "text": CANARIES[2] });
    body["children"] = json!([{ "sections": { "identity": identity(), "guardians": guardians } }]);
    let case = school.post("/v1/cases", &body).await.is(201).reference();
    let of = |name: &str| format!("{}/sections/{name}", case.child(0));
    school.put(&of("identity"), 1, &identity()).await.is(200);
    school.put(&of("guardians"), 1, &guardians).await.is(200);
    school.put(&of("health"), 0, &guardians).await.is(200);
    assert_eq!(school.get(&of("identity")).await.is(200).body["content"]["names"][0], CANARIES[0]);
    let actor = Actor::officer(
        app.credentials(&school.agency).client_id.parse().unwrap(),
        school.agency.parse().unwrap(),
        "officer.one".parse().unwrap(),
        &[Role::Officer],
        Some(Purpose::EducationSafeguarding),
    );
    let call = Call {
        actor: actor.unwrap(),
        action: "find",
        request_id: Db::new_id(),
        target: None,
        now: app.now(),
        proof: None,
    };
    let identifier = Identifier::new("passport", CANARIES[1]);
    assert_eq!(app.database.db().children_with_identifier(&call, &identifier).unwrap().len(), 1);

    // PostgreSQL refuses the rows, and ours do not open.
    app.database.execute("alter table child_identities add constraint no_more check (false) not valid");
    silent("a fault", &school.put(&of("identity"), 2, &identity()).await.is_problem(500, "fault").body.to_string());
    silent("a fault", &school.post("/v1/cases", &body).await.is_problem(500, "fault").body.to_string());
    app.database.execute("alter table sections add constraint one_more check (false) not valid");
    silent("a fault", &school.put(&of("guardians"), 2, &guardians).await.is_problem(500, "fault").body.to_string());
    silent("a refusal", &school.put(&of("identity"), 1, &identity()).await.is_problem(412, "stale").body.to_string());
    app.database.execute("update child_keys set wrapped = substr(wrapped, 1, 30)");
    silent("a fault", &school.get(&of("identity")).await.is_problem(500, "fault").body.to_string());

    for table in app.database.rows(
        "select relname::text as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'",
    ) {
        let table = table["name"].as_str().unwrap();
        for row in app.database.rows(&format!("select t as row, t::text as text from {table} t")) {
            silent(table, &row.to_string());
        }
    }
    let dump = Command::new(pg_dump()).arg(&app.database.url).output().unwrap();
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    let dump = String::from_utf8(dump.stdout).unwrap();
    assert!(
        dump.contains("COPY public.child_identities") && dump.contains(case.child_id(0)),
        "the dump is of this database"
    );
    silent("a dump", &dump);
    silent("/metrics", &app.answers(&Raw::new("GET", "/metrics")).await.body);
    let logged = lines.text();
    assert!(logged.contains("does not open"), "the cause of a fault was not logged");
    silent("our log", &logged);
    silent("PostgreSQL's log", &String::from_utf8_lossy(&server_log(&app.database.url)[logged_before..]));
}
