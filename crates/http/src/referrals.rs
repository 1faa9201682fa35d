//! Referrals: made, read and listed here; what may be done to one is in [`actions`].

mod actions;
mod terms;
mod view;

use actix_web::web::{Data, Path};
use actix_web::{get, post, put};
use lindung_domain::case::Asking;
use lindung_domain::referral::{Command, Referral, Status};
use lindung_domain::refusal::{Expected, Invalid};
use lindung_domain::values::{Priority, ReferralKind};
use lindung_domain::{CaseId, ReferralId};
use lindung_persistence::{BoxFilter, Db, MessageItem, ReferralItem, Target, TimePlace};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::app::{App, How};
use crate::caller::Caller;
use crate::code_lists::NoParams;
use crate::cursor;
use crate::extract::{Body, IfMatch, MaybeIfMatch, NewBody, Params};
use crate::openapi::{IfMatchHeader, NewKeyHeader, ReadProblems, WriteProblems};
use crate::problem::Problem;
use crate::respond::{Done, PAGE_DEFAULT, PAGE_LIMIT, Page, Versioned};
use crate::timeline::PageParams;
use terms::ReferralBody;
use view::{ReferralAck, ReferralView};

/// The routes of referrals.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(create_referral)
        .service(list_case_referrals)
        .service(list_inbox)
        .service(list_outbox)
        .service(get_referral)
        .service(amend_referral)
        .service(list_referral_messages)
        .configure(actions::routes);
}

/// Which referrals are wanted.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct BoxParams {
    /// One or more statuses with commas between. Left out: of the inbox what is open, of the outbox all.
    #[validate(length(max = 200))]
    #[param(max_length = 200, example = "requested,received")]
    status: Option<String>,
    /// With this priority.
    priority: Option<Priority>,
    /// Of this kind.
    kind: Option<ReferralKind>,
    /// At most so many.
    #[validate(range(min = 1, max = PAGE_LIMIT))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// From `next` of the page before.
    #[param(max_length = 400)]
    cursor: Option<String>,
}

impl BoxParams {
    fn filter(self) -> Result<BoxFilter, Problem> {
        let BoxParams { status, priority, kind, limit, cursor } = self;
        let parse =
            |it: &str| it.parse().map_err(|_| Problem::malformed("status", "unknown-code", "has none of the statuses"));
        let statuses: Vec<Status> = status.iter().flat_map(|it| it.split(',')).map(parse).collect::<Result<_, _>>()?;
        let after = cursor::decode(cursor.as_deref())?;
        Ok(BoxFilter { statuses, priority, kind, after, limit: limit.unwrap_or(PAGE_DEFAULT) })
    }
}

/// Refer: ask another agency to do something about a case.
///
/// For the lead, and for whoever may share onward. Sent at once unless it is a draft. To one `recipient` (with
/// `alternatives`), or `openTo` several, one of which claims it.
#[utoipa::path(
    tag = "referrals",
    params(("case" = CaseId, Path, description = "The case"), NewKeyHeader),
    request_body = ReferralBody,
    responses((status = 201, description = "Made", body = ReferralAck), ReadProblems, WriteProblems)
)]
#[post("/cases/{case}/referrals")]
async fn create_referral(
    app: Data<App>,
    Caller(call): Caller,
    case: Path<CaseId>,
    MaybeIfMatch(expected): MaybeIfMatch,
    body: NewBody<ReferralBody>,
) -> Result<Done, Problem> {
    let NewBody { value, repeat } = body;
    let draft = value.draft == Some(true);
    let terms = value.into_terms()?;
    let named = terms.route.agencies().map(ToString::to_string).collect();
    let how = How { target: Target::Case(*case), expected, named, repeat };
    let made = app.write(call, how, move |_, loaded, asking| {
        let file = loaded.file()?;
        let change = Referral::make(ReferralId(Db::new_id()), terms, draft, file, asking)?;
        let answer = ReferralAck::answer(201, change.entity())?;
        Ok((change, answer))
    });
    made.await.map(Done)
}

/// List the referrals of a case that you may read, oldest first.
#[utoipa::path(
    tag = "referrals",
    params(("case" = CaseId, Path, description = "The case"), PageParams),
    responses((status = 200, description = "A page of referrals", body = Page<ReferralItem>), ReadProblems)
)]
#[get("/cases/{case}/referrals")]
async fn list_case_referrals(
    app: Data<App>,
    Caller(call): Caller,
    case: Path<CaseId>,
    Params(PageParams { limit, cursor }): Params<PageParams>,
) -> Result<Page<ReferralItem>, Problem> {
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    let after = cursor::decode(cursor.as_deref())?;
    let found = app.read(call, move |db, call| db.referrals_of_case(call, *case, after, limit)).await?;
    Ok(Page::new(found, limit, |it| it.id))
}

/// List the referrals that are with your agency or that it may claim, newest arrival first.
#[utoipa::path(tag = "referrals", params(BoxParams), responses((status = 200, description = "A page of referrals", body = Page<ReferralItem>), ReadProblems))]
#[get("/inbox")]
async fn list_inbox(
    app: Data<App>,
    Caller(call): Caller,
    Params(params): Params<BoxParams>,
) -> Result<Page<ReferralItem>, Problem> {
    let filter = params.filter()?;
    let limit = filter.limit;
    let found = app.read(call, move |db, call| db.inbox(call, &filter)).await?;
    Ok(Page::new(found, limit, |it| TimePlace { at: it.arrived_at.unwrap_or(it.created_at), id: it.id }))
}

/// List the referrals that your agency made, drafts too, newest first.
#[utoipa::path(tag = "referrals", params(BoxParams), responses((status = 200, description = "A page of referrals", body = Page<ReferralItem>), ReadProblems))]
#[get("/outbox")]
async fn list_outbox(
    app: Data<App>,
    Caller(call): Caller,
    Params(params): Params<BoxParams>,
) -> Result<Page<ReferralItem>, Problem> {
    let filter = params.filter()?;
    let limit = filter.limit;
    let found = app.read(call, move |db, call| db.outbox(call, &filter)).await?;
    Ok(Page::new(found, limit, |it| TimePlace { at: it.created_at, id: it.id }))
}

/// Read a referral, with what you may do to it now.
#[utoipa::path(
    tag = "referrals",
    params(("referral" = ReferralId, Path, description = "The referral")),
    responses((status = 200, description = "The referral", body = ReferralView), ReadProblems)
)]
#[get("/referrals/{referral}")]
async fn get_referral(
    app: Data<App>,
    Caller(call): Caller,
    referral: Path<ReferralId>,
    _: Params<NoParams>,
) -> Result<Versioned<ReferralView>, Problem> {
    let (actor, now) = (call.actor.clone(), call.now);
    let (referral, file, clocks) = app.read(call, move |db, call| db.referral(call, *referral)).await?;
    let asking = Asking { actor: &actor, expected: Expected::Any, now };
    Ok(Versioned { version: referral.record().version.0, body: ReferralView::new(&referral, &file, clocks, &asking) })
}

/// Change a draft. What is asked and shared is fixed once it is sent.
#[utoipa::path(
    tag = "referrals",
    params(("referral" = ReferralId, Path, description = "The referral"), IfMatchHeader),
    request_body = ReferralBody,
    responses((status = 200, description = "Changed", body = ReferralAck), ReadProblems, WriteProblems)
)]
#[put("/referrals/{referral}")]
async fn amend_referral(
    app: Data<App>,
    caller: Caller,
    referral: Path<ReferralId>,
    IfMatch(expected): IfMatch,
    body: Body<ReferralBody>,
) -> Result<Done, Problem> {
    if body.value.draft == Some(false) {
        return Err(Invalid::new("draft", "conflict", "a draft is sent by …/send").into());
    }
    let terms = body.value.into_terms()?;
    let named = terms.route.agencies().map(ToString::to_string).collect();
    let how = How { target: Target::Referral(*referral), expected, named, repeat: None };
    actions::carry_out(app, caller, how, Command::Amend(Box::new(terms))).await
}

/// Read what was written on a referral: reasons, questions, answers, notes, outcomes.
#[utoipa::path(
    tag = "referrals",
    params(("referral" = ReferralId, Path, description = "The referral"), PageParams),
    responses((status = 200, description = "A page of messages", body = Page<MessageItem>), ReadProblems)
)]
#[get("/referrals/{referral}/messages")]
async fn list_referral_messages(
    app: Data<App>,
    Caller(call): Caller,
    referral: Path<ReferralId>,
    Params(PageParams { limit, cursor }): Params<PageParams>,
) -> Result<Page<MessageItem>, Problem> {
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    let after = cursor::decode(cursor.as_deref())?;
    let found = app.read(call, move |db, call| db.messages_of_referral(call, *referral, after, limit)).await?;
    Ok(Page::new(found, limit, |it| it.id))
}
