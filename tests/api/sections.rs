//! Sections: read and written one by one, each from its own version.

use lindung_tests::TestApp;
use serde_json::{Value, json};

const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";

#[actix_web::test]
async fn each_section_has_its_own_version() {
    let app = TestApp::start().await;
    let school = app.officer(SCHOOL).await;
    let case = school.opens_case().await;
    let of = |name: &str| format!("{}/sections/{name}", case.path);
    let unwritten = school.get(&of("plan")).await.is(200);
    assert_eq!((unwritten.header("etag"), &unwritten.body["content"]), (Some("\"0\""), &Value::Null));
    school
        .send("PUT", &of("plan"), &[], Some(&json!({ "text": "One." })))
        .await
        .is_problem(428, "precondition-required");
    let stale = school.put(&of("plan"), 1, &json!({ "text": "One." })).await.is_problem(412, "stale");
    assert_eq!(stale.body["currentVersion"], 0);
    for at in 0..3 {
        let written = school.put(&of("plan"), at, &json!({ "text": format!("Plan {at}.") })).await.is(200);
        assert_eq!(written.header("etag"), Some(format!("\"{}\"", at + 1).as_str()));
        assert!(!written.body.to_string().contains("Plan"));
    }
    let seen = school.get(&of("plan")).await.is(200);
    assert_eq!(
        json!([seen.body["version"], seen.body["content"]["text"], seen.body["agency"]]),
        json!([3, "Plan 2.", SCHOOL])
    );
    assert_eq!(seen.body["updatedAt"].as_str().unwrap()[..19], app.now().to_rfc3339()[..19]);
    assert_eq!(school.get(&of("narrative")).await.body["version"], 1);
    assert_eq!(school.get(&case.path).await.body["version"], 1);
    let identity = format!("{}/sections/identity", case.child(0));
    school.put(&identity, 1, &json!({ "names": ["A"] })).await.is(200);
    school.put(&identity, 1, &json!({ "names": ["B"] })).await.is_problem(412, "stale");
    assert_eq!(school.get(&format!("{}/sections/risk", case.child(0))).await.body["version"], 1);
}

#[actix_web::test]
async fn a_section_is_of_its_kind() {
    let app = TestApp::start().await;
    let school = app.officer(SCHOOL).await;
    let case = school.opens_case().await;
    let (of_case, of_child) = (format!("{}/sections", case.path), format!("{}/sections", case.child(0)));
    let (prose, evidence, identity) =
        (json!({ "text": "x" }), json!({ "items": [{ "description": "x" }] }), json!({ "names": ["x"] }));
    for (path, section, body) in [
        (&of_case, "identity", &identity),
        (&of_case, "risk", &prose),
        (&of_child, "narrative", &prose),
        (&of_child, "digital-evidence", &evidence),
        (&of_case, "everything", &prose),
    ] {
        let path = format!("{path}/{section}");
        school.get(&path).await.is_problem(400, "malformed").about("section", "format");
        school.put(&path, 0, body).await.is_problem(400, "malformed").about("section", "format");
    }
    for (path, section, body, field, code) in [
        (&of_case, "plan", &identity, "names", "unknown"),
        (&of_case, "digital-evidence", &prose, "text", "unknown"),
        (&of_child, "identity", &prose, "text", "unknown"),
        (&of_child, "health", &json!({}), "text", "required"),
    ] {
        school.put(&format!("{path}/{section}"), 0, body).await.is_problem(400, "malformed").about(field, code);
    }
}

#[actix_web::test]
async fn content_keeps_its_limits() {
    let app = TestApp::start().await;
    let school = app.officer(SCHOOL).await;
    let case = school.opens_case().await;
    let (of_case, of_child) = (format!("{}/sections", case.path), format!("{}/sections", case.child(0)));
    let item = |field: &str, value: Value| {
        let mut item = json!({ "description": "Photograph" });
        item[field] = value;
        json!({ "items": [item] })
    };
    let name = |name: &str| json!({ "names": ["Good", name] });
    let id =
        |system: &str, value: &str| json!({ "names": ["x"], "identifiers": [{ "system": system, "value": value }] });
    let (a, long) = ("a".repeat(64), "a".repeat(20_001));
    let table = [
        (&of_case, "narrative", json!({ "text": long }), "text", "length"),
        (&of_case, "narrative", json!({ "text": "\u{3000} \n" }), "text", "required"),
        (&of_case, "digital-evidence", json!({ "items": [] }), "items", "length"),
        (&of_case, "digital-evidence", item("sha256", json!(a[1..])), "items[0].sha256", "pattern"),
        (&of_case, "digital-evidence", item("sha256", json!("A".repeat(64))), "items[0].sha256", "pattern"),
        (&of_case, "digital-evidence", item("sha256", json!("g".repeat(64))), "items[0].sha256", "pattern"),
        (&of_case, "digital-evidence", item("description", json!("")), "items[0].description", "required"),
        (&of_case, "digital-evidence", item("platform", json!("a".repeat(201))), "items[0].platform", "length"),
        (&of_child, "identity", name("a\u{202e}b"), "names[1]", "characters"),
        (&of_child, "identity", name("a\u{200b}b"), "names[1]", "characters"),
        (&of_child, "identity", name("a\u{2066}b"), "names[1]", "characters"),
        (&of_child, "identity", name("a\nb"), "names[1]", "characters"),
        (&of_child, "identity", name(" "), "names[1]", "required"),
        (&of_child, "identity", name(&"a".repeat(201)), "names[1]", "length"),
        (&of_child, "identity", json!({ "names": vec!["x"; 21] }), "names", "length"),
        (&of_child, "identity", id("My Kid", "1"), "identifiers[0].system", "pattern"),
        (&of_child, "identity", id("mykid", "1\u{feff}2"), "identifiers[0].value", "characters"),
        (&of_child, "identity", id("mykid", &"1".repeat(65)), "identifiers[0].value", "length"),
    ];
    for (path, section, body, field, code) in table {
        school.put(&format!("{path}/{section}"), 1, &body).await.is_problem(422, "invalid").about(field, code);
    }
    let bad_day = json!({ "names": ["x"], "birthDate": "2012-02-30" });
    school.put(&format!("{of_child}/identity"), 1, &bad_day).await.is_problem(400, "malformed");

    // Names are kept in NFC, without spaces around them; 20,000 characters are not 20,001, however many bytes.
    let decomposed = json!({ "names": [" Noe\u{308}l "], "identifiers": [{ "system": "passport", "value": " A1 " }], "birthDate": "2012-02-29" });
    school.put(&format!("{of_child}/identity"), 1, &decomposed).await.is(200);
    let kept = school.get(&format!("{of_child}/identity")).await.body["content"].clone();
    assert_eq!(
        kept,
        json!({ "names": ["No\u{eb}l"], "identifiers": [{ "system": "passport", "value": "A1" }], "birthDate": "2012-02-29" })
    );
    school.put(&format!("{of_case}/narrative"), 1, &json!({ "text": "\u{1f9d2}".repeat(20_000) })).await.is(200);
    let good = item("sha256", json!(a));
    school.put(&format!("{of_case}/digital-evidence"), 1, &good).await.is(200);
    assert_eq!(school.get(&format!("{of_case}/digital-evidence")).await.body["content"], good);
}
