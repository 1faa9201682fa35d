//! Handoffs: the lead of a case, asked for, offered, taken or not.

mod bodies;
mod view;

use actix_web::web::{Data, Path};
use actix_web::{get, post};
use lindung_domain::case::Asking;
use lindung_domain::handoff::{Command, Handoff, HandoffStatus};
use lindung_domain::refusal::Expected;
use lindung_domain::section::text;
use lindung_domain::{CaseId, HandoffId};
use lindung_persistence::{Db, HandoffFilter, HandoffItem, Repeat, Target};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::app::{App, How};
use crate::caller::Caller;
use crate::code_lists::NoParams;
use crate::cursor;
use crate::extract::{Body, IfMatch, NewBody, Nothing, Params};
use crate::openapi::{IfMatchHeader, KeyHeader, NewKeyHeader, ReadProblems, WriteProblems};
use crate::problem::Problem;
use crate::respond::{Done, PAGE_DEFAULT, PAGE_LIMIT, Page, Versioned};
use crate::timeline::PageParams;
use bodies::{AcceptHandoff, Because, OfferCase, OfferHandoff};
use view::{HandoffAck, HandoffView};

/// The routes of handoffs.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(ask_for_handoff)
        .service(offer_case)
        .service(list_case_handoffs)
        .service(list_handoffs)
        .service(get_handoff)
        .service(offer_handoff)
        .service(accept_handoff)
        .service(decline_handoff)
        .service(refuse_handoff)
        .service(withdraw_handoff);
}

/// Which handoffs are wanted.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct HandoffParams {
    /// In this status. Left out: those that wait for somebody.
    status: Option<HandoffStatus>,
    /// At most so many.
    #[validate(range(min = 1, max = PAGE_LIMIT))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// From `next` of the page before.
    #[param(max_length = 400)]
    cursor: Option<String>,
}

/// Ask the lead of a case to hand it over to your agency.
///
/// For supervisors of an agency with a live grant on it. The lead's supervisors offer it, or refuse.
#[utoipa::path(
    tag = "handoffs",
    params(("case" = CaseId, Path, description = "The case"), NewKeyHeader),
    request_body = Because,
    responses((status = 201, description = "Asked for", body = HandoffAck), ReadProblems, WriteProblems)
)]
#[post("/cases/{case}/handoffs/ask")]
async fn ask_for_handoff(
    app: Data<App>,
    Caller(call): Caller,
    case: Path<CaseId>,
    body: NewBody<Because>,
) -> Result<Done, Problem> {
    let reason = text("reason", &body.value.reason)?;
    let how = How { target: Target::Case(*case), expected: Expected::Any, named: Vec::new(), repeat: body.repeat };
    let asked = app.write(call, how, move |_, loaded, asking| {
        let change = Handoff::ask(HandoffId(Db::new_id()), reason, loaded.file()?, asking)?;
        let answer = HandoffAck::answer(201, change.entity())?;
        Ok((change, answer))
    });
    asked.await.map(Done)
}

/// Offer a case to another agency, which is to lead it.
///
/// For the lead's supervisors; one offer at a time. The offer carries a manifest: the versions of all that is in the case. Until
/// it is accepted nothing moves, and the addressee sees nothing of the case but the offer.
#[utoipa::path(
    tag = "handoffs",
    params(("case" = CaseId, Path, description = "The case"), NewKeyHeader),
    request_body = OfferCase,
    responses((status = 201, description = "Offered", body = HandoffAck), ReadProblems, WriteProblems)
)]
#[post("/cases/{case}/handoffs")]
async fn offer_case(
    app: Data<App>,
    Caller(call): Caller,
    case: Path<CaseId>,
    body: NewBody<OfferCase>,
) -> Result<Done, Problem> {
    let NewBody { value: OfferCase { to, keeps, reason }, repeat } = body;
    let reason = text("reason", &reason)?;
    let how = How { target: Target::Case(*case), expected: Expected::Any, named: vec![to.to_string()], repeat };
    let offered = app.write(call, how, move |tx, loaded, asking| {
        let (id, manifest) = (HandoffId(Db::new_id()), tx.manifest(*case)?);
        let change = Handoff::offer(id, to, (keeps, reason), manifest, loaded.file()?, asking)?;
        let answer = HandoffAck::answer(201, change.entity())?;
        Ok((change, answer))
    });
    offered.await.map(Done)
}

/// List the handoffs of a case that you may know of, oldest first.
#[utoipa::path(
    tag = "handoffs",
    params(("case" = CaseId, Path, description = "The case"), PageParams),
    responses((status = 200, description = "A page of handoffs", body = Page<HandoffItem>), ReadProblems)
)]
#[get("/cases/{case}/handoffs")]
async fn list_case_handoffs(
    app: Data<App>,
    Caller(call): Caller,
    case: Path<CaseId>,
    Params(PageParams { limit, cursor }): Params<PageParams>,
) -> Result<Page<HandoffItem>, Problem> {
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    let after = cursor::decode(cursor.as_deref())?;
    let found = app.read(call, move |db, call| db.handoffs_of_case(call, *case, after, limit)).await?;
    Ok(Page::new(found, limit, |it| it.id.0))
}

/// List the handoffs that your agency asked for, was offered or offered, newest first.
#[utoipa::path(
    tag = "handoffs",
    params(HandoffParams),
    responses((status = 200, description = "A page of handoffs", body = Page<HandoffItem>), ReadProblems)
)]
#[get("/handoffs")]
async fn list_handoffs(
    app: Data<App>,
    Caller(call): Caller,
    Params(HandoffParams { status, limit, cursor }): Params<HandoffParams>,
) -> Result<Page<HandoffItem>, Problem> {
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    let filter = HandoffFilter { status, after: cursor::decode(cursor.as_deref())?, limit };
    let found = app.read(call, move |db, call| db.handoffs(call, &filter)).await?;
    Ok(Page::new(found, limit, |it| it.id.0))
}

/// Read a handoff, with its manifest and what you may do to it now.
#[utoipa::path(
    tag = "handoffs",
    params(("handoff" = HandoffId, Path, description = "The handoff")),
    responses((status = 200, description = "The handoff", body = HandoffView), ReadProblems)
)]
#[get("/handoffs/{handoff}")]
async fn get_handoff(
    app: Data<App>,
    Caller(call): Caller,
    handoff: Path<HandoffId>,
    _: Params<NoParams>,
) -> Result<Versioned<HandoffView>, Problem> {
    let (actor, now) = (call.actor.clone(), call.now);
    let (handoff, file, clocks) = app.read(call, move |db, call| db.handoff(call, *handoff)).await?;
    let asking = Asking { actor: &actor, expected: Expected::Any, now };
    Ok(Versioned { version: handoff.record().version.0, body: HandoffView::new(&handoff, &file, clocks, &asking) })
}

async fn how(
    app: &Data<App>,
    caller: &Caller,
    id: HandoffId,
    IfMatch(expected): IfMatch,
    repeat: Option<Repeat>,
) -> Result<How, Problem> {
    let case = app.read(caller.0.clone(), move |db, call| db.case_of_handoff(call, id)).await?;
    Ok(How { target: Target::Handoff(id, case), expected, named: Vec::new(), repeat })
}

async fn carry_out(app: Data<App>, Caller(call): Caller, how: How, command: Command) -> Result<Done, Problem> {
    let changed = app.write(call, how, move |tx, loaded, asking| {
        let (handoff, file) = (loaded.handoff()?.clone(), loaded.file()?);
        let manifest = match &command {
            Command::Offer { .. } => tx.manifest(handoff.record().case)?,
            Command::Decline(_) | Command::Refuse(_) | Command::Withdraw => None,
        };
        let change = handoff.apply(command, manifest, file, asking)?;
        let answer = HandoffAck::answer(200, change.entity())?;
        Ok((change, answer))
    });
    changed.await.map(Done)
}

/// Offer the case to whoever asked for it, or offer it again as it is now.
///
/// For the lead's supervisors. The manifest is made anew, and so is the time to answer.
#[utoipa::path(
    tag = "handoffs",
    params(("handoff" = HandoffId, Path, description = "The handoff"), IfMatchHeader, KeyHeader),
    request_body = OfferHandoff,
    responses((status = 200, description = "Offered", body = HandoffAck), ReadProblems, WriteProblems)
)]
#[post("/handoffs/{handoff}/offer")]
async fn offer_handoff(
    app: Data<App>,
    caller: Caller,
    handoff: Path<HandoffId>,
    version: IfMatch,
    body: Body<OfferHandoff>,
) -> Result<Done, Problem> {
    let OfferHandoff { keeps, reason } = body.value;
    let reason = text("reason", &reason)?;
    let how = how(&app, &caller, *handoff, version, body.repeat).await?;
    carry_out(app, caller, how, Command::Offer { keeps, reason }).await
}

/// Accept the lead of a case.
///
/// For the addressee's supervisors. Lead, grants, running clocks and the former lead's open referrals move at once. If the case
/// is not as it was offered, 409 tells what has changed and names the manifest's version as it is now: accept again naming that.
#[utoipa::path(
    tag = "handoffs",
    params(("handoff" = HandoffId, Path, description = "The handoff"), IfMatchHeader, KeyHeader),
    request_body = AcceptHandoff,
    responses((status = 200, description = "Your agency leads the case", body = HandoffAck), ReadProblems, WriteProblems)
)]
#[post("/handoffs/{handoff}/accept")]
async fn accept_handoff(
    app: Data<App>,
    caller: Caller,
    handoff: Path<HandoffId>,
    version: IfMatch,
    body: Body<AcceptHandoff>,
) -> Result<Done, Problem> {
    let named = body.value.manifest;
    let how = how(&app, &caller, *handoff, version, body.repeat).await?;
    let accepted = app.write(caller.0, how, move |tx, loaded, asking| {
        let (handoff, file) = (loaded.handoff()?.clone(), loaded.file()?);
        let case = handoff.record().case;
        let (manifest, open) = (tx.manifest(case)?, tx.open_referrals_of_lead(case)?);
        let change = handoff.accept(named.as_deref(), manifest, open, file, asking)?;
        let answer = HandoffAck::answer(200, &change.entity().handoff)?;
        Ok((change, answer))
    });
    accepted.await.map(Done)
}

/// Decline an offered case: its lead stays who it is.
///
/// For the addressee's supervisors.
#[utoipa::path(
    tag = "handoffs",
    params(("handoff" = HandoffId, Path, description = "The handoff"), IfMatchHeader, KeyHeader),
    request_body = Because,
    responses((status = 200, description = "Declined", body = HandoffAck), ReadProblems, WriteProblems)
)]
#[post("/handoffs/{handoff}/decline")]
async fn decline_handoff(
    app: Data<App>,
    caller: Caller,
    handoff: Path<HandoffId>,
    version: IfMatch,
    body: Body<Because>,
) -> Result<Done, Problem> {
    let reason = text("reason", &body.value.reason)?;
    let how = how(&app, &caller, *handoff, version, body.repeat).await?;
    carry_out(app, caller, how, Command::Decline(reason)).await
}

/// Refuse a case to whoever asked for it.
///
/// For the lead's supervisors.
#[utoipa::path(
    tag = "handoffs",
    params(("handoff" = HandoffId, Path, description = "The handoff"), IfMatchHeader, KeyHeader),
    request_body = Because,
    responses((status = 200, description = "Refused", body = HandoffAck), ReadProblems, WriteProblems)
)]
#[post("/handoffs/{handoff}/refuse")]
async fn refuse_handoff(
    app: Data<App>,
    caller: Caller,
    handoff: Path<HandoffId>,
    version: IfMatch,
    body: Body<Because>,
) -> Result<Done, Problem> {
    let reason = text("reason", &body.value.reason)?;
    let how = how(&app, &caller, *handoff, version, body.repeat).await?;
    carry_out(app, caller, how, Command::Refuse(reason)).await
}

/// Take back what you asked for or offered.
///
/// For the supervisors of the agency that did.
#[utoipa::path(
    tag = "handoffs",
    params(("handoff" = HandoffId, Path, description = "The handoff"), IfMatchHeader, KeyHeader),
    request_body = Nothing,
    responses((status = 200, description = "Taken back", body = HandoffAck), ReadProblems, WriteProblems)
)]
#[post("/handoffs/{handoff}/withdraw")]
async fn withdraw_handoff(
    app: Data<App>,
    caller: Caller,
    handoff: Path<HandoffId>,
    version: IfMatch,
    body: Body<Nothing>,
) -> Result<Done, Problem> {
    let how = how(&app, &caller, *handoff, version, body.repeat).await?;
    carry_out(app, caller, how, Command::Withdraw).await
}
