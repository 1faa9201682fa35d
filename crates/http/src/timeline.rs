//! What happened to a case, and what was written on it.

use actix_web::get;
use actix_web::web::{Data, Path};
use lindung_domain::{CaseId, ReferralId};
use lindung_persistence::{EventItem, MessageItem};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::app::App;
use crate::caller::Caller;
use crate::cursor;
use crate::extract::Params;
use crate::openapi::ReadProblems;
use crate::problem::Problem;
use crate::respond::{PAGE_DEFAULT, PAGE_LIMIT, Page};

/// The routes of timelines.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_timeline).service(get_referral_timeline).service(list_case_messages);
}

/// Which page of a list is wanted.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageParams {
    /// At most so many.
    #[validate(range(min = 1, max = PAGE_LIMIT))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub(crate) limit: Option<i64>,
    /// From `next` of the page before.
    #[param(max_length = 400)]
    pub(crate) cursor: Option<String>,
}

/// Read a case's timeline: its events that your agency was told of, in their order.
#[utoipa::path(
    tag = "cases",
    params(("case" = CaseId, Path, description = "The case"), PageParams),
    responses((status = 200, description = "A page of events", body = Page<EventItem>), ReadProblems)
)]
#[get("/cases/{case}/timeline")]
async fn get_timeline(
    app: Data<App>,
    Caller(call): Caller,
    case: Path<CaseId>,
    Params(PageParams { limit, cursor }): Params<PageParams>,
) -> Result<Page<EventItem>, Problem> {
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    let after: i64 = cursor::decode(cursor.as_deref())?.unwrap_or(0);
    let found = app.read(call, move |db, call| db.timeline(call, *case, after, limit)).await?;
    Ok(Page::new(found, limit, |it| it.case_version))
}

/// Read a referral's timeline: its events that your agency was told of, with its clocks and what coordinators did.
#[utoipa::path(
    tag = "referrals",
    params(("referral" = ReferralId, Path, description = "The referral"), PageParams),
    responses((status = 200, description = "A page of events", body = Page<EventItem>), ReadProblems)
)]
#[get("/referrals/{referral}/timeline")]
async fn get_referral_timeline(
    app: Data<App>,
    Caller(call): Caller,
    referral: Path<ReferralId>,
    Params(PageParams { limit, cursor }): Params<PageParams>,
) -> Result<Page<EventItem>, Problem> {
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    let after: i64 = cursor::decode(cursor.as_deref())?.unwrap_or(0);
    let found = app.read(call, move |db, call| db.referral_timeline(call, *referral, after, limit)).await?;
    Ok(Page::new(found, limit, |it| it.case_version))
}

/// Read what was written on a case itself: why it was closed or opened again. For its lead.
#[utoipa::path(
    tag = "cases",
    params(("case" = CaseId, Path, description = "The case"), PageParams),
    responses((status = 200, description = "A page of messages", body = Page<MessageItem>), ReadProblems)
)]
#[get("/cases/{case}/messages")]
async fn list_case_messages(
    app: Data<App>,
    Caller(call): Caller,
    case: Path<CaseId>,
    Params(PageParams { limit, cursor }): Params<PageParams>,
) -> Result<Page<MessageItem>, Problem> {
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    let after = cursor::decode(cursor.as_deref())?;
    let found = app.read(call, move |db, call| db.messages_of_case(call, *case, after, limit)).await?;
    Ok(Page::new(found, limit, |it| it.id))
}
