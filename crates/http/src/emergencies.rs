//! Emergency access (break-glass): asked for, agreed to, listed and reviewed.

use actix_web::web::{Data, Path};
use actix_web::{get, post};
use chrono::{DateTime, Utc};
use lindung_domain::emergency::{EmergencyAccess, EmergencyCode, REVIEW_WITHIN, ReviewOutcome};
use lindung_domain::refusal::{Expected, Invalid};
use lindung_domain::section::{Identifier, text};
use lindung_domain::{CaseId, EmergencyId, Version};
use lindung_persistence::{Answer, Db, EmergencyFilter, EmergencyItem, Error, NamedCase, Repeat, Target, TimePlace};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::app::{App, How};
use crate::caller::Caller;
use crate::code_lists::NoParams;
use crate::cursor;
use crate::extract::{Body, IfMatch, NewBody, Nothing, Params};
use crate::openapi::{IfMatchHeader, KeyHeader, NewKeyHeader, ReadProblems, WriteProblems};
use crate::problem::Problem;
use crate::respond::{Done, Links, PAGE_DEFAULT, PAGE_LIMIT, Page, Versioned, answer};

/// The routes of emergency access.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(open_emergency_access)
        .service(list_emergency_accesses)
        .service(get_emergency_access)
        .service(confirm_emergency_access)
        .service(review_emergency_access);
}

/// Which case has to be seen at once, and why.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewEmergencyAccess {
    /// The case's reference, if it is known.
    #[schema(max_length = 40, pattern = "^LDG-[0-9]{4}-[0-9]{6,}$", example = "LDG-2026-000123")]
    #[validate(length(min = 1, max = 40))]
    reference: Option<String>,
    /// An identifier of the child, in place of the reference. Of several cases the one that was opened last and is
    /// not open to you yet, closed ones last.
    identifier: Option<Identifier>,
    /// Why.
    code: EmergencyCode,
    /// Why, in words: 20 to 4,000 characters. The lead's supervisors judge by it.
    #[schema(min_length = 20, max_length = 4000)]
    reason: String,
}

/// What the lead's supervisor found.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Review {
    /// Whether it was right to look.
    outcome: ReviewOutcome,
    /// In words.
    #[schema(min_length = 1, max_length = 4000)]
    note: String,
}

/// An emergency access as it was just made or changed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EmergencyAck {
    /// Its id.
    id: EmergencyId,
    /// The case, once it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    case_id: Option<CaseId>,
    /// Until when it is open; left out while a colleague has to agree.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<DateTime<Utc>>,
    /// Its version.
    version: Version,
    /// Where it is.
    links: Links,
}

impl EmergencyAck {
    fn answer(status: u16, access: &EmergencyAccess) -> Result<Answer, Error> {
        let record = access.record();
        let ack = EmergencyAck {
            id: record.id,
            case_id: record.opened_at.map(|_| record.case),
            until: record.until,
            version: record.version,
            links: Links::to(format!("/v1/emergency-accesses/{}", record.id)),
        };
        answer(status, &ack)
    }
}

/// An emergency access with what follows from it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EmergencyView {
    #[serde(flatten)]
    item: EmergencyItem,
    /// Until when it is to be reviewed; after that the officer may not look again until it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    review_due_at: Option<DateTime<Utc>>,
    /// Where it is.
    links: Links,
}

impl EmergencyView {
    fn new(item: EmergencyItem) -> Self {
        let due = item.opened_at.filter(|_| item.review.is_none()).map(|it| it + REVIEW_WITHIN);
        let links = Links::to(format!("/v1/emergency-accesses/{}", item.id));
        EmergencyView { item, review_due_at: due, links }
    }
}

/// Whether it was reviewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum ReviewState {
    /// Open now or before, and not reviewed yet.
    Pending,
    /// Reviewed.
    Done,
}

/// Which emergency accesses are wanted.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EmergencyParams {
    /// By whether they were reviewed.
    #[param(inline)]
    review: Option<ReviewState>,
    /// At most so many.
    #[validate(range(min = 1, max = PAGE_LIMIT))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// From `next` of the page before.
    #[param(max_length = 400)]
    cursor: Option<String>,
}

/// Open a case in an emergency (break-glass).
///
/// For officers and supervisors of the agencies that their client's registration names for it. 201: the case can be
/// read for four hours, by you alone, with a token for the purpose `emergency`. 202: something in it is shielded; it
/// opens when another officer of your agency confirms it within 15 minutes. The lead is told at once and reviews it; an
/// access that is not reviewed within 72 hours ends your right to another until it is.
#[utoipa::path(
    tag = "emergency-accesses",
    params(NewKeyHeader),
    request_body = NewEmergencyAccess,
    responses(
        (status = 201, description = "Open", body = EmergencyAck),
        (status = 202, description = "Another officer of your agency has to confirm it", body = EmergencyAck),
        ReadProblems,
        WriteProblems,
    )
)]
#[post("/emergency-accesses")]
async fn open_emergency_access(
    app: Data<App>,
    Caller(call): Caller,
    body: NewBody<NewEmergencyAccess>,
) -> Result<Done, Problem> {
    let NewBody { value: NewEmergencyAccess { reference, identifier, code, reason }, repeat } = body;
    let named = match (reference, identifier) {
        (Some(reference), None) => NamedCase::Reference(reference),
        (None, Some(identifier)) => NamedCase::Identifier(identifier.checked("identifier")?),
        _ => return Err(Invalid::new("reference", "one-of", "name the case, or an identifier of the child").into()),
    };
    // Whoever asks learns whether there is such a case: not often.
    app.limits().emergency(&call.actor)?;
    let reason = EmergencyAccess::reason(&reason)?;
    let case = app.read(call.clone(), move |db, call| db.case_for_emergency(call, &named)).await?;
    let how = How { target: Target::Emergency(case), expected: Expected::Any, named: Vec::new(), repeat };
    let opened = app.write(call, how, move |_, loaded, asking| {
        let id = EmergencyId(Db::new_id());
        let change = EmergencyAccess::ask(id, (code, reason), loaded.file()?, loaded.trust(), asking)?;
        let status = if change.entity().record().opened_at.is_some() { 201 } else { 202 };
        let answer = EmergencyAck::answer(status, change.entity())?;
        Ok((change, answer))
    });
    opened.await.map(Done)
}

/// List emergency accesses, newest first.
///
/// Your own, those that wait for you as a colleague, for the lead's supervisors those to its cases, and for auditors
/// those made in the name of their agency (of `PP` and `SUHAKAM.OCC`: all).
#[utoipa::path(
    tag = "emergency-accesses",
    params(EmergencyParams),
    responses((status = 200, description = "A page of emergency accesses", body = Page<EmergencyView>), ReadProblems)
)]
#[get("/emergency-accesses")]
async fn list_emergency_accesses(
    app: Data<App>,
    Caller(call): Caller,
    Params(EmergencyParams { review, limit, cursor }): Params<EmergencyParams>,
) -> Result<Page<EmergencyView>, Problem> {
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    let after = cursor::decode(cursor.as_deref())?;
    let filter = EmergencyFilter { reviewed: review.map(|it| it == ReviewState::Done), after, limit };
    let found = app.read(call, move |db, call| db.emergency_accesses(call, &filter)).await?;
    let page = Page::new(found, limit, |it| TimePlace { at: it.requested_at, id: it.id.0 });
    Ok(page.map(EmergencyView::new))
}

/// Read an emergency access.
#[utoipa::path(
    tag = "emergency-accesses",
    params(("access" = EmergencyId, Path, description = "The emergency access")),
    responses((status = 200, description = "The emergency access", body = EmergencyView), ReadProblems)
)]
#[get("/emergency-accesses/{access}")]
async fn get_emergency_access(
    app: Data<App>,
    Caller(call): Caller,
    access: Path<EmergencyId>,
    _: Params<NoParams>,
) -> Result<Versioned<EmergencyView>, Problem> {
    let item = app.read(call, move |db, call| db.emergency_access(call, *access)).await?;
    Ok(Versioned { version: item.version.0, body: EmergencyView::new(item) })
}

async fn how(
    app: &Data<App>,
    caller: &Caller,
    id: EmergencyId,
    (expected, repeat): (Expected, Option<Repeat>),
) -> Result<How, Problem> {
    let case = app.read(caller.0.clone(), move |db, call| db.case_of_emergency(call, id)).await?;
    Ok(How { target: Target::EmergencyAccess(id, case), expected, named: Vec::new(), repeat })
}

/// Confirm a colleague's emergency access to what is shielded: it opens to them.
///
/// For another officer of the same agency, within 15 minutes.
#[utoipa::path(
    tag = "emergency-accesses",
    params(("access" = EmergencyId, Path, description = "The emergency access"), KeyHeader),
    request_body = Nothing,
    responses((status = 200, description = "Open to your colleague", body = EmergencyAck), ReadProblems, WriteProblems)
)]
#[post("/emergency-accesses/{access}/confirm")]
async fn confirm_emergency_access(
    app: Data<App>,
    caller: Caller,
    access: Path<EmergencyId>,
    body: Body<Nothing>,
) -> Result<Done, Problem> {
    let how = how(&app, &caller, *access, (Expected::Any, body.repeat)).await?;
    let confirmed = app.write(caller.0, how, move |_, loaded, asking| {
        let change = loaded.emergency()?.clone().confirm(loaded.file()?, loaded.trust(), asking)?;
        let answer = EmergencyAck::answer(200, change.entity())?;
        Ok((change, answer))
    });
    confirmed.await.map(Done)
}

/// Review an emergency access.
///
/// For the lead's supervisors, never for the one who looked.
#[utoipa::path(
    tag = "emergency-accesses",
    params(("access" = EmergencyId, Path, description = "The emergency access"), IfMatchHeader, KeyHeader),
    request_body = Review,
    responses((status = 200, description = "Reviewed", body = EmergencyAck), ReadProblems, WriteProblems)
)]
#[post("/emergency-accesses/{access}/review")]
async fn review_emergency_access(
    app: Data<App>,
    caller: Caller,
    access: Path<EmergencyId>,
    IfMatch(expected): IfMatch,
    body: Body<Review>,
) -> Result<Done, Problem> {
    let Review { outcome, note } = body.value;
    let note = text("note", &note)?;
    let how = how(&app, &caller, *access, (expected, body.repeat)).await?;
    let reviewed = app.write(caller.0, how, move |_, loaded, asking| {
        let change = loaded.emergency()?.clone().review(outcome, note, loaded.file()?, asking)?;
        let answer = EmergencyAck::answer(200, change.entity())?;
        Ok((change, answer))
    });
    reviewed.await.map(Done)
}
