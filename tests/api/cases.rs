//! Cases: opened, listed, changed, closed and opened again.

use std::collections::BTreeSet;

use chrono::Duration;
use insta::assert_snapshot;
use lindung_tests::{Answered, Ref, Session, TestApp, case_body, referral_body};
use serde_json::{Value, json};

const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";

fn ids(page: &Answered) -> Vec<&str> {
    page.items().iter().filter_map(|it| it["id"].as_str()).collect()
}

async fn opened(who: &Session, changes: &[(&str, Value)]) -> Ref {
    let mut body = case_body();
    for (field, value) in changes {
        body[*field] = value.clone();
    }
    who.post("/v1/cases", &body).await.is(201).reference()
}

#[actix_web::test]
async fn opening_a_case_answers_with_ids_only() {
    let app = TestApp::start().await;
    let school = app.officer(SCHOOL).await;
    let answer = school.post("/v1/cases", &case_body()).await.is(201);
    assert_eq!(answer.header("etag"), Some("\"1\""));
    assert_eq!(answer.header("location"), answer.body["links"]["self"].as_str());
    assert_eq!(answer.body["reference"], "LDG-2026-000001");
    let text = answer.body.to_string();
    for personal in ["Aminah", "120101141234", "threatened", "Afraid"] {
        assert!(!text.contains(personal), "{text}");
    }
    let case = answer.reference();
    let seen = school.get(&case.path).await.is(200);
    assert_eq!(seen.body["techniques"], json!(["deepfake", "sextortion"]));
    assert_eq!(json!([seen.body["status"], seen.body["leadAgency"], seen.body["version"]]), json!(["open", SCHOOL, 1]));
    assert_eq!(school.get(case.child(0)).await.is(200).body["id"], case.child_id(0));
    let identity = school.get(&format!("{}/sections/identity", case.child(0))).await;
    assert_eq!(identity.body["content"]["names"], json!(["Aminah binti Contoh"]));
    // The year of a reference is Malaysia's.
    app.wait(Duration::days(37) + Duration::hours(15));
    assert_eq!(opened(&app.officer(SCHOOL).await, &[]).await.body["reference"], "LDG-2027-000002");
}

#[actix_web::test]
async fn what_cannot_be_opened_names_the_field() {
    let app = TestApp::start().await;
    let school = app.officer(SCHOOL).await;
    app.database.execute(
        "update codes set valid_until = '2026-11-23' where code = 'A792.5'; \
         update codes set valid_until = '2026-11-24' where code = 'A792.6'; \
         update codes set valid_from = '2026-11-25' where code = 'A792.7'",
    );
    let many = |count: usize| Value::from_iter((0..count).map(|_| json!({})));
    let table = [
        ("offences", json!(["A792.15B", "A000.1"]), 422, "offences[1]", "unknown-code"),
        ("offences", json!(["A792.15B", "A792.15B"]), 422, "offences[1]", "duplicate"),
        ("offences", json!(["A792.5"]), 422, "offences[0]", "unknown-code"),
        ("offences", json!(["A792.6", "A792.7"]), 422, "offences[1]", "unknown-code"),
        ("offences", json!(vec!["A792.15B"; 21]), 422, "offences", "length"),
        ("grounds", json!(["A792.15B"]), 422, "grounds[0]", "unknown-code"),
        ("techniques", json!(["magic"]), 400, "techniques[0]", "unknown-code"),
        ("priority", json!("soon"), 400, "priority", "unknown-code"),
        ("children", json!([]), 422, "children", "length"),
        ("children", many(51), 422, "children", "length"),
        (
            "children",
            json!([{ "sections": { "identity": { "names": [] } } }]),
            422,
            "children[0].sections.identity.names",
            "length",
        ),
        ("sections", json!({ "narrative": { "text": " " } }), 422, "sections.narrative.text", "required"),
        ("sections", json!({ "risk": { "text": "x" } }), 400, "sections.risk", "unknown"),
        ("lead", json!("KK.MCMC"), 400, "lead", "unknown"),
    ];
    for (field, value, status, named, code) in table {
        let mut body = case_body();
        body[field] = value;
        school.post("/v1/cases", &body).await.is(status).about(named, code);
    }
    assert_eq!(app.database.count("cases"), 0);
    opened(&school, &[("children", many(50))]).await;
    // A day begins at midnight in Kuala Lumpur, eight hours before Greenwich.
    app.wait(Duration::hours(14));
    let school = app.officer(SCHOOL).await;
    opened(&school, &[("offences", json!(["A792.7"]))]).await;
    let mut body = case_body();
    body["offences"] = json!(["A792.6"]);
    school.post("/v1/cases", &body).await.is_problem(422, "invalid");
}

#[actix_web::test]
async fn the_list_has_the_newest_activity_first_and_filters() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer(SCHOOL).await, app.officer("KDN.PDRM.D11").await);
    let mut cases = Vec::new();
    for priority in ["urgent", "routine", "immediate"] {
        app.wait(Duration::seconds(1));
        let techniques = if priority == "routine" { json!(["vpn"]) } else { json!([]) };
        cases.push(opened(&school, &[("priority", json!(priority)), ("techniques", techniques)]).await);
    }
    let other = opened(&police, &[("offences", json!(["A792.5"]))]).await;
    let [a, b, c] = [&cases[0], &cases[1], &cases[2]];
    assert_eq!(ids(&school.get("/v1/cases").await), [&c.id, &b.id, &a.id]);

    app.wait(Duration::seconds(1));
    school.put(&format!("{}/sections/plan", a.path), 0, &json!({ "text": "Plan." })).await.is(200);
    assert_eq!(ids(&school.get("/v1/cases").await), [&a.id, &c.id, &b.id]);
    app.wait(Duration::seconds(1));
    let sent = school.refers(b, &police).await;
    assert_eq!(ids(&school.get("/v1/cases").await), [&b.id, &a.id, &c.id]);
    assert_eq!(ids(&police.get("/v1/cases").await), [&b.id, &other.id]);
    // What police is not told of moves nothing in its list.
    app.wait(Duration::seconds(1));
    school.put(&format!("{}/sections/plan", b.path), 0, &json!({ "text": "Plan." })).await.is(200);
    app.wait(Duration::seconds(1));
    police.put(&format!("{}/sections/plan", other.path), 0, &json!({ "text": "Plan." })).await.is(200);
    assert_eq!(ids(&police.get("/v1/cases").await), [&other.id, &b.id]);
    police.does(&sent, "reject", json!({ "reason": "no-capacity" })).await;
    assert_eq!(ids(&police.get("/v1/cases").await), [&other.id]);

    let head = app.supervisor(SCHOOL).await;
    head.does(c, "close", json!({ "outcome": "referred-on" })).await;
    let reference = b.body["reference"].as_str().unwrap();
    for (filter, found) in [
        ("status=closed".to_owned(), vec![c]),
        ("status=open".to_owned(), vec![b, a]),
        ("priority=routine".to_owned(), vec![b]),
        ("technique=vpn".to_owned(), vec![b]),
        ("technique=vpn&priority=urgent".to_owned(), vec![]),
        ("offence=A792.15B&status=closed".to_owned(), vec![c]),
        ("offence=A792.5".to_owned(), vec![]),
        (format!("lead={SCHOOL}&status=closed"), vec![c]),
        ("lead=KDN.PDRM.D11".to_owned(), vec![]),
        (format!("reference={reference}"), vec![b]),
    ] {
        let found: Vec<&str> = found.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(ids(&school.get(&format!("/v1/cases?{filter}")).await), found, "{filter}");
    }
    for wrong in ["status=x", "limit=0", "limit=201", "nonsense=1", "cursor=x", "lead=x"] {
        let answer = school.get(&format!("/v1/cases?{wrong}")).await;
        assert!([400, 422].contains(&answer.status), "{wrong}");
    }
}

#[actix_web::test]
async fn pages_follow_each_other_without_a_repeat() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer(SCHOOL).await, app.officer("KDN.PDRM.D11").await);
    // Some at the same instant, some not.
    for at in 0..11 {
        if at % 4 == 0 {
            app.wait(Duration::microseconds(1));
        }
        let case = school.opens_case().await;
        school.refers(&case, &police).await;
    }
    for (who, list) in [(&school, "/v1/cases"), (&school, "/v1/outbox"), (&police, "/v1/inbox")] {
        let whole: Vec<String> = ids(&who.get(list).await).into_iter().map(str::to_owned).collect();
        let (mut found, mut next) = (Vec::new(), Some(format!("{list}?limit=3")));
        while let Some(path) = next {
            let page = who.get(&path).await.is(200);
            found.extend(ids(&page).into_iter().map(str::to_owned));
            next = page.body["next"].as_str().map(|it| format!("{list}?limit=3&cursor={it}"));
        }
        assert_eq!((found.len(), &found), (11, &whole), "{list}");
        assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), 11);
    }
}

#[actix_web::test]
async fn the_lead_changes_the_header_from_the_version_it_has() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer(SCHOOL).await, app.officer("KDN.PDRM.D11").await);
    let case = school.opens_case().await;
    let header = json!({ "priority": "immediate", "offences": ["A792.15B"], "grounds": ["A611.17.1.a"], "techniques": ["vpn", "vpn"] });
    police.put(&case.path, 1, &header).await.is_problem(404, "not-found");
    school.refers(&case, &police).await;
    police.put(&case.path, 1, &header).await.is_problem(403, "not-yours-to-do");
    school.send("PUT", &case.path, &[], Some(&header)).await.is_problem(428, "precondition-required");
    school.put(&case.path, 7, &header).await.is_problem(412, "stale");
    let changed = school.put(&case.path, 1, &header).await.is(200);
    assert_eq!((changed.header("etag"), &changed.body["version"]), (Some("\"2\""), &json!(2)));
    let seen = police.get(&case.path).await.is(200);
    assert_eq!(
        json!([seen.body["priority"], seen.body["grounds"], seen.body["techniques"]]),
        json!(["immediate", ["A611.17.1.a"], ["vpn"]])
    );
    for (field, value, named, code) in [
        ("offences", json!(["x"]), "offences[0]", "unknown-code"),
        ("grounds", json!(["A611.17.1.a", "A611.17.1.a"]), "grounds[1]", "duplicate"),
    ] {
        let mut wrong = header.clone();
        wrong[field] = value;
        school.put(&case.path, 2, &wrong).await.is_problem(422, "invalid").about(named, code);
    }
}

#[actix_web::test]
async fn closing_needs_a_supervisor_an_outcome_and_no_open_referral() {
    let app = TestApp::start().await;
    let (school, head) = (app.officer(SCHOOL).await, app.supervisor(SCHOOL).await);
    let (police, chief) = (app.officer("KDN.PDRM.D11").await, app.supervisor("KDN.PDRM.D11").await);
    let case = school.opens_case().await;
    let close = json!({ "outcome": "service-provided", "summary": "The pupil is safe." });
    chief.act(&case, "close", &close).await.is_problem(404, "not-found");
    let (first, second) = (school.refers(&case, &police).await, school.refers(&case, &police).await);
    school.act(&case, "close", &close).await.is_problem(403, "not-yours-to-do");
    chief.act(&case, "close", &close).await.is_problem(403, "not-yours-to-do");
    head.act(&case, "close", &json!({})).await.is_problem(400, "malformed").about("outcome", "required");
    let answer = head.act(&case, "close", &close).await.is_problem(409, "not-now");
    assert_eq!(answer.body["openReferrals"], json!([first.id, second.id]));
    police.does(&first, "reject", json!({ "reason": "duplicate" })).await;
    school.does(&second, "cancel", json!({ "reason": "sent-in-error" })).await;
    head.act_anyhow(&case, "reopen", &json!({ "reason": "x" })).await.is_problem(409, "not-now");
    let closed = head.does(&case, "close", close.clone()).await;
    assert_eq!(json!([closed.body["status"], closed.version]), json!(["closed", 2]));
    assert_eq!(school.get(&case.path).await.body["outcome"], "service-provided");

    // A closed case takes nothing more.
    head.act(&closed, "close", &close).await.is_problem(409, "not-now");
    let header = json!({ "priority": "routine", "offences": [], "grounds": [], "techniques": [] });
    school.put(&case.path, 2, &header).await.is_problem(409, "not-now");
    school
        .put(&format!("{}/sections/narrative", case.path), 1, &json!({ "text": "x" }))
        .await
        .is_problem(409, "not-now");
    for (what, body) in [("children", json!({})), ("referrals", referral_body("KK.MCMC"))] {
        school.post(&format!("{}/{what}", case.path), &body).await.is_problem(409, "not-now");
    }
    school.get(&format!("{}/sections/narrative", case.path)).await.is(200);

    head.act(&closed, "reopen", &json!({ "reason": " " })).await.is_problem(422, "invalid").about("reason", "required");
    school.act(&closed, "reopen", &json!({ "reason": "It began again." })).await.is_problem(403, "not-yours-to-do");
    let open = head.does(&closed, "reopen", json!({ "reason": "It began again." })).await;
    assert_eq!(json!([open.body["status"], open.version]), json!(["open", 3]));
    let messages = school.get(&format!("{}/messages", case.path)).await;
    let said: Vec<String> = messages.items().iter().map(|it| format!("{} {}", it["kind"], it["text"])).collect();
    assert_snapshot!(said.join("\n"), @r#"
    "summary" "The pupil is safe."
    "reason" "It began again."
    "#);
    school.refers(&case, &police).await;
    police.get(&format!("{}/messages", case.path)).await.is_problem(403, "not-yours-to-do");
}
