//! Health and measurements.

use lindung_tests::{Raw, TestApp};

use super::NOBODY;

#[actix_web::test]
async fn a_service_without_its_tables_lives_but_is_not_ready() {
    let app = TestApp::start().await;
    assert_eq!(app.answers(&Raw::new("GET", "/readyz")).await.status, 200);
    app.database.execute("alter table access_log rename to elsewhere");
    let wire = app.answers(&Raw::new("GET", "/readyz")).await;
    assert_eq!((wire.status, wire.problem().as_deref()), (503, Some("unavailable")));
    assert_eq!(wire.header("retry-after"), Some("1"));
    assert_eq!(app.answers(&Raw::new("GET", "/livez")).await.status, 200);
    app.database.execute("alter table elsewhere rename to access_log");
    assert_eq!(app.answers(&Raw::new("GET", "/readyz")).await.status, 200);
}

#[actix_web::test]
async fn a_service_whose_database_has_gone_lives_but_is_not_ready() {
    let app = TestApp::start().await;
    assert_eq!(app.answers(&Raw::new("GET", "/readyz")).await.status, 200);
    app.database.take_away();
    let wire = app.answers(&Raw::new("GET", "/readyz")).await;
    assert_eq!((wire.status, wire.problem().as_deref()), (503, Some("unavailable")), "{}", wire.body);
    assert_eq!(app.answers(&Raw::new("GET", "/livez")).await.status, 200);
}

#[actix_web::test]
async fn a_service_recovers_when_its_connections_were_cut() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let case = school.opens_case().await;
    app.database.hang_up();
    // Those that were cut are found out one by one, and not used again.
    let recovered = |status: u16| status == 200;
    let mut statuses = Vec::new();
    for _ in 0..20 {
        statuses.push(school.get(&case.path).await.status);
    }
    assert!(statuses.iter().all(|it| matches!(it, 200 | 503)), "{statuses:?}");
    assert!(statuses[10..].iter().copied().all(recovered), "{statuses:?}");
}

#[actix_web::test]
async fn measurements_tell_of_routes_and_of_nobody() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let case = school.opens_case().await;
    school.get(&case.path).await.is(200);
    school.get(&format!("/v1/cases/{NOBODY}")).await.is(404);
    app.raw("SIBUK", &format!("/v1/cases/{NOBODY}"), &[], None).await;
    app.raw("GET", "/v1/mana-mana/aminah", &[], None).await;

    let wire = app.answers(&Raw::new("GET", "/metrics")).await;
    assert_eq!(wire.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    for line in [
        "http_requests_total{method=\"GET\",route=\"/v1/cases/{case}\",status=\"200\"}",
        "http_requests_total{method=\"GET\",route=\"/v1/cases/{case}\",status=\"404\"}",
        "http_requests_total{method=\"POST\",route=\"/v1/cases\",status=\"201\"}",
        "http_requests_total{method=\"other\",route=\"/v1/cases/{case}\",status=\"405\"}",
        "http_request_duration_seconds_bucket{route=\"/v1/cases/{case}\",le=\"+Inf\"}",
        "database_connections{state=\"idle\"}",
    ] {
        assert!(wire.body.contains(line), "{line} is not in\n{}", wire.body);
    }
    for secret in [case.id.as_str(), NOBODY, "SIBUK", "mana-mana", "officer.one", "KPM.SEKOLAH"] {
        assert!(!wire.body.contains(secret), "{secret}");
    }
}
