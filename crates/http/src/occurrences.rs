//! Occurrences: what happened to children outside the system, recorded and listed.

use actix_web::web::{Data, Path};
use actix_web::{get, post};
use chrono::{DateTime, SubsecRound, Utc};
use lindung_domain::occurrence::{Occurrence, OccurrenceKind};
use lindung_domain::refusal::Expected;
use lindung_domain::{CaseId, ChildId, OccurrenceId};
use lindung_persistence::{Answer, Db, Error, OccurrenceItem, Target};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::app::{App, How};
use crate::caller::Caller;
use crate::cursor;
use crate::extract::{NewBody, Params};
use crate::openapi::{NewKeyHeader, ReadProblems, WriteProblems};
use crate::problem::Problem;
use crate::respond::{Done, Links, PAGE_DEFAULT, Page, answer};
use crate::timeline::PageParams;

/// The routes of occurrences.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(record_occurrence).service(list_occurrences);
}

/// What happened.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewOccurrence {
    /// What.
    kind: OccurrenceKind,
    /// When it happened: past or now, never in the future.
    occurred_at: DateTime<Utc>,
    /// To which child; may be left out where the case has one.
    child: Option<ChildId>,
}

/// An occurrence as it was just recorded.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OccurrenceAck {
    /// Its id.
    id: OccurrenceId,
    /// To which child.
    child: ChildId,
    /// What.
    kind: OccurrenceKind,
    /// When it happened.
    occurred_at: DateTime<Utc>,
    /// Where the occurrences of the case are.
    links: Links,
}

impl OccurrenceAck {
    fn answer(occurrence: &Occurrence) -> Result<Answer, Error> {
        let Occurrence { id, case, child, kind, occurred_at, .. } = occurrence.clone();
        let links = Links::to(format!("/v1/cases/{case}/occurrences"));
        let ack = OccurrenceAck { id, child, kind, occurred_at, links };
        Ok(Answer { case: Some(case), ..answer(201, &ack)? })
    }
}

/// Record what happened to a child outside the system.
///
/// For officers of the lead, and of agencies whose grant reaches the child. It starts, or meets, the clock that a law
/// sets, from when it happened. Nothing changes it afterwards.
#[utoipa::path(
    tag = "clocks",
    params(("case" = CaseId, Path, description = "The case"), NewKeyHeader),
    request_body = NewOccurrence,
    responses((status = 201, description = "Recorded", body = OccurrenceAck), ReadProblems, WriteProblems)
)]
#[post("/cases/{case}/occurrences")]
async fn record_occurrence(
    app: Data<App>,
    Caller(call): Caller,
    case: Path<CaseId>,
    body: NewBody<NewOccurrence>,
) -> Result<Done, Problem> {
    let NewBody { value: NewOccurrence { kind, occurred_at, child }, repeat } = body;
    let how = How { target: Target::Case(*case), expected: Expected::Any, named: Vec::new(), repeat };
    let recorded = app.write(call, how, move |tx, loaded, asking| {
        let file = loaded.file()?;
        let child = file.child_of_occurrence(child, asking)?;
        let (id, earlier) = (OccurrenceId(Db::new_id()), tx.occurrences_of(*case, child)?);
        let change = file.record_occurrence(id, (kind, occurred_at.trunc_subsecs(6)), child, &earlier, asking)?;
        let answer = OccurrenceAck::answer(change.entity())?;
        Ok((change, answer))
    });
    recorded.await.map(Done)
}

/// List what was recorded of the children of a case that you may know of, in the order in which it was recorded.
#[utoipa::path(
    tag = "clocks",
    params(("case" = CaseId, Path, description = "The case"), PageParams),
    responses((status = 200, description = "A page of occurrences", body = Page<OccurrenceItem>), ReadProblems)
)]
#[get("/cases/{case}/occurrences")]
async fn list_occurrences(
    app: Data<App>,
    Caller(call): Caller,
    case: Path<CaseId>,
    Params(PageParams { limit, cursor }): Params<PageParams>,
) -> Result<Page<OccurrenceItem>, Problem> {
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    let after = cursor::decode(cursor.as_deref())?;
    let found = app.read(call, move |db, call| db.occurrences(call, *case, after, limit)).await?;
    Ok(Page::new(found, limit, |it| it.id))
}
