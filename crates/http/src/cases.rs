//! Cases: their headers, from opening to closing and again.

mod bodies;

use std::collections::BTreeSet;

use actix_web::web::{Data, Path};
use actix_web::{get, post, put};
use chrono::{DateTime, Datelike, Utc};
use lindung_domain::case::{Case, Command, Header};
use lindung_domain::message::{Message, MessageKind};
use lindung_domain::refusal::{Expected, Invalid};
use lindung_domain::values::Technique;
use lindung_domain::{CaseId, ChildId, Refusal};
use lindung_persistence::Target;
use lindung_persistence::{CaseItem, Db, Error, Tx};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::{App, How};
use crate::caller::Caller;
use crate::code_lists::NoParams;
use crate::cursor;
use crate::day;
use crate::extract::{Body, IfMatch, NewBody, Params};
use crate::openapi::{IfMatchHeader, KeyHeader, NewKeyHeader, ReadProblems, WriteProblems};
use crate::problem::Problem;
use crate::respond::{Done, Page, Versioned};

use bodies::{CaseAck, CaseParams, CaseView, CloseCase, HeaderBody, NewCase, ReopenCase};

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

/// Year and number after the letters; the year is Malaysia's.
pub(crate) fn reference(letters: &str, number: i64, now: DateTime<Utc>) -> String {
    let year = day::today(now).year();
    format!("{letters}-{year}-{number:06}")
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
        let reference = reference("LDG", tx.next_case_number()?, asking.now);
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
/// What you may not read you cannot filter by: a filter by it is 422 and names the parameter. A page looks at 2,000 cases
/// at most, whatever the filters, so that it may have fewer items than `limit`, or none, and still lead on with `next`:
/// only a page without `next` is the last.
#[utoipa::path(tag = "cases", params(CaseParams), responses((status = 200, description = "A page of headers", body = Page<CaseItem>), ReadProblems))]
#[get("/cases")]
async fn list_cases(
    app: Data<App>,
    Caller(call): Caller,
    Params(params): Params<CaseParams>,
) -> Result<Page<CaseItem>, Problem> {
    let filter = params.filter()?;
    let found = app.read(call, move |db, call| db.cases(call, &filter)).await?;
    Ok(Page { items: found.items, next: found.next.map(|it| cursor::encode(&it)) })
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
        let answer = CaseAck::answer(200, &change.entity().case, &[])?;
        Ok((change, answer))
    });
    amended.await.map(Done)
}

/// Close a case with an outcome.
///
/// For the lead's supervisors. Not while a referral of it is open or it is offered to another agency: 409 then names what
/// stands in the way. Whoever had asked for its lead is told that this is moot.
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
        let answer = CaseAck::answer(200, &change.entity().case, &[])?;
        Ok((change, answer))
    });
    changed.await.map(Done)
}
