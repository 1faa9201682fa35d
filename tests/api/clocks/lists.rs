//! Clocks in lists, and how fast agencies answer.

use chrono::Duration;
use insta::assert_snapshot;
use lindung_tests::{Session, TestApp, action_body, referral_body};
use serde_json::{Value, json};

use super::{POLICE, SCHOOL};

async fn listed(who: &Session, query: &str) -> String {
    let page = who.get(&format!("/v1/clocks{query}")).await;
    let of = |it: &Value, field: &str| it[field].as_str().unwrap_or("-").to_owned();
    let line =
        |it: &Value| ["code", "dueAt", "asker", "holder", "priority", "state"].map(|field| of(it, field)).join(" ");
    page.items().iter().map(line).collect::<Vec<_>>().join("\n")
}

#[actix_web::test]
async fn an_agency_lists_what_it_holds_or_waits_for() {
    let app = TestApp::start().await;
    let (school, police) = (app.supervisor(SCHOOL).await, app.officer(POLICE).await);
    let (case, hidden) = (school.opens_case().await, school.opens_case().await);
    let mut body = referral_body(POLICE);
    body["priority"] = json!("immediate");
    school.refers_in(&case, &body).await;
    school.refers(&case, &police).await;
    school.refers(&hidden, &police).await;
    school.shields(&hidden.path, &[SCHOOL]).await.is(200);
    assert_eq!(listed(&police, "").await, "");
    assert_snapshot!(listed(&police, "?state=running").await, @"
    referral-acknowledge 2026-11-24T03:00:00Z KPM.SEKOLAH.WBA0001 KDN.PDRM.D11 immediate running
    referral-decide 2026-11-24T06:00:00Z KPM.SEKOLAH.WBA0001 KDN.PDRM.D11 immediate running
    referral-acknowledge 2026-11-25T02:00:00Z KPM.SEKOLAH.WBA0001 KDN.PDRM.D11 urgent running
    referral-decide 2026-11-27T16:00:00Z KPM.SEKOLAH.WBA0001 KDN.PDRM.D11 urgent running
    ");
    assert_snapshot!(listed(&school, "?state=running&code=referral-decide").await, @"
    referral-decide 2026-11-24T06:00:00Z KPM.SEKOLAH.WBA0001 KDN.PDRM.D11 immediate running
    referral-decide 2026-11-27T16:00:00Z KPM.SEKOLAH.WBA0001 KDN.PDRM.D11 urgent running
    referral-decide 2026-11-27T16:00:00Z KPM.SEKOLAH.WBA0001 KDN.PDRM.D11 urgent running
    ");
    assert_snapshot!(listed(&app.coordinator().await, "?state=due-soon&within=PT4H").await, @"
    referral-acknowledge 2026-11-24T03:00:00Z KPM.SEKOLAH.WBA0001 KDN.PDRM.D11 immediate running
    referral-decide 2026-11-24T06:00:00Z KPM.SEKOLAH.WBA0001 KDN.PDRM.D11 immediate running
    ");
    assert_eq!(listed(&app.officer("KK.MCMC").await, "?state=running").await, "");
    app.wait(Duration::hours(1));
    assert_eq!(app.work(), 1);
    let (police, coordinator) = (app.officer(POLICE).await, app.coordinator().await);
    assert_snapshot!(listed(&coordinator, "?state=overdue&priority=immediate").await, @"referral-acknowledge 2026-11-24T03:00:00Z KPM.SEKOLAH.WBA0001 KDN.PDRM.D11 immediate overdue");
    let (mut all, mut next) = (Vec::new(), Some("/v1/clocks?state=running&limit=2".to_owned()));
    while let Some(path) = next {
        let page = police.get(&path).await;
        all.extend(page.items().clone());
        next = page.body["next"].as_str().map(|it| format!("/v1/clocks?state=running&limit=2&cursor={it}"));
    }
    assert_eq!(&all, police.get("/v1/clocks?state=running").await.items());
    for (query, field, code) in [
        ("?code=tea-time", "code", "unknown-code"),
        ("?state=due-soon&within=PT5M", "within", "format"),
        ("?state=overdue&within=PT5H", "within", "conflict"),
        ("?state=late", "state", "unknown-code"),
    ] {
        police.get(&format!("/v1/clocks{query}")).await.is_problem(400, "malformed").about(field, code);
    }
}

#[actix_web::test]
async fn how_fast_agencies_answer() {
    let app = TestApp::start().await;
    let (mut school, mut police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    let case = school.opens_case().await;
    for hours in [1, 2, 30] {
        let sent = school.refers(&case, &police).await;
        app.wait(Duration::hours(hours));
        police = app.officer(POLICE).await;
        let received = police.does(&sent, "receive", json!({})).await;
        let asked = police.does(&received, "ask", action_body("ask")).await;
        app.wait(Duration::hours(10));
        (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
        let answered = school.does(&asked, "answer", action_body("answer")).await;
        police.does(&answered, "accept", json!({})).await;
    }
    let times = async |who: &Session, query: &str| {
        let found = who.get(&format!("/v1/statistics/response-times{query}")).await.is(200);
        let line = |it: &Value| {
            let text = |field: &str| it[field].as_str().unwrap().to_owned();
            let names = ["clock", "asker", "holder", "priority"].map(text).join(" ");
            format!("{names}: {} {} {} {}", it["count"], it["medianSeconds"], it["p90Seconds"], it["late"])
        };
        found.body["items"].as_array().unwrap().iter().map(line).collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(times(&police, "").await, @"
    referral-acknowledge KPM.SEKOLAH.WBA0001 KDN.PDRM.D11 urgent: 3 7200.0 87840.0 1
    referral-decide KPM.SEKOLAH.WBA0001 KDN.PDRM.D11 urgent: 3 7200.0 87840.0 0
    ");
    assert_eq!(times(&app.coordinator().await, "").await, times(&school, "").await);
    assert_eq!(times(&app.officer("KK.MCMC").await, "").await, "");
    assert_eq!(times(&police, "?from=2026-10-01T00:00:00Z&until=2026-11-01T00:00:00Z").await, "");
    let long = police.get("/v1/statistics/response-times?from=2025-01-01T00:00:00Z&until=2026-11-01T00:00:00Z").await;
    long.is_problem(422, "invalid").about("from", "range");
    app.supervisor(SCHOOL).await.shields(&case.path, &[SCHOOL, POLICE]).await.is(200);
    assert_eq!(times(&police, "").await, "", "what is shielded is not counted");
}
