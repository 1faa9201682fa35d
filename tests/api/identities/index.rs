//! The blind index: a child is found by exactly what was written, and by nothing that only looks alike.

use lindung_domain::section::Identifier;
use lindung_domain::{CaseId, ChildId};
use lindung_tests::{Ref, Session, TestApp};
use serde_json::{Value, json};

use super::{SCHOOL, identified, ids};

/// Who is found by an agency.
fn found(app: &TestApp, agency: &str, system: &str, value: &str) -> Vec<(CaseId, ChildId)> {
    let identifier = Identifier { system: system.to_owned(), value: value.to_owned() };
    identified(app, agency, &identifier)
}

fn identity(identifiers: &[(&str, &str)]) -> Value {
    let identifiers: Vec<Value> =
        identifiers.iter().map(|(system, value)| json!({ "system": system, "value": value })).collect();
    json!({ "names": ["Aminah"], "identifiers": identifiers })
}

async fn opens(school: &Session, identifiers: &[(&str, &str)]) -> Ref {
    let body = json!({ "priority": "urgent", "children": [{ "sections": { "identity": identity(identifiers) } }] });
    school.post("/v1/cases", &body).await.is(201).reference()
}

#[actix_web::test]
async fn a_child_is_found_by_exactly_its_identifiers() {
    let app = TestApp::start().await;
    let school = app.officer(SCHOOL).await;
    let case =
        opens(&school, &[("passport", " Noe\u{308}l1 "), ("mykid", "120101141234"), ("mykid", "120101141234")]).await;
    let child = ids(&case, 0);
    let find = |system: &str, value: &str| found(&app, SCHOOL, system, value);
    assert_eq!(find("mykid", "120101141234"), [child]);
    for value in ["No\u{eb}l1", "Noe\u{308}l1", " No\u{eb}l1\t"] {
        assert_eq!(find("passport", value), [child], "{value:?}");
    }
    for (system, value) in [
        ("mykad", "120101141234"),
        ("passport", "120101141234"),
        ("mykid", "12010114123"),
        ("mykid", "1201011412345"),
        ("mykid", "120101 141234"),
        ("mykid1", "20101141234"),
        ("passport", "no\u{eb}l1"),
        ("passport", "Noel1"),
        ("mykid", ""),
        ("", ""),
    ] {
        assert_eq!(find(system, value), [], "{system} {value:?}");
    }
    let other = ids(&opens(&school, &[("mykid", "120101141234")]).await, 0);
    assert_eq!(find("mykid", "120101141234"), [child, other]);
    assert_eq!(app.database.count("identity_indexes"), 3);
    assert_eq!(app.database.count("identity_indexes where length(token) = 8"), 3);

    // What an identity no longer says it is no longer found by.
    let path = format!("{}/sections/identity", case.child(0));
    school.put(&path, 1, &identity(&[("passport", "No\u{eb}l1"), ("birth-certificate", "B 7")])).await.is(200);
    assert_eq!(find("mykid", "120101141234"), [other]);
    assert_eq!(find("passport", "No\u{eb}l1"), [child]);
    assert_eq!(find("birth-certificate", "B 7"), [child]);
    school.put(&path, 2, &identity(&[])).await.is(200);
    assert_eq!(find("passport", "No\u{eb}l1"), []);
    assert_eq!(app.database.count("identity_indexes"), 1);
}

#[actix_web::test]
async fn a_coincidence_of_tokens_is_no_hit() {
    let app = TestApp::start().await;
    let school = app.officer(SCHOOL).await;
    let child = ids(&opens(&school, &[("mykid", "1")]).await, 0);
    opens(&school, &[("mykid", "2")]).await;
    let token = format!("select token from identity_indexes where child_id = '{}'", child.1);
    app.database.execute(&format!("update identity_indexes set token = ({token})"));
    assert_eq!(app.database.count("(select distinct token from identity_indexes) t"), 1);
    assert_eq!(found(&app, SCHOOL, "mykid", "1"), [child]);
    assert_eq!(found(&app, SCHOOL, "mykid", "2"), []);
}

#[actix_web::test]
async fn nobody_is_found_in_a_case_that_is_not_seen() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer(SCHOOL).await, "KPWKM.JKM");
    let case = opens(&school, &[("mykid", "1")]).await;
    assert_eq!(found(&app, police, "mykid", "1"), []);
    let welfare = app.officer(police).await;
    let sent = school.refers(&case, &welfare).await;
    // What may not be read may not be found out by searching either.
    assert_eq!(found(&app, police, "mykid", "1"), []);
    welfare.does(&sent, "accept", json!({})).await;
    assert_eq!(found(&app, police, "mykid", "1"), [ids(&case, 0)]);
    // Every search is recorded, the last with whom it found.
    let searches = app.database.rows("select count, child_ids from access_log where action = 'test' order by xid");
    let child = case.child_id(0);
    let none = || json!({ "count": 0, "child_ids": [] });
    assert_eq!(searches, [none(), none(), json!({ "count": 1, "child_ids": [child] })]);
}
