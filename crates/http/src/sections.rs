//! Sections of cases and of children: read and written one by one, each with its own version.

use actix_web::web::{Data, Path};
use actix_web::{get, put};
use chrono::{DateTime, Utc};
use lindung_domain::refusal::Invalid;
use lindung_domain::section::{Content, DigitalEvidence, Identity, Prose};
use lindung_domain::{CaseId, ChildId, Section, Version};
use lindung_persistence::{SectionSeen, Target};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::{Validate, ValidationErrors};

use crate::app::{App, How};
use crate::caller::Caller;
use crate::code_lists::NoParams;
use crate::extract::{Body, IfMatch, Params};
use crate::openapi::{IfMatchHeader, ReadProblems, WriteProblems};
use crate::parse;
use crate::problem::Problem;
use crate::respond::{Done, Links, Versioned, answer};

/// The routes of sections.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_section).service(put_section).service(get_child_section).service(put_child_section);
}

/// Sections of a case to begin with.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct NewCaseSections {
    /// What it is about: no name and no identifier in it.
    summary: Option<Prose>,
    /// What happened.
    narrative: Option<Prose>,
    /// The investigation.
    investigation: Option<Prose>,
    /// Hashes and descriptions, never the material itself.
    digital_evidence: Option<DigitalEvidence>,
    /// The plan of action.
    plan: Option<Prose>,
}

/// Sections of a child to begin with.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct NewChildSections {
    /// Names, identifiers, birth date.
    identity: Option<Identity>,
    /// How to reach it.
    contacts: Option<Prose>,
    /// Its guardians.
    guardians: Option<Prose>,
    /// The assessment of risk.
    risk: Option<Prose>,
    /// Schooling.
    education: Option<Prose>,
    /// Health.
    health: Option<Prose>,
}

impl NewCaseSections {
    /// Those that are given, checked; `path` is where they stand in the body.
    pub(crate) fn checked(self, path: &str) -> Result<Vec<(Section, Content)>, Invalid> {
        let NewCaseSections { summary, narrative, investigation, digital_evidence, plan } = self;
        checked(
            path,
            [
                (Section::Summary, summary.map(Content::Prose)),
                (Section::Narrative, narrative.map(Content::Prose)),
                (Section::Investigation, investigation.map(Content::Prose)),
                (Section::DigitalEvidence, digital_evidence.map(Content::DigitalEvidence)),
                (Section::Plan, plan.map(Content::Prose)),
            ],
        )
    }
}

impl NewChildSections {
    /// Those that are given, checked; `path` is where they stand in the body.
    pub(crate) fn checked(self, path: &str) -> Result<Vec<(Section, Content)>, Invalid> {
        let NewChildSections { identity, contacts, guardians, risk, education, health } = self;
        checked(
            path,
            [
                (Section::Identity, identity.map(Content::Identity)),
                (Section::Contacts, contacts.map(Content::Prose)),
                (Section::Guardians, guardians.map(Content::Prose)),
                (Section::Risk, risk.map(Content::Prose)),
                (Section::Education, education.map(Content::Prose)),
                (Section::Health, health.map(Content::Prose)),
            ],
        )
    }
}

fn checked<const N: usize>(
    path: &str,
    given: [(Section, Option<Content>); N],
) -> Result<Vec<(Section, Content)>, Invalid> {
    let check = |(section, content): (Section, Option<Content>)| {
        let content = content?.checked();
        Some(
            content
                .map(|it| (section, it))
                .map_err(|it| Invalid { field: format!("{path}.{section}.{}", it.field), ..it }),
        )
    };
    given.into_iter().filter_map(check).collect()
}

/// The content of any section; which shape it has, the section says: `digital-evidence` has `items`,
/// `identity` has `names`, every other `text`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Content)]
struct AnyContent(Value);

impl Validate for AnyContent {
    /// The section decides what is good.
    fn validate(&self) -> Result<(), ValidationErrors> {
        Ok(())
    }
}

impl AnyContent {
    fn of(self, section: Section) -> Result<Content, Problem> {
        let content = match section {
            Section::DigitalEvidence => Content::DigitalEvidence(parse::value(self.0)?),
            Section::Identity => Content::Identity(parse::value(self.0)?),
            Section::Summary
            | Section::Narrative
            | Section::Investigation
            | Section::Plan
            | Section::Contacts
            | Section::Guardians
            | Section::Risk
            | Section::Education
            | Section::Health => Content::Prose(parse::value(self.0)?),
        };
        Ok(content.checked()?)
    }
}

/// A section as it stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SectionView {
    /// Which.
    section: Section,
    /// Its version, as in its `ETag`; 0 while nobody has written it.
    version: i64,
    /// What it holds; null while nobody has written it, and for good once the child was erased.
    #[schema(value_type = Option<Content>)]
    content: Option<Value>,
    /// Which agency wrote it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    agency: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<DateTime<Utc>>,
    /// When the child was erased: nothing can be read of it any more, nor written.
    #[serde(skip_serializing_if = "Option::is_none")]
    erased_at: Option<DateTime<Utc>>,
    /// Where it is.
    links: Links,
}

/// A section as it was just written.
#[derive(Debug, Serialize, ToSchema)]
struct SectionAck {
    /// Which.
    section: Section,
    /// Its new version.
    version: Version,
    /// Where it is.
    links: Links,
}

/// Where a section is.
fn path_of(case: CaseId, child: Option<ChildId>, section: Section) -> String {
    match child {
        None => format!("/v1/cases/{case}/sections/{section}"),
        Some(child) => format!("/v1/cases/{case}/children/{child}/sections/{section}"),
    }
}

/// A section of the case is none of a child, and the other way round.
fn require_kind(section: Section, child: Option<ChildId>) -> Result<(), Problem> {
    if section.is_of_child() == child.is_some() {
        Ok(())
    } else if child.is_some() {
        Err(Problem::malformed("section", "format", "is a section of the case: …/cases/{case}/sections/{section}"))
    } else {
        Err(Problem::malformed("section", "format", "is a section of a child: …/children/{child}/sections/{section}"))
    }
}

async fn read(
    app: Data<App>,
    Caller(call): Caller,
    case: CaseId,
    child: Option<ChildId>,
    section: Section,
) -> Result<Versioned<SectionView>, Problem> {
    require_kind(section, child)?;
    let seen = app.read(call, move |db, call| db.section(call, case, section, child)).await?;
    let SectionSeen { version, content, agency, updated_at, erased_at } = seen;
    let links = Links::to(path_of(case, child, section));
    Ok(Versioned { version, body: SectionView { section, version, content, agency, updated_at, erased_at, links } })
}

async fn write(
    app: Data<App>,
    Caller(call): Caller,
    (case, child, section): (CaseId, Option<ChildId>, Section),
    IfMatch(expected): IfMatch,
    body: AnyContent,
) -> Result<Done, Problem> {
    require_kind(section, child)?;
    let content = body.of(section)?;
    let how = How { target: Target::Case(case), expected, named: Vec::new(), repeat: None };
    let written = app.write(call, how, move |tx, loaded, asking| {
        let current = tx.section_version(case, section, child)?;
        let change = loaded.file()?.write_section(section, child, content, current, asking)?;
        let version = change.entity().version;
        let ack = SectionAck { section, version, links: Links::to(path_of(case, child, section)) };
        Ok((change, answer(200, &ack)?))
    });
    written.await.map(Done)
}

/// Read a section of a case.
#[utoipa::path(
    tag = "cases",
    params(("case" = CaseId, Path, description = "The case"), ("section" = Section, Path, description = "Which section of the case")),
    responses((status = 200, description = "The section; version 0 while nobody has written it", body = SectionView), ReadProblems)
)]
#[get("/cases/{case}/sections/{section}")]
async fn get_section(
    app: Data<App>,
    caller: Caller,
    path: Path<(CaseId, Section)>,
    _: Params<NoParams>,
) -> Result<Versioned<SectionView>, Problem> {
    read(app, caller, path.0, None, path.1).await
}

/// Write a section of a case.
///
/// The lead writes every section, a recipient those that its referral lets it contribute to.
/// `If-Match: "0"` writes one that nobody has written yet. A summary has no name and no identifier in it.
#[utoipa::path(
    tag = "cases",
    params(("case" = CaseId, Path, description = "The case"), ("section" = Section, Path, description = "Which section of the case"), IfMatchHeader),
    request_body = AnyContent,
    responses((status = 200, description = "Written", body = SectionAck), ReadProblems, WriteProblems)
)]
#[put("/cases/{case}/sections/{section}")]
async fn put_section(
    app: Data<App>,
    caller: Caller,
    path: Path<(CaseId, Section)>,
    version: IfMatch,
    body: Body<AnyContent>,
) -> Result<Done, Problem> {
    write(app, caller, (path.0, None, path.1), version, body.value).await
}

/// Read a section of a child.
#[utoipa::path(
    tag = "cases",
    params(
        ("case" = CaseId, Path, description = "The case"),
        ("child" = ChildId, Path, description = "The child"),
        ("section" = Section, Path, description = "Which section of the child"),
    ),
    responses((status = 200, description = "The section; version 0 while nobody has written it", body = SectionView), ReadProblems)
)]
#[get("/cases/{case}/children/{child}/sections/{section}")]
async fn get_child_section(
    app: Data<App>,
    caller: Caller,
    path: Path<(CaseId, ChildId, Section)>,
    _: Params<NoParams>,
) -> Result<Versioned<SectionView>, Problem> {
    read(app, caller, path.0, Some(path.1), path.2).await
}

/// Write a section of a child.
///
/// As for a section of the case. Names are kept in Unicode NFC; control, bidirectional and zero-width characters
/// in names and identifiers are refused.
#[utoipa::path(
    tag = "cases",
    params(
        ("case" = CaseId, Path, description = "The case"),
        ("child" = ChildId, Path, description = "The child"),
        ("section" = Section, Path, description = "Which section of the child"),
        IfMatchHeader,
    ),
    request_body = AnyContent,
    responses((status = 200, description = "Written", body = SectionAck), ReadProblems, WriteProblems)
)]
#[put("/cases/{case}/children/{child}/sections/{section}")]
async fn put_child_section(
    app: Data<App>,
    caller: Caller,
    path: Path<(CaseId, ChildId, Section)>,
    version: IfMatch,
    body: Body<AnyContent>,
) -> Result<Done, Problem> {
    write(app, caller, (path.0, Some(path.1), path.2), version, body.value).await
}
