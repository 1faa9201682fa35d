//! What only auditors read of the transparency log: leaves, and of whom they tell. Reading it is itself an access.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get};
use lindung_domain::AccessId;
use lindung_ledger::bundle;
use lindung_ledger::proof::Proof;
use lindung_ledger::tree::TileRequest;
use lindung_persistence::{Error, OpenedLeaf};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::{BYTES, TEXT, newest, witnessed};
use crate::app::App;
use crate::caller::Caller;
use crate::extract::Params;
use crate::negotiate::NDJSON;
use crate::openapi::ReadProblems;
use crate::problem::Problem;

/// Their routes.
pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_entry_bundle).service(list_openings).service(get_inclusion_proof);
}

/// The most leaves of a page.
const LIMIT: i64 = 1000;

/// Get a bundle of entries of the access log (C2SP tlog-tiles): up to 256 leaves, each after its length in two bytes.
///
/// For auditors of `PP` and `SUHAKAM.OCC`, since the entries of all agencies are in it; others read theirs as openings.
/// `bundle` is the index in groups of three digits, and of a partial bundle its width: `x001/234.p/17`.
#[utoipa::path(
    tag = "access-log",
    path = "/access-log/tile/entries/{bundle}",
    params(("bundle" = String, Path, description = "Which, with slashes in it", example = "000.p/17", max_length = 64)),
    responses((status = 200, description = "The leaves", body = String, content_type = "application/octet-stream"), ReadProblems)
)]
#[get("/access-log/tile/entries/{bundle}*")]
async fn get_entry_bundle(app: Data<App>, Caller(call): Caller, tile: Path<String>) -> Result<HttpResponse, Problem> {
    let request = format!("entries/{tile}").parse();
    let Ok(TileRequest::Entries { index, width }) = request else { return Err(Problem::NoSuchPath) };
    let leaves = app.read(call, move |db, call| db.entries(call, index, width)).await?;
    let bundle = bundle::encode(&leaves).map_err(|error| Problem::Fault(error.to_string()))?;
    Ok(HttpResponse::Ok().content_type(BYTES).body(bundle))
}

/// Which leaves are wanted.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OpeningParams {
    /// From this number on; from 0 when it is not said.
    from: Option<u64>,
    /// At most so many.
    #[validate(range(min = 1, max = LIMIT))]
    #[param(minimum = 1, maximum = 1000, default = 1000)]
    limit: Option<i64>,
}

/// List the leaves of the access log that you may read, one a line, with what opens them: of whom they tell.
///
/// For auditors: those of `PP` and `SUHAKAM.OCC` read all, those of another agency the accesses made in its name, and
/// what tells of erasures. To go on, ask from the number behind the last; a page with fewer lines than `limit` is the
/// last.
#[utoipa::path(
    tag = "access-log",
    params(OpeningParams),
    responses((status = 200, description = "A line each", body = OpenedLeaf, content_type = "application/x-ndjson"), ReadProblems)
)]
#[get("/access-log/openings")]
async fn list_openings(
    app: Data<App>,
    Caller(call): Caller,
    Params(params): Params<OpeningParams>,
) -> Result<HttpResponse, Problem> {
    let (from, limit) = (params.from.unwrap_or(0), params.limit.unwrap_or(LIMIT));
    let leaves = app.read(call, move |db, call| db.openings(call, from, limit)).await?;
    let mut text = String::new();
    for leaf in &leaves {
        text += &serde_json::to_string(leaf).map_err(Error::from)?;
        text.push('\n');
    }
    Ok(HttpResponse::Ok().content_type(NDJSON).body(text))
}

/// Get the proof that an access is in the log (C2SP tlog-proof): its number, the nodes up to the root (RFC 6962,
/// 2.1.1), and the checkpoint that has it: the newest that enough have witnessed, or where that is too old the newest.
///
/// Not available until a checkpoint covers it, which takes seconds.
#[utoipa::path(
    tag = "access-log",
    params(("entry" = AccessId, Path, description = "The id of the access")),
    responses((status = 200, description = "The proof", body = String, content_type = "text/plain"), ReadProblems)
)]
#[get("/access-log/{entry}/proof")]
async fn get_inclusion_proof(
    app: Data<App>,
    Caller(call): Caller,
    entry: Path<AccessId>,
) -> Result<HttpResponse, Problem> {
    let access = entry.into_inner();
    let index = app.read(call, move |db, call| db.number_of(call, access)).await?;
    let checkpoint = match witnessed(&app).await? {
        Some((found, _)) if found.size > index => found,
        _ => newest(&app).await?.0,
    };
    let size = checkpoint.size;
    if size <= index {
        return Err(Error::Unavailable("no checkpoint covers the access yet".to_owned()).into());
    }
    let hashes = app.ask(move |db| db.inclusion(index, size)).await?;
    let proof = Proof { extra: None, index, hashes, checkpoint: checkpoint.text() };
    Ok(HttpResponse::Ok().content_type(TEXT).body(proof.to_string()))
}
