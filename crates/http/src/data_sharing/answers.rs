//! What becomes of a data-sharing request: granted, refused, deferred, taken back.

use actix_web::post;
use actix_web::web::{Data, Path};
use chrono::{DateTime, SubsecRound, Utc};
use lindung_domain::data_sharing::{Command, RefusalGround, SHARE_LIMIT, Share, Sharing};
use lindung_domain::refusal::Invalid;
use lindung_domain::section::text;
use lindung_domain::{CaseId, ChildId, DataSharingId, GrantId, Purpose, Section};
use lindung_persistence::{Db, Repeat, Target};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::view::DataSharingAck;
use crate::app::{App, How};
use crate::caller::Caller;
use crate::extract::{Body, IfMatch, Nothing};
use crate::openapi::{IfMatchHeader, KeyHeader, ReadProblems, WriteProblems};
use crate::problem::Problem;
use crate::respond::Done;

/// The routes of answers to data-sharing requests.
pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(grant_data_request)
        .service(refuse_data_request)
        .service(defer_data_request)
        .service(withdraw_data_request);
}

/// What is shared of one case.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct DataShare {
    /// A case that your agency leads.
    case: CaseId,
    /// Which sections, to read.
    #[validate(length(min = 1, max = 11))]
    #[schema(min_items = 1, max_items = 11)]
    sections: Vec<Section>,
    /// Of which children; of all of the case's when left out.
    #[validate(length(min = 1, max = 50))]
    #[schema(min_items = 1, max_items = 50)]
    children: Option<Vec<ChildId>>,
}

/// What is shared, and how.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct GrantDataRequest {
    /// Of which cases.
    #[validate(nested)]
    #[schema(min_items = 1, max_items = 50)]
    shares: Vec<DataShare>,
    /// Until when, exclusively.
    until: DateTime<Utc>,
    /// For which purposes of work the requester may use it.
    #[validate(length(min = 1, max = 5))]
    #[schema(min_items = 1, max_items = 5)]
    purposes: Vec<Purpose>,
    /// On which conditions.
    #[schema(min_length = 1, max_length = 4000)]
    conditions: Option<String>,
}

impl GrantDataRequest {
    fn into_sharing(self) -> Result<Sharing, Problem> {
        let GrantDataRequest { shares, until, mut purposes, conditions } = self;
        if !(1..=SHARE_LIMIT).contains(&shares.len()) {
            return Err(Invalid::new("shares", "length", format!("must have 1 to {SHARE_LIMIT} items")).into());
        }
        purposes.sort();
        purposes.dedup();
        let share = |DataShare { case, mut sections, children }: DataShare| {
            sections.sort();
            sections.dedup();
            Share { grant: GrantId(Db::new_id()), case, sections, children }
        };
        let conditions = conditions.map(|it| text("conditions", &it)).transpose()?;
        let shares = shares.into_iter().map(share).collect();
        Ok(Sharing { shares, purposes, until: until.trunc_subsecs(6), conditions })
    }
}

/// Why data is not shared.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct RefuseDataRequest {
    /// On which grounds (Act 864 s.15).
    #[validate(length(min = 1, max = 9))]
    #[schema(min_items = 1, max_items = 9)]
    grounds: Vec<RefusalGround>,
    /// Why.
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
}

/// Why the answer takes longer, and how long.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeferDataRequest {
    /// Why.
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
    /// By when you will answer.
    until: DateTime<Utc>,
}

fn how(IfMatch(expected): IfMatch, repeat: Option<Repeat>) -> How {
    How { target: Target::New, expected, named: Vec::new(), repeat }
}

async fn carry_out(
    app: Data<App>,
    Caller(call): Caller,
    id: DataSharingId,
    how: How,
    command: Command,
) -> Result<Done, Problem> {
    let changed = app.write_reference(call, how, move |db, writing| {
        db.answer_data_request(&writing, id, |request, asking| {
            let change = request.apply(command, asking)?;
            let answer = DataSharingAck::answer(200, change.entity())?;
            Ok((change, answer))
        })
    });
    changed.await.map(Done)
}

/// Grant a data-sharing request: let the requester read sections of cases that your agency leads.
///
/// For the provider's supervisors. Each case gives the requester a grant: to read, never to share onward, until `until`. A
/// case that your agency does not lead is refused as one that does not exist.
#[utoipa::path(
    tag = "data-sharing",
    params(("request" = DataSharingId, Path, description = "The data-sharing request"), IfMatchHeader, KeyHeader),
    request_body = GrantDataRequest,
    responses((status = 200, description = "Granted", body = DataSharingAck), ReadProblems, WriteProblems)
)]
#[post("/data-sharing-requests/{request}/grant")]
async fn grant_data_request(
    app: Data<App>,
    Caller(call): Caller,
    request: Path<DataSharingId>,
    version: IfMatch,
    body: Body<GrantDataRequest>,
) -> Result<Done, Problem> {
    let (id, sharing) = (*request, body.value.into_sharing()?);
    let granted = app.write_reference(call, how(version, body.repeat), move |db, writing| {
        let cases: Vec<CaseId> = sharing.shares.iter().map(|it| it.case).collect();
        db.grant_data_request(&writing, id, &cases, |request, files, asking| {
            let granted = request.grant(sharing, files, asking)?;
            let answer = DataSharingAck::answer(200, granted.request.entity())?;
            Ok((granted, answer))
        })
    });
    granted.await.map(Done)
}

/// Refuse a data-sharing request, on grounds of Act 864 s.15.
///
/// For the provider's supervisors.
#[utoipa::path(
    tag = "data-sharing",
    params(("request" = DataSharingId, Path, description = "The data-sharing request"), IfMatchHeader, KeyHeader),
    request_body = RefuseDataRequest,
    responses((status = 200, description = "Refused", body = DataSharingAck), ReadProblems, WriteProblems)
)]
#[post("/data-sharing-requests/{request}/refuse")]
async fn refuse_data_request(
    app: Data<App>,
    caller: Caller,
    request: Path<DataSharingId>,
    version: IfMatch,
    body: Body<RefuseDataRequest>,
) -> Result<Done, Problem> {
    let RefuseDataRequest { mut grounds, reason } = body.value;
    grounds.sort();
    grounds.dedup();
    let reason = text("reason", &reason)?;
    let how = how(version, body.repeat);
    carry_out(app, caller, *request, how, Command::Refuse { grounds, reason }).await
}

/// Defer the answer to a data-sharing request, once, to a new date (Act 864 s.14(3)).
///
/// For the provider's supervisors.
#[utoipa::path(
    tag = "data-sharing",
    params(("request" = DataSharingId, Path, description = "The data-sharing request"), IfMatchHeader, KeyHeader),
    request_body = DeferDataRequest,
    responses((status = 200, description = "Deferred", body = DataSharingAck), ReadProblems, WriteProblems)
)]
#[post("/data-sharing-requests/{request}/defer")]
async fn defer_data_request(
    app: Data<App>,
    caller: Caller,
    request: Path<DataSharingId>,
    version: IfMatch,
    body: Body<DeferDataRequest>,
) -> Result<Done, Problem> {
    let DeferDataRequest { reason, until } = body.value;
    let command = Command::Defer { reason: text("reason", &reason)?, until: until.trunc_subsecs(6) };
    carry_out(app, caller, *request, how(version, body.repeat), command).await
}

/// Take back a data-sharing request that has no answer yet.
///
/// For the requester's officers.
#[utoipa::path(
    tag = "data-sharing",
    params(("request" = DataSharingId, Path, description = "The data-sharing request"), IfMatchHeader, KeyHeader),
    request_body = Nothing,
    responses((status = 200, description = "Taken back", body = DataSharingAck), ReadProblems, WriteProblems)
)]
#[post("/data-sharing-requests/{request}/withdraw")]
async fn withdraw_data_request(
    app: Data<App>,
    caller: Caller,
    request: Path<DataSharingId>,
    version: IfMatch,
    body: Body<Nothing>,
) -> Result<Done, Problem> {
    carry_out(app, caller, *request, how(version, body.repeat), Command::Withdraw).await
}
