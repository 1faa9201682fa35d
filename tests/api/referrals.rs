//! Referrals: who may do what to one in which state, and what each party then sees.

mod course;
mod drafts;
mod lifecycle;
mod redirect;
mod rules;

use insta::assert_snapshot;
use lindung_tests::TestApp;
use serde_json::json;

#[actix_web::test]
async fn only_the_recipient_may_accept() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let police = app.officer("KDN.PDRM.D11").await;
    let mcmc = app.officer("KK.MCMC").await;
    let case = school.opens_case().await;
    let referral = school.refers(&case, &police).await;

    school.act(&referral, "accept", &json!({})).await.is_problem(403, "not-yours-to-do");
    mcmc.act(&referral, "accept", &json!({})).await.is_problem(404, "not-found");
    police.act(&referral, "accept", &json!({})).await.is(200);

    assert_snapshot!(app.access_log(&case.id).await, @"
    KPM.SEKOLAH.WBA0001 officer.one create_case permitted own summary,narrative,digital-evidence,identity,risk
    KPM.SEKOLAH.WBA0001 officer.one create_referral permitted lead
    KPM.SEKOLAH.WBA0001 officer.one accept_referral denied -
    KK.MCMC officer.one accept_referral not-found -
    KDN.PDRM.D11 officer.one accept_referral permitted recipient
    ");
}
