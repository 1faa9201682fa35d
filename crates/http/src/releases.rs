//! Releases: who has seen a child's file, told to its lawful representative.
//!
//! No officer, no client and no request is in one. What happened is told in words, as far as it is a deed with the
//! file: what guards the file (shields, proposals, what is withheld) would itself tell a suspect something.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, get, post};
use chrono::{DateTime, SecondsFormat, Utc};
use lindung_domain::policy::{self, Act, Obligation, Relation};
use lindung_domain::refusal::Expected;
use lindung_domain::release::{Deed, Representative};
use lindung_domain::section::text;
use lindung_domain::{AgencyCode, CaseId, ChildId, Purpose, ReleaseId, Section};
use lindung_persistence::{Answer, Db, Label, Released, ReleasedAccess, Target};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::app::{App, How};
use crate::caller::Caller;
use crate::code_lists::NoParams;
use crate::extract::{NewBody, Params};
use crate::language::Language;
use crate::negotiate::{CSV, prefers};
use crate::openapi::{LanguageHeader, NewKeyHeader, ReadProblems, WriteProblems};
use crate::problem::Problem;
use crate::respond::{Done, Links, Localized, answer};
use crate::sheet;

/// The routes of releases.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(release_accesses).service(get_release);
}

/// For whom something is released.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRelease {
    /// Whose file.
    child: ChildId,
    /// In which capacity somebody speaks for the child. Do not name them.
    representative: Representative,
    /// Why.
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
}

/// A release that was just made.
#[derive(Debug, Serialize, ToSchema)]
struct ReleaseAck {
    /// Its id.
    id: ReleaseId,
    /// Where the document is.
    links: Links,
}

/// What is handed to a child's lawful representative.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ReleaseView {
    /// Its id.
    id: ReleaseId,
    /// The case.
    case_id: CaseId,
    /// The child.
    child_id: ChildId,
    /// In which capacity somebody speaks for the child.
    representative: Representative,
    /// Which agency released it.
    released_by: AgencyCode,
    /// When; it tells of nothing later.
    released_at: DateTime<Utc>,
    /// What whoever has it must keep to, in `language`.
    notice: String,
    /// What was taken care of in making it, and must be in handing it on.
    obligations: Vec<Obligation>,
    /// The language of all words in it.
    language: Language,
    /// Who has seen the file, oldest first, without what is withheld.
    accesses: Vec<ReleasedView>,
}

/// An access to a child's file.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ReleasedView {
    /// When.
    at: DateTime<Utc>,
    /// Which agency.
    agency: AgencyCode,
    /// What it is called.
    agency_name: String,
    /// What it did.
    deed: Deed,
    /// With which sections.
    sections: Vec<Section>,
    /// The same in words.
    what: String,
    /// For which purpose.
    purpose: Option<Purpose>,
    /// The same in words.
    purpose_label: Option<String>,
}

/// Said on every release (Act 611 s.15: no report may identify a child who is concerned).
const NOTICE: (&str, &str) = (
    "SULIT. Sekatan media (Akta 611 s.15): apa-apa yang boleh mendedahkan identiti kanak-kanak ini tidak boleh disiarkan. \
     Dokumen ini tidak menyenaraikan akses bagi penyiasatan atau akses yang ditahan mengikut undang-undang.",
    "CONFIDENTIAL. Media restriction (Act 611 s.15): nothing may be published that could identify this child. This \
     document does not list accesses for an investigation, nor those withheld by law.",
);

/// What an operation did with a file, if a release tells of it.
fn deed(action: &str) -> Option<Deed> {
    Some(match action {
        "create_case" => Deed::OpenedCase,
        "get_case" | "list_cases" | "list_children" | "get_child" | "check_status" => Deed::SawCase,
        "amend_case" | "close_case" | "reopen_case" | "add_child" => Deed::ChangedCase,
        "get_section" | "get_child_section" | "search_children" => Deed::ReadSection,
        "put_section" | "put_child_section" => Deed::WroteSection,
        "get_timeline" | "list_case_messages" | "list_referral_messages" => Deed::ReadTimeline,
        "list_notifications" | "get_notification" => Deed::ReadTimeline,
        "get_referral" | "list_case_referrals" | "list_inbox" | "list_outbox" => Deed::ReadReferral,
        "open_emergency_access" => Deed::OpenedInEmergency,
        // The lifecycle of a referral.
        it if it.ends_with("_referral") || it == "mark_referral_entered_in_error" => Deed::WorkedOnReferral,
        // Nor of the feed and its deliveries: systems have no purpose that would tell who investigates.
        _ => return None,
    })
}

/// The words of a release in one language.
struct Words<'a> {
    released: &'a Released,
    language: Language,
}

impl Words<'_> {
    fn chosen(&self, label: Option<&Label>, code: &str) -> String {
        label.map_or_else(|| code.to_owned(), |(ms, en)| self.language.of(ms.clone(), en.clone()))
    }

    fn label(&self, list: &str, code: &str) -> String {
        self.chosen(self.released.labels.get(&format!("{list}/{code}")), code)
    }

    fn access(&self, access: &ReleasedAccess) -> Option<ReleasedView> {
        let ReleasedAccess { at, agency, action, sections, purpose } = access.clone();
        let deed = deed(&action)?;
        let named: Vec<String> = sections.iter().map(|it| self.label("section", it.as_str())).collect();
        let done = self.label("deed", deed.as_str());
        Some(ReleasedView {
            at,
            agency_name: self.chosen(self.released.agencies.get(&agency), agency.as_str()),
            agency,
            deed,
            what: if named.is_empty() { done } else { format!("{done}: {}", named.join(", ")) },
            sections,
            purpose,
            purpose_label: purpose.map(|it| self.label("purpose", it.as_str())),
        })
    }
}

impl ReleaseView {
    fn new(released: &Released, language: Language) -> Self {
        let words = Words { released, language };
        ReleaseView {
            id: released.id,
            case_id: released.case_id,
            child_id: released.child_id,
            representative: released.representative,
            released_by: released.by_agency.clone(),
            released_at: released.at,
            notice: language.of(NOTICE.0.to_owned(), NOTICE.1.to_owned()),
            obligations: policy::obligations(Act::ReleaseAccesses, Relation::Lead).to_vec(),
            language,
            accesses: released.document.iter().filter_map(|it| words.access(it)).collect(),
        }
    }

    /// The same for a spreadsheet: the notice, then a line of names, then a line for each access.
    fn csv(&self) -> Result<Vec<u8>, Problem> {
        let head = [[self.notice.as_str(), "", "", "", ""], ["at", "agency", "agencyName", "what", "purpose"]];
        let line = |it: &ReleasedView| {
            let ReleasedView { at, agency, agency_name, what, purpose_label, .. } = it;
            let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
            [at, agency.to_string(), agency_name.clone(), what.clone(), purpose_label.clone().unwrap_or_default()]
        };
        sheet::csv(head.map(|it| it.map(str::to_owned)).into_iter().chain(self.accesses.iter().map(line)))
    }
}

/// Release to a child's lawful representative who has seen its file.
///
/// For the lead's supervisors. What it tells is fixed now; read it where the answer links to. A representative may be
/// the suspect: accesses for an investigation and those withheld are left out, of a shielded case or child all but
/// the lead's own, and officers altogether.
#[utoipa::path(
    tag = "accesses",
    params(("case" = CaseId, Path, description = "The case"), NewKeyHeader),
    request_body = NewRelease,
    responses((status = 201, description = "Released", body = ReleaseAck), ReadProblems, WriteProblems)
)]
#[post("/cases/{case}/accesses/release")]
async fn release_accesses(
    app: Data<App>,
    Caller(call): Caller,
    case: Path<CaseId>,
    body: NewBody<NewRelease>,
) -> Result<Done, Problem> {
    let case = *case;
    let NewBody { value: NewRelease { child, representative, reason }, repeat } = body;
    let reason = text("reason", &reason)?;
    let how = How { target: Target::Case(case), expected: Expected::Any, named: Vec::new(), repeat };
    let released = app.write(call, how, move |_, loaded, asking| {
        let id = ReleaseId(Db::new_id());
        let change = loaded.file()?.release(id, child, (representative, reason), asking)?;
        let links = Links::to(format!("/v1/cases/{case}/accesses/releases/{id}"));
        let ack = ReleaseAck { id, links };
        Ok((change, Answer { case: Some(case), ..answer(201, &ack)? }))
    });
    released.await.map(Done)
}

/// Read a release, as it is handed out.
///
/// For the lead's supervisors. With `Accept: text/csv` for a spreadsheet, the notice in its first line.
#[utoipa::path(
    tag = "accesses",
    params(
        ("case" = CaseId, Path, description = "The case"),
        ("release" = ReleaseId, Path, description = "The release"),
        LanguageHeader,
    ),
    responses(
        (status = 200, description = "The release", content((ReleaseView = "application/json"), (String = "text/csv"))),
        ReadProblems,
    )
)]
#[get("/cases/{case}/accesses/releases/{release}")]
async fn get_release(
    app: Data<App>,
    Caller(call): Caller,
    path: Path<(CaseId, ReleaseId)>,
    _: Params<NoParams>,
    language: Language,
    request: HttpRequest,
) -> Result<Localized<HttpResponse>, Problem> {
    let (case, release) = path.into_inner();
    let released = app.read(call, move |db, call| db.released(call, case, release)).await?;
    let view = ReleaseView::new(&released, language);
    let response = if prefers(&request, CSV) {
        HttpResponse::Ok().content_type("text/csv; charset=utf-8").body(view.csv()?)
    } else {
        HttpResponse::Ok().json(view)
    };
    Ok(Localized(language, response))
}
