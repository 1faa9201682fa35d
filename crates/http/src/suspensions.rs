//! Suspensions of officers and clients, by administrators.

use actix_web::web::{Data, Path};
use actix_web::{get, post};
use lindung_domain::refusal::{Expected, Invalid};
use lindung_domain::section::text;
use lindung_domain::{AgencyCode, ClientId, OfficerId, SuspensionId};
use lindung_persistence::{Db, Suspended, SuspensionItem, Target, Writing};
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
use crate::timeline::PageParams;

/// The routes of suspensions.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(create_suspension).service(list_suspensions).service(lift_suspension);
}

/// Whom to suspend: an officer of an agency, or a client.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSuspension {
    /// The agency of the officer.
    agency: Option<AgencyCode>,
    /// The officer.
    officer: Option<OfficerId>,
    /// The client, in place of agency and officer.
    client: Option<ClientId>,
    /// Why.
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
}

/// A suspension as it was just made or lifted.
#[derive(Debug, Serialize, ToSchema)]
struct SuspensionAck {
    /// Its id.
    id: SuspensionId,
    /// Where suspensions are.
    links: Links,
}

impl SuspensionAck {
    fn new(id: SuspensionId) -> Self {
        SuspensionAck { id, links: Links::to("/v1/suspensions") }
    }
}

/// Suspend an officer or a client.
///
/// For administrators of the agency or of one above it, and of the secretariat. From the next request on every request
/// of theirs is answered 401, whatever token they hold.
#[utoipa::path(
    tag = "suspensions",
    params(NewKeyHeader),
    request_body = NewSuspension,
    responses((status = 201, description = "Suspended", body = SuspensionAck), ReadProblems, WriteProblems)
)]
#[post("/suspensions")]
async fn create_suspension(
    app: Data<App>,
    Caller(call): Caller,
    body: NewBody<NewSuspension>,
) -> Result<Done, Problem> {
    let NewBody { value: NewSuspension { agency, officer, client, reason }, repeat } = body;
    let who = match (agency, officer, client) {
        (Some(agency), Some(officer), None) => Suspended::Officer(agency, officer),
        (None, None, Some(client)) => Suspended::Client(client),
        _ => return Err(Invalid::new("officer", "one-of", "name an agency and its officer, or a client").into()),
    };
    let reason = text("reason", &reason)?;
    let how = How { target: Target::New, expected: Expected::Any, named: Vec::new(), repeat };
    let suspended = move |db: &Db, writing: Writing<'_>| {
        let id = SuspensionId(Db::new_id());
        db.suspend(writing, id, (&who, &reason), || answer(201, &SuspensionAck::new(id)))
    };
    app.write_reference(call, how, suspended).await.map(Done)
}

/// List suspensions, newest first.
///
/// For administrators: those of their agency and of what stands below it; of the secretariat's, all.
#[utoipa::path(
    tag = "suspensions",
    params(PageParams),
    responses((status = 200, description = "A page of suspensions", body = Page<SuspensionItem>), ReadProblems)
)]
#[get("/suspensions")]
async fn list_suspensions(
    app: Data<App>,
    Caller(call): Caller,
    Params(PageParams { limit, cursor }): Params<PageParams>,
) -> Result<Page<SuspensionItem>, Problem> {
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    let before = cursor::decode(cursor.as_deref())?;
    let found = app.read(call, move |db, call| db.suspensions(call, before, limit)).await?;
    Ok(Page::new(found, limit, |it| it.id.0))
}

/// Lift a suspension. For those who could suspend.
#[utoipa::path(
    tag = "suspensions",
    params(("suspension" = SuspensionId, Path, description = "The suspension"), KeyHeader),
    request_body = Nothing,
    responses((status = 200, description = "Lifted", body = SuspensionAck), ReadProblems, WriteProblems)
)]
#[post("/suspensions/{suspension}/lift")]
async fn lift_suspension(
    app: Data<App>,
    Caller(call): Caller,
    suspension: Path<SuspensionId>,
    body: Body<Nothing>,
) -> Result<Done, Problem> {
    let how = How { target: Target::New, expected: Expected::Any, named: Vec::new(), repeat: body.repeat };
    let lifted = move |db: &Db, writing: Writing<'_>| {
        db.lift_suspension(writing, *suspension, || answer(200, &SuspensionAck::new(*suspension)))
    };
    app.write_reference(call, how, lifted).await.map(Done)
}
