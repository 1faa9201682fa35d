//! The register of data-sharing requests, from which agencies report to the Director General (Act 864 s.21).

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};
use chrono::{DateTime, SecondsFormat, Utc};
use lindung_domain::data_sharing::RefusalGround;
use lindung_persistence::RegisterItem;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::App;
use crate::caller::Caller;
use crate::clocks::PeriodParams;
use crate::extract::Params;
use crate::negotiate::{CSV, prefers};
use crate::openapi::ReadProblems;
use crate::problem::Problem;
use crate::sheet;

/// The routes of the register.
pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(read_data_sharing_register);
}

/// The register of a period.
#[derive(Debug, Serialize, ToSchema)]
struct DataSharingRegister {
    /// From then on.
    from: DateTime<Utc>,
    /// Before then.
    until: DateTime<Utc>,
    /// What was made or answered in the period, oldest first.
    items: Vec<RegisterItem>,
}

const HEAD: [&str; 17] = [
    "reference",
    "requester",
    "provider",
    "createdAt",
    "dataRequested",
    "purpose",
    "purposeText",
    "handling",
    "status",
    "deferredAt",
    "deferredUntil",
    "deferReason",
    "endedAt",
    "sharedUntil",
    "conditions",
    "grounds",
    "refuseReason",
];

fn line(item: &RegisterItem) -> [String; 17] {
    let at = |it: &DateTime<Utc>| it.to_rfc3339_opts(SecondsFormat::Secs, true);
    let maybe = |it: &Option<DateTime<Utc>>| it.as_ref().map(at).unwrap_or_default();
    let text = |it: &Option<String>| it.clone().unwrap_or_default();
    let grounds: Vec<&str> = item.grounds.iter().copied().map(RefusalGround::as_str).collect();
    [
        item.reference.clone(),
        item.requester.to_string(),
        item.provider.to_string(),
        at(&item.created_at),
        item.data.clone(),
        item.purpose.to_string(),
        item.purpose_text.clone(),
        item.handling.clone(),
        item.status.to_string(),
        maybe(&item.deferred_at),
        maybe(&item.deferred_until),
        text(&item.defer_reason),
        maybe(&item.ended_at),
        maybe(&item.shared_until),
        text(&item.conditions),
        grounds.join(" "),
        text(&item.refuse_reason),
    ]
}

/// Read the register of data-sharing requests: what was asked and how it was answered, with reasons (Act 864 s.21).
///
/// Those made, deferred or ended in the period. For supervisors those of their agency, on either side; for coordinators all.
/// With `Accept: text/csv` for a spreadsheet.
#[utoipa::path(
    tag = "data-sharing",
    params(PeriodParams),
    responses(
        (status = 200, description = "The register", content((DataSharingRegister = "application/json"), (String = "text/csv"))),
        ReadProblems,
    )
)]
#[get("/data-sharing-requests/register")]
async fn read_data_sharing_register(
    app: Data<App>,
    Caller(call): Caller,
    Params(params): Params<PeriodParams>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (from, until) = params.period(call.now)?;
    let items = app.read(call, move |db, call| db.data_sharing_register(call, (from, until))).await?;
    if prefers(&request, CSV) {
        let lines = std::iter::once(HEAD.map(str::to_owned)).chain(items.iter().map(line));
        return Ok(HttpResponse::Ok().content_type("text/csv; charset=utf-8").body(sheet::csv(lines)?));
    }
    Ok(HttpResponse::Ok().json(DataSharingRegister { from, until, items }))
}
