//! The access log, for auditors. Reading it is itself an access.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};
use chrono::{DateTime, SecondsFormat, Utc};
use lindung_domain::{AgencyCode, CaseId, ClientId, OfficerId};
use lindung_persistence::{Access, AccessFilter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::app::App;
use crate::caller::Caller;
use crate::cursor;
use crate::extract::Params;
use crate::negotiate::{NDJSON, prefers};
use crate::openapi::ReadProblems;
use crate::problem::Problem;
use crate::respond::{PAGE_DEFAULT, Page, next_link};

/// The routes of the access log.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(read_access_log);
}

/// The most entries of a page.
const LIMIT: i64 = 1000;

/// Which entries are wanted.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AccessParams {
    /// That touch this case, tried to, or named one of its referrals.
    case: Option<CaseId>,
    /// By this agency.
    agency: Option<AgencyCode>,
    /// By this officer.
    officer: Option<OfficerId>,
    /// By this client.
    client: Option<ClientId>,
    /// Of this operation, by its operationId.
    #[validate(length(max = 64))]
    #[param(max_length = 64, example = "get_section")]
    action: Option<String>,
    /// With this outcome.
    #[validate(length(max = 64))]
    #[param(max_length = 64, example = "not-found")]
    outcome: Option<String>,
    /// From then on.
    from: Option<DateTime<Utc>>,
    /// Before then.
    until: Option<DateTime<Utc>>,
    /// At most so many.
    #[validate(range(min = 1, max = LIMIT))]
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<i64>,
    /// From `next` of the page before.
    #[param(max_length = 400)]
    cursor: Option<String>,
}

/// A page of the access log.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AccessLogPage {
    /// The entries, in the order of the log.
    items: Vec<Access>,
    /// The log is complete for everything that began before this moment; what was still running is on a later page.
    up_to: DateTime<Utc>,
    /// The cursor of the next page; none on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Read the access log: who saw or tried what, and for which purpose.
///
/// For auditors: those of `PP` and `SUHAKAM.OCC` read all of it, those of another agency the accesses made in its
/// name. With `Accept: application/x-ndjson` one entry a line; `Link` and `Lindung-Up-To` then tell what the
/// document would.
#[utoipa::path(
    tag = "access-log",
    params(AccessParams),
    responses(
        (status = 200, description = "A page of the log", content(
            (AccessLogPage = "application/json"),
            (String = "application/x-ndjson"),
        )),
        ReadProblems,
    )
)]
#[get("/access-log")]
async fn read_access_log(
    app: Data<App>,
    Caller(call): Caller,
    Params(params): Params<AccessParams>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let AccessParams { case, agency, officer, client, action, outcome, from, until, limit, cursor } = params;
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    let after = cursor::decode(cursor.as_deref())?;
    let filter = AccessFilter { case, agency, officer, client, action, outcome, from, until, after, limit };
    let found = app.read(call, move |db, call| db.access_log(call, filter)).await?;
    let up_to = found.up_to;
    let page = Page::new(found.items, limit, |it| it.1.clone()).map(|it| it.0);
    let mut response = HttpResponse::Ok();
    response.insert_header(("Lindung-Up-To", up_to.to_rfc3339_opts(SecondsFormat::Micros, true)));
    if let Some(next) = &page.next {
        response.insert_header(("Link", next_link(&request, next)));
    }
    if prefers(&request, NDJSON) {
        let mut text = String::new();
        for item in &page.items {
            text += &serde_json::to_string(item).map_err(lindung_persistence::Error::from)?;
            text.push('\n');
        }
        return Ok(response.content_type(NDJSON).body(text));
    }
    Ok(response.json(AccessLogPage { items: page.items, up_to, next: page.next }))
}
