//! What is kept of a request to answer its repetition: nothing personal, here or in any other record.

use lindung_tests::{TestApp, referral_body};
use serde_json::json;

#[actix_web::test]
async fn no_record_holds_a_name_or_what_a_section_says() {
    let app = TestApp::start().await;
    let (school, head) = (app.officer("KPM.SEKOLAH.WBA0001").await, app.supervisor("KPM.SEKOLAH.WBA0001").await);
    let police = app.officer("KDN.PDRM.D11").await;
    let (name, number, words) = ("Canary Kenari", "990101149999", "zxqv canary words");
    let identity = json!({ "names": [name], "identifiers": [{ "system": "mykid", "value": number }] });
    let child = json!({ "sections": { "identity": identity, "risk": { "text": words } } });
    let body = json!({ "priority": "urgent", "sections": { "narrative": { "text": words } }, "children": [child] });
    let case = school.post("/v1/cases", &body).await.is(201).reference();
    school.post(&format!("{}/children", case.path), &child).await.is(201);
    school.put(&format!("{}/sections/identity", case.child(0)), 1, &identity).await.is(200);
    school.put(&format!("{}/sections/summary", case.path), 0, &json!({ "text": words })).await.is(200);
    school.get(&format!("{}/sections/identity", case.child(0))).await.is(200);
    let mut terms = referral_body("KDN.PDRM.D11");
    terms["request"] = json!(words);
    let sent = school.post(&format!("{}/referrals", case.path), &terms).await.is(201).reference();
    let headers = [("if-match", "\"1\""), ("idempotency-key", "accept")];
    police.send("POST", &format!("{}/accept", sent.path), &headers, Some(&json!({}))).await.is(200);
    let close = json!({ "outcome": "other", "summary": words });
    let headers = [("if-match", "*"), ("idempotency-key", "close")];
    head.send("POST", &format!("{}/close", case.path), &headers, Some(&close)).await.is(409);
    police.act_anyhow(&sent, "complete", &json!({ "outcome": "charged", "summary": "Done." })).await.is(200);
    head.send("POST", &format!("{}/close", case.path), &headers, Some(&json!({ "outcome": "charged" }))).await.is(200);
    // Refusals of bodies that hold it.
    school.post("/v1/cases", &json!({ "priority": name })).await.is(400);
    school.get(&format!("/v1/cases?reference={number}")).await.is(200);

    let tables = [
        "idempotency_keys",
        "events",
        "access_log",
        "messages",
        "cases",
        "children",
        "child_keys",
        "child_identities",
        "identity_indexes",
        "grants",
        "case_parties",
    ];
    for table in tables {
        assert!(app.database.count(table) > 0, "{table} holds nothing at all");
        for canary in ["anary", "Kenari", number, "zxqv"] {
            let found = app.database.rows(&format!("select * from {table} t where t::text like '%{canary}%'"));
            assert!(found.is_empty(), "{table} holds {canary}: {found:?}");
        }
    }
}
