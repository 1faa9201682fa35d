//! Without a token nothing is answered, and every try is recorded.

use lindung_tests::TestApp;
use serde_json::json;

use super::{document, is_open, operations};

/// What answers without a token. This list may only shrink.
const OPEN: &[&str] = &[
    "GET /.well-known/jwks.json",
    "GET /.well-known/oauth-authorization-server",
    "GET /livez",
    "GET /metrics",
    "POST /oauth2/token",
    "GET /readyz",
    // The transparency log tells of nobody, and anybody may check it.
    "GET /v1/access-log/checkpoint",
    "GET /v1/access-log/consistency",
    "GET /v1/access-log/policy",
    "GET /v1/access-log/tile/{tile}",
    "GET /v1/access-log/tree",
];

#[actix_web::test]
async fn every_operation_is_refused_without_a_token_and_logged() {
    let (app, document) = (TestApp::start().await, document());
    let mut open = Vec::new();
    for (method, path, operation) in operations(&document) {
        let method = method.to_uppercase();
        let name = operation["operationId"].as_str().unwrap();
        if is_open(operation) {
            open.push(format!("{method} {path}"));
            continue;
        }
        assert_eq!(operation.get("security"), None, "{name} says that it is open");
        let (filled, target) = fill(path);
        let before = app.database.count("access_log");
        let reply = app.raw(&method, &filled, &[], None).await;
        assert_eq!((reply.status, reply.problem()), (401, Some("unauthenticated")), "{method} {filled}");
        let challenge = reply.header("www-authenticate").unwrap_or_default();
        assert!(challenge.contains("Bearer ") && challenge.contains("DPoP "), "{name}: {challenge}");
        assert_eq!(app.database.count("access_log"), before + 1, "{name}");
        let last = "select action, outcome, target, client_id, agency, officer, rule, count, case_ids from access_log \
                    order by xid desc, id desc limit 1";
        let expected = json!({
            "action": name, "outcome": "unauthenticated", "target": target, "client_id": null, "agency": null,
            "officer": null, "rule": null, "count": 0, "case_ids": [],
        });
        assert_eq!(app.database.rows(last), [expected]);
    }
    assert_eq!(open, OPEN);
    for beside in ["/openapi.json", "/asyncapi.json", "/docs/"] {
        assert_eq!(app.raw("GET", beside, &[], None).await.status, 200, "the contract itself is open too");
    }
}

/// A path with its parameters filled, and what they are together.
fn fill(path: &str) -> (String, Option<String>) {
    let mut target = Vec::new();
    let filled: Vec<&str> = path
        .split('/')
        .map(|part| {
            let value = match part {
                "{code}" => "KPM",
                "{list}" => "offence",
                "{bundle}" => "000.p/1",
                "{section}" if path.contains("{child}") => "risk",
                "{section}" => "summary",
                "{case}" | "{child}" | "{referral}" | "{access}" | "{proposal}" | "{suspension}" | "{entry}"
                | "{release}" | "{request}" | "{handoff}" | "{grant}" | "{consent}" | "{override}"
                | "{subscription}" | "{delivery}" | "{notification}" => "0193b5f4-7a00-7c3e-9d55-0d8f6c2b1a01",
                part => {
                    assert!(!part.starts_with('{'), "{path} has a parameter that this test does not know");
                    return part;
                }
            };
            // What is logged is an id or a code, and this is neither.
            if part != "{bundle}" {
                target.push(value);
            }
            value
        })
        .collect();
    (filled.join("/"), (!target.is_empty()).then(|| target.join("/")))
}
