//! What a referral may share, on which basis, with whom: refusals name the field.

use chrono::Duration;
use lindung_persistence::Db;
use lindung_tests::{TestApp, referral_body};
use serde_json::{Value, json};

#[actix_web::test]
async fn terms_that_cannot_be_met_name_the_field() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let case = school.opens_case().await;
    app.database.execute("update agencies set active = false where code = 'KPWKM.JPKK'");
    let (past, soon) = (app.now().to_rfc3339(), (app.now() + Duration::hours(1)).to_rfc3339());
    let share = |section: &str, basis: Value| json!([{ "section": section, "basis": basis }]);
    let duty = json!({ "kind": "mandated-duty", "provision": "Act 792 s.19" });
    let table: Vec<(&str, Value, &str, &str)> = vec![
        // To whom.
        ("recipient", json!("KPM.SEKOLAH"), "recipient", "not-a-party"),
        ("recipient", json!("KPM.SEKOLAH.WBA0001"), "recipient", "own-agency"),
        ("recipient", json!("KDN.PDRM.D11.PERLIS"), "recipient", "unknown-agency"),
        ("recipient", json!("KPWKM.JPKK"), "recipient", "not-a-party"),
        ("alternatives", json!(["KPWKM.JKM", "KKM.OSCC"]), "alternatives[1]", "not-a-party"),
        ("alternatives", json!(["KPWKM.JKM", "KPWKM.JKM"]), "alternatives[1]", "duplicate"),
        ("openTo", json!(["KPWKM.JKM"]), "openTo", "conflict"),
        // What, on which basis.
        ("shares", json!([{ "section": "narrative" }]), "shares[0].basis", "required"),
        ("shares", share("narrative", json!({ "kind": "mandated-duty" })), "shares[0].basis.provision", "required"),
        (
            "shares",
            share("plan", json!({ "kind": "mandated-duty", "provision": " " })),
            "shares[0].basis.provision",
            "required",
        ),
        (
            "shares",
            share("plan", json!({ "kind": "consent", "provision": "a".repeat(201) })),
            "shares[0].basis.provision",
            "length",
        ),
        ("shares", share("plan", json!({ "kind": "override", "until": soon })), "shares[0].basis.reason", "required"),
        (
            "shares",
            share("plan", json!({ "kind": "override", "reason": "Danger." })),
            "shares[0].basis.until",
            "required",
        ),
        (
            "shares",
            share("plan", json!({ "kind": "override", "reason": "Danger.", "until": past })),
            "shares[0].basis.until",
            "future",
        ),
        ("shares", share("plan", json!({ "kind": "consent", "until": past })), "shares[0].basis.until", "future"),
        (
            "shares",
            json!([{ "section": "plan", "basis": duty }, { "section": "plan", "basis": duty }]),
            "shares[1].section",
            "duplicate",
        ),
        ("contributes", json!(["summary", "plan"]), "contributes[1]", "not-shared"),
        // About whom, for what, how long.
        ("children", json!([Db::new_id()]), "children[0]", "unknown-child"),
        ("children", json!([]), "children", "length"),
        ("purposes", json!(["protection", "audit"]), "purposes[1]", "not-of-work"),
        ("purposes", json!(["emergency"]), "purposes[0]", "not-of-work"),
        ("purposes", json!([]), "purposes", "length"),
        ("retentionDays", json!(-1), "retentionDays", "range"),
        ("retentionDays", json!(3651), "retentionDays", "range"),
        ("request", json!(" "), "request", "required"),
        ("request", json!("a".repeat(4001)), "request", "length"),
    ];
    let path = format!("{}/referrals", case.path);
    for (field, value, named, code) in table {
        let mut terms = referral_body("KDN.PDRM.D11");
        terms[field] = value;
        school.post(&path, &terms).await.is_problem(422, "invalid").about(named, code);
    }
    for (field, value, named, code) in [
        ("recipient", json!("kdn"), "recipient", "format"),
        ("shares", json!([{ "section": "everything" }]), "shares[0].section", "unknown-code"),
        ("shares", share("plan", json!({ "kind": "whim" })), "shares[0].basis.kind", "unknown-code"),
        ("shares", share("plan", json!({ "kind": "consent", "by": "x" })), "shares[0].basis.by", "unknown"),
        ("recipent", json!("KDN.PDRM.D11"), "recipent", "unknown"),
    ] {
        let mut terms = referral_body("KDN.PDRM.D11");
        terms[field] = value;
        school.post(&path, &terms).await.is_problem(400, "malformed").about(named, code);
    }
    for (terms, named, code) in [
        (json!({ "openTo": [] }), "recipient", "required"),
        (json!({ "openTo": ["KPWKM.JKM", "KPWKM.JKM"] }), "openTo[1]", "duplicate"),
        (json!({ "openTo": ["KPWKM.JKM", "KPM"] }), "openTo[1]", ""),
    ] {
        let mut body = referral_body("");
        body.as_object_mut().unwrap().remove("recipient");
        body["openTo"] = terms["openTo"].clone();
        match code {
            "" => school.post(&path, &body).await.is(201),
            code => school.post(&path, &body).await.is_problem(422, "invalid").about(named, code),
        };
    }
    assert_eq!(app.database.count("referrals"), 1, "nothing of the refused ones is kept");
}
