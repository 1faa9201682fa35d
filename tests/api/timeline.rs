//! The timeline: what happened, in order, to whoever was told of it, and nothing personal.

use insta::assert_snapshot;
use lindung_tests::{Answered, Session, TestApp, case_body, referral_body};
use serde_json::{Value, json};

/// Case version, type, subject and who did it.
fn lines(page: &Answered) -> String {
    let line = |it: &Value| {
        let of = |field: &str| it[field].as_str().unwrap().to_owned();
        let kind = of("type").replace("my.gov.lindung.", "");
        [it["caseVersion"].to_string(), kind, of("subjectType"), of("agency")].join(" ")
    };
    page.items().iter().map(line).collect::<Vec<_>>().join("\n")
}

#[actix_web::test]
async fn everybody_reads_what_they_were_told_of_in_its_order() {
    let app = TestApp::start().await;
    let (school, head) = (app.officer("KPM.SEKOLAH.WBA0001").await, app.supervisor("KPM.SEKOLAH.WBA0001").await);
    let (police, welfare) = (app.officer("KDN.PDRM.D11").await, app.officer("KPWKM.JKM").await);
    let coordinator = app.coordinator().await;
    let case = school.opens_case().await;
    let section = |name: &str| format!("{}/sections/{name}", case.path);
    let timeline = format!("{}/timeline", case.path);
    let words = |text: &str| json!({ "text": text });
    welfare.get(&timeline).await.is_problem(404, "not-found");

    school.put(&section("plan"), 0, &words("Plan.")).await.is(200);
    let open = school.refers_openly(&case, &[&police, &welfare]).await;
    let claimed = police.does(&open, "claim", json!({})).await;
    school.put(&section("narrative"), 1, &words("Then.")).await.is(200);
    let accepted = police.does(&claimed, "accept", json!({})).await;
    school.put(&format!("{}/sections/identity", case.child(0)), 1, &json!({ "names": ["A"] })).await.is(200);
    school.put(&format!("{}/sections/risk", case.child(0)), 1, &words("High.")).await.is(200);
    school.post(&format!("{}/children", case.path), &json!({})).await.is(201);
    coordinator.act_anyhow(&accepted, "remind", &words("Soon?")).await.is(200);
    let done = police.does(&accepted, "complete", json!({ "outcome": "charged", "summary": "Done." })).await;
    head.act_anyhow(&case, "close", &json!({ "outcome": "charged" })).await.is(200);

    assert_snapshot!(lines(&school.get(&timeline).await), @"
    1 case.opened case KPM.SEKOLAH.WBA0001
    2 section.written case KPM.SEKOLAH.WBA0001
    3 referral.requested referral KPM.SEKOLAH.WBA0001
    4 referral.claimed referral KDN.PDRM.D11
    5 clock.met referral KDN.PDRM.D11
    6 section.written case KPM.SEKOLAH.WBA0001
    7 referral.accepted referral KDN.PDRM.D11
    8 clock.met referral KDN.PDRM.D11
    9 section.written child KPM.SEKOLAH.WBA0001
    10 section.written child KPM.SEKOLAH.WBA0001
    11 child.added child KPM.SEKOLAH.WBA0001
    12 referral.reminded referral PP
    13 referral.completed referral KDN.PDRM.D11
    14 case.closed case KPM.SEKOLAH.WBA0001
    ");
    assert_snapshot!(lines(&coordinator.get(&timeline).await), @"
    1 case.opened case KPM.SEKOLAH.WBA0001
    3 referral.requested referral KPM.SEKOLAH.WBA0001
    4 referral.claimed referral KDN.PDRM.D11
    5 clock.met referral KDN.PDRM.D11
    7 referral.accepted referral KDN.PDRM.D11
    8 clock.met referral KDN.PDRM.D11
    11 child.added child KPM.SEKOLAH.WBA0001
    12 referral.reminded referral PP
    13 referral.completed referral KDN.PDRM.D11
    14 case.closed case KPM.SEKOLAH.WBA0001
    ");
    // The timeline is the case's: it ends with the grant. What was told stays told, for the feed.
    police.get(&timeline).await.is_problem(404, "not-found");
    let told = |agency: &str| {
        let rows = app
            .database
            .rows(&format!("select case_version as n from events where '{agency}' = any(recipients) order by 1"));
        rows.iter().map(|it| it["n"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(told("KDN.PDRM.D11"), [3, 4, 5, 6, 7, 8, 9, 11, 12, 13]);
    // Who did not win hears of that, and of nothing after it.
    assert_eq!(told("KPWKM.JKM"), [3, 4, 5]);
    assert_eq!(told("KDN.PDRM.D11.KL"), Vec::<i64>::new());

    let pages = async |who: &Session| {
        let (mut all, mut next) = (Vec::new(), Some(format!("{timeline}?limit=5")));
        while let Some(path) = next {
            let page = who.get(&path).await.is(200);
            all.extend(page.items().clone());
            next = page.body["next"].as_str().map(|it| format!("{timeline}?limit=5&cursor={it}"));
        }
        all
    };
    assert_eq!(&pages(&school).await, school.get(&timeline).await.items());
    assert_eq!(police.get(&done.path).await.body["status"], "completed");
}

#[actix_web::test]
async fn events_are_thin() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer("KPM.SEKOLAH.WBA0001").await, app.officer("KDN.PDRM.D11").await);
    let mut body = case_body();
    body["sections"]["summary"]["text"] = json!("canary words");
    body["children"][0]["sections"]["identity"]["names"] = json!(["canary name"]);
    let case = school.post("/v1/cases", &body).await.is(201).reference();
    let mut terms = referral_body("KDN.PDRM.D11");
    terms["request"] = json!("canary request");
    let sent = school.refers_in(&case, &terms).await;
    let asked = police.does(&police.does(&sent, "accept", json!({})).await, "ask", json!({ "text": "canary?" })).await;
    police.does(&asked, "fail", json!({ "reason": "other", "text": "canary reason" })).await;
    let page = school.get(&format!("{}/timeline", case.path)).await;
    assert!(!page.body.to_string().contains("canary"), "{}", page.body);

    let event = page.items().last().unwrap().clone();
    let fields: std::collections::BTreeSet<&String> = event.as_object().unwrap().keys().collect();
    assert_snapshot!(format!("{fields:?}"), @r#"{"agency", "at", "caseId", "caseVersion", "causationId", "data", "id", "subjectId", "subjectType", "type"}"#);
    let data = json!({
        "awaitingInformation": false, "cancelRequested": false, "kind": "police-investigation", "openTo": [], "outcome": null, "priority": "urgent", "reason": "other", "recipient": "KDN.PDRM.D11", "sender": "KPM.SEKOLAH.WBA0001", "status": "failed", "version": 4
    });
    assert_eq!(event["data"], data);
    assert_eq!(json!([event["caseId"], event["subjectId"]]), json!([case.id, sent.id]));
    let causes: std::collections::BTreeSet<&str> =
        page.items().iter().filter_map(|it| it["causationId"].as_str()).collect();
    let commands = page.items().iter().filter(|it| it["type"] != "my.gov.lindung.clock.met").count();
    assert_eq!(causes.len(), commands, "each command has a cause of its own");
}
