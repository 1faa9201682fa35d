//! Grants: who may see what of a case. Listed here, and given or ended by hand.

use actix_web::web::{Data, Path};
use actix_web::{get, post};
use chrono::{DateTime, SubsecRound, Utc};
use lindung_domain::grant::Terms;
use lindung_domain::referral::Basis;
use lindung_domain::refusal::Expected;
use lindung_domain::section::text;
use lindung_domain::{AgencyCode, CaseId, ChildId, GrantId, Purpose, Section};
use lindung_persistence::{Answer, Db, Error, GrantItem, Target};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::app::{App, How};
use crate::caller::Caller;
use crate::cursor;
use crate::extract::{Body, NewBody, Params};
use crate::openapi::{KeyHeader, NewKeyHeader, ReadProblems, WriteProblems};
use crate::problem::Problem;
use crate::respond::{Done, Links, PAGE_DEFAULT, PAGE_LIMIT, Page, answer};

/// The routes of grants.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_grants).service(give_grant).service(end_grant);
}

/// Which grants are wanted.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct GrantParams {
    /// Those that hold now, or those that do not; all when left out.
    live: Option<bool>,
    /// At most so many.
    #[validate(range(min = 1, max = PAGE_LIMIT))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// From `next` of the page before.
    #[param(max_length = 400)]
    cursor: Option<String>,
}

/// What another agency is to see of a case.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct GiveGrant {
    /// Which agency, and none above or below it.
    agency: AgencyCode,
    /// Which sections, to read.
    #[validate(length(min = 1, max = 11))]
    #[schema(min_items = 1, max_items = 11)]
    sections: Vec<Section>,
    /// Of which children; of all of the case's when left out.
    #[validate(length(min = 1, max = 50))]
    #[schema(min_items = 1, max_items = 50)]
    children: Option<Vec<ChildId>>,
    /// What it may be used for.
    #[validate(length(min = 1, max = 5))]
    #[schema(min_items = 1, max_items = 5)]
    purposes: Vec<Purpose>,
    /// Until when, exclusively; until it is ended when left out.
    until: Option<DateTime<Utc>>,
    /// What it rests on; whatever is more than the summary needs it.
    basis: Option<Basis>,
    /// Why.
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
}

/// Why a grant is ended.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct EndGrant {
    /// In words.
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
}

/// A grant as it was just given or ended.
#[derive(Debug, Serialize, ToSchema)]
struct GrantAck {
    /// Its id.
    id: GrantId,
    /// Until when it holds, exclusively; open-ended when null.
    until: Option<DateTime<Utc>>,
    /// Where the case's grants are.
    links: Links,
}

impl GrantAck {
    fn answer(status: u16, id: GrantId, case: CaseId, until: Option<DateTime<Utc>>) -> Result<Answer, Error> {
        let ack = GrantAck { id, until, links: Links::to(format!("/v1/cases/{case}/grants")) };
        Ok(Answer { case: Some(case), ..answer(status, &ack)? })
    }
}

/// List who may see, or might see, what of a case, oldest first.
///
/// The lead's officers see all of its grants, those of other parties their own agency's.
#[utoipa::path(
    tag = "grants",
    params(("case" = CaseId, Path, description = "The case"), GrantParams),
    responses((status = 200, description = "A page of grants", body = Page<GrantItem>), ReadProblems)
)]
#[get("/cases/{case}/grants")]
async fn list_grants(
    app: Data<App>,
    Caller(call): Caller,
    case: Path<CaseId>,
    Params(GrantParams { live, limit, cursor }): Params<GrantParams>,
) -> Result<Page<GrantItem>, Problem> {
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    let after = cursor::decode(cursor.as_deref())?;
    let found = app.read(call, move |db, call| db.grants_of_case(call, *case, live, after, limit)).await?;
    Ok(Page::new(found, limit, |it| it.id.0))
}

/// Let another agency see something of a case, by hand.
///
/// For the lead's supervisors.
#[utoipa::path(
    tag = "grants",
    params(("case" = CaseId, Path, description = "The case"), NewKeyHeader),
    request_body = GiveGrant,
    responses((status = 201, description = "Given", body = GrantAck), ReadProblems, WriteProblems)
)]
#[post("/cases/{case}/grants")]
async fn give_grant(
    app: Data<App>,
    Caller(call): Caller,
    case: Path<CaseId>,
    body: NewBody<GiveGrant>,
) -> Result<Done, Problem> {
    let NewBody { value: GiveGrant { agency, mut sections, children, mut purposes, until, basis, reason }, repeat } =
        body;
    sections.sort();
    sections.dedup();
    purposes.sort();
    purposes.dedup();
    let reason = text("reason", &reason)?;
    let until = until.map(|it| it.trunc_subsecs(6));
    let how = How { target: Target::Case(*case), expected: Expected::Any, named: vec![agency.to_string()], repeat };
    let terms = Terms { agency, sections, children, purposes, until, basis, reason };
    let given = app.write(call, how, move |_, loaded, asking| {
        let change = loaded.file()?.give(GrantId(Db::new_id()), terms, asking)?;
        let entity = change.entity();
        let answer = GrantAck::answer(201, entity.id, entity.grant.case, entity.grant.until)?;
        Ok((change, answer))
    });
    given.await.map(Done)
}

/// End a grant by hand: from the next request on it gives nothing.
///
/// For the lead's supervisors. The lead's own ends by a handoff.
#[utoipa::path(
    tag = "grants",
    params(("grant" = GrantId, Path, description = "The grant"), KeyHeader),
    request_body = EndGrant,
    responses((status = 200, description = "Ended", body = GrantAck), ReadProblems, WriteProblems)
)]
#[post("/grants/{grant}/end")]
async fn end_grant(
    app: Data<App>,
    caller: Caller,
    grant: Path<GrantId>,
    body: Body<EndGrant>,
) -> Result<Done, Problem> {
    let reason = text("reason", &body.value.reason)?;
    let id = *grant;
    let case = app.read(caller.0.clone(), move |db, call| db.case_of_grant(call, id)).await?;
    let target = Target::Grant(id, case);
    let how = How { target, expected: Expected::Any, named: Vec::new(), repeat: body.repeat };
    let ended = app.write(caller.0, how, move |_, loaded, asking| {
        let grant = loaded.grant()?;
        let what = (&grant.agency, grant.source, grant.is_live(asking.now));
        let change = loaded.file()?.end_grant(id, what, reason, asking)?;
        let answer = GrantAck::answer(200, id, case, Some(asking.now))?;
        Ok((change, answer))
    });
    ended.await.map(Done)
}
