//! Who hears of what in an agency. For its administrators.

use actix_web::web::Data;
use actix_web::{get, post, put};
use chrono::{DateTime, Utc};
use lindung_domain::Version;
use lindung_domain::notification::{NotificationRule, NotificationRules, QuietHours};
use lindung_persistence::{Call, Db, KeptRules, Writing};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::app::{App, How};
use crate::caller::Caller;
use crate::code_lists::NoParams;
use crate::extract::{Body, IfMatch, MaybeIfMatch, Nothing, Params};
use crate::openapi::{IfMatchHeader, KeyHeader, ReadProblems, WriteProblems};
use crate::problem::Problem;
use crate::respond::{Done, Links, Versioned, answer};

/// The routes of the rules.
pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_notification_rules).service(change_notification_rules).service(reset_notification_rules);
}

/// Who hears of what.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = NotificationRulesChange)]
struct RulesBody {
    /// The rules: every one is asked about every event, and what they say adds up. Where there are none, nobody hears
    /// of anything but of what concerns administrators.
    #[schema(max_items = 100)]
    rules: Vec<NotificationRule>,
    /// When what is not urgent waits, in Malaysia's time; null or left out: never.
    quiet_hours: Option<QuietHours>,
}

/// The rules that hold in your agency.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = NotificationRules)]
struct RulesView {
    /// The rules: every one is asked about every event, and what they say adds up.
    rules: Vec<NotificationRule>,
    /// When what is not urgent waits, in Malaysia's time.
    quiet_hours: Option<QuietHours>,
    /// Whether your agency has changed them; if not, they are the defaults.
    changed: bool,
    /// Their version, as in the `ETag`; 0 where they were never changed.
    version: Version,
    /// When they were last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<DateTime<Utc>>,
    /// Where they are.
    links: Links,
}

impl RulesView {
    fn new(kept: &KeptRules) -> Self {
        let KeptRules { rules, changed, version, updated_at } = kept.clone();
        RulesView {
            rules: rules.rules().to_vec(),
            quiet_hours: rules.quiet_hours().cloned(),
            changed,
            version,
            updated_at,
            links: Links::to("/v1/notification-rules"),
        }
    }
}

/// Read the rules by which people of your agency are notified.
///
/// Administrators hear beside them that a subscription was disabled.
#[utoipa::path(
    tag = "notification-rules",
    responses((status = 200, description = "The rules", body = RulesView), ReadProblems)
)]
#[get("/notification-rules")]
async fn get_notification_rules(
    app: Data<App>,
    Caller(call): Caller,
    _: Params<NoParams>,
) -> Result<Versioned<RulesView>, Problem> {
    let kept = app.read(call, |db, call| db.notification_rules(call)).await?;
    Ok(Versioned { version: kept.version.0, body: RulesView::new(&kept) })
}

/// Change the rules: from the next event on they hold as sent.
#[utoipa::path(
    tag = "notification-rules",
    params(IfMatchHeader),
    request_body = RulesBody,
    responses((status = 200, description = "Changed", body = RulesView), ReadProblems, WriteProblems)
)]
#[put("/notification-rules")]
async fn change_notification_rules(
    app: Data<App>,
    Caller(call): Caller,
    IfMatch(expected): IfMatch,
    body: Body<RulesBody>,
) -> Result<Done, Problem> {
    let RulesBody { rules, quiet_hours } = body.value;
    let rules = NotificationRules::new(call.actor.agency(), rules, quiet_hours)?;
    keep(app, call, How { expected, ..How::about_no_case() }, Some(rules)).await
}

/// Go back to the defaults.
#[utoipa::path(
    tag = "notification-rules",
    params(KeyHeader),
    request_body = Nothing,
    responses((status = 200, description = "The defaults hold", body = RulesView), ReadProblems, WriteProblems)
)]
#[post("/notification-rules/reset")]
async fn reset_notification_rules(
    app: Data<App>,
    Caller(call): Caller,
    MaybeIfMatch(expected): MaybeIfMatch,
    body: Body<Nothing>,
) -> Result<Done, Problem> {
    keep(app, call, How { expected, repeat: body.repeat, ..How::about_no_case() }, None).await
}

async fn keep(app: Data<App>, call: Call, how: How, rules: Option<NotificationRules>) -> Result<Done, Problem> {
    let kept = move |db: &Db, writing: Writing<'_>| {
        db.keep_notification_rules(writing, rules.as_ref(), |it| answer(200, &RulesView::new(it)))
    };
    app.write_reference(call, how, kept).await.map(Done)
}
