//! What needs two different people: proposed by one supervisor of the lead, confirmed by another.

use actix_web::web::{Data, Path};
use actix_web::{get, post};
use lindung_domain::proposal::{Proposal, ProposalKind, ProposalStatus};
use lindung_domain::refusal::Expected;
use lindung_domain::section::text;
use lindung_domain::{CaseId, ChildId, ProposalId, Version};
use lindung_persistence::{Answer, Db, Error, ProposalItem, Repeat, Target};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::app::{App, How};
use crate::caller::Caller;
use crate::cursor;
use crate::extract::{Body, NewBody, Nothing, Params};
use crate::openapi::{KeyHeader, NewKeyHeader, ReadProblems, WriteProblems};
use crate::problem::Problem;
use crate::respond::{Done, Links, PAGE_DEFAULT, Page, answer};
use crate::shields::{AdmittedText, admitted};
use crate::timeline::PageParams;

/// The routes of proposals.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(create_proposal).service(list_proposals).service(confirm_proposal).service(decline_proposal);
}

/// Something to propose about a case.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewProposal {
    /// What.
    kind: ProposalKind,
    /// The child that it is about; the case itself when left out.
    child: Option<ChildId>,
    /// With `unshield`: whom the shield is to admit then; it is lifted when left out. At most 50.
    #[validate(length(min = 1, max = 50))]
    #[schema(min_items = 1, max_items = 50, value_type = Option<Vec<AdmittedText>>)]
    admits: Option<Vec<String>>,
    /// Why.
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
}

/// A proposal as it was just made or decided.
#[derive(Debug, Serialize, ToSchema)]
struct ProposalAck {
    /// Its id.
    id: ProposalId,
    /// Where it stands.
    status: ProposalStatus,
    /// Its version.
    version: Version,
    /// Where the case's proposals are.
    links: Links,
}

impl ProposalAck {
    fn answer(status: u16, proposal: &Proposal) -> Result<Answer, Error> {
        let record = proposal.record();
        let links = Links::to(format!("/v1/cases/{}/proposals", record.case));
        let ack = ProposalAck { id: record.id, status: record.status, version: record.version, links };
        Ok(Answer { case: Some(record.case), ..answer(status, &ack)? })
    }
}

/// Propose something about a case that needs two people.
///
/// For the lead's supervisors. `unshield` lifts a shield, or lets it name others; `erase-child` destroys the key of all
/// that is known of a child, for good. Nothing happens until another supervisor of the lead confirms it, within seven days.
#[utoipa::path(
    tag = "shields",
    params(("case" = CaseId, Path, description = "The case"), NewKeyHeader),
    request_body = NewProposal,
    responses((status = 201, description = "Proposed", body = ProposalAck), ReadProblems, WriteProblems)
)]
#[post("/cases/{case}/proposals")]
async fn create_proposal(
    app: Data<App>,
    Caller(call): Caller,
    case: Path<CaseId>,
    body: NewBody<NewProposal>,
) -> Result<Done, Problem> {
    let NewBody { value: NewProposal { kind, child, admits, reason }, repeat } = body;
    let admits = admits.map(|it| admitted(&it)).transpose()?;
    let reason = text("reason", &reason)?;
    let how = How { target: Target::Case(*case), expected: Expected::Any, named: Vec::new(), repeat };
    let proposed = app.write(call, how, move |_, loaded, asking| {
        let id = ProposalId(Db::new_id());
        let change = Proposal::make(id, (kind, child, admits), reason, loaded.file()?, asking)?;
        let answer = ProposalAck::answer(201, change.entity())?;
        Ok((change, answer))
    });
    proposed.await.map(Done)
}

/// List what was proposed about a case, oldest first. For the lead's supervisors.
#[utoipa::path(
    tag = "shields",
    params(("case" = CaseId, Path, description = "The case"), PageParams),
    responses((status = 200, description = "A page of proposals", body = Page<ProposalItem>), ReadProblems)
)]
#[get("/cases/{case}/proposals")]
async fn list_proposals(
    app: Data<App>,
    Caller(call): Caller,
    case: Path<CaseId>,
    Params(PageParams { limit, cursor }): Params<PageParams>,
) -> Result<Page<ProposalItem>, Problem> {
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    let after = cursor::decode(cursor.as_deref())?;
    let found = app.read(call, move |db, call| db.proposals(call, *case, after, limit)).await?;
    Ok(Page::new(found, limit, |it| it.id.0))
}

async fn how(app: &Data<App>, caller: &Caller, id: ProposalId, repeat: Option<Repeat>) -> Result<How, Problem> {
    let case = app.read(caller.0.clone(), move |db, call| db.case_of_proposal(call, id)).await?;
    Ok(How { target: Target::Proposal(id, case), expected: Expected::Any, named: Vec::new(), repeat })
}

/// Confirm a proposal: what it proposes is done.
///
/// For another supervisor of the lead than the one who proposed it.
#[utoipa::path(
    tag = "shields",
    params(("proposal" = ProposalId, Path, description = "The proposal"), KeyHeader),
    request_body = Nothing,
    responses((status = 200, description = "Confirmed and done", body = ProposalAck), ReadProblems, WriteProblems)
)]
#[post("/proposals/{proposal}/confirm")]
async fn confirm_proposal(
    app: Data<App>,
    caller: Caller,
    proposal: Path<ProposalId>,
    body: Body<Nothing>,
) -> Result<Done, Problem> {
    let how = how(&app, &caller, *proposal, body.repeat).await?;
    let confirmed = app.write(caller.0, how, move |_, loaded, asking| {
        let change = loaded.proposal()?.clone().confirm(loaded.file()?, asking)?;
        let answer = ProposalAck::answer(200, &change.entity().proposal)?;
        Ok((change, answer))
    });
    confirmed.await.map(Done)
}

/// Decline a proposal, or take it back.
///
/// For the lead's supervisors.
#[utoipa::path(
    tag = "shields",
    params(("proposal" = ProposalId, Path, description = "The proposal"), KeyHeader),
    request_body = Nothing,
    responses((status = 200, description = "Declined", body = ProposalAck), ReadProblems, WriteProblems)
)]
#[post("/proposals/{proposal}/decline")]
async fn decline_proposal(
    app: Data<App>,
    caller: Caller,
    proposal: Path<ProposalId>,
    body: Body<Nothing>,
) -> Result<Done, Problem> {
    let how = how(&app, &caller, *proposal, body.repeat).await?;
    let declined = app.write(caller.0, how, move |_, loaded, asking| {
        let change = loaded.proposal()?.clone().decline(loaded.file()?, asking)?;
        let answer = ProposalAck::answer(200, change.entity())?;
        Ok((change, answer))
    });
    declined.await.map(Done)
}
