//! What an action needs, in which order its refusals come, and what it leaves behind.

use chrono::Duration;
use insta::assert_snapshot;
use lindung_tests::{TestApp, referral_body};
use serde_json::{Value, json};

use super::course::{Cast, good, take};

#[actix_web::test]
async fn refusals_come_in_their_order() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let referral = cast.referral_in("requested").await;
    let path = format!("{}/start", referral.path);
    let unmatched: [(&str, &str); 0] = [];
    let stale = [("if-match", "\"9\"")];

    // Unknown caller, with everything else wrong too.
    app.raw("POST", &path, &stale, Some(&json!({})))
        .await
        .problem()
        .map(|it| assert_eq!(it, "unauthenticated"))
        .unwrap();
    // No version.
    cast.stranger.send("POST", &path, &unmatched, Some(&json!({}))).await.is_problem(428, "precondition-required");
    // No party, a party, its recipient with a stale version, and with a good one.
    cast.stranger.send("POST", &path, &stale, Some(&json!({}))).await.is_problem(404, "not-found");
    cast.sender.send("POST", &path, &stale, Some(&json!({}))).await.is_problem(403, "not-yours-to-do");
    let answer = cast.recipient.send("POST", &path, &stale, Some(&json!({}))).await.is_problem(412, "stale");
    assert_eq!((answer.header("etag"), &answer.body["currentVersion"]), (Some("\"1\""), &json!(1)));
    cast.recipient.act(&referral, "start", &json!({})).await.is_problem(409, "not-now");
}

#[actix_web::test]
async fn what_only_adds_needs_no_version_but_heeds_one() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let referral = cast.referral_in("accepted").await;
    let (case, school) = (&cast.case, &cast.sender);
    for (who, action) in [(school, "note"), (&cast.coordinator, "remind"), (&cast.coordinator, "escalate")] {
        let path = format!("{}/{action}", referral.path);
        let done = who.send("POST", &path, &[], Some(&good(action))).await.is(200);
        assert_eq!(done.body["version"], referral.version);
        who.send("POST", &path, &[("if-match", "\"1\"")], Some(&good(action))).await.is_problem(412, "stale");
    }
    for (what, body) in [("referrals", referral_body("KDN.PDRM.D11")), ("children", json!({}))] {
        let path = format!("{}/{what}", case.path);
        let stale = [("if-match", "\"9\""), ("idempotency-key", what)];
        school.send("POST", &path, &stale, Some(&body)).await.is_problem(412, "stale");
        school.post(&path, &body).await.is(201);
    }
    let timeline = school.get(&format!("{}/timeline", case.path)).await;
    let kinds: Vec<&str> = timeline.items().iter().filter_map(|it| it["type"].as_str()?.rsplit('.').next()).collect();
    assert_eq!(
        kinds,
        ["opened", "requested", "accepted", "met", "met", "noted", "reminded", "escalated", "requested", "added"]
    );
}

#[actix_web::test]
async fn every_action_names_what_it_lacks() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let past = (app.now() - Duration::seconds(1)).to_rfc3339();
    let long = "a".repeat(4001);
    let table = [
        ("requested", "accept", json!({ "dueAt": past }), 422, "dueAt", "future"),
        ("requested", "accept", json!({ "assignee": "no such id" }), 400, "assignee", "format"),
        ("requested", "reject", json!({ "reason": "other" }), 422, "text", "required"),
        ("requested", "reject", json!({}), 400, "reason", "required"),
        ("requested", "reject", json!({ "reason": "no-response" }), 400, "reason", "unknown-code"),
        (
            "requested",
            "reject",
            json!({ "reason": "duplicate", "suggestedRecipient": "KDN.X" }),
            422,
            "suggestedRecipient",
            "unknown-agency",
        ),
        ("requested, open", "decline", json!({ "reason": "other", "text": " " }), 422, "text", "required"),
        ("requested", "redirect", json!({ "to": "KDN.PDRM.D11.KL", "reason": "" }), 422, "reason", "required"),
        ("requested", "receive", json!({ "text": "x" }), 400, "text", "unknown"),
        ("accepted", "hold", json!({ "reason": long }), 422, "reason", "length"),
        ("accepted", "ask", json!({ "text": "" }), 422, "text", "required"),
        (
            "accepted",
            "note",
            json!({ "text": "Words.", "interimOutcome": "done" }),
            400,
            "interimOutcome",
            "unknown-code",
        ),
        ("accepted", "complete", json!({ "outcome": "charged" }), 400, "summary", "required"),
        ("accepted", "complete", json!({ "summary": "Done." }), 400, "outcome", "required"),
        ("accepted", "fail", json!({ "reason": "other" }), 422, "text", "required"),
        ("in-progress, to cancel", "confirm-cancel", json!({ "workDone": " " }), 422, "workDone", "required"),
        ("in-progress, to cancel", "decline-cancel", json!({}), 400, "reason", "required"),
    ];
    for (state, action, body, status, field, code) in table {
        let on = cast.referral_in(state).await;
        take(&cast.recipient, &on, action, &body).await.is(status).about(field, code);
    }
    for (state, action, body, field) in [
        ("requested", "cancel", json!({ "reason": "other" }), "text"),
        ("in-progress", "request-cancel", json!({ "reason": "" }), "reason"),
        ("received, asked", "answer", json!({ "text": "" }), "text"),
    ] {
        let on = cast.referral_in(state).await;
        take(&cast.sender, &on, action, &body).await.is_problem(422, "invalid").about(field, "required");
    }
}

#[actix_web::test]
async fn what_was_written_is_kept_and_read_by_both_sides() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let (from, to) = (&cast.sender, &cast.recipient);
    let sent = cast.referral_in("requested").await;
    let due = (app.now() + Duration::days(3)).to_rfc3339();
    let at = to.does(&sent, "accept", json!({ "assignee": "insp.tan", "dueAt": due })).await;
    let at = to.does(&at, "ask", json!({ "text": "Which school?" })).await;
    let at = from.does(&at, "answer", json!({ "text": "Ours." })).await;
    let at = to.does(&at, "note", json!({ "text": "Scene visited.", "interimOutcome": "investigation-opened" })).await;
    let at = to.does(&at, "start", json!({})).await;
    let at = from.does(&at, "request-cancel", json!({ "reason": "The child moved." })).await;
    let at = to.does(&at, "complete", json!({ "outcome": "charged", "summary": "One was charged." })).await;

    let lines = |page: &lindung_tests::Answered| {
        let line = |it: &Value| {
            let of = |field: &str| it[field].as_str().unwrap_or("-").to_owned();
            [of("agency"), of("kind"), of("code"), of("text")].join(" ")
        };
        page.items().iter().map(line).collect::<Vec<_>>().join("\n")
    };
    let messages = format!("{}/messages", at.path);
    let read = lines(&from.get(&messages).await);
    assert_snapshot!(read, @"
    KDN.PDRM.D11 question - Which school?
    KPM.SEKOLAH.WBA0001 answer - Ours.
    KDN.PDRM.D11 note investigation-opened Scene visited.
    KPM.SEKOLAH.WBA0001 reason - The child moved.
    KDN.PDRM.D11 summary - One was charged.
    ");
    assert_eq!(lines(&to.get(&messages).await), read);
    let (first, rest) = (from.get(&format!("{messages}?limit=3")).await, |next: &Value| {
        format!("{messages}?limit=3&cursor={}", next.as_str().unwrap())
    });
    assert_eq!(lines(&from.get(&rest(&first.body["next"])).await), read.lines().skip(3).collect::<Vec<_>>().join("\n"));
    cast.coordinator.get(&messages).await.is_problem(403, "not-yours-to-do");
    cast.stranger.get(&messages).await.is_problem(404, "not-found");

    let seen = to.get(&at.path).await.is(200);
    let told = json!([seen.body["assignee"], seen.body["outcome"], seen.body["cancelRequested"]]);
    assert_eq!(told, json!(["insp.tan", "charged", false]));
    assert_eq!(seen.body["request"], "Please investigate.");
    let header = cast.coordinator.get(&at.path).await.is(200);
    for hidden in ["request", "shares", "contributes", "children", "assignee"] {
        assert!(header.body.get(hidden).is_none(), "a coordinator reads {hidden}");
    }
}

#[actix_web::test]
async fn a_rejection_and_a_last_decline_say_why() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let sent = cast.referral_in("requested").await;
    let no = json!({ "reason": "outside-area", "suggestedRecipient": "KDN.PDRM.D11.SELANGOR" });
    cast.recipient.does(&sent, "reject", no).await;
    let seen = cast.sender.get(&sent.path).await;
    assert_eq!(
        json!([seen.body["reason"], seen.body["suggestedRecipient"]]),
        json!(["outside-area", "KDN.PDRM.D11.SELANGOR"])
    );

    let open = cast.referral_in("requested, open").await;
    let once = cast.recipient.does(&open, "decline", good("decline")).await;
    assert_eq!(once.body["status"], "requested");
    cast.recipient.get(&open.path).await.is_problem(404, "not-found");
    cast.listed.act(&open, "claim", &json!({})).await.is_problem(412, "stale");
    let last = cast.listed.does(&once, "decline", json!({ "reason": "other", "text": "Known." })).await;
    assert_eq!(last.body["status"], "rejected");
    let timeline = cast.sender.get(&format!("{}/timeline", cast.case.path)).await;
    let last = timeline
        .items()
        .iter()
        .rfind(|it| it["subjectType"] == "referral" && it["data"].get("status").is_some())
        .unwrap();
    assert_eq!((&last["type"], &last["data"]["reason"]), (&json!("my.gov.lindung.referral.rejected"), &json!("other")));
}
