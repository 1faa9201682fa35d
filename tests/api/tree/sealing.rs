//! Sealing that falls behind: it is measured, and in the end nobody is shown a child any more.

use std::time::Duration;

use lindung_tests::TestApp;

use super::SCHOOL;

#[actix_web::test]
async fn where_sealing_falls_behind_nothing_about_a_child_is_shown() {
    let app = TestApp::start_sealing_within(Duration::from_secs(60)).await;
    let notary = app.notary();
    let (school, auditor) = (app.officer(SCHOOL).await, app.auditor("PP").await);
    let case = school.opens_case().await;
    app.sequence();
    notary.seals(&app.database, 5);
    app.watch_sealing().await;
    school.get(&case.path).await.is(200);

    // As if nobody had given a number to anything for two minutes.
    app.database.execute("update sequencers set complete_at = now() - interval '2 minutes'");
    school.get(&case.path).await.is(200);
    app.watch_sealing().await;
    for path in [case.path.as_str(), case.child(0), "/v1/cases"] {
        let refused = school.get(path).await.is_problem(503, "unavailable");
        assert!(refused.header("retry-after").is_some());
    }
    auditor.get("/v1/access-log").await.is(200);
    auditor.get("/v1/access-log/openings").await.is(200);
    school.get("/v1/agencies").await.is(200);
    school.opens_case().await;
    assert_eq!(app.database.count("access_log where action = 'get_case' and outcome = 'failed'"), 1);
    app.sequence();
    app.watch_sealing().await;
    school.get(&case.path).await.is(200);

    // Everything has its number, but nobody signs.
    app.database.execute("update access_leaves set sequenced_at = now() - interval '2 minutes'");
    app.watch_sealing().await;
    school.get(&case.path).await.is_problem(503, "unavailable");
    let tree = app.raw("GET", "/v1/access-log/tree", &[], None).await.body;
    assert!((120..180).contains(&tree["signingSeconds"].as_u64().unwrap()), "{tree}");
    let metrics = app.raw("GET", "/metrics", &[], None).await.body;
    let metrics = metrics.as_str().unwrap();
    assert!(metrics.contains("access_log_sealing_lag_seconds{step=\"signing\"} 12"), "the lag is measured");
    for line in ["access_log_witnesses 5\n", "access_log_witnesses_needed 3\n"] {
        assert!(metrics.contains(line), "so are witnesses: {line}");
    }
    app.sequence();
    notary.seals(&app.database, 0);
    app.watch_sealing().await;
    school.get(&case.path).await.is(200);
}
