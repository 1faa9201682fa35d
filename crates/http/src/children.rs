//! The children of a case, each a resource of its own. Who they are is in their sections.

use actix_web::web::{Data, Path};
use actix_web::{get, post};
use lindung_domain::section::{Content, Identifier};
use lindung_domain::{CaseId, ChildId, Section, Version};
use lindung_persistence::{Answer, Db, FoundChild, Target};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::app::{App, How};
use crate::caller::Caller;
use crate::code_lists::NoParams;
use crate::extract::{Body, MaybeIfMatch, NewBody, Params};
use crate::openapi::{NewKeyHeader, ReadProblems, WriteProblems};
use crate::problem::Problem;
use crate::respond::{Done, Links, Page, answer};
use crate::sections::NewChildSections;

/// The routes of children.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_children).service(add_child).service(get_child).service(search_children);
}

/// A child to add.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewChild {
    /// What is known already, by section.
    #[serde(default)]
    pub(crate) sections: NewChildSections,
}

/// A child of a case.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChildAck {
    /// Its id.
    id: ChildId,
    /// When it was just added: the case's new version.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<Version>,
    /// Where it is.
    links: Links,
}

impl ChildAck {
    pub(crate) fn new(case: CaseId, id: ChildId, version: Option<Version>) -> Self {
        ChildAck { id, version, links: Links::to(format!("/v1/cases/{case}/children/{id}")) }
    }
}

/// A child as you may see it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ChildView {
    /// Its id.
    id: ChildId,
    /// The case.
    case_id: CaseId,
    /// The sections of it that you may read.
    readable_sections: Vec<Section>,
    /// The sections of it that you may write.
    writable_sections: Vec<Section>,
    /// Where it is.
    links: Links,
}

/// Whom to find.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChildSearch {
    /// Exactly this identifier.
    identifier: Identifier,
}

/// A child that was found.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FoundChildView {
    /// Its id.
    child_id: ChildId,
    /// The case.
    case_id: CaseId,
    /// The case's reference.
    #[schema(example = "LDG-2026-000123")]
    case_reference: String,
    /// Where it is.
    links: Links,
}

impl FoundChildView {
    fn new(FoundChild { case, reference, child }: FoundChild) -> Self {
        let links = Links::to(format!("/v1/cases/{case}/children/{child}"));
        FoundChildView { child_id: child, case_id: case, case_reference: reference, links }
    }
}

/// List the children of a case that you may know of.
#[utoipa::path(tag = "cases", params(("case" = CaseId, Path, description = "The case")), responses((status = 200, description = "The children", body = Page<ChildAck>), ReadProblems))]
#[get("/cases/{case}/children")]
async fn list_children(
    app: Data<App>,
    Caller(call): Caller,
    case: Path<CaseId>,
    _: Params<NoParams>,
) -> Result<Page<ChildAck>, Problem> {
    let case = *case;
    let seen = app.read(call, move |db, call| db.case(call, case)).await?;
    let items = seen.children.into_iter().map(|it| ChildAck::new(case, ChildId(it), None)).collect();
    Ok(Page { items, next: None })
}

/// Read a child: which of its sections you may read and write.
#[utoipa::path(
    tag = "cases",
    params(("case" = CaseId, Path, description = "The case"), ("child" = ChildId, Path, description = "The child")),
    responses((status = 200, description = "The child", body = ChildView), ReadProblems)
)]
#[get("/cases/{case}/children/{child}")]
async fn get_child(
    app: Data<App>,
    Caller(call): Caller,
    path: Path<(CaseId, ChildId)>,
    _: Params<NoParams>,
) -> Result<actix_web::web::Json<ChildView>, Problem> {
    let (case, child) = path.into_inner();
    let grants = app.read(call, move |db, call| db.child(call, case, child)).await?;
    let granted = |sections: fn(&lindung_domain::grant::Grant) -> &Vec<Section>| -> Vec<Section> {
        let given: std::collections::BTreeSet<Section> = grants.iter().flat_map(sections).copied().collect();
        given.into_iter().filter(|it| it.is_of_child()).collect()
    };
    Ok(actix_web::web::Json(ChildView {
        id: child,
        case_id: case,
        readable_sections: granted(|it| &it.sections),
        writable_sections: granted(|it| &it.contributes),
        links: Links::to(format!("/v1/cases/{case}/children/{child}")),
    }))
}

/// Add a child to a case.
#[utoipa::path(
    tag = "cases",
    params(("case" = CaseId, Path, description = "The case"), NewKeyHeader),
    request_body = NewChild,
    responses((status = 201, description = "Added", body = ChildAck), ReadProblems, WriteProblems)
)]
#[post("/cases/{case}/children")]
async fn add_child(
    app: Data<App>,
    Caller(call): Caller,
    case: Path<CaseId>,
    MaybeIfMatch(expected): MaybeIfMatch,
    body: NewBody<NewChild>,
) -> Result<Done, Problem> {
    let case = *case;
    let NewBody { value: NewChild { sections }, repeat } = body;
    let contents: Vec<(Section, Content)> = sections.checked("sections")?;
    let how = How { target: Target::Case(case), expected, named: Vec::new(), repeat };
    let added = app.write(call, how, move |_, loaded, asking| {
        let child = ChildId(Db::new_id());
        let change = loaded.file()?.add_child(child, contents, asking)?;
        let ack = ChildAck::new(case, child, Some(change.entity().case.record().version));
        Ok((change, Answer { case: Some(case), ..answer(201, &ack)? }))
    });
    added.await.map(Done)
}

/// Find children by an identifier.
///
/// Those whose identity you may read and that have exactly this identifier, 200 at most; never by a part of it. Needs no
/// `Idempotency-Key`: it changes nothing.
#[utoipa::path(
    tag = "cases",
    request_body = ChildSearch,
    responses((status = 200, description = "The children that were found", body = Page<FoundChildView>), ReadProblems, WriteProblems)
)]
#[post("/children/search")]
async fn search_children(
    app: Data<App>,
    Caller(call): Caller,
    body: Body<ChildSearch>,
) -> Result<Page<FoundChildView>, Problem> {
    let identifier = body.value.identifier.checked("identifier")?;
    let found = app.read(call, move |db, call| db.children_with_identifier(call, &identifier)).await?;
    Ok(Page { items: found.into_iter().map(FoundChildView::new).collect(), next: None })
}
