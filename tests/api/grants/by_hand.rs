//! Grants as a thing of their own: listed, and given or ended by hand.

use lindung_tests::{Ref, Session, TestApp};
use serde_json::{Value, json};

use super::sight;

const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";
const HOSPITAL: &str = "KKM.OSCC.HKL";

fn terms() -> Value {
    json!({
        "agency": HOSPITAL, "sections": ["summary", "narrative"], "purposes": ["service-provision"],
        "basis": { "kind": "mandated-duty", "provision": "Act 611 s.27" }, "reason": "They treat her.",
    })
}

async fn gives(app: &TestApp) -> (Session, Session, Ref, Ref) {
    let (school, doctor) = (app.supervisor(SCHOOL).await, app.officer(HOSPITAL).await);
    let case = school.opens_case().await;
    let given = school.post(&format!("{}/grants", case.path), &terms()).await.is(201).reference();
    (school, doctor, case, given)
}

async fn ends(who: &Session, grant: &Ref) -> lindung_tests::Answered {
    who.post(&format!("/v1/grants/{}/end", grant.id), &json!({ "reason": "She is discharged." })).await
}

#[actix_web::test]
async fn what_is_given_by_hand_is_seen_until_it_is_ended() {
    let app = TestApp::start().await;
    let (school, doctor, case, given) = gives(&app).await;
    assert_eq!(sight(&doctor, &case).await, Ok(vec!["summary", "narrative"]));
    doctor.put(&format!("{}/sections/narrative", case.path), 1, &json!({ "text": "x" })).await.is(403);
    ends(&app.officer(SCHOOL).await, &given).await.is_problem(403, "not-yours-to-do");
    ends(&doctor, &given).await.is_problem(403, "not-yours-to-do");
    ends(&app.supervisor("KK.MCMC").await, &given).await.is_problem(404, "not-found");
    ends(&school, &given).await.is(200);
    assert_eq!(sight(&doctor, &case).await, Err(404));
    ends(&school, &given).await.is_problem(409, "not-now");
    let kinds =
        app.database.rows("select kind, recipients from events where subject_type = 'grant' order by case_version");
    assert_eq!(
        kinds,
        [
            json!({ "kind": "my.gov.lindung.grant.given", "recipients": [HOSPITAL, SCHOOL] }),
            json!({ "kind": "my.gov.lindung.grant.ended", "recipients": [HOSPITAL, SCHOOL] }),
        ]
    );
}

#[actix_web::test]
async fn the_lead_sees_all_grants_and_others_their_own() {
    let app = TestApp::start().await;
    let (school, doctor, case, given) = gives(&app).await;
    let police = app.officer("KDN.PDRM.D11").await;
    let sent = school.refers(&case, &police).await;
    police.does(&sent, "accept", json!({})).await;
    let path = format!("{}/grants", case.path);
    let sources = |page: &lindung_tests::Answered| -> Vec<String> {
        page.items().iter().map(|it| it["source"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(sources(&school.get(&path).await), ["lead", "by-hand", "referral", "referral"]);
    assert_eq!(sources(&school.get(&format!("{path}?live=true")).await), ["lead", "by-hand", "referral"]);
    let past = school.get(&format!("{path}?live=false")).await;
    assert_eq!((past.items().len(), &past.items()[0]["referralId"]), (1, &json!(sent.id)), "the packet");
    assert_eq!(sources(&doctor.get(&path).await), ["by-hand"]);
    assert_eq!(doctor.get(&path).await.items()[0]["reason"], "They treat her.");
    assert!(sources(&police.get(&path).await).iter().all(|it| it == "referral"));
    app.officer("KK.MCMC").await.get(&path).await.is_problem(404, "not-found");
    app.coordinator().await.get(&path).await.is_problem(403, "not-yours-to-do");
    ends(&school, &given).await.is(200);
    let ended = school.get(&format!("{path}?live=false")).await;
    let ended = ended.items().iter().find(|it| it["id"] == given.id).unwrap().clone();
    assert_eq!((&ended["endReason"], ended["endedBy"].is_string()), (&json!("She is discharged."), true));
}

#[actix_web::test]
async fn somebody_has_to_lead() {
    let app = TestApp::start().await;
    let (school, _, case, _) = gives(&app).await;
    let grants = school.get(&format!("{}/grants", case.path)).await;
    let own = grants.items()[0]["id"].as_str().unwrap().to_owned();
    let end = school.post(&format!("/v1/grants/{own}/end"), &json!({ "reason": "No." })).await;
    end.is_problem(409, "not-now");
    school.get(&case.path).await.is(200);
}

#[actix_web::test]
async fn what_cannot_be_given_is_told_by_field() {
    let app = TestApp::start().await;
    let (school, doctor, case, _) = gives(&app).await;
    let path = format!("{}/grants", case.path);
    let with = |field: &str, value: Value| {
        let mut body = terms();
        body[field] = value;
        body
    };
    let wrong = [
        ("agency", json!(SCHOOL), "agency", "own-agency"),
        ("agency", json!("KPM.SEKOLAH"), "agency", "not-a-party"),
        (
            "children",
            json!([app.database.rows("select gen_random_uuid() as id")[0]["id"]]),
            "children[0]",
            "unknown-child",
        ),
        ("purposes", json!(["audit"]), "purposes[0]", "not-of-work"),
        ("until", json!("2020-01-01T00:00:00Z"), "until", "future"),
        ("basis", Value::Null, "basis", "required"),
    ];
    for (field, value, about, code) in wrong {
        school.post(&path, &with(field, value)).await.is_problem(422, "invalid").about(about, code);
    }
    app.officer(SCHOOL).await.post(&path, &terms()).await.is_problem(403, "not-yours-to-do");
    doctor.post(&path, &terms()).await.is_problem(403, "not-yours-to-do");
    let until = app.now() + chrono::Duration::hours(1);
    school.post(&path, &with("until", json!(until))).await.is(201);
}

#[actix_web::test]
async fn an_ended_grant_ends_a_cursor_that_is_open() {
    let app = TestApp::start().await;
    let (school, doctor, case, given) = gives(&app).await;
    for n in 2..6 {
        let section = format!("{}/sections/summary", case.path);
        school.put(&section, n - 1, &json!({ "text": format!("Version {n}.") })).await.is(200);
    }
    let page = doctor.get(&format!("{}/timeline?limit=2", case.path)).await.is(200);
    let next = format!("{}/timeline?limit=2&cursor={}", case.path, page.body["next"].as_str().unwrap());
    doctor.get(&next).await.is(200);
    ends(&school, &given).await.is(200);
    doctor.get(&next).await.is_problem(404, "not-found");
}

#[actix_web::test]
async fn what_is_shared_onward_tells_how_it_came() {
    let app = TestApp::start().await;
    let (school, welfare, doctor) =
        (app.supervisor(SCHOOL).await, app.officer("KPWKM.JKM").await, app.officer(HOSPITAL).await);
    let case = school.opens_case().await;
    let mut terms = lindung_tests::referral_body("KPWKM.JKM");
    terms["onward"] = json!(true);
    let first = school.refers_in(&case, &terms).await;
    welfare.does(&first, "accept", json!({})).await;
    let mut onward = lindung_tests::referral_body(HOSPITAL);
    onward["shares"] = json!([]);
    let second = welfare.refers_in(&case, &onward).await;
    doctor.does(&second, "accept", json!({})).await;
    let held = doctor.get(&format!("{}/grants?live=true", case.path)).await;
    assert_eq!(held.items()[0]["chain"], json!([first.id, second.id]));
    assert_eq!(welfare.get(&second.path).await.body["chain"], json!([first.id]));
    assert_eq!(school.get(&first.path).await.body["chain"], json!([]));
}
