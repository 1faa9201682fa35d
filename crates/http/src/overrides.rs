//! Overrides: what referrals disclosed without consent, listed and reviewed by another person of the sender.

use actix_web::web::{Data, Path};
use actix_web::{get, post};
use lindung_domain::emergency::ReviewOutcome;
use lindung_domain::overrides::Override;
use lindung_domain::refusal::Expected;
use lindung_domain::section::text;
use lindung_domain::{CaseId, OverrideId, Version};
use lindung_persistence::{Answer, Error, OverrideItem, Target};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::app::{App, How};
use crate::caller::Caller;
use crate::cursor;
use crate::extract::{Body, Params};
use crate::openapi::{KeyHeader, ReadProblems, WriteProblems};
use crate::problem::Problem;
use crate::respond::{Done, Links, PAGE_DEFAULT, Page, answer};
use crate::timeline::PageParams;

/// The routes of overrides.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_overrides).service(review_override);
}

/// What the review of an override found.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct OverrideReview {
    /// Whether it was right to disclose without consent.
    outcome: ReviewOutcome,
    /// In words.
    #[schema(min_length = 1, max_length = 4000)]
    note: String,
}

/// An override as it was just reviewed.
#[derive(Debug, Serialize, ToSchema)]
struct OverrideAck {
    /// Its id.
    id: OverrideId,
    /// What the review found.
    review: Option<ReviewOutcome>,
    /// Its version.
    version: Version,
    /// Where the case's overrides are.
    links: Links,
}

impl OverrideAck {
    fn answer(reviewed: &Override) -> Result<Answer, Error> {
        let record = reviewed.record();
        let links = Links::to(format!("/v1/cases/{}/overrides", record.case));
        let ack = OverrideAck { id: record.id, review: record.review, version: record.version, links };
        Ok(Answer { case: Some(record.case), ..answer(200, &ack)? })
    }
}

/// List what referrals of a case disclosed without consent, oldest first.
///
/// For the lead; another agency sees what its own referrals disclosed.
#[utoipa::path(
    tag = "consents",
    params(("case" = CaseId, Path, description = "The case"), PageParams),
    responses((status = 200, description = "A page of overrides", body = Page<OverrideItem>), ReadProblems)
)]
#[get("/cases/{case}/overrides")]
async fn list_overrides(
    app: Data<App>,
    Caller(call): Caller,
    case: Path<CaseId>,
    Params(PageParams { limit, cursor }): Params<PageParams>,
) -> Result<Page<OverrideItem>, Problem> {
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    let after = cursor::decode(cursor.as_deref())?;
    let found = app.read(call, move |db, call| db.overrides(call, *case, after, limit)).await?;
    Ok(Page::new(found, limit, |it| it.id.0))
}

/// Review an override: once, for good.
///
/// For the supervisors of the agency that sent the referral, never for whoever made the override. Where it was not
/// justified, what was given on its strength ends at once.
#[utoipa::path(
    tag = "consents",
    params(("override" = OverrideId, Path, description = "The override"), KeyHeader),
    request_body = OverrideReview,
    responses((status = 200, description = "Reviewed", body = OverrideAck), ReadProblems, WriteProblems)
)]
#[post("/overrides/{override}/review")]
async fn review_override(
    app: Data<App>,
    Caller(call): Caller,
    id: Path<OverrideId>,
    body: Body<OverrideReview>,
) -> Result<Done, Problem> {
    let (OverrideReview { outcome, note }, id) = (body.value, *id);
    let note = text("note", &note)?;
    let case = app.read(call.clone(), move |db, call| db.case_of_override(call, id)).await?;
    let how =
        How { target: Target::Override(id, case), expected: Expected::Any, named: Vec::new(), repeat: body.repeat };
    let reviewed = app.write(call, how, move |_, loaded, asking| {
        let change = loaded.overridden()?.clone().review(outcome, note, loaded.file()?, asking)?;
        let answer = OverrideAck::answer(change.entity())?;
        Ok((change, answer))
    });
    reviewed.await.map(Done)
}
