//! Consents: recorded on a child, withdrawn, and the withdrawal confirmed by those whom it concerns.

mod view;

use actix_web::web::{Data, Path};
use actix_web::{get, post};
use chrono::{DateTime, Utc};
use lindung_domain::case::{Asking, CaseFile};
use lindung_domain::consent::{Agreed, Capacity, Consent, ConsentStatus, Record};
use lindung_domain::refusal::Expected;
use lindung_domain::section::text;
use lindung_domain::{AgencyCode, CaseId, Change, ChildId, ConsentId, GiverRef, Purpose, Refusal, Section, Version};
use lindung_persistence::{Answer, Db, Error, Repeat, Target};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::app::{App, How};
use crate::caller::Caller;
use crate::code_lists::NoParams;
use crate::cursor;
use crate::extract::{Body, NewBody, Nothing, Params};
use crate::openapi::{KeyHeader, NewKeyHeader, ReadProblems, WriteProblems};
use crate::problem::Problem;
use crate::respond::{Done, Links, PAGE_DEFAULT, Page, Versioned, answer};
use crate::timeline::PageParams;
use view::ConsentView;

/// The routes of consents.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(create_consent)
        .service(list_consents)
        .service(get_consent)
        .service(withdraw_consent)
        .service(confirm_consent);
}

/// What somebody agreed to.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewConsent {
    /// In which capacity.
    capacity: Capacity,
    /// Who, as your own system names them: an opaque reference, never a name or an identifier.
    given_by: GiverRef,
    /// Which sections may be given.
    #[validate(length(min = 1, max = 11))]
    #[schema(min_items = 1, max_items = 11)]
    sections: Vec<Section>,
    /// To which agencies, each by itself and none below it; at most 50.
    #[validate(length(min = 1, max = 50))]
    #[schema(min_items = 1, max_items = 50)]
    recipients: Vec<AgencyCode>,
    /// For which purposes of work on a case.
    #[validate(length(min = 1, max = 5))]
    #[schema(min_items = 1, max_items = 5, example = json!(["protection"]))]
    purposes: Vec<Purpose>,
    /// A reference to the document in your own files, without anything of its content.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, example = "JKM/2026/0117/F3")]
    evidence: String,
    /// When it was given; not in the future.
    given_at: DateTime<Utc>,
    /// Until when, exclusively; in the future. Open-ended when left out.
    expires_at: Option<DateTime<Utc>>,
}

/// That a consent is withdrawn.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WithdrawnConsent {
    /// Why, if a reason was given. No name in it.
    #[schema(min_length = 1, max_length = 4000)]
    reason: Option<String>,
    /// When; not in the future, and now when left out. What rests on the consent ends now in either case.
    withdrawn_at: Option<DateTime<Utc>>,
}

/// A consent as it was just recorded or changed.
#[derive(Debug, Serialize, ToSchema)]
struct ConsentAck {
    /// Its id.
    id: ConsentId,
    /// Where it stands.
    status: ConsentStatus,
    /// Its version.
    version: Version,
    /// Where it is.
    links: Links,
}

impl ConsentAck {
    fn answer(status: u16, consent: &Consent, now: DateTime<Utc>) -> Result<Answer, Error> {
        let Record { id, case, version, .. } = consent.record();
        let links = Links::to(format!("/v1/consents/{id}"));
        let ack = ConsentAck { id: *id, status: consent.status(now), version: *version, links };
        Ok(Answer { case: Some(*case), ..answer(status, &ack)? })
    }
}

/// Record a consent on a child.
///
/// For the lead, and for whoever may share onward what concerns the child. It is never edited: where less is agreed to,
/// withdraw it and record another.
#[utoipa::path(
    tag = "consents",
    params(
        ("case" = CaseId, Path, description = "The case"),
        ("child" = ChildId, Path, description = "The child"),
        NewKeyHeader,
    ),
    request_body = NewConsent,
    responses((status = 201, description = "Recorded", body = ConsentAck), ReadProblems, WriteProblems)
)]
#[post("/cases/{case}/children/{child}/consents")]
async fn create_consent(
    app: Data<App>,
    Caller(call): Caller,
    path: Path<(CaseId, ChildId)>,
    body: NewBody<NewConsent>,
) -> Result<Done, Problem> {
    let (case, child) = path.into_inner();
    let NewBody { value, repeat } = body;
    let NewConsent { capacity, given_by, sections, recipients, purposes, evidence, given_at, expires_at } = value;
    let named = recipients.iter().map(ToString::to_string).collect();
    let agreed = Agreed { capacity, given_by, sections, recipients, purposes, evidence, given_at, expires_at };
    let how = How { target: Target::Case(case), expected: Expected::Any, named, repeat };
    let recorded = app.write(call, how, move |_, loaded, asking| {
        let change = Consent::give(ConsentId(Db::new_id()), child, agreed, loaded.file()?, asking)?;
        let answer = ConsentAck::answer(201, change.entity(), asking.now)?;
        Ok((change, answer))
    });
    recorded.await.map(Done)
}

/// List the consents that were recorded on a child, oldest first.
///
/// For the lead, and for whoever may share onward what concerns the child.
#[utoipa::path(
    tag = "consents",
    params(
        ("case" = CaseId, Path, description = "The case"),
        ("child" = ChildId, Path, description = "The child"),
        PageParams,
    ),
    responses((status = 200, description = "A page of consents", body = Page<ConsentView>), ReadProblems)
)]
#[get("/cases/{case}/children/{child}/consents")]
async fn list_consents(
    app: Data<App>,
    Caller(call): Caller,
    path: Path<(CaseId, ChildId)>,
    Params(PageParams { limit, cursor }): Params<PageParams>,
) -> Result<Page<ConsentView>, Problem> {
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    let after = cursor::decode(cursor.as_deref())?;
    let (reader, now) = (call.actor.agency().clone(), call.now);
    let found = app.read(call, move |db, call| db.consents(call, path.into_inner(), after, limit)).await?;
    let page = Page::new(found, limit, |it| it.record().id.0);
    Ok(page.map(|it| ConsentView::new(&it, true, &reader, now)))
}

/// Read a consent.
///
/// For the lead, for whoever may share onward what concerns the child, for the agency that recorded it, and, once it is
/// withdrawn, for the agencies that were told.
#[utoipa::path(
    tag = "consents",
    params(("consent" = ConsentId, Path, description = "The consent")),
    responses((status = 200, description = "The consent", body = ConsentView), ReadProblems)
)]
#[get("/consents/{consent}")]
async fn get_consent(
    app: Data<App>,
    Caller(call): Caller,
    consent: Path<ConsentId>,
    _: Params<NoParams>,
) -> Result<Versioned<ConsentView>, Problem> {
    let (reader, now) = (call.actor.agency().clone(), call.now);
    let (found, keeps) = app.read(call, move |db, call| db.consent(call, *consent)).await?;
    let view = ConsentView::new(&found, keeps, &reader, now);
    Ok(Versioned { version: view.version.0, body: view })
}

async fn change(
    app: Data<App>,
    Caller(call): Caller,
    id: ConsentId,
    repeat: Option<Repeat>,
    decide: impl FnOnce(Consent, &CaseFile, &Asking<'_>) -> Result<Change<Consent>, Refusal> + Send + 'static,
) -> Result<Done, Problem> {
    let case = app.read(call.clone(), move |db, call| db.case_of_consent(call, id)).await?;
    let how = How { target: Target::Consent(id, case), expected: Expected::Any, named: Vec::new(), repeat };
    let changed = app.write(call, how, move |_, loaded, asking| {
        let change = decide(loaded.consent()?.clone(), loaded.file()?, asking)?;
        let answer = ConsentAck::answer(200, change.entity(), asking.now)?;
        Ok((change, answer))
    });
    changed.await.map(Done)
}

/// Record that a consent was withdrawn: final.
///
/// For the lead, and for the agency that recorded it. What rests on it ends at once: grants, and the sections of referrals
/// that are sent or accepted later. Referrals themselves go on and can be closed. Each agency that held something on its
/// strength is told, and confirms.
#[utoipa::path(
    tag = "consents",
    params(("consent" = ConsentId, Path, description = "The consent"), KeyHeader),
    request_body = WithdrawnConsent,
    responses((status = 200, description = "Withdrawn", body = ConsentAck), ReadProblems, WriteProblems)
)]
#[post("/consents/{consent}/withdraw")]
async fn withdraw_consent(
    app: Data<App>,
    caller: Caller,
    consent: Path<ConsentId>,
    body: Body<WithdrawnConsent>,
) -> Result<Done, Problem> {
    let WithdrawnConsent { reason, withdrawn_at } = body.value;
    let reason = reason.map(|it| text("reason", &it)).transpose()?;
    change(app, caller, *consent, body.repeat, move |it, file, asking| it.withdraw(withdrawn_at, reason, file, asking))
        .await
}

/// Confirm that your agency acts upon the withdrawal of a consent.
///
/// For the agencies that were told of it, once each.
#[utoipa::path(
    tag = "consents",
    params(("consent" = ConsentId, Path, description = "The consent"), KeyHeader),
    request_body = Nothing,
    responses((status = 200, description = "Confirmed", body = ConsentAck), ReadProblems, WriteProblems)
)]
#[post("/consents/{consent}/confirm")]
async fn confirm_consent(
    app: Data<App>,
    caller: Caller,
    consent: Path<ConsentId>,
    body: Body<Nothing>,
) -> Result<Done, Problem> {
    change(app, caller, *consent, body.repeat, |it, file, asking| it.confirm(file, asking)).await
}
