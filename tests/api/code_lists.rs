//! Code lists: in two languages, each code in force for its time.

use chrono::Duration;
use lindung_domain::actor::{Purpose, Role};
use lindung_domain::case::CaseStatus;
use lindung_domain::clock::ClockState;
use lindung_domain::consent::{Capacity, ConsentStatus};
use lindung_domain::data_sharing::{DataSharingStatus, RefusalGround, SharingPurpose};
use lindung_domain::delivery::{AttemptOutcome, DeliveryKind, DeliveryStatus};
use lindung_domain::emergency::{EmergencyCode, ReviewOutcome};
use lindung_domain::event::Kind;
use lindung_domain::grant::Source;
use lindung_domain::handoff::{HandoffAction, HandoffStatus, Keeps};
use lindung_domain::message::MessageKind;
use lindung_domain::notification::{Day, Doer};
use lindung_domain::occurrence::OccurrenceKind;
use lindung_domain::proposal::{ProposalKind, ProposalStatus};
use lindung_domain::referral::{Action, Status};
use lindung_domain::release::{Deed, Representative, WithholdGround};
use lindung_domain::section::Section;
use lindung_domain::subscription::{Channel, DisabledReason, SubscriptionAction, SubscriptionStatus};
use lindung_domain::values::{
    BasisKind, CancelReason, DUTIES, FailReason, Outcome, Priority, ReferralKind, RejectReason, Technique,
};
use lindung_tests::TestApp;
use rstest::rstest;
use serde_json::{Value, json};

fn codes(list: &Value) -> Vec<&str> {
    list["codes"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap()).collect()
}

fn code<'a>(list: &'a Value, code: &str) -> &'a Value {
    list["codes"].as_array().unwrap().iter().find(|it| it["code"] == code).unwrap()
}

#[actix_web::test]
async fn the_lists_are_listed_and_lead_to_themselves() {
    let app = TestApp::start().await;
    let reader = app.client("KK").await;
    let lists = reader.get("/v1/code-lists").await;
    assert_eq!(lists.header("content-language"), Some("ms"));
    let mut names = Vec::new();
    for item in lists.items() {
        let list = reader.get(item["links"]["self"].as_str().unwrap()).await.is(200);
        assert!(!codes(&list.body).is_empty(), "{item}");
        for field in ["list", "version", "name", "language"] {
            assert_eq!(list.body[field], item[field]);
        }
        names.push(item["list"].as_str().unwrap().to_owned());
    }
    assert!(names.is_sorted() && names.contains(&"offence".to_owned()), "{names:?}");
}

#[rstest]
#[case("ms", "Pemerasan seksual kanak-kanak", true)]
#[case("en", "Sexual extortion of a child", false)]
#[actix_web::test]
async fn a_translated_label_says_so(#[case] language: &str, #[case] label: &str, #[case] translated: bool) {
    let app = TestApp::start().await;
    let reader = app.client("KK").await;
    let list = reader.send("GET", "/v1/code-lists/offence", &[("accept-language", language)], None).await.is(200);
    assert_eq!(list.header("content-language"), Some(language));
    let expected = json!({
        "code": "A792.15B", "label": label, "language": language, "translated": translated,
        "confidence": "L", "source": "Act 792 s.15B", "validFrom": "2023-07-11",
    });
    assert_eq!(code(&list.body, "A792.15B"), &expected);
    let own = reader.send("GET", "/v1/code-lists/priority", &[("accept-language", language)], None).await.is(200);
    assert_eq!(own.body["codes"][0]["translated"], false, "the task force's own words are no translation");
}

/// What was translated is not known for sure.
#[actix_web::test]
async fn a_translation_is_marked_as_unconfirmed() {
    let app = TestApp::start().await;
    assert!(app.database.count("codes where translated") > 0);
    assert_eq!(app.database.count("codes where translated and confidence <> 'L'"), 0);
}

#[rstest]
#[case("2017-07-09", "A792.5", false)]
#[case("2017-07-10", "A792.5", true)]
#[case("2023-07-10", "A792.15A", false)]
#[case("2023-07-11", "A792.15A", true)]
#[case("2024-12-31", "A792.16", true)]
#[case("2025-01-01", "A792.16", false)]
#[actix_web::test]
async fn a_code_is_in_force_for_its_time(#[case] day: &str, #[case] offence: &str, #[case] in_force: bool) {
    let app = TestApp::start().await;
    app.database.execute("update codes set valid_until = '2024-12-31' where code = 'A792.16'");
    let list = app.client("KK").await.get(&format!("/v1/code-lists/offence?on={day}")).await.is(200);
    assert_eq!(codes(&list.body).contains(&offence), in_force);
    assert_eq!(list.body["on"], day);
}

#[actix_web::test]
async fn today_is_malaysias() {
    let app = TestApp::start().await;
    let reader = app.client("KK").await;
    let today = async || reader.get("/v1/code-lists/offence").await.is(200).body["on"].as_str().unwrap().to_owned();
    assert_eq!(today().await, "2026-11-24");
    let midnight = chrono::DateTime::parse_from_rfc3339("2026-11-25T00:00:00+08:00").unwrap();
    app.wait(midnight.to_utc() - app.now() - Duration::microseconds(1));
    let reader = app.client("KK").await;
    let today = async || reader.get("/v1/code-lists/offence").await.is(200).body["on"].as_str().unwrap().to_owned();
    assert_eq!(today().await, "2026-11-24");
    app.wait(Duration::microseconds(1));
    assert_eq!(today().await, "2026-11-25");
}

#[rstest]
#[case("no-such-list", 404, None)]
#[case("Offence", 400, Some(("list", "format")))]
#[case("offence?on=2026-13-01", 400, Some(("on", "syntax")))]
#[case("offence?on=yesterday", 400, Some(("on", "syntax")))]
#[case("offence?on=", 400, Some(("on", "syntax")))]
#[case("offence?on=%2B262142-12-31", 400, Some(("on", "range")))]
#[case("offence?on=-262143-01-01", 400, Some(("on", "range")))]
#[case("offence?day=2026-01-01", 400, Some(("day", "unknown")))]
#[actix_web::test]
async fn what_cannot_be_asked_is_named(#[case] path: &str, #[case] status: u16, #[case] about: Option<(&str, &str)>) {
    let app = TestApp::start().await;
    let slug = if status == 404 { "not-found" } else { "malformed" };
    let reply = app.client("KK").await.get(&format!("/v1/code-lists/{path}")).await.is_problem(status, slug);
    if let Some((field, code)) = about {
        reply.about(field, code);
    }
}

/// The texts of a closed list.
macro_rules! texts {
    ($($list:literal: $type:ty),* $(,)?) => {
        vec![$(($list, <$type>::ALL.iter().map(|it| it.as_str()).collect::<Vec<_>>())),*]
    };
}

/// What the service takes and what the lists tell are the same codes, in the same order.
#[actix_web::test]
async fn the_lists_hold_just_the_codes_that_the_service_knows() {
    let app = TestApp::start().await;
    let reader = app.client("KK").await;
    let closed = texts![
        "referral-kind": ReferralKind, "priority": Priority, "technique": Technique, "outcome": Outcome,
        "reject-reason": RejectReason, "cancel-reason": CancelReason, "fail-reason": FailReason, "basis": BasisKind,
        "section": Section, "role": Role, "purpose": Purpose, "referral-status": Status, "referral-action": Action,
        "case-status": CaseStatus, "message-kind": MessageKind, "grant-source": Source,
        "emergency-code": EmergencyCode, "review-outcome": ReviewOutcome, "proposal-kind": ProposalKind,
        "proposal-status": ProposalStatus, "withhold-ground": WithholdGround, "representative": Representative, "deed": Deed,
        "occurrence-kind": OccurrenceKind, "clock-state": ClockState,
        "data-sharing-purpose": SharingPurpose, "data-sharing-refusal": RefusalGround, "data-sharing-status": DataSharingStatus,
        "handoff-status": HandoffStatus, "handoff-action": HandoffAction, "handoff-keeps": Keeps,
        "consent-capacity": Capacity, "consent-status": ConsentStatus,
        "channel": Channel, "subscription-status": SubscriptionStatus, "subscription-reason": DisabledReason,
        "subscription-action": SubscriptionAction, "delivery-status": DeliveryStatus, "delivery-kind": DeliveryKind,
        "attempt-outcome": AttemptOutcome, "notification-doer": Doer, "day": Day,
    ];
    for (list, known) in &closed {
        let told = reader.get(&format!("/v1/code-lists/{list}")).await.is(200);
        assert_eq!(codes(&told.body), *known, "{list}");
    }
    let page = reader.get("/v1/code-lists").await;
    let names = page.items().iter().map(|it| it["list"].as_str().unwrap());
    let open: Vec<&str> = names.filter(|it| !closed.iter().any(|list| list.0 == *it)).collect();
    assert_eq!(open, ["duty", "event-type", "ground", "offence"]);
    assert_eq!(codes(&reader.get("/v1/code-lists/duty").await.is(200).body), DUTIES);
    let types = Kind::ALL.iter().map(|it| it.full());
    let types = types.chain(["tested", "disabled"].map(|it| format!("my.gov.lindung.subscription.{it}")));
    assert_eq!(codes(&reader.get("/v1/code-lists/event-type").await.is(200).body), types.collect::<Vec<_>>());
}
