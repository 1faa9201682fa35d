//! Code lists, with labels in the preferred language.

use actix_web::get;
use actix_web::web::{Data, Path};
use chrono::{Datelike, NaiveDate};
use lindung_persistence::{Code, CodeList};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::app::App;
use crate::caller::Caller;
use crate::day;
use crate::extract::Params;
use crate::language::Language;
use crate::openapi::{LanguageHeader, ReadProblems};
use crate::problem::Problem;
use crate::respond::{Links, Localized, Page};

/// The routes of code lists.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_code_lists).service(get_code_list);
}

/// A code list by name.
#[derive(Debug, Serialize, ToSchema)]
struct CodeListItem {
    /// Its name in paths.
    #[schema(example = "referral-kind")]
    list: String,
    /// Its version.
    version: String,
    /// What it is called, in `language`.
    name: String,
    /// The language of `name`.
    language: Language,
    /// Where it is.
    links: Links,
}

/// A code list.
#[derive(Debug, Serialize, ToSchema)]
struct CodeListView {
    /// Its name in paths.
    #[schema(example = "offence")]
    list: String,
    /// Its version.
    version: String,
    /// What it is called, in `language`.
    name: String,
    /// The language of `name` and of the labels.
    language: Language,
    /// The day on which the codes are in force.
    on: NaiveDate,
    /// The codes, in order.
    codes: Vec<CodeView>,
}

/// A code.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CodeView {
    /// The code.
    #[schema(example = "A792.15B")]
    code: String,
    /// What it means, in `language`.
    label: String,
    /// The language of `label`.
    language: Language,
    /// Whether the Malay label is a translation of ours, and not the source's own words.
    translated: bool,
    /// How sure the fact is: `H` read in a primary source, `M` in a secondary one, `L` unconfirmed and not to be
    /// shown as law, `setting` the task force's own.
    confidence: String,
    /// Where it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// The first day on which it is in force.
    valid_from: NaiveDate,
    /// The last day, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<NaiveDate>,
}

/// Which codes are wanted.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OnDay {
    /// Those in force on this day; today's when left out.
    on: Option<NaiveDate>,
}

/// No parameters.
#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoParams {}

/// List the code lists.
///
/// They name every code that the API takes or tells, in Malay and English.
#[utoipa::path(tag = "code-lists", params(LanguageHeader), responses((status = 200, description = "All code lists", body = Page<CodeListItem>), ReadProblems))]
#[get("/code-lists")]
async fn list_code_lists(
    app: Data<App>,
    Caller(call): Caller,
    _: Params<NoParams>,
    language: Language,
) -> Result<Localized<Page<CodeListItem>>, Problem> {
    let lists = app.read(call, |db, call| db.code_lists(call)).await?;
    let item = |it: CodeList| {
        let CodeList { list, version, name_ms, name_en } = it;
        let links = Links::to(format!("/v1/code-lists/{list}"));
        CodeListItem { list, version, name: language.of(name_ms, name_en), language, links }
    };
    Ok(Localized(language, Page { items: lists.into_iter().map(item).collect(), next: None }))
}

/// Read a code list.
///
/// Codes stay; each is in force for its time. Those in force on the day asked for are answered, in their order. A
/// label that says `translated`, and a fact of confidence `L`, are unconfirmed and not to be shown as law.
#[utoipa::path(
    tag = "code-lists",
    params(("list" = String, Path, description = "Its name", pattern = "^[a-z-]+$", max_length = 64, example = "referral-kind"), OnDay, LanguageHeader),
    responses((status = 200, description = "The codes in force", body = CodeListView), ReadProblems)
)]
#[get("/code-lists/{list}")]
async fn get_code_list(
    app: Data<App>,
    Caller(call): Caller,
    list: Path<String>,
    Params(OnDay { on }): Params<OnDay>,
    language: Language,
) -> Result<Localized<actix_web::web::Json<CodeListView>>, Problem> {
    let name = list.into_inner();
    if name.len() > 64 || !name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') {
        return Err(Problem::malformed("list", "format", "is no name of a code list"));
    }
    let on = on.unwrap_or_else(|| day::today(call.now));
    if !(1..=9999).contains(&on.year()) {
        return Err(Problem::malformed("on", "range", "is a day of the years 1 to 9999"));
    }
    let (list, codes) = app.read(call, move |db, call| db.codes(call, &name, on)).await?;
    let view = |it: Code| {
        let Code { code, label_ms, label_en, confidence, translated, source, valid_from, valid_until } = it;
        let translated = translated && language == Language::Ms;
        let label = language.of(label_ms, label_en);
        CodeView { code, label, language, translated, confidence, source, valid_from, valid_until }
    };
    let CodeList { list, version, name_ms, name_en } = list;
    let name = language.of(name_ms, name_en);
    let codes = codes.into_iter().map(view).collect();
    Ok(Localized(language, actix_web::web::Json(CodeListView { list, version, name, language, on, codes })))
}
