//! What a recipient may write.

use lindung_tests::{TestApp, referral_body};
use serde_json::json;

#[actix_web::test]
async fn a_recipient_writes_just_what_its_referral_names() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer("KPM.SEKOLAH.WBA0001").await, app.officer("KDN.PDRM.D11").await);
    let case = school.opens_case().await;
    let mut terms = referral_body("KDN.PDRM.D11");
    terms["contributes"] = json!(["narrative"]);
    let sent = school.refers_in(&case, &terms).await;
    let section = |name: &str| format!("{}/sections/{name}", case.path);
    let more = json!({ "text": "The account was traced." });

    // Not while it is pending, and then just the one section.
    police.put(&section("narrative"), 1, &more).await.is_problem(403, "not-yours-to-do");
    let accepted = police.does(&sent, "accept", json!({})).await;
    let written = police.put(&section("narrative"), 1, &more).await.is(200);
    assert_eq!((&written.body["version"], written.header("etag")), (&json!(2), Some("\"2\"")));
    for other in ["summary", "digital-evidence", "plan"] {
        let body =
            if other == "digital-evidence" { json!({ "items": [{ "description": "x" }] }) } else { more.clone() };
        police.put(&section(other), 0, &body).await.is_problem(403, "not-yours-to-do");
    }
    let identity = format!("{}/sections/identity", case.child(0));
    police.put(&identity, 1, &json!({ "names": ["X"] })).await.is_problem(403, "not-yours-to-do");
    assert_eq!(police.get(&case.path).await.body["writableSections"], json!(["narrative"]));
    police
        .put(&case.path, 1, &json!({ "priority": "routine", "offences": [], "grounds": [], "techniques": [] }))
        .await
        .is(403);
    police.post(&format!("{}/children", case.path), &json!({})).await.is_problem(403, "not-yours-to-do");

    let seen = school.get(&section("narrative")).await.is(200);
    assert_eq!(json!([seen.body["agency"], seen.body["content"]]), json!(["KDN.PDRM.D11", more]));
    school.put(&section("narrative"), 1, &more).await.is_problem(412, "stale");
    school.put(&section("narrative"), 2, &more).await.is(200);

    police.does(&accepted, "complete", json!({ "outcome": "charged", "summary": "Done." })).await;
    police.put(&section("narrative"), 3, &more).await.is_problem(404, "not-found");
}
