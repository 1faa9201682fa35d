//! Emergency access: seconds to open, one case for one officer, always reviewed.

use chrono::Duration;
use lindung_tests::{Answered, Ref, Session, TestApp};
use serde_json::{Value, json};

const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";
const HOSPITAL: &str = "KKM.OSCC.HKL";
const AT: &str = "/v1/emergency-accesses";

fn asked(reference: &Value) -> Value {
    json!({ "reference": reference, "code": "medical-emergency", "reason": "Unconscious child brought in at night." })
}

/// An officer of the hospital's for a purpose.
async fn doctor(app: &TestApp, id: &str, purpose: &str) -> Session {
    app.person(HOSPITAL, id, &["officer"], Some(purpose)).await
}

async fn supervisor(app: &TestApp, id: &str) -> Session {
    app.person(SCHOOL, id, &["supervisor"], Some("education-safeguarding")).await
}

async fn world() -> (TestApp, Session, Ref) {
    let app = TestApp::start().await;
    let school = supervisor(&app, "guru.one").await;
    let case = school.opens_case().await;
    (app, school, case)
}

async fn opens(who: &Session, case: &Ref) -> Answered {
    who.post(AT, &asked(&case.body["reference"])).await
}

fn path(answered: &Answered, verb: &str) -> String {
    format!("{AT}/{}/{verb}", answered.body["id"].as_str().unwrap())
}

#[actix_web::test]
async fn it_opens_one_case_to_one_officer_for_four_hours_to_read() {
    let (app, school, case) = world().await;
    let other = school.opens_case().await;
    let asking = doctor(&app, "dr.lim", "service-provision").await;
    asking.get(&case.path).await.is_problem(404, "not-found");
    let opened = opens(&asking, &case).await.is(201);
    assert_eq!(opened.body["caseId"], json!(case.id));

    let doctor_now = doctor(&app, "dr.lim", "emergency").await;
    let seen = doctor_now.get(&case.path).await.is(200);
    assert_eq!(seen.body["writableSections"], json!([]));
    for section in ["sections/narrative", "timeline", "children"] {
        doctor_now.get(&format!("{}/{section}", case.path)).await.is(200);
    }
    doctor_now.get(&format!("{}/sections/health", case.child(0))).await.is(200);
    doctor_now.get(&other.path).await.is_problem(404, "not-found");
    assert_eq!(doctor_now.get("/v1/cases").await.items().len(), 1);
    // Nothing but reading, and nobody else.
    let write = json!({ "text": "Seen at night." });
    doctor_now.put(&format!("{}/sections/plan", case.path), 0, &write).await.is_problem(403, "not-yours-to-do");
    doctor_now.post("/v1/cases", &lindung_tests::case_body()).await.is_problem(403, "not-yours-to-do");
    asking.get(&case.path).await.is_problem(403, "not-yours-to-do");
    doctor(&app, "dr.tan", "service-provision").await.get(&case.path).await.is_problem(404, "not-found");

    let rules = "select distinct rule from access_log where purpose = 'emergency' and outcome = 'permitted' and cardinality(case_ids) > 0";
    assert_eq!(app.database.rows(rules), [json!({ "rule": "emergency" })]);
    app.wait(Duration::hours(4) - Duration::minutes(1));
    let last = doctor(&app, "dr.lim", "emergency").await;
    last.get(&case.path).await.is(200);
    app.wait(Duration::minutes(1));
    last.get(&case.path).await.is_problem(404, "not-found");
}

#[actix_web::test]
async fn the_purpose_is_nobodys_without_an_open_one() {
    let (app, _, case) = world().await;
    let speaker = lindung_client::Speaker::officer(HOSPITAL, "dr.lim", "Dr Lim", &["officer"], Some("emergency"));
    let ask = async || app.api.token_at(app.credentials(HOSPITAL), &speaker, app.now()).await;
    assert!(ask().await.is_err());
    opens(&doctor(&app, "dr.lim", "service-provision").await, &case).await.is(201);
    assert!(ask().await.is_ok());
    app.wait(Duration::hours(4));
    assert!(ask().await.is_err());
}

#[actix_web::test]
async fn only_those_whose_client_is_trusted_may_ask() {
    let (app, school, case) = world().await;
    let client = app.client(HOSPITAL).await;
    let auditor = app.auditor(HOSPITAL).await;
    for who in [&app.officer("KK.MCMC").await, &school, &client, &auditor, &app.coordinator().await] {
        opens(who, &case).await.is_problem(403, "not-yours-to-do");
    }
    let doctor = doctor(&app, "dr.lim", "service-provision").await;
    let unknown = doctor.post(AT, &asked(&json!("LDG-2026-999999"))).await.is_problem(404, "not-found");
    assert_eq!(unknown.body.as_object().unwrap().len(), 3, "{}", unknown.body);
    let mut short = asked(&case.body["reference"]);
    short["reason"] = json!("Too short a reason ");
    doctor.post(AT, &short).await.is_problem(422, "invalid").about("reason", "length");
    app.database.execute("update clients set emergency = '{}'");
    opens(&doctor, &case).await.is_problem(403, "not-yours-to-do");
}

#[actix_web::test]
async fn the_lead_is_told_at_once_and_its_supervisor_reviews_it() {
    let (app, school, case) = world().await;
    let asking = doctor(&app, "dr.lim", "service-provision").await;
    let opened = opens(&asking, &case).await.is(201);
    let told = school.get(&format!("{}/timeline", case.path)).await;
    let event = told.items().last().unwrap();
    assert_eq!(
        json!([event["type"], event["subjectId"], event["data"]["code"], event["agency"]]),
        json!(["my.gov.lindung.emergency-access.opened", opened.body["id"], "medical-emergency", HOSPITAL])
    );
    let pending = format!("{AT}?review=pending");
    for who in [&school, &app.auditor("PP").await, &app.auditor("SUHAKAM.OCC").await, &app.auditor(HOSPITAL).await] {
        let found = who.get(&pending).await;
        let item = &found.items()[0];
        assert_eq!(json!([item["officer"], item["caseId"]]), json!(["dr.lim", case.id]), "{}", who.agency);
        assert!(item["reviewDueAt"].is_string());
    }
    assert!(app.auditor("KK.MCMC").await.get(&pending).await.items().is_empty());
    let officer = app.officer(SCHOOL).await;
    assert!(officer.get(&pending).await.items().is_empty());
    app.administrator(SCHOOL).await.get(&pending).await.is_problem(403, "not-yours-to-do");

    let verdict = json!({ "outcome": "justified", "note": "The hospital had to know." });
    let review = path(&opened, "review");
    let on = Ref { path: review.trim_end_matches("/review").to_owned(), ..opened.reference() };
    officer.act(&on, "review", &verdict).await.is_problem(403, "not-yours-to-do");
    asking.act(&on, "review", &verdict).await.is_problem(403, "not-yours-to-do");
    app.officer("KK.MCMC").await.act(&on, "review", &verdict).await.is_problem(404, "not-found");
    school.send("POST", &review, &[("if-match", "\"9\"")], Some(&verdict)).await.is_problem(412, "stale");
    school.act(&on, "review", &verdict).await.is(200);
    school.act_anyhow(&on, "review", &verdict).await.is_problem(409, "not-now");
    assert!(school.get(&pending).await.items().is_empty());
    assert_eq!(school.get(&format!("{AT}?review=done")).await.items().len(), 1);
    let seen = asking.get(&on.path).await.is(200);
    assert_eq!(json!([seen.body["review"], seen.body["reviewedBy"]]), json!(["justified", "guru.one"]));
}

#[actix_web::test]
async fn a_supervisor_who_looked_does_not_review_it() {
    let app = TestApp::start().await;
    let supervisor = app.supervisor("KDN.PDRM.D11").await;
    let case = supervisor.opens_case().await;
    let opened = opens(&supervisor, &case).await.is(201);
    let verdict = json!({ "outcome": "justified", "note": "It was I." });
    let review = path(&opened, "review");
    let head: [(&str, &str); 1] = [("if-match", "*")];
    supervisor.send("POST", &review, &head, Some(&verdict)).await.is_problem(403, "not-yours-to-do");
    let other = app.person("KDN.PDRM.D11", "supervisor.two", &["supervisor"], Some("investigation")).await;
    other.send("POST", &review, &head, Some(&verdict)).await.is(200);
}

#[actix_web::test]
async fn one_that_nobody_reviews_within_72_hours_ends_the_officers_right() {
    let (app, school, case) = world().await;
    let second = school.opens_case().await;
    let opened = opens(&doctor(&app, "dr.lim", "service-provision").await, &case).await.is(201);
    app.wait(Duration::hours(72));
    opens(&doctor(&app, "dr.lim", "service-provision").await, &second).await.is(201);
    app.wait(Duration::microseconds(1));
    let late = doctor(&app, "dr.lim", "service-provision").await;
    opens(&late, &second).await.is_problem(403, "not-yours-to-do");
    opens(&doctor(&app, "dr.tan", "service-provision").await, &second).await.is(201);
    // Its review gives the right back.
    let verdict = json!({ "outcome": "not-justified", "note": "We were never asked." });
    let school = supervisor(&app, "guru.one").await;
    school.send("POST", &path(&opened, "review"), &[("if-match", "*")], Some(&verdict)).await.is(200);
    app.wait(Duration::hours(4));
    opens(&doctor(&app, "dr.lim", "service-provision").await, &second).await.is(201);
}

#[actix_web::test]
async fn what_is_shielded_opens_when_a_colleague_agrees_in_time() {
    let (app, school, case) = world().await;
    school.shields(&case.path, &["KPM.SEKOLAH.WBA0001/guru.one"]).await.is(200);
    let asking = doctor(&app, "dr.lim", "service-provision").await;
    let waiting = opens(&asking, &case).await.is(202);
    assert!(waiting.body.get("caseId").is_none() && waiting.body.get("until").is_none());
    asking.get(&case.path).await.is_problem(404, "not-found");
    let confirm = path(&waiting, "confirm");
    asking.post(&confirm, &json!({})).await.is_problem(403, "not-yours-to-do");
    app.officer("KDN.PDRM.D11").await.post(&confirm, &json!({})).await.is_problem(404, "not-found");
    // Who could agree hears of it, and of nothing else.
    app.notify();
    let matron = app.person(HOSPITAL, "matron", &["supervisor"], Some("service-provision")).await;
    let told = matron.get("/v1/notifications").await;
    let [told] = &told.items()[..] else { panic!("{}", told.body) };
    assert_eq!(
        json!([told["type"], told["subject"], told["caseId"], told["priority"]]),
        json!([
            "my.gov.lindung.emergency-access.requested",
            format!("emergency-accesses/{}", waiting.body["id"].as_str().unwrap()),
            null,
            null
        ])
    );
    let told = school.get("/v1/notifications").await.items()[0].clone();
    assert_eq!(json!([told["caseId"], told["priority"]]), json!([case.id, "urgent"]));
    let colleague = doctor(&app, "dr.tan", "service-provision").await;
    assert_eq!(colleague.get(AT).await.items()[0]["id"], waiting.body["id"]);

    app.wait(Duration::minutes(15) + Duration::microseconds(1));
    let colleague = doctor(&app, "dr.tan", "service-provision").await;
    colleague.post(&confirm, &json!({})).await.is_problem(409, "not-now");
    let waiting = opens(&doctor(&app, "dr.lim", "service-provision").await, &case).await.is(202);
    app.wait(Duration::minutes(15));
    let colleague = doctor(&app, "dr.tan", "service-provision").await;
    let opened = colleague.post(&path(&waiting, "confirm"), &json!({})).await.is(200);
    assert_eq!(opened.body["caseId"], json!(case.id));
    let looking = doctor(&app, "dr.lim", "emergency").await;
    looking.get(&case.path).await.is(200);
    looking.get(&format!("{}/sections/identity", case.child(0))).await.is(200);
    colleague.get(&case.path).await.is_problem(404, "not-found");
    let school = supervisor(&app, "guru.one").await;
    assert_eq!(school.get(&format!("{AT}?review=pending")).await.items()[0]["confirmedBy"], json!("dr.tan"));
}

#[actix_web::test]
async fn asking_twice_under_one_key_is_asking_once() {
    let (app, _, case) = world().await;
    let doctor = doctor(&app, "dr.lim", "service-provision").await;
    let key = [("idempotency-key", "the-same")];
    let body = asked(&case.body["reference"]);
    let first = doctor.send("POST", AT, &key, Some(&body)).await.is(201);
    let again = doctor.send("POST", AT, &key, Some(&body)).await.is(201);
    assert_eq!((again.header("idempotency-replayed"), &again.body), (Some("true"), &first.body));
    assert_eq!(app.database.count("emergency_accesses"), 1);
    opens(&doctor, &case).await.is_problem(409, "not-now");
}

#[actix_web::test]
async fn an_identifier_finds_the_case_too_and_one_after_the_other() {
    let (app, school, case) = world().await;
    let second = school.opens_case().await;
    let doctor = doctor(&app, "dr.lim", "service-provision").await;
    let named = |value: &str| {
        let identifier = json!({ "system": "mykid", "value": value });
        json!({ "identifier": identifier, "code": "missing-child", "reason": "Found alone at the bus station." })
    };
    doctor.post(AT, &named("120101149999")).await.is_problem(404, "not-found");
    let mut found = Vec::new();
    for _ in 0..2 {
        found.push(doctor.post(AT, &named(" 120101141234")).await.is(201).body["caseId"].clone());
    }
    assert_eq!(found, [json!(second.id), json!(case.id)], "the newest first, then the other");
    doctor.post(AT, &named("120101141234")).await.is_problem(409, "not-now");
    let both = json!({ "reference": "LDG-2026-000001", "identifier": { "system": "mykid", "value": "1" }, "code": "other",
        "reason": "Named in both ways at once." });
    doctor.post(AT, &both).await.is_problem(422, "invalid").about("reference", "one-of");
    let mut wrong = named("1");
    wrong["identifier"]["system"] = json!("MyKid");
    doctor.post(AT, &wrong).await.is_problem(422, "invalid").about("identifier.system", "pattern");
}

#[actix_web::test]
async fn an_officer_asks_a_few_times_and_then_has_to_wait() {
    let (app, _, _) = world().await;
    let doctor = doctor(&app, "dr.lim", "service-provision").await;
    let mut answers = Vec::new();
    for n in 0..6 {
        answers.push(doctor.post(AT, &asked(&json!(format!("LDG-2026-00100{n}")))).await);
    }
    let last = answers.pop().unwrap();
    assert!(answers.iter().all(|it| it.status == 404));
    let last = last.is_problem(429, "too-many-requests");
    assert!(last.header("retry-after").is_some_and(|it| it.parse::<u32>().is_ok_and(|it| it > 0)));
}
