//! The filters of the log, each and together.

use chrono::Duration;
use lindung_tests::TestApp;

use super::{NOBODY, all, log};

#[actix_web::test]
async fn each_filter_takes_its_own_and_they_combine() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let police = app.officer("KDN.PDRM.D11").await;
    let head = app.supervisor("KPM.SEKOLAH.WBA0001").await;
    let auditor = app.auditor("PP").await;
    let (one, two) = (school.opens_case().await, school.opens_case().await);
    app.wait(Duration::minutes(1));
    let later = app.now();
    let referral = school.refers(&one, &police).await;
    school.get(&one.path).await.is(200);
    head.get(&two.path).await.is(200);
    police.get(&one.path).await.is(200);
    police.get(&two.path).await.is(404);
    police.act(&referral, "start", &serde_json::json!({})).await.is(409);

    let page = log(&app, &auditor, &format!("case={}", one.id)).await;
    assert_eq!(all(&page, "action"), ["create_case", "create_referral", "get_case", "get_case", "start_referral"]);
    let page = log(&app, &auditor, &format!("case={}", two.id)).await;
    assert_eq!(all(&page, "outcome"), ["permitted", "permitted", "not-found"]);
    let page = log(&app, &auditor, "agency=KDN.PDRM.D11").await;
    assert_eq!(all(&page, "outcome"), ["permitted", "not-found", "conflict"]);
    let page = log(&app, &auditor, "officer=supervisor.one").await;
    assert_eq!(all(&page, "target"), [two.id.as_str()]);
    let page = log(&app, &auditor, "action=get_case").await;
    assert_eq!(all(&page, "agency"), ["KPM.SEKOLAH.WBA0001", "KPM.SEKOLAH.WBA0001", "KDN.PDRM.D11", "KDN.PDRM.D11"]);
    let page = log(&app, &auditor, "outcome=not-found").await;
    assert_eq!(all(&page, "target"), [two.id.as_str()]);
    let clients = all(&page, "clientId");
    let page = log(&app, &auditor, &format!("client={}", clients[0])).await;
    assert_eq!(page.items().len(), 3);

    let moment = later.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let page = log(&app, &auditor, &format!("until={moment}&officer=officer.one")).await;
    assert_eq!(all(&page, "action"), ["create_case", "create_case"]);
    let page = log(&app, &auditor, &format!("from={moment}&officer=officer.one&action=create_referral")).await;
    assert_eq!(all(&page, "action"), ["create_referral"]);
    let page = log(&app, &auditor, &format!("from={moment}&until={moment}")).await;
    assert!(page.items().is_empty());

    let combined = format!("case={}&agency=KDN.PDRM.D11&officer=officer.one&action=get_case&outcome=permitted", one.id);
    let page = log(&app, &auditor, &combined).await;
    assert_eq!(all(&page, "target"), [one.id.as_str()]);
    let page = log(&app, &auditor, &combined.replace("permitted", "denied")).await;
    assert!(page.items().is_empty());
    assert!(log(&app, &auditor, &format!("case={NOBODY}")).await.items().is_empty());
    assert!(log(&app, &auditor, "action=no-such&outcome=no-such").await.items().is_empty());
}

#[actix_web::test]
async fn a_filter_is_of_its_kind() {
    let app = TestApp::start().await;
    let auditor = app.auditor("PP").await;
    for (query, field) in [
        ("case=aminah", "case"),
        ("agency=aminah", "agency"),
        ("officer=.aminah", "officer"),
        ("client=-aminah", "client"),
        ("from=yesterday", "from"),
        ("until=2026-11-24", "until"),
    ] {
        let refused = auditor.get(&format!("/v1/access-log?{query}")).await.is_problem(400, "malformed");
        assert_eq!(refused.body["errors"][0]["field"], field);
    }
    let long = "x".repeat(65);
    auditor.get(&format!("/v1/access-log?action={long}")).await.is_problem(422, "invalid").about("action", "length");
}
