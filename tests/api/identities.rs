//! Who a child is is sealed: what is kept opens at its place and with its key alone.

mod erasure;
mod index;
mod rotation;

use std::fs;

use lindung_domain::section::Identifier;
use lindung_domain::{Actor, CaseId, ChildId, Purpose, Role};
use lindung_persistence::{Call, Db};
use lindung_tests::{Ref, Session, TestApp, case_body};
use lindung_vault::FileKeys;
use rstest::rstest;
use serde_json::{Value, json};

const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";

/// Every section of a child, the identity first.
const SECTIONS: [&str; 6] = ["identity", "contacts", "guardians", "risk", "education", "health"];

/// A supervisor's call past HTTP: for what has no operation yet.
fn call(app: &TestApp, agency: &str) -> Call {
    let client = app.credentials(agency).client_id.parse().unwrap();
    let purpose = if agency.starts_with("KPM") { Purpose::EducationSafeguarding } else { Purpose::Protection };
    let (agency, officer) = (agency.parse().unwrap(), "supervisor.one".parse().unwrap());
    let actor = Actor::officer(client, agency, officer, &[Role::Supervisor], Some(purpose)).unwrap();
    Call { actor, action: "test", request_id: Db::new_id(), target: None, now: app.now(), proof: None }
}

fn ids(case: &Ref, child: usize) -> (CaseId, ChildId) {
    (case.id.parse().unwrap(), case.child_id(child).parse().unwrap())
}

/// Whom an officer of the agency finds by an identifier.
fn identified(app: &TestApp, agency: &str, identifier: &Identifier) -> Vec<(CaseId, ChildId)> {
    let found = app.database.db().children_with_identifier(&call(app, agency), identifier).unwrap();
    found.into_iter().map(|it| (it.case, it.child)).collect()
}

fn content(section: &str, words: &str) -> Value {
    match section {
        "identity" => json!({ "names": [words], "identifiers": [{ "system": "mykid", "value": words }] }),
        _ => json!({ "text": words }),
    }
}

/// A case with two children, of whom everything is known.
async fn opens(school: &Session) -> Ref {
    let child = |n: usize| {
        let sections = SECTIONS.map(|it| (it.to_owned(), content(it, &format!("{it} {n}"))));
        json!({ "sections": Value::Object(sections.into_iter().collect()) })
    };
    let mut body = case_body();
    body["children"] = json!([child(0), child(1)]);
    school.post("/v1/cases", &body).await.is(201).reference()
}

fn path(case: &Ref, child: usize, section: &str) -> String {
    format!("{}/sections/{section}", case.child(child))
}

#[actix_web::test]
async fn everything_about_a_child_is_sealed_and_read_as_it_was_written() {
    let app = TestApp::start().await;
    let school = app.officer(SCHOOL).await;
    let case = opens(&school).await;
    for (child, section) in [0, 1].into_iter().flat_map(|child| SECTIONS.map(|it| (child, it))) {
        let path = path(&case, child, section);
        let seen = school.get(&path).await.is(200);
        assert_eq!(seen.body["content"], content(section, &format!("{section} {child}")));
        school.put(&path, 1, &content(section, "changed")).await.is(200);
        assert_eq!(school.get(&path).await.body["content"], content(section, "changed"));
        assert_eq!(seen.body.get("erasedAt"), None);
    }
    // A section that is written first, of a child about whom nothing was known.
    let added = school.post(&format!("{}/children", case.path), &json!({})).await.is(201);
    let health = format!("{}/sections/health", added.body["links"]["self"].as_str().unwrap());
    assert_eq!(app.database.count("child_keys"), 2);
    school.put(&health, 0, &content("health", "Well.")).await.is(200);
    assert_eq!(school.get(&health).await.body["content"], content("health", "Well."));

    assert_eq!(app.database.count("child_keys where wrapped is not null and kek_version = 1"), 3);
    assert_eq!(app.database.count("sections where child_id is not null and content is not null"), 0);
    assert_eq!(app.database.count("sections where child_id is not null"), 11);
    assert_eq!(app.database.count("child_identities"), 2);
    let distinct = "(select distinct sealed from sections union select distinct sealed from child_identities) s";
    assert_eq!(app.database.count(&format!("{distinct} where sealed is not null")), 13);
}

/// Somebody with the rights of a superuser moves what is sealed to where it was not sealed for.
#[rstest]
#[case::to_another_child(
    "update child_identities a set sealed = b.sealed from child_identities b where a.child_id <> b.child_id"
)]
#[case::with_its_key(
    "update child_keys a set wrapped = b.wrapped from child_keys b where a.child_id <> b.child_id; \
     update child_identities a set sealed = b.sealed from child_identities b where a.child_id <> b.child_id"
)]
#[case::the_key_alone("update child_keys a set wrapped = b.wrapped from child_keys b where a.child_id <> b.child_id")]
#[case::from_another_table(
    "update child_identities i set sealed = s.sealed from sections s where s.child_id = i.child_id"
)]
#[case::to_another_version("update child_identities set version = 2")]
#[case::under_another_key_version("update child_keys set kek_version = 2")]
#[case::cut_short("update child_identities set sealed = substr(sealed, 1, 20)")]
#[case::emptied("update child_identities set sealed = ''")]
#[case::changed("update child_identities set sealed = set_byte(sealed, 30, 255 - get_byte(sealed, 30))")]
#[case::without_a_key("delete from child_keys")]
#[actix_web::test]
async fn what_is_sealed_opens_at_its_place_alone(#[case] moved: &str) {
    let app = TestApp::start().await;
    let school = app.officer(SCHOOL).await;
    let case = opens(&school).await;
    FileKeys::add(&app.database.keys).unwrap();
    app.database.execute(moved);
    for child in [0, 1] {
        let failed = school.get(&path(&case, child, "identity")).await.is_problem(500, "fault");
        assert!(!failed.body.to_string().contains("identity"), "{}", failed.body);
    }
    assert_eq!(app.database.count("access_log where action = 'get_child_section' and outcome = 'failed'"), 2);
    // Of the case itself nothing is sealed.
    school.get(&format!("{}/sections/narrative", case.path)).await.is(200);
}

#[actix_web::test]
async fn a_section_does_not_open_as_another() {
    let app = TestApp::start().await;
    let school = app.officer(SCHOOL).await;
    let case = opens(&school).await;
    app.database.execute(
        "update sections a set sealed = b.sealed from sections b where a.child_id = b.child_id and a.section = 'risk' and b.section = 'health'",
    );
    school.get(&path(&case, 0, "risk")).await.is_problem(500, "fault");
    school.get(&path(&case, 0, "health")).await.is(200);
}

#[actix_web::test]
async fn without_its_key_version_nothing_opens_and_nothing_is_lost() {
    let app = TestApp::start().await;
    let school = app.officer(SCHOOL).await;
    let case = opens(&school).await;
    assert_eq!(app.database.db().missing_key().unwrap(), None);
    FileKeys::add(&app.database.keys).unwrap();
    let (first, away) = (app.database.keys.join("1.key"), app.database.keys.join("1.away"));
    fs::rename(&first, &away).unwrap();
    let db = app.database.db();
    assert_eq!(db.missing_key().unwrap(), Some(1));
    let identity = path(&case, 0, "identity");
    school.get(&identity).await.is_problem(500, "fault");
    school.put(&identity, 1, &content("identity", "x")).await.is_problem(500, "fault");
    // A new case is sealed with the version that there is.
    let other = opens(&school).await;
    school.get(&path(&other, 0, "identity")).await.is(200);
    fs::rename(&away, &first).unwrap();
    let seen = school.get(&identity).await.is(200);
    assert_eq!((&seen.body["version"], &seen.body["content"]), (&json!(1), &content("identity", "identity 0")));
    assert_eq!(db.missing_key().unwrap(), None);
}

#[actix_web::test]
async fn invented_cases_are_sealed_too() {
    let app = TestApp::start().await;
    let school = app.officer(SCHOOL).await;
    app.database.owner().fill(20, app.now(), &mut |_| {}).unwrap();
    let children = app.database.count("children");
    assert_eq!(app.database.count("child_keys where wrapped is not null"), children);
    assert_eq!(app.database.count("child_identities"), children);
    assert_eq!(app.database.count("identity_indexes"), children);
    let (case, child) = ("01900000-0000-7000-8000-000000000004", "01900000-0000-7001-8000-000000000400");
    let identity = school.get(&format!("/v1/cases/{case}/children/{child}/sections/identity")).await.is(200);
    let identifier = &identity.body["content"]["identifiers"][0];
    let identifier = Identifier::new("school-id", identifier["value"].as_str().unwrap());
    assert_eq!(identified(&app, SCHOOL, &identifier), [(case.parse().unwrap(), child.parse().unwrap())]);
}
