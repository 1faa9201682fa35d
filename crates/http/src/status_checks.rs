//! Status checks: whoever cares for a child asks whether it is known, and learns whom to call.
//!
//! Whom nobody knows and who is hidden from the asker are answered alike, to the byte.

use actix_web::post;
use actix_web::web::{Data, Json};
use lindung_domain::AgencyCode;
use lindung_domain::section::Identifier;
use lindung_persistence::{Checked, KnownStatus, RecentCheck, StatusQuestion};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::app::App;
use crate::caller::Caller;
use crate::day::{midnight, seconds_left, today};
use crate::extract::Body;
use crate::language::Language;
use crate::limits::Throttled;
use crate::openapi::{LanguageHeader, ReadProblems, WriteProblems};
use crate::problem::Problem;
use crate::respond::Localized;

/// The routes of status checks.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(check_status);
}

/// Whom you ask about.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewStatusCheck {
    /// An identifier of the child.
    identifier: Identifier,
    /// Whether it was expected with you. Of a child who comes unexpectedly, as to an emergency department, the lead of
    /// its case is told.
    care_scheduled: bool,
}

/// Whether a child is known.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct StatusView {
    /// Whether there is a case of it that you may be told of.
    known: bool,
    /// Of a child that is known: whom to call.
    #[serde(skip_serializing_if = "Option::is_none")]
    lead: Option<LeadView>,
    /// Of a child that is known: whether its case is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    protection_case_open: Option<bool>,
    /// Of a child that is known: the latest checks before this one, 25 at most, newest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    recent_checks: Option<Vec<RecentCheck>>,
}

/// The agency that is responsible, and how to reach it.
#[derive(Debug, Serialize, ToSchema)]
struct LeadView {
    /// Its code.
    agency: AgencyCode,
    /// Its name.
    name: String,
    /// Its desk; of a unit without one, that of the agency above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    desk: Option<String>,
    /// The desk's telephone.
    #[serde(skip_serializing_if = "Option::is_none")]
    telephone: Option<String>,
    /// When the desk is staffed.
    #[serde(skip_serializing_if = "Option::is_none")]
    hours: Option<String>,
}

impl StatusView {
    const UNKNOWN: StatusView =
        StatusView { known: false, lead: None, protection_case_open: None, recent_checks: None };

    fn known(status: KnownStatus, language: Language) -> Self {
        let KnownStatus { agency, name_ms, name_en, contact, open, recent } = status;
        let name = language.of(name_ms, name_en);
        let (desk, telephone, hours) =
            contact.map_or((None, None, None), |it| (Some(it.desk), Some(it.telephone), Some(it.hours)));
        StatusView {
            known: true,
            lead: Some(LeadView { agency, name, desk, telephone, hours }),
            protection_case_open: Some(open),
            recent_checks: Some(recent),
        }
    }
}

/// Check whether a child is known.
///
/// For officers and supervisors of every agency, for a purpose of work. `known` is false of whom nobody knows and of whom
/// you may not be told, and nothing tells the two apart. Of several cases it tells of the open one that was opened last.
/// Every check is kept, the identifier as a keyed hash. A client may make so many in a day (in Malaysia): then 429, until
/// the day is over. Needs no `Idempotency-Key`: each check is one, and its answer is not kept.
#[utoipa::path(
    tag = "status-checks",
    params(LanguageHeader),
    request_body = NewStatusCheck,
    responses((status = 200, description = "Whether it is known", body = StatusView), ReadProblems, WriteProblems)
)]
#[post("/status-checks")]
async fn check_status(
    app: Data<App>,
    Caller(call): Caller,
    language: Language,
    body: Body<NewStatusCheck>,
) -> Result<Localized<Json<StatusView>>, Problem> {
    let NewStatusCheck { identifier, care_scheduled } = body.value;
    let question = StatusQuestion { identifier: identifier.checked("identifier")?, care_scheduled };
    let (now, most) = (call.now, app.parts().rates.status_checks_per_day);
    let quota = (most > 0).then(|| (most, midnight(today(now))));
    let checked = app.read(call, move |db, call| db.check_status(call, &question, quota)).await?;
    let view = match checked {
        Checked::Spent => return Err(Throttled(seconds_left(now)).into()),
        Checked::Unknown => StatusView::UNKNOWN,
        Checked::Known(status) => StatusView::known(*status, language),
    };
    Ok(Localized(language, Json(view)))
}
