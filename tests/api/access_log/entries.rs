//! One row for every read, list, change, refusal and miss, and what it tells.

use lindung_tests::{TestApp, case_body};
use serde_json::{Value, json};

use super::{NOBODY, entry};

/// A row, compactly, with names for the ids.
fn told(entry: &Value, names: &[(&str, &str)]) -> String {
    let list = |field: &str| {
        let items = entry[field].as_array().unwrap().iter().filter_map(Value::as_str);
        format!("[{}]", items.collect::<Vec<_>>().join(","))
    };
    let text = |field: &str| entry[field].as_str().unwrap_or("-").to_owned();
    let parts = [
        text("action"),
        text("outcome"),
        text("rule"),
        text("target"),
        list("case_ids"),
        list("child_ids"),
        list("sections"),
        entry["count"].to_string(),
    ];
    names.iter().fold(parts.join(" "), |it, (id, name)| it.replace(id, name))
}

#[actix_web::test]
async fn every_access_is_told() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let police = app.officer("KDN.PDRM.D11").await;
    let case = school.opens_case().await;
    let referral = school.refers(&case, &police).await;
    let names = [
        (case.id.as_str(), "CASE"),
        (case.child_id(0), "CHILD"),
        (referral.id.as_str(), "REFERRAL"),
        (NOBODY, "NOBODY"),
    ];
    let plan = format!("{}/sections/plan", case.path);
    let identity = format!("{}/sections/identity", case.child(0));
    let text = json!({ "text": "Watch." });
    let answers = [
        school.get(&case.path).await,
        school.get(&plan).await,
        school.get(&identity).await,
        school.get(case.child(0)).await,
        school.get(&format!("{}/children", case.path)).await,
        school.get(&format!("{}/timeline", case.path)).await,
        school.get(&format!("{}/messages", case.path)).await,
        school.get(&format!("{}/referrals", case.path)).await,
        school.get(&referral.path).await,
        police.get(&format!("{}/messages", referral.path)).await,
        police.get("/v1/inbox").await,
        school.get("/v1/outbox").await,
        school.get("/v1/inbox").await,
        school.get("/v1/code-lists/offence").await,
        school.get("/v1/agencies/KDN.PDRM.D11").await,
        school.put(&plan, 0, &text).await,
        school.put(&plan, 0, &text).await,
        school.post("/v1/cases", &json!({})).await,
        school.send("PUT", &plan, &[], Some(&text)).await,
        school.act(&referral, "accept", &json!({})).await,
        police.act(&referral, "start", &json!({})).await,
        police.get(&plan).await,
        police.get(&identity).await,
        police.get("/v1/cases/aminah").await,
        police.get(&format!("/v1/cases/{NOBODY}")).await,
        police.get(&format!("/v1/referrals/{NOBODY}")).await,
        police.get("/v1/cases?x=1").await,
        police.get("/v1/access-log").await,
    ];
    let lines: Vec<String> =
        answers.iter().map(|it| format!("{} {}", it.status, told(&entry(&app, it), &names))).collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    200 get_case permitted lead CASE [CASE] [CHILD] [] 1
    200 get_section permitted lead CASE/plan [CASE] [] [plan] 1
    200 get_child_section permitted lead CASE/CHILD/identity [CASE] [CHILD] [identity] 1
    200 get_child permitted lead CASE/CHILD [CASE] [CHILD] [] 1
    200 list_children permitted lead CASE [CASE] [CHILD] [] 1
    200 get_timeline permitted lead CASE [CASE] [] [] 2
    200 list_case_messages permitted lead CASE [CASE] [] [] 0
    200 list_case_referrals permitted lead CASE [CASE] [] [] 1
    200 get_referral permitted sender REFERRAL [CASE] [] [] 1
    200 list_referral_messages permitted recipient REFERRAL [CASE] [] [] 0
    200 list_inbox permitted recipient - [CASE] [] [] 1
    200 list_outbox permitted sender - [CASE] [] [] 1
    200 list_inbox permitted own - [] [] [] 0
    200 get_code_list permitted own offence [] [] [] 1
    200 get_agency permitted own KDN.PDRM.D11 [] [] [] 1
    200 put_section permitted lead CASE/plan [CASE] [] [plan] 1
    412 put_section stale - CASE/plan [CASE] [] [] 0
    400 create_case invalid - - [] [] [] 0
    428 put_section precondition-required - CASE/plan [CASE] [] [] 0
    403 accept_referral denied - REFERRAL [CASE] [] [] 0
    409 start_referral conflict - REFERRAL [CASE] [] [] 0
    403 get_section denied - CASE/plan [CASE] [] [] 0
    403 get_child_section denied - CASE/CHILD/identity [CASE] [] [] 0
    400 get_case invalid - aminah [] [] [] 0
    404 get_case not-found - NOBODY [] [] [] 0
    404 get_referral not-found - NOBODY [] [] [] 0
    400 list_cases invalid - - [] [] [] 0
    403 read_access_log denied - - [] [] [] 0
    ");
}

#[actix_web::test]
async fn a_list_is_one_row_with_all_its_cases() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let nothing = entry(&app, &school.get("/v1/cases").await);
    assert_eq!((&nothing["count"], &nothing["case_ids"]), (&json!(0), &json!([])));
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(school.opens_case().await.id);
    }
    ids.sort();
    let list = entry(&app, &school.get("/v1/cases").await);
    assert_eq!((&list["outcome"], &list["count"], &list["case_ids"]), (&json!("permitted"), &json!(3), &json!(ids)));
    let page = school.get("/v1/cases?limit=2").await;
    let shown: Vec<&Value> = page.items().iter().map(|it| &it["id"]).collect();
    let list = entry(&app, &page);
    assert_eq!(list["count"], 2);
    assert!(shown.iter().all(|it| list["case_ids"].as_array().unwrap().contains(it)), "{list}");
}

#[actix_web::test]
async fn who_asked_is_told_whole() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let client = app.client("KPM.SEKOLAH.WBA0001").await;
    let case = school.opens_case().await;
    let who = |answered: &lindung_tests::Answered| {
        let id = answered.header("x-request-id").unwrap();
        let columns = "client_id, agency, officer, roles, purpose, at";
        app.database.rows(&format!("select {columns} from access_log where request_id = '{id}'"))
    };
    let read = who(&school.get(&case.path).await);
    assert_eq!(read[0]["agency"], "KPM.SEKOLAH.WBA0001");
    assert_eq!(read[0]["officer"], "officer.one");
    assert_eq!((&read[0]["roles"], &read[0]["purpose"]), (&json!(["officer"]), &json!("education-safeguarding")));
    assert!(read[0]["client_id"].is_string());
    let refused = who(&client.get(&case.path).await);
    assert_eq!((&refused[0]["officer"], &refused[0]["roles"]), (&Value::Null, &json!([])));
    let unknown = app.raw("GET", &case.path, &[], None).await;
    let id = unknown.header("x-request-id").unwrap();
    let rows =
        app.database.rows(&format!("select agency, outcome, case_ids from access_log where request_id = '{id}'"));
    assert_eq!(json!(rows), json!([{ "agency": null, "outcome": "unauthenticated", "case_ids": [case.id] }]));
}

#[actix_web::test]
async fn a_repeat_and_a_creation_are_told() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let body = case_body();
    let first = school.send("POST", "/v1/cases", &[("idempotency-key", "one")], Some(&body)).await.is(201);
    let again = school.send("POST", "/v1/cases", &[("idempotency-key", "one")], Some(&body)).await.is(201);
    let (id, child) = (&first.body["id"], &first.body["children"][0]["id"]);
    let made = entry(&app, &first);
    assert_eq!(
        (&made["outcome"], &made["case_ids"], &made["child_ids"]),
        (&json!("permitted"), &json!([id]), &json!([child]))
    );
    let repeated = entry(&app, &again);
    assert_eq!((&repeated["outcome"], &repeated["case_ids"]), (&json!("replayed"), &json!([id])));
}

#[actix_web::test]
async fn nothing_is_in_it_that_was_written_or_asked_in_words() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let case = school.opens_case().await;
    school.get(&format!("{}/sections/identity", case.child(0))).await.is(200);
    school.get("/v1/cases?reference=Aminah").await.is(200);
    school.get("/v1/cases/Aminah%20binti%20Contoh").await.is(400);
    let rows = json!(app.database.rows("select * from access_log")).to_string();
    for word in ["Aminah", "120101141234", "counsellor", "Afraid"] {
        assert!(!rows.contains(word), "{word}");
    }
}
