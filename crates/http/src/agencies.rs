//! Agencies and units, with their contacts; kept by the administrators of those above them.

use actix_web::web::{Data, Path};
use actix_web::{get, post, put};
use lindung_domain::refusal::Expected;
use lindung_domain::{AgencyCode, Version};
use lindung_persistence::{Agency, AgencyChange, Contact, Target};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::{Validate, ValidationError};

use crate::app::{App, How};
use crate::caller::Caller;
use crate::code_lists::NoParams;
use crate::cursor;
use crate::extract::{Body, IfMatch, NewBody, Params};
use crate::language::Language;
use crate::openapi::{IfMatchHeader, LanguageHeader, NewKeyHeader, ReadProblems, WriteProblems};
use crate::problem::Problem;
use crate::respond::{Done, Links, Localized, PAGE_DEFAULT, PAGE_LIMIT, Page, Versioned, answer};

/// The routes of agencies.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_agencies).service(get_agency).service(register_unit).service(change_agency);
}

/// An agency or unit.
#[derive(Debug, Serialize, ToSchema)]
struct AgencyView {
    /// Its code.
    code: AgencyCode,
    /// Under which it stands in the tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<AgencyCode>,
    /// Its ministry.
    #[schema(example = "home")]
    ministry: String,
    /// `heading` (can be no party), `organisation` or `unit`.
    #[schema(example = "unit")]
    kind: String,
    /// Its name, in `language`.
    name: String,
    /// The language of `name`.
    language: Language,
    /// Its name in both languages.
    names: Names,
    /// Its desks.
    contacts: Vec<Contact>,
    /// How sure the fact is: `H`, `M`, `L`, `setting`; `development` for what is invented.
    confidence: String,
    /// Whether it takes part.
    active: bool,
    /// Its version, as in its `ETag`.
    version: Version,
}

impl AgencyView {
    fn new(agency: Agency, language: Language) -> Self {
        let Agency { code, parent, ministry, kind, name_ms, name_en, contacts, confidence, active, version } = agency;
        let name = language.of(name_ms.clone(), name_en.clone());
        let names = Names { ms: name_ms, en: name_en };
        AgencyView { code, parent, ministry, kind, name, language, names, contacts, confidence, active, version }
    }
}

/// A name in both languages.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Names {
    /// Malay.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    ms: String,
    /// English.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    en: String,
}

/// Which agencies are wanted.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AgencyParams {
    /// Only those directly under this one.
    parent: Option<AgencyCode>,
    /// At most so many.
    #[validate(range(min = 1, max = PAGE_LIMIT))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// From `next` of the page before.
    #[param(max_length = 400)]
    cursor: Option<String>,
}

/// A unit to register.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewUnit {
    /// Its code, which stays.
    code: AgencyCode,
    /// The heading or agency under which it stands: yours, or one below it.
    parent: AgencyCode,
    /// Its name.
    #[validate(nested)]
    names: Names,
    /// Its desks, at most 20.
    #[serde(default)]
    #[validate(length(max = 20), custom(function = "good_contacts"))]
    #[schema(max_items = 20)]
    contacts: Vec<Contact>,
}

/// What is kept of an agency or unit.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct AgencyBody {
    /// Its name.
    #[validate(nested)]
    names: Names,
    /// Its desks, at most 20.
    #[validate(length(max = 20), custom(function = "good_contacts"))]
    #[schema(max_items = 20)]
    contacts: Vec<Contact>,
    /// Whether it takes part.
    active: bool,
}

fn good_contacts(contacts: &[Contact]) -> Result<(), ValidationError> {
    let good = |text: &str, limit: usize| (1..=limit).contains(&text.trim().chars().count());
    let each = |it: &Contact| good(&it.desk, 200) && good(&it.telephone, 40) && good(&it.hours, 200);
    if contacts.iter().all(each) { Ok(()) } else { Err(ValidationError::new("length")) }
}

/// An agency as it was just changed.
#[derive(Debug, Serialize, ToSchema)]
struct AgencyAck {
    /// Its code.
    code: AgencyCode,
    /// Its version.
    version: Version,
    /// Where it is.
    links: Links,
}

impl AgencyAck {
    fn new(code: &AgencyCode, version: Version) -> Self {
        AgencyAck { code: code.clone(), version, links: Links::to(format!("/v1/agencies/{code}")) }
    }
}

/// List agencies and units, by code.
///
/// Everybody with a token may read them. The tree is told by `parent`; the dots in a code are only a name.
#[utoipa::path(tag = "agencies", params(AgencyParams, LanguageHeader), responses((status = 200, description = "A page of agencies", body = Page<AgencyView>), ReadProblems))]
#[get("/agencies")]
async fn list_agencies(
    app: Data<App>,
    Caller(call): Caller,
    Params(AgencyParams { parent, limit, cursor }): Params<AgencyParams>,
    language: Language,
) -> Result<Localized<Page<AgencyView>>, Problem> {
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    let after: String = cursor::decode(cursor.as_deref())?.unwrap_or_default();
    let found = app.read(call, move |db, call| db.agencies(call, parent.as_ref(), &after, limit)).await?;
    let page = Page::new(found, limit, |it| it.code.clone()).map(|it| AgencyView::new(it, language));
    Ok(Localized(language, page))
}

/// Read an agency or unit.
///
/// With its desks: whom to call, and when.
#[utoipa::path(tag = "agencies", params(("code" = AgencyCode, Path, description = "Its code"), LanguageHeader), responses((status = 200, description = "The agency", body = AgencyView), ReadProblems))]
#[get("/agencies/{code}")]
async fn get_agency(
    app: Data<App>,
    Caller(call): Caller,
    code: Path<AgencyCode>,
    _: Params<NoParams>,
    language: Language,
) -> Result<Localized<Versioned<AgencyView>>, Problem> {
    let agency = app.read(call, move |db, call| db.agency(call, &code)).await?;
    Ok(Localized(language, Versioned { version: agency.version.0, body: AgencyView::new(agency, language) }))
}

/// Register a unit under your agency, or under one below it.
///
/// For administrators. A heading without a parent, and what stands below it, is kept by the secretariat's. A client
/// speaks for the unit once it is registered for it.
#[utoipa::path(
    tag = "agencies",
    params(NewKeyHeader),
    request_body = NewUnit,
    responses((status = 201, description = "Registered", body = AgencyAck), ReadProblems, WriteProblems)
)]
#[post("/agencies")]
async fn register_unit(app: Data<App>, Caller(call): Caller, body: NewBody<NewUnit>) -> Result<Done, Problem> {
    let NewBody { value: NewUnit { code, parent, names, contacts }, repeat } = body;
    let change = AgencyChange { name_ms: names.ms, name_en: names.en, contacts, active: true };
    let how = How { target: Target::New, expected: Expected::Any, named: Vec::new(), repeat };
    let registered = move |db: &lindung_persistence::Db, writing: lindung_persistence::Writing<'_>| {
        let ack = || answer(201, &AgencyAck::new(&code, Version::FIRST));
        db.register_unit(writing, &code, &parent, &change, ack)
    };
    app.write_reference(call, how, registered).await.map(Done)
}

/// Change the name, contacts or activity of your agency, or of one below it.
///
/// For administrators, as with registering. What is not active can be asked nothing, and its tokens end at once.
#[utoipa::path(
    tag = "agencies",
    params(("code" = AgencyCode, Path, description = "Its code"), IfMatchHeader),
    request_body = AgencyBody,
    responses((status = 200, description = "Changed", body = AgencyAck), ReadProblems, WriteProblems)
)]
#[put("/agencies/{code}")]
async fn change_agency(
    app: Data<App>,
    Caller(call): Caller,
    code: Path<AgencyCode>,
    IfMatch(expected): IfMatch,
    body: Body<AgencyBody>,
) -> Result<Done, Problem> {
    let AgencyBody { names, contacts, active } = body.value;
    let change = AgencyChange { name_ms: names.ms, name_en: names.en, contacts, active };
    let how = How { target: Target::New, expected, named: Vec::new(), repeat: None };
    let changed = move |db: &lindung_persistence::Db, writing: lindung_persistence::Writing<'_>| {
        db.change_agency(writing, &code, &change, |version| answer(200, &AgencyAck::new(&code, version)))
    };
    app.write_reference(call, how, changed).await.map(Done)
}
