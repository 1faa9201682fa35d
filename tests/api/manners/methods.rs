//! Methods: HEAD is answered like GET; what a path cannot do is told with what it can.

use std::collections::BTreeMap;

use lindung_tests::TestApp;
use serde_json::json;

use super::NOBODY;

/// Each path of the contract, with something in place of its parameters, and its methods.
fn paths() -> BTreeMap<String, Vec<String>> {
    let document = serde_json::to_value(lindung_http::document()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let concrete = |path: &str| {
        let code = path.replace("{code}", "KDN.PDRM.D11").replace("{list}", "offence").replace("{section}", "summary");
        let code = code.replace("{tile}", "0/000.p/1").replace("{bundle}", "000.p/1");
        [
            "{case}",
            "{child}",
            "{referral}",
            "{access}",
            "{proposal}",
            "{suspension}",
            "{release}",
            "{entry}",
            "{handoff}",
            "{request}",
            "{grant}",
            "{consent}",
            "{override}",
            "{subscription}",
            "{delivery}",
            "{notification}",
        ]
        .iter()
        .fold(code, |it, name| it.replace(name, NOBODY))
    };
    let methods = |item: &serde_json::Value| {
        let mut methods: Vec<String> = item.as_object().unwrap().keys().map(|it| it.to_uppercase()).collect();
        if methods.contains(&"GET".to_owned()) {
            methods.push("HEAD".to_owned());
        }
        methods.sort();
        methods
    };
    let mut found: BTreeMap<String, Vec<String>> = paths.iter().map(|it| (concrete(it.0), methods(it.1))).collect();
    for path in ["/openapi.json", "/docs/"] {
        found.insert(path.to_owned(), vec!["GET".to_owned(), "HEAD".to_owned()]);
    }
    found
}

#[actix_web::test]
async fn a_path_tells_what_it_can_do_to_whoever_asks_for_something_else() {
    let app = TestApp::start().await;
    let mut asked = 0;
    for (path, allowed) in paths() {
        assert!(!path.contains('{'), "{path}");
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"] {
            if allowed.iter().any(|it| it == method) {
                continue;
            }
            let reply = app.raw(method, &path, &[], None).await;
            assert_eq!(reply.status, 405, "{method} {path}");
            assert_eq!(reply.header("allow"), Some(allowed.join(", ").as_str()), "{method} {path}");
            if method != "HEAD" {
                assert_eq!(reply.problem(), Some("method-not-allowed"), "{method} {path}");
            }
            asked += 1;
        }
    }
    assert!(asked > 300, "{asked}");
}

#[actix_web::test]
async fn head_is_get_without_the_body() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let case = school.opens_case().await;
    let missing = format!("/v1/cases/{NOBODY}");
    for path in
        [case.path.as_str(), "/v1/cases?limit=1", &missing, "/v1/cases?x=1", "/livez", "/openapi.json", "/docs/"]
    {
        let get = app.answers(&school.raw("GET", path)).await;
        let head = app.answers(&school.raw("HEAD", path)).await;
        assert_eq!((head.status, head.body.as_str()), (get.status, ""), "{path}");
        for name in ["content-length", "content-type", "etag", "link", "cache-control"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {path}");
        }
        assert_eq!(head.header("content-length").map(str::to_owned), Some(get.body.len().to_string()), "{path}");
    }
}

#[actix_web::test]
async fn head_is_an_access_like_any_other() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let case = school.opens_case().await;
    let head = school.send("HEAD", &format!("{}/sections/narrative", case.path), &[], None).await.is(200);
    let id = head.header("x-request-id").unwrap();
    let rows =
        app.database.rows(&format!("select action, outcome, sections from access_log where request_id = '{id}'"));
    assert_eq!(json!(rows), json!([{ "action": "get_section", "outcome": "permitted", "sections": ["narrative"] }]));
}
