//! Shields of cases and children: put up by one supervisor of the lead, lifted by two.

use actix_web::put;
use actix_web::web::{Data, Path};
use lindung_domain::refusal::Invalid;
use lindung_domain::shield::Admitted;
use lindung_domain::{CaseId, ChildId, Version};
use lindung_persistence::Target;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::app::{App, How};
use crate::caller::Caller;
use crate::extract::{Body, IfMatch};
use crate::openapi::{IfMatchHeader, ReadProblems, WriteProblems};
use crate::problem::Problem;
use crate::respond::{Done, Links, answer};

/// The routes of shields.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(shield_case).service(shield_child);
}

/// Whom a shield admits: an agency, or one of its officers.
#[derive(ToSchema)]
#[schema(value_type = String, max_length = 129, pattern = "^[A-Z0-9.]+(/[A-Za-z0-9._@-]+)?$", example = "KDN.PDRM.D11/insp.tan")]
#[expect(dead_code, reason = "only described")]
pub(crate) struct AdmittedText(String);

/// To whom a case or a child stays visible.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct ShieldBody {
    /// Agencies, or officers as `AGENCY/officer`; 1 to 50, you or your agency among them.
    #[validate(length(min = 1, max = 50))]
    #[schema(min_items = 1, max_items = 50, value_type = Vec<AdmittedText>)]
    admits: Vec<String>,
}

/// A case whose shield, or whose child's shield, was just put up.
#[derive(Debug, Serialize, ToSchema)]
struct ShieldAck {
    /// The case's new version.
    version: Version,
    /// What is shielded.
    links: Links,
}

/// The names as they were sent.
///
/// # Errors
/// One is none; the problem says which.
pub(crate) fn admitted(names: &[String]) -> Result<Vec<Admitted>, Invalid> {
    let wrong = |at| Invalid::new(format!("admits[{at}]"), "format", "is an agency, or an officer as AGENCY/officer");
    names.iter().enumerate().map(|(at, it)| it.parse().map_err(|_| wrong(at))).collect()
}

async fn put_up(
    app: Data<App>,
    Caller(call): Caller,
    (case, child): (CaseId, Option<ChildId>),
    IfMatch(expected): IfMatch,
    body: ShieldBody,
) -> Result<Done, Problem> {
    let names = admitted(&body.admits)?;
    let how = How { target: Target::Case(case), expected, named: Vec::new(), repeat: None };
    let shielded = app.write(call, how, move |_, loaded, asking| {
        let file = loaded.file()?;
        let change = file.put_up(child, names, asking)?;
        let at = child.map_or(String::new(), |it| format!("/children/{it}"));
        let links = Links::to(format!("/v1/cases/{case}{at}"));
        let ack = ShieldAck { version: change.entity().case.record().version, links };
        Ok((change, answer(200, &ack)?))
    });
    shielded.await.map(Done)
}

/// Make a case invisible except to those named.
///
/// For the lead's supervisors, effective on the next request. Who is not named gets 404 as if there were no such case,
/// coordinators too. A shield that is up can be made to name fewer; to lift it or to name more, propose it.
#[utoipa::path(
    tag = "shields",
    params(("case" = CaseId, Path, description = "The case"), IfMatchHeader),
    request_body = ShieldBody,
    responses((status = 200, description = "Shielded", body = ShieldAck), ReadProblems, WriteProblems)
)]
#[put("/cases/{case}/shield")]
async fn shield_case(
    app: Data<App>,
    caller: Caller,
    case: Path<CaseId>,
    version: IfMatch,
    body: Body<ShieldBody>,
) -> Result<Done, Problem> {
    put_up(app, caller, (*case, None), version, body.value).await
}

/// Make a child of a case invisible except to those named.
///
/// As for a case; the case itself stays visible. `If-Match` is the case's version.
#[utoipa::path(
    tag = "shields",
    params(
        ("case" = CaseId, Path, description = "The case"),
        ("child" = ChildId, Path, description = "The child"),
        IfMatchHeader,
    ),
    request_body = ShieldBody,
    responses((status = 200, description = "Shielded", body = ShieldAck), ReadProblems, WriteProblems)
)]
#[put("/cases/{case}/children/{child}/shield")]
async fn shield_child(
    app: Data<App>,
    caller: Caller,
    path: Path<(CaseId, ChildId)>,
    version: IfMatch,
    body: Body<ShieldBody>,
) -> Result<Done, Problem> {
    put_up(app, caller, (path.0, Some(path.1)), version, body.value).await
}
