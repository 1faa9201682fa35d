//! What every answer says of itself, whatever it is an answer to.

use std::collections::BTreeSet;

use lindung_tests::{Raw, TestApp};
use serde_json::json;

use super::NOBODY;

const HARDENING: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
];
const POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

#[actix_web::test]
async fn every_answer_is_hardened_kept_nowhere_and_has_an_id() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let case = school.opens_case().await;
    let form = |body: &str| {
        Raw::new("POST", "/oauth2/token").header("content-type", "application/x-www-form-urlencoded").body(body)
    };
    let mut ids = BTreeSet::new();
    for (request, status) in [
        (school.raw("GET", &case.path), 200),
        (school.raw("HEAD", &case.path), 200),
        (
            school
                .raw("POST", "/v1/cases")
                .header("idempotency-key", "one")
                .json(lindung_tests::case_body().to_string()),
            201,
        ),
        (school.raw("GET", &format!("/v1/cases/{NOBODY}")), 404),
        (school.raw("GET", "/v1/no-such"), 404),
        (Raw::new("GET", "/no-such"), 404),
        (Raw::new("GET", &case.path), 401),
        (school.raw("GET", "/v1/cases?x=1"), 400),
        (school.raw("GET", "/v1/access-log"), 403),
        (school.raw("DELETE", &case.path), 405),
        (school.raw("GET", &case.path).header("accept", "text/html"), 406),
        (school.raw("PUT", &case.path).json("{}"), 428),
        (school.raw("PUT", &case.path).header("if-match", "*").body("{}"), 415),
        (school.raw("PUT", &case.path).header("if-match", "*").json(" ".repeat(1024 * 1024 + 1)), 413),
        (form("grant_type=client_credentials"), 400),
        (form("grant_type=client_credentials&grant_type=x"), 400),
        (Raw::new("GET", "/livez"), 200),
        (Raw::new("GET", "/readyz"), 200),
        (Raw::new("GET", "/metrics"), 200),
        (Raw::new("GET", "/openapi.json"), 200),
        (Raw::new("POST", "/openapi.json"), 405),
        (Raw::new("GET", "/.well-known/jwks.json"), 200),
        (Raw::new("GET", "/docs"), 307),
        (Raw::new("GET", "/docs/"), 200),
        (Raw::new("GET", "/docs/no-such"), 404),
    ] {
        let wire = app.answers(&request).await;
        assert_eq!(wire.status, status, "{request:?} {}", wire.body);
        for (name, value) in HARDENING {
            assert_eq!(wire.header(name), Some(value), "{name} of {request:?}");
        }
        assert_eq!(wire.header("cache-control"), Some("no-store"), "{request:?}");
        let policy = wire.header("content-security-policy").expect("a policy");
        let is_docs = format!("{request:?}").contains("/docs");
        assert_eq!(policy == POLICY, !is_docs, "{request:?} {policy}");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(ids.insert(wire.header("x-request-id").expect("an id").to_owned()));
    }
}

#[actix_web::test]
async fn the_id_of_an_answer_is_the_one_in_the_access_log() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let case = school.opens_case().await;
    let ours = "00000000-0000-4000-8000-000000000000";
    let mut requests = Vec::new();
    for (method, path, headers, body) in [
        ("GET", case.path.clone(), vec![], None),
        ("GET", "/v1/cases".to_owned(), vec![], None),
        ("GET", format!("/v1/cases/{NOBODY}"), vec![], None),
        ("PUT", format!("{}/sections/plan", case.path), vec![("if-match", "\"0\"")], Some(json!({ "text": "Watch." }))),
        ("PUT", format!("{}/sections/plan", case.path), vec![("if-match", "\"0\"")], Some(json!({ "text": "Watch." }))),
    ] {
        // An id that the client brings is not taken.
        let headers = [headers, vec![("x-request-id", ours)]].concat();
        let answered = school.send(method, &path, &headers, body.as_ref()).await;
        requests.push((answered.header("x-request-id").unwrap().to_owned(), answered.status));
    }
    let outcomes: Vec<String> = requests
        .iter()
        .map(|(id, status)| {
            let rows = app.database.rows(&format!("select action, outcome from access_log where request_id = '{id}'"));
            assert_eq!(rows.len(), 1, "{id}");
            format!("{status} {} {}", rows[0]["action"].as_str().unwrap(), rows[0]["outcome"].as_str().unwrap())
        })
        .collect();
    insta::assert_snapshot!(outcomes.join("\n"), @r"
    200 get_case permitted
    200 list_cases permitted
    404 get_case not-found
    200 put_section permitted
    412 put_section stale
    ");
    assert_eq!(app.database.count(&format!("access_log where request_id = '{ours}'")), 0);
}

#[actix_web::test]
async fn the_documentation_fetches_nothing_from_elsewhere() {
    let app = TestApp::start().await;
    let page = app.answers(&Raw::new("GET", "/docs/")).await;
    assert!(page.body.contains("swagger-ui"), "{}", page.body);
    for link in page.body.split("src=\"").chain(page.body.split("href=\"")).skip(1) {
        assert!(!link.starts_with("http") && !link.starts_with("//"), "{link}");
    }
    assert_eq!(app.answers(&Raw::new("GET", "/docs")).await.header("location"), Some("/docs/"));
}
