//! The whole lifecycle through HTTP: in every state, every side tries every action. What
//! `availableActions` promises works, and nothing else does.

use std::collections::BTreeMap;
use std::fmt::Write;

use futures::future::join_all;
use insta::assert_snapshot;
use lindung_tests::{Answered, Ref, Session, TestApp};
use serde_json::{Value, json};

use super::course::{ACTIONS, Cast, STATES, good, take};

/// Whose each action is. A refusal to these is for the state, to the others because it is not theirs.
fn side_of(action: &str) -> &'static [&'static str] {
    match action {
        "amend" | "send" | "answer" | "cancel" | "request-cancel" | "withdraw-cancel" | "mark-entered-in-error" => {
            &["sender", "supervisor"]
        }
        "note" => &["sender", "supervisor", "recipient"],
        "remind" | "escalate" => &["coordinator"],
        _ => &["recipient", "listed"],
    }
}

fn names(actions: &Value) -> Vec<&str> {
    actions.as_array().unwrap().iter().filter_map(Value::as_str).collect()
}

/// What a side learns of a referral: what it may do, or that it may not even read it.
type Told = Result<Vec<String>, u16>;

/// Holds a refusal of an action against what the side was told beforehand.
fn refused(answer: Answered, state: &str, side: &str, action: &str, told: &Told) {
    let available = match told {
        Ok(available) => available,
        Err(status) => {
            answer.is(*status);
            return;
        }
    };
    // Whoever may still claim it is no recipient yet; and what is late is for supervisors.
    let note_before_claim = action == "note" && state == "requested, open" && side == "recipient";
    let late = action == "mark-entered-in-error" && side == "sender";
    if side_of(action).contains(&side) && !note_before_claim && !late {
        let answer = answer.is_problem(409, "not-now");
        assert_eq!(names(&answer.body["allowedActions"]), *available, "{state}: {side} {action}");
    } else {
        answer.is_problem(403, "not-yours-to-do");
    }
}

/// What one side may do in one state: tried, every action of it.
async fn tried(cast: &Cast, on: &Ref, state: &str, side: &str, who: &Session) -> Told {
    let seen = who.get(&on.path).await;
    let told: Told = match seen.status {
        200 => Ok(names(&seen.body["availableActions"]).into_iter().map(str::to_owned).collect()),
        status => Err(status),
    };
    // To whom nothing is told every action is refused alike: in each state a few are tried.
    let from = STATES.iter().position(|it| *it == state).unwrap() % 6;
    let some = |at: usize| told.is_ok() || at % 6 == from || (side == "its client" && ACTIONS[at] == "receive");
    for action in ACTIONS.iter().enumerate().filter(|it| some(it.0)).map(|it| *it.1) {
        // A client alone may acknowledge what it may not read.
        let receipt = side == "its client" && action == "receive";
        if told.iter().flatten().any(|it| it == action) || (receipt && state == "requested") {
            let fresh = cast.referral_in(state).await;
            take(who, &fresh, action, &good(action)).await.is(200);
        } else if receipt && told == Err(403) && state != "requested, open" {
            let answer = take(who, on, action, &good(action)).await.is_problem(409, "not-now");
            assert_eq!(answer.body["allowedActions"], json!([]));
        } else {
            refused(take(who, on, action, &good(action)).await, state, side, action, &told);
        }
    }
    // Refusals change nothing.
    assert_eq!(cast.sender.get(&on.path).await.body["version"], on.version, "{state}: {side}");
    told
}

#[actix_web::test]
async fn what_is_available_works_and_nothing_else_does() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let of_state = async |state: &'static str| {
        let on = cast.referral_in(state).await;
        let mut lines = BTreeMap::new();
        for (at, (side, who)) in cast.sides().into_iter().enumerate() {
            let may = tried(&cast, &on, state, side, who).await;
            let may = may.map_or_else(|status| status.to_string(), |it| it.join(" "));
            lines.insert(at, format!("  {side}: {may}"));
        }
        (state, lines)
    };
    let mut table = String::new();
    for (state, lines) in join_all(STATES.map(of_state)).await {
        writeln!(table, "{state}").unwrap();
        for line in lines.values() {
            writeln!(table, "{}", line.trim_end()).unwrap();
        }
    }
    assert_snapshot!(table);
}

#[actix_web::test]
async fn every_action_leads_where_the_lifecycle_says() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let (from, to) = (&cast.sender, &cast.recipient);
    let steps: [(&str, &Session, &str, &str); 30] = [
        ("draft", from, "amend", "draft"),
        ("draft", from, "send", "requested"),
        ("draft", from, "cancel", "cancelled"),
        ("requested", to, "receive", "received"),
        ("requested", to, "accept", "accepted"),
        ("requested", to, "reject", "rejected"),
        ("requested", to, "redirect", "requested"),
        ("requested", from, "cancel", "cancelled"),
        ("requested, open", to, "claim", "received"),
        ("requested, open", to, "decline", "requested"),
        ("received", to, "accept", "accepted"),
        ("received", to, "reject", "rejected"),
        ("received", to, "redirect", "requested"),
        ("received", to, "ask", "received"),
        ("received, asked", from, "answer", "received"),
        ("accepted", to, "start", "in-progress"),
        ("accepted", to, "hold", "on-hold"),
        ("accepted", from, "note", "accepted"),
        ("accepted", from, "cancel", "cancelled"),
        ("in-progress", to, "hold", "on-hold"),
        ("in-progress", to, "complete", "completed"),
        ("in-progress", to, "fail", "failed"),
        ("in-progress", from, "request-cancel", "in-progress"),
        ("in-progress, to cancel", from, "withdraw-cancel", "in-progress"),
        ("in-progress, to cancel", to, "confirm-cancel", "cancelled"),
        ("on-hold, to cancel", to, "decline-cancel", "on-hold"),
        ("on-hold, to cancel", to, "complete", "completed"),
        ("on-hold", to, "resume", "in-progress"),
        ("received", from, "mark-entered-in-error", "entered-in-error"),
        ("completed", &cast.sender_supervisor, "mark-entered-in-error", "entered-in-error"),
    ];
    join_all(steps.map(async |(state, who, action, status)| {
        let on = cast.referral_in(state).await;
        let done = take(who, &on, action, &good(action)).await.is(200);
        assert_eq!(done.body["status"], status, "{state}: {action}");
        let appended = ["note", "remind", "escalate"].contains(&action);
        assert_eq!(done.body["version"], on.version + i64::from(!appended), "{state}: {action}");
        let now = from.get(&on.path).await.is(200).body.clone();
        assert_eq!(now["status"], status);
        let asked = json!([now["awaitingInformation"], now["cancelRequested"]]);
        let flags = json!([action == "ask", action == "request-cancel"]);
        assert_eq!(asked, flags, "{state}: {action}");
    }))
    .await;
}
