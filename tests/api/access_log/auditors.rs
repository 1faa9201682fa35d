//! Who reads the log, and how much of it; reading it is an access too.

use lindung_tests::TestApp;
use serde_json::json;

use super::{all, entry, log};

#[actix_web::test]
async fn two_offices_read_all_of_it_and_others_their_own_peoples() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let police = app.officer("KDN.PDRM.D11").await;
    let case = school.opens_case().await;
    police.get(&case.path).await.is(404);
    let inspector = app.auditor("KDN.PDRM.D11").await;
    for agency in ["PP", "SUHAKAM.OCC"] {
        let auditor = app.auditor(agency).await;
        let page = log(&app, &auditor, &format!("case={}", case.id)).await;
        assert_eq!(all(&page, "agency"), ["KPM.SEKOLAH.WBA0001", "KDN.PDRM.D11"], "{agency}");
        let page = log(&app, &auditor, "agency=KPM.SEKOLAH.WBA0001").await;
        assert_eq!(all(&page, "action"), ["create_case"], "{agency}");
        assert_eq!(entry(&app, &page)["rule"], "oversight");
    }
    for query in ["", "agency=KDN.PDRM.D11"] {
        let page = log(&app, &inspector, &format!("{query}&action=get_case")).await;
        assert_eq!(all(&page, "agency"), ["KDN.PDRM.D11"]);
        assert_eq!(entry(&app, &page)["rule"], "own");
    }
    let other = inspector.get("/v1/access-log?agency=KPM.SEKOLAH.WBA0001").await.is_problem(403, "not-yours-to-do");
    assert_eq!(entry(&app, &other)["outcome"], "denied");
    // Its parents and its units are others too.
    inspector.get("/v1/access-log?agency=KDN.PDRM").await.is_problem(403, "not-yours-to-do");
    inspector.get("/v1/access-log?agency=KDN.PDRM.D11.KL").await.is_problem(403, "not-yours-to-do");
}

/// A refused try stands in the log of the case, for those who oversee all; to the agency itself it tells nothing that
/// the refusal did not.
#[actix_web::test]
async fn whether_there_was_anything_to_refuse_is_not_told_to_whom_it_was_refused() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer("KPM.SEKOLAH.WBA0001").await, app.officer("KDN.PDRM.D11").await);
    let case = school.opens_case().await;
    let nobody = "0193b5f4-7a00-7c3e-9d55-0d8f6c2b1a01";
    for id in [&case.id, nobody] {
        police.get(&format!("/v1/cases/{id}")).await.is(404);
        police.get(&format!("/v1/cases/{id}?x=1")).await.is(400);
    }
    let (inspector, secretariat) = (app.auditor("KDN.PDRM.D11").await, app.auditor("PP").await);
    let tries = "action=get_case&agency=KDN.PDRM.D11";
    let page = log(&app, &inspector, tries).await;
    assert_eq!(page.items().len(), 4);
    assert!(page.items().iter().all(|it| it["caseIds"] == json!([])), "{page:?}");
    let page = log(&app, &secretariat, tries).await;
    assert_eq!(page.items().iter().filter(|it| it["caseIds"] == json!([case.id])).count(), 2);
    let of_case = format!("{tries}&case={}", case.id);
    assert_eq!(log(&app, &secretariat, &of_case).await.items().len(), 2);
    assert!(inspector.get(&format!("/v1/access-log?{of_case}")).await.items().is_empty());
}

#[actix_web::test]
async fn nobody_but_auditors_reads_it() {
    let app = TestApp::start().await;
    for session in [
        app.officer("KDN.PDRM.D11").await,
        app.supervisor("KDN.PDRM.D11").await,
        app.administrator("KDN.PDRM.D11").await,
        app.client("KDN.PDRM.D11").await,
        app.coordinator().await,
        app.client("PP").await,
    ] {
        let refused = session.get("/v1/access-log").await.is_problem(403, "not-yours-to-do");
        assert_eq!(entry(&app, &refused)["outcome"], "denied");
        assert!(refused.body.get("items").is_none());
    }
}

#[actix_web::test]
async fn reading_the_log_is_in_the_log() {
    let app = TestApp::start().await;
    let auditor = app.auditor("SUHAKAM.OCC").await;
    let first = auditor.get("/v1/access-log").await.is(200);
    assert_eq!(entry(&app, &first)["count"], 0);
    let overseer = app.auditor("PP").await;
    let page = log(&app, &overseer, "action=read_access_log&agency=SUHAKAM.OCC").await;
    assert_eq!(all(&page, "requestId"), [first.header("x-request-id").unwrap()]);
    let read = &page.items()[0];
    assert_eq!(
        (&read["officer"], &read["purpose"], &read["outcome"]),
        (&json!("auditor.one"), &json!("audit"), &json!("permitted"))
    );
    assert_eq!(entry(&app, &page)["count"], 1);
}
