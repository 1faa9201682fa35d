//! Cases: their headers, from opening to closing and again.

use std::collections::BTreeSet;

use actix_web::web::{Data, Path};
use actix_web::{get, post, put};
use chrono::{DateTime, Datelike, FixedOffset, Utc};
use lindung_domain::case::{Case, CaseStatus, Command, Header};
use lindung_domain::message::{Message, MessageKind};
use lindung_domain::refusal::{Expected, Invalid};
use lindung_domain::values::{Outcome, Priority, Technique};
use lindung_domain::{AgencyCode, CaseId, ChildId, Refusal, Section, Version};
use lindung_persistence::Target;
use lindung_persistence::{Answer, CaseFilter, CaseItem, CaseSeen, Db, Error, TimePlace, Tx};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::app::{App, How};
use crate::caller::Caller;
use crate::children::{ChildAck, NewChild};
use crate::code_lists::{KUALA_LUMPUR, NoParams};
use crate::cursor;
use crate::extract::{Body, IfMatch, NewBody, Params};
use crate::openapi::{IfMatchHeader, KeyHeader, ListedCode, NewKeyHeader, ReadProblems, WriteProblems};
use crate::problem::Problem;
use crate::respond::{Done, Links, PAGE_DEFAULT, PAGE_LIMIT, Page, Versioned, answer};
use crate::sections::NewCaseSections;

/// The routes of cases.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(create_case)
        .service(list_cases)
        .service(get_case)
        .service(amend_case)
        .service(close_case)
        .service(reopen_case);
}

/// A case to open.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCase {
    /// How fast it has to move.
    priority: Priority,
    /// Offence codes of list `offence`, at most 20.
    #[serde(default)]
    #[validate(length(max = 20))]
    #[schema(max_items = 20, value_type = Vec<ListedCode>, example = json!(["A792.15B"]))]
    offences: Vec<String>,
    /// Grounds of list `ground`, at most 20.
    #[serde(default)]
    #[validate(length(max = 20))]
    #[schema(max_items = 20, value_type = Vec<ListedCode>, example = json!(["A611.17.1.a"]))]
    grounds: Vec<String>,
    /// Techniques seen.
    #[serde(default)]
    #[validate(length(max = 20))]
    #[schema(max_items = 20)]
    techniques: Vec<Technique>,
    /// What is known already, by section.
    #[serde(default)]
    sections: NewCaseSections,
    /// The children it concerns, 1 to 50.
    #[schema(min_items = 1, max_items = 50)]
    children: Vec<NewChild>,
}

/// Priority and codes of a case.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct HeaderBody {
    /// How fast it has to move.
    priority: Priority,
    /// Offence codes of list `offence`, at most 20.
    #[validate(length(max = 20))]
    #[schema(max_items = 20, value_type = Vec<ListedCode>, example = json!(["A792.15B"]))]
    offences: Vec<String>,
    /// Grounds of list `ground`, at most 20.
    #[validate(length(max = 20))]
    #[schema(max_items = 20, value_type = Vec<ListedCode>, example = json!(["A611.17.1.a"]))]
    grounds: Vec<String>,
    /// Techniques seen.
    #[validate(length(max = 20))]
    #[schema(max_items = 20)]
    techniques: Vec<Technique>,
}

/// How a case ends.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct CloseCase {
    /// The coded outcome.
    outcome: Outcome,
    /// In words.
    #[schema(min_length = 1, max_length = 4000)]
    summary: Option<String>,
}

/// Why a case is opened again.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReopenCase {
    /// Why.
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
}

/// Which cases are wanted.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CaseParams {
    /// Open or closed.
    status: Option<CaseStatus>,
    /// With this priority.
    priority: Option<Priority>,
    /// Led by this agency.
    lead: Option<AgencyCode>,
    /// With this technique; not for coordinators.
    technique: Option<Technique>,
    /// With this offence; not for coordinators.
    #[validate(length(max = 64))]
    #[param(max_length = 64, example = "A792.15B")]
    offence: Option<String>,
    /// With this reference.
    #[validate(length(max = 64))]
    #[param(max_length = 64, example = "LDG-2026-000123")]
    reference: Option<String>,
    /// At most so many.
    #[validate(range(min = 1, max = PAGE_LIMIT))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// From `next` of the page before.
    #[param(max_length = 400)]
    cursor: Option<String>,
}

/// A case as it was just opened or changed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CaseAck {
    /// Its id.
    id: CaseId,
    /// Year and number.
    #[schema(example = "LDG-2026-000123")]
    reference: String,
    /// Open or closed.
    status: CaseStatus,
    /// Its version.
    version: Version,
    /// Its children, when it was just opened.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    children: Vec<ChildAck>,
    /// Where it is.
    links: Links,
}

impl CaseAck {
    fn answer(status: u16, case: &Case, children: &[ChildId]) -> Result<Answer, Error> {
        let record = case.record();
        let ack = CaseAck {
            id: record.id,
            reference: record.reference.clone(),
            status: record.status,
            version: record.version,
            children: children.iter().map(|it| ChildAck::new(record.id, *it, None)).collect(),
            links: Links::to(format!("/v1/cases/{}", record.id)),
        };
        Ok(Answer { case: Some(record.id), ..answer(status, &ack)? })
    }
}

/// A case as you may see it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CaseView {
    #[serde(flatten)]
    header: CaseItem,
    /// The children that you may know of.
    children: Vec<ChildAck>,
    /// The sections that you may read, of the case and of its children.
    readable_sections: BTreeSet<Section>,
    /// The sections that you may write.
    writable_sections: BTreeSet<Section>,
    /// For coordinators: the agencies that are parties.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parties: Vec<String>,
    /// Where it is.
    links: Links,
}

impl CaseView {
    fn new(seen: CaseSeen) -> Self {
        let CaseSeen { item, children, grants, parties } = seen;
        let id = CaseId(item.id);
        CaseView {
            children: children.into_iter().map(|it| ChildAck::new(id, ChildId(it), None)).collect(),
            readable_sections: grants.iter().flat_map(|it| it.sections.iter().copied()).collect(),
            writable_sections: grants.iter().flat_map(|it| it.contributes.iter().copied()).collect(),
            parties,
            links: Links::to(format!("/v1/cases/{id}")),
            header: item,
        }
    }
}

/// Checks codes against their lists as they are in force.
fn require_codes(tx: &mut Tx<'_>, header: &Header, now: DateTime<Utc>) -> Result<(), Error> {
    let mut wrong = Vec::new();
    for (list, field, codes) in [("offence", "offences", &header.offences), ("ground", "grounds", &header.grounds)] {
        for at in tx.unknown_codes(list, codes, now)? {
            wrong.push(Invalid::new(format!("{field}[{at}]"), "unknown-code", "is no code of the list in force"));
        }
        for (at, code) in codes.iter().enumerate() {
            if codes[..at].contains(code) {
                wrong.push(Invalid::new(format!("{field}[{at}]"), "duplicate", "stands twice in the list"));
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Refusal::Invalid(wrong).into()) }
}

fn distinct(techniques: Vec<Technique>) -> Vec<Technique> {
    techniques.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

/// Year and number; the year is Malaysia's.
fn reference(number: i64, now: DateTime<Utc>) -> String {
    let year = FixedOffset::east_opt(KUALA_LUMPUR).map_or(now.year(), |it| now.with_timezone(&it).year());
    format!("LDG-{year}-{number:06}")
}

/// Open a case.
///
/// Your agency leads it. The answer has ids only; the sections are read one by one.
#[utoipa::path(
    tag = "cases",
    params(NewKeyHeader),
    request_body = NewCase,
    responses((status = 201, description = "Opened", body = CaseAck), ReadProblems, WriteProblems)
)]
#[post("/cases")]
async fn create_case(app: Data<App>, Caller(call): Caller, body: NewBody<NewCase>) -> Result<Done, Problem> {
    let NewBody { value: NewCase { priority, offences, grounds, techniques, sections, children }, repeat } = body;
    let header = Header { priority, offences, grounds, techniques: distinct(techniques) };
    let of_case = sections.checked("sections")?.into_iter().map(|(section, content)| (section, None, content));
    let mut contents: Vec<_> = of_case.collect();
    let mut ids = Vec::with_capacity(children.len());
    for (at, child) in children.into_iter().enumerate() {
        let id = ChildId(Db::new_id());
        ids.push(id);
        let known = child.sections.checked(&format!("children[{at}].sections"))?;
        contents.extend(known.into_iter().map(|(section, content)| (section, Some(id), content)));
    }
    let how = How { target: Target::New, expected: Expected::Any, named: Vec::new(), repeat };
    let opened = app.write(call, how, move |tx, _, asking| {
        let reference = reference(tx.next_case_number()?, asking.now);
        let change = Case::open(CaseId(Db::new_id()), reference, header.clone(), ids.clone(), contents, asking)?;
        require_codes(tx, &header, asking.now)?;
        let answer = CaseAck::answer(201, &change.entity().case, &ids)?;
        Ok((change, answer))
    });
    opened.await.map(Done)
}

/// List cases, newest activity first.
///
/// Those that your agency has a live grant on for your purpose; for coordinators, the headers of all unshielded ones.
#[utoipa::path(tag = "cases", params(CaseParams), responses((status = 200, description = "A page of headers", body = Page<CaseItem>), ReadProblems))]
#[get("/cases")]
async fn list_cases(
    app: Data<App>,
    Caller(call): Caller,
    Params(params): Params<CaseParams>,
) -> Result<Page<CaseItem>, Problem> {
    let CaseParams { status, priority, lead, technique, offence, reference, limit, cursor } = params;
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    let after = cursor::decode(cursor.as_deref())?;
    let filter = CaseFilter { status, priority, lead, technique, offence, reference, after, limit };
    let found = app.read(call, move |db, call| db.cases(call, &filter)).await?;
    Ok(Page::new(found, limit, |it| TimePlace { at: it.1, id: it.0.id }).map(|it| it.0))
}

/// Read a case.
///
/// The header, the children and which sections you may read and write. For coordinators: status, priority, lead and parties.
#[utoipa::path(tag = "cases", params(("case" = CaseId, Path, description = "The case")), responses((status = 200, description = "The case", body = CaseView), ReadProblems))]
#[get("/cases/{case}")]
async fn get_case(
    app: Data<App>,
    Caller(call): Caller,
    case: Path<CaseId>,
    _: Params<NoParams>,
) -> Result<Versioned<CaseView>, Problem> {
    let seen = app.read(call, move |db, call| db.case(call, *case)).await?;
    Ok(Versioned { version: seen.item.version, body: CaseView::new(seen) })
}

/// Change the priority and codes of a case.
#[utoipa::path(
    tag = "cases",
    params(("case" = CaseId, Path, description = "The case"), IfMatchHeader),
    request_body = HeaderBody,
    responses((status = 200, description = "Changed", body = CaseAck), ReadProblems, WriteProblems)
)]
#[put("/cases/{case}")]
async fn amend_case(
    app: Data<App>,
    Caller(call): Caller,
    case: Path<CaseId>,
    IfMatch(expected): IfMatch,
    body: Body<HeaderBody>,
) -> Result<Done, Problem> {
    let HeaderBody { priority, offences, grounds, techniques } = body.value;
    let header = Header { priority, offences, grounds, techniques: distinct(techniques) };
    let how = How { target: Target::Case(*case), expected, named: Vec::new(), repeat: None };
    let amended = app.write(call, how, move |tx, loaded, asking| {
        let change = loaded.file()?.apply(Command::Amend(header.clone()), asking)?;
        require_codes(tx, &header, asking.now)?;
        let answer = CaseAck::answer(200, change.entity(), &[])?;
        Ok((change, answer))
    });
    amended.await.map(Done)
}

/// Close a case with an outcome.
///
/// For the lead's supervisors. Not while a referral of it is open: 409 then names those that are.
#[utoipa::path(
    tag = "cases",
    params(("case" = CaseId, Path, description = "The case"), IfMatchHeader, KeyHeader),
    request_body = CloseCase,
    responses((status = 200, description = "Closed", body = CaseAck), ReadProblems, WriteProblems)
)]
#[post("/cases/{case}/close")]
async fn close_case(
    app: Data<App>,
    caller: Caller,
    case: Path<CaseId>,
    version: IfMatch,
    body: Body<CloseCase>,
) -> Result<Done, Problem> {
    let CloseCase { outcome, summary } = body.value;
    let summary = Message::optional(MessageKind::Summary, "summary", summary.as_deref())?;
    apply(app, caller, *case, version, body.repeat, Command::Close { outcome, summary }).await
}

/// Open a closed case again, with a reason.
///
/// For the lead's supervisors.
#[utoipa::path(
    tag = "cases",
    params(("case" = CaseId, Path, description = "The case"), IfMatchHeader, KeyHeader),
    request_body = ReopenCase,
    responses((status = 200, description = "Open again", body = CaseAck), ReadProblems, WriteProblems)
)]
#[post("/cases/{case}/reopen")]
async fn reopen_case(
    app: Data<App>,
    caller: Caller,
    case: Path<CaseId>,
    version: IfMatch,
    body: Body<ReopenCase>,
) -> Result<Done, Problem> {
    let reason = Message::required(MessageKind::Reason, "reason", &body.value.reason)?;
    apply(app, caller, *case, version, body.repeat, Command::Reopen { reason }).await
}

async fn apply(
    app: Data<App>,
    Caller(call): Caller,
    case: CaseId,
    IfMatch(expected): IfMatch,
    repeat: Option<lindung_persistence::Repeat>,
    command: Command,
) -> Result<Done, Problem> {
    let how = How { target: Target::Case(case), expected, named: Vec::new(), repeat };
    let changed = app.write(call, how, move |_, loaded, asking| {
        let change = loaded.file()?.apply(command, asking)?;
        let answer = CaseAck::answer(200, change.entity(), &[])?;
        Ok((change, answer))
    });
    changed.await.map(Done)
}
