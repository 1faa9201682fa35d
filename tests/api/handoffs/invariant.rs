//! At every instant exactly one agency is responsible: under races, and by the events alone.

use futures::future::join_all;
use lindung_tests::{Ref, Session, TestApp};
use serde_json::{Value, json};

use super::{POLICE, SCHOOL, WELFARE, lead, offers, two_sides};

/// Who led when, as the events of a case tell it: each step from whoever led before.
fn responsible(events: &[Value]) -> Vec<String> {
    let mut leads: Vec<String> = Vec::new();
    for event in events {
        let (kind, data) = (event["kind"].as_str().unwrap(), &event["data"]);
        match kind.trim_start_matches("my.gov.lindung.") {
            "case.opened" => {
                assert!(leads.is_empty(), "opened once");
                leads.push(data["lead"].as_str().unwrap().to_owned());
            }
            "handoff.accepted" => {
                assert_eq!(leads.last().map(String::as_str), data["from"].as_str(), "handed over by whoever led");
                leads.push(data["to"].as_str().unwrap().to_owned());
            }
            _ => {
                if let Some(lead) = data.get("lead").and_then(Value::as_str) {
                    assert_eq!(leads.last().map(String::as_str), Some(lead), "{kind}");
                }
            }
        }
    }
    leads
}

fn history(app: &TestApp, case: &Ref) -> Vec<String> {
    let events = app.database.rows(&format!(
        "select kind, data, case_version from events where case_id = '{}' order by case_version",
        case.id
    ));
    responsible(&events)
}

#[actix_web::test]
async fn of_fifty_who_race_one_decides() {
    let app = TestApp::start().await;
    let (school, welfare, case) = two_sides(&app).await;
    let offer = offers(&school, &case, &welfare).await;
    let race = (0..50).map(|n| {
        let (school, welfare, offer) = (&school, &welfare, &offer);
        async move {
            match n % 5 {
                0 => school.act(offer, "withdraw", &json!({})).await.status,
                1 => welfare.act(offer, "decline", &json!({ "reason": "No." })).await.status,
                _ => welfare.act(offer, "accept", &json!({})).await.status,
            }
        }
    });
    let statuses = join_all(race).await;
    assert_eq!(statuses.iter().filter(|it| **it == 200).count(), 1, "{statuses:?}");
    let told = history(&app, &case);
    assert_eq!(told.last(), Some(&lead(&app, &case)));
    let ended = "events where kind ~ 'handoff.(accepted|declined|withdrawn)$'";
    assert_eq!(app.database.count(ended), 1);
}

/// Takes a step that may or may not be possible; which, a number says.
async fn step(people: &[Session], case: &Ref, dice: &mut u64) {
    let mut roll = |sides: usize| {
        // A linear congruential generator, so that a failure can be had again.
        *dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(*dice >> 33).unwrap() % sides
    };
    let (who, to) = (&people[roll(people.len())], &people[roll(people.len())]);
    let keeps = ["outcome-only", "read-only"][roll(2)];
    let mine = who.get("/v1/handoffs").await;
    let pending: Vec<String> = mine.items().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect();
    let choice = roll(12);
    let (path, body) = match (choice, pending.get(roll(pending.len().max(1)))) {
        (0, _) | (_, None) => {
            let offer = json!({ "to": to.agency, "keeps": keeps, "reason": "Yours." });
            who.post(&format!("{}/handoffs", case.path), &offer).await;
            return;
        }
        (1, _) => {
            who.post(&format!("{}/handoffs/ask", case.path), &json!({ "reason": "Ours." })).await;
            return;
        }
        (2, Some(it)) => (format!("/v1/handoffs/{it}/decline"), json!({ "reason": "No." })),
        (3, Some(it)) => (format!("/v1/handoffs/{it}/withdraw"), json!({})),
        (4, Some(it)) => (format!("/v1/handoffs/{it}/offer"), json!({ "keeps": keeps, "reason": "Now." })),
        (5, Some(it)) => (format!("/v1/handoffs/{it}/refuse"), json!({ "reason": "No." })),
        (_, Some(it)) => (format!("/v1/handoffs/{it}/accept"), json!({})),
    };
    who.send("POST", &path, &[("if-match", "*")], Some(&body)).await;
}

#[actix_web::test]
async fn whatever_is_tried_in_whatever_order_one_agency_leads() {
    let app = TestApp::start().await;
    let people = [app.supervisor(SCHOOL).await, app.supervisor(WELFARE).await, app.supervisor(POLICE).await];
    let case = people[0].opens_case().await;
    let mut dice = 20_261_124;
    for _ in 0..120 {
        step(&people, &case, &mut dice).await;
        lead(&app, &case);
    }
    let told = history(&app, &case);
    assert_eq!(told.last(), Some(&lead(&app, &case)));
    assert!(told.len() > 4, "it went to and fro: {told:?}");
}
