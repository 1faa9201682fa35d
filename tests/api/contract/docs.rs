//! What a reader of the contract is served: nothing comes from elsewhere.

use lindung_http::serve::Contract;
use lindung_tests::TestApp;

#[actix_web::test]
async fn the_contract_is_served() {
    let app = TestApp::start().await;
    let reply = app.raw("GET", "/openapi.json", &[], None).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    assert_eq!(reply.body, serde_json::from_str::<serde_json::Value>(Contract::known().unwrap().as_str()).unwrap());
}

/// Where a page's scripts, styles and images come from.
fn sources(html: &str) -> Vec<&str> {
    let after = |name: &'static str| html.split(name).skip(1).filter_map(|it| it.split('"').next());
    after("src=\"").chain(after("href=\"")).collect()
}

#[actix_web::test]
async fn the_documentation_page_needs_nothing_from_elsewhere() {
    let app = TestApp::start().await;
    let moved = app.raw("GET", "/docs", &[], None).await;
    assert!((300..400).contains(&moved.status), "{}", moved.status);
    assert_eq!(moved.header("location"), Some("/docs/"));

    let page = app.raw("GET", "/docs/", &[], None).await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("http"), "{policy}");
    let html = page.body.as_str().unwrap();
    assert!(!html.contains("//"), "{html}");
    let sources = sources(html);
    assert!(sources.len() >= 4, "{html}");
    for source in sources {
        let path = format!("/docs/{}", source.trim_start_matches("./"));
        let reply = app.raw("GET", &path, &[], None).await;
        assert_eq!(reply.status, 200, "{path}");
        let kind = reply.header("content-type").unwrap();
        let expected = match path.rsplit('.').next() {
            Some("js") => "text/javascript",
            Some("css") => "text/css",
            Some("png") => "image/png",
            other => panic!("{path}: {other:?}"),
        };
        assert!(kind.starts_with(expected), "{path}: {kind}");
        assert_eq!(reply.header("content-security-policy"), Some(policy));
    }
    let start = app.raw("GET", "/docs/swagger-initializer.js", &[], None).await;
    let script = start.body.as_str().unwrap();
    assert!(script.contains("/openapi.json") && !script.contains("http"), "{script}");
    assert_eq!(app.raw("GET", "/docs/nothing.js", &[], None).await.status, 404);
}
