//! Who has seen a case, for its lead's supervisors, and what is withheld of that.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, get, post};
use chrono::{DateTime, SecondsFormat, Utc};
use lindung_domain::refusal::Expected;
use lindung_domain::release::WithholdGround;
use lindung_domain::section::text;
use lindung_domain::{AccessId, CaseId};
use lindung_persistence::{Answer, CaseAccess, Target};
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
use crate::respond::{Done, Links, PAGE_DEFAULT, Page, answer, next_link};
use crate::timeline::PageParams;

/// The routes of accesses.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_accesses).service(withhold_access);
}

/// A page of accesses to a case.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CaseAccessLogPage {
    /// The accesses, in the order of the access log.
    items: Vec<CaseAccess>,
    /// The log is complete for everything that began before this moment; what was still running is on a later page.
    up_to: DateTime<Utc>,
    /// The cursor of the next page; none on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Read who has seen a case, or tried to.
///
/// For the lead's supervisors. Every access that touches the case, whoever made it, refused ones too, oldest first;
/// without what is about children that a shield hides from you. Auditors have the access log.
#[utoipa::path(
    tag = "accesses",
    params(("case" = CaseId, Path, description = "The case"), PageParams),
    responses((status = 200, description = "A page of accesses", body = CaseAccessLogPage), ReadProblems)
)]
#[get("/cases/{case}/accesses")]
async fn list_accesses(
    app: Data<App>,
    Caller(call): Caller,
    case: Path<CaseId>,
    Params(PageParams { limit, cursor }): Params<PageParams>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    let after = cursor::decode(cursor.as_deref())?;
    let found = app.read(call, move |db, call| db.accesses(call, *case, after, limit)).await?;
    let Page { items, next } = Page::new(found.items, limit, |it| it.1.clone()).map(|it| it.0);
    let mut response = HttpResponse::Ok();
    response.insert_header(("Lindung-Up-To", found.up_to.to_rfc3339_opts(SecondsFormat::Micros, true)));
    if let Some(next) = &next {
        response.insert_header(("Link", next_link(&request, next)));
    }
    Ok(response.json(CaseAccessLogPage { items, up_to: found.up_to, next }))
}

/// Why an access is withheld.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Withholding {
    /// On which ground of the Data Sharing Act 2025 (Act 864), section 15.
    ground: WithholdGround,
    /// Why, in words.
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
}

/// An access that was just withheld.
#[derive(Debug, Serialize, ToSchema)]
struct WithheldAck {
    /// Its id in the access log.
    id: AccessId,
    /// On which ground.
    ground: WithholdGround,
    /// Where the accesses to the case are.
    links: Links,
}

/// Withhold an access from what is released to a child's representative.
///
/// For the lead's supervisors, and for supervisors of the agency whose access it was. Nothing lifts it, and what was
/// released before stays as it is.
#[utoipa::path(
    tag = "accesses",
    params(
        ("case" = CaseId, Path, description = "The case"),
        ("entry" = AccessId, Path, description = "The access, by its id in the access log"),
        KeyHeader,
    ),
    request_body = Withholding,
    responses((status = 200, description = "Withheld", body = WithheldAck), ReadProblems, WriteProblems)
)]
#[post("/cases/{case}/accesses/{entry}/withhold")]
async fn withhold_access(
    app: Data<App>,
    Caller(call): Caller,
    path: Path<(CaseId, AccessId)>,
    body: Body<Withholding>,
) -> Result<Done, Problem> {
    let (case, entry) = path.into_inner();
    let Body { value: Withholding { ground, reason }, repeat } = body;
    let reason = text("reason", &reason)?;
    let how = How { target: Target::Access(entry, case), expected: Expected::Any, named: Vec::new(), repeat };
    let withheld = app.write(call, how, move |_, loaded, asking| {
        let change = loaded.file()?.withhold(loaded.entry()?, (ground, reason), asking)?;
        let links = Links::to(format!("/v1/cases/{case}/accesses"));
        let ack = WithheldAck { id: entry, ground, links };
        Ok((change, Answer { case: Some(case), ..answer(200, &ack)? }))
    });
    withheld.await.map(Done)
}
