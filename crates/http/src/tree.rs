//! The access log as a transparency log: what everybody may check it by. None of it tells of anybody, so it is open.

mod audited;

use actix_web::http::header::{CACHE_CONTROL, HeaderName};
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use lindung_ledger::checkpoint::Signed;
use lindung_ledger::policy::{Policy, PolicyError, Status};
use lindung_ledger::tree::{self, TileId, TileRequest};
use lindung_persistence::{Db, Lag, SignedCheckpoint};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::app::App;
use crate::extract::Params;
use crate::openapi::ReadProblems;
use crate::problem::Problem;

/// The routes of the transparency log.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_checkpoint).service(get_log_policy).service(get_tree).service(get_consistency_proof);
    audited::routes(config);
    // Tiles have a path of their own below: what is more particular comes before.
    config.service(get_tile);
}

/// As tlog-tiles has it, for what changes and for what never does.
const FOR_SECONDS: (HeaderName, &str) = (CACHE_CONTROL, "max-age=5");
const FOR_EVER: (HeaderName, &str) = (CACHE_CONTROL, "max-age=31536000, immutable");

const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";

/// Whether enough witnesses have signed what is answered: `met` or `below`.
const QUORUM: &str = "lindung-quorum";

/// The most checkpoints that are looked through for one with the right witnesses among those with enough.
const LOOKED_THROUGH: usize = 20;

/// Whom to trust for the log: its keys, its witnesses and how many of them it takes (C2SP tlog-policy).
#[derive(Debug)]
pub struct LogPolicy {
    policy: Policy,
    text: String,
}

impl LogPolicy {
    /// From the text of a policy.
    ///
    /// # Errors
    /// It is none; says in which line.
    pub fn new(text: String) -> Result<Self, PolicyError> {
        Ok(LogPolicy { policy: Policy::parse(text.as_bytes())?, text })
    }

    /// The keys of its witnesses, as cosignatures are kept under them.
    fn witnesses(&self) -> Vec<String> {
        self.policy.witnesses().iter().map(|it| format!("{}+{:08x}", it.vkey.name(), it.vkey.id())).collect()
    }

    /// Who has witnessed a checkpoint, as far as their signatures hold.
    fn status(&self, checkpoint: &SignedCheckpoint) -> Result<Status, Problem> {
        let signed = Signed::parse(checkpoint.text().as_bytes());
        let status = signed.and_then(|it| self.policy.status(&it));
        status.map_err(|error| Problem::Fault(format!("the checkpoint of size {}: {error}", checkpoint.size)))
    }
}

/// The newest checkpoint, and who has witnessed it.
async fn newest(app: &App) -> Result<(SignedCheckpoint, Status), Problem> {
    let policy = policy(app)?;
    let found = app.ask(Db::checkpoint).await?.ok_or(Problem::NoSuchPath)?;
    let status = policy.status(&found)?;
    Ok((found, status))
}

/// How many have witnessed the newest checkpoint, and how many have to at least; nothing without a policy or checkpoint.
/// One that does not hold is witnessed by nobody.
pub(crate) async fn witnesses(app: &App) -> Result<Option<(usize, usize)>, Problem> {
    let Some(policy) = &app.parts().log_policy else { return Ok(None) };
    let Some(found) = app.ask(Db::checkpoint).await? else { return Ok(None) };
    let cosigned = policy.status(&found).map_or(0, |it| it.cosigned.len());
    Ok(Some((cosigned, policy.policy.fewest())))
}

/// The newest checkpoint that enough have witnessed.
async fn witnessed(app: &App) -> Result<Option<(SignedCheckpoint, Status)>, Problem> {
    let policy = policy(app)?;
    let fewest = policy.policy.fewest();
    if fewest == 0 {
        return Ok(Some(newest(app).await?));
    }
    let mut below = None;
    for _ in 0..LOOKED_THROUGH {
        let keys = policy.witnesses();
        let Some(found) = app.ask(move |db| db.cosigned(keys, fewest, below)).await? else { return Ok(None) };
        below = Some(found.size);
        let status = policy.status(&found)?;
        if status.met {
            return Ok(Some((found, status)));
        }
    }
    Ok(None)
}

fn policy(app: &App) -> Result<&LogPolicy, Problem> {
    app.parts().log_policy.as_ref().ok_or(Problem::NoSuchPath)
}

/// Which checkpoint is wanted.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CheckpointParams {
    /// Only one that enough witnesses have signed.
    #[param(default = false)]
    witnessed: Option<bool>,
}

/// Get the newest checkpoint of the access log (C2SP tlog-checkpoint): how many entries it has, the root of the tree
/// over them (RFC 6962), the signature of the log, and the cosignatures of its witnesses (C2SP tlog-cosignature).
///
/// It is open, since it tells of nobody. `Lindung-Quorum` says whether enough have witnessed it: `met`, or `below`,
/// which is no more than our own word. Not found until there is one.
#[utoipa::path(
    tag = "access-log",
    params(CheckpointParams),
    responses((status = 200, description = "A signed note", body = String, content_type = "text/plain"), ReadProblems),
    security(())
)]
#[get("/access-log/checkpoint")]
async fn get_checkpoint(app: Data<App>, Params(params): Params<CheckpointParams>) -> Result<HttpResponse, Problem> {
    let (checkpoint, status) = match params.witnessed {
        Some(true) => witnessed(&app).await?.ok_or(Problem::NoSuchPath)?,
        Some(false) | None => newest(&app).await?,
    };
    let quorum = if status.met { "met" } else { "below" };
    let mut response = HttpResponse::Ok();
    response.content_type(TEXT).insert_header(FOR_SECONDS).insert_header((QUORUM, quorum));
    Ok(response.body(checkpoint.text()))
}

/// Get the policy by which checkpoints are trusted (C2SP tlog-policy): the keys of the log and of its witnesses, and
/// how many of these it takes. Whoever verifies takes it from the witnesses themselves, and not from here.
#[utoipa::path(
    tag = "access-log",
    responses((status = 200, description = "The policy", body = String, content_type = "text/plain"), ReadProblems),
    security(())
)]
#[get("/access-log/policy")]
async fn get_log_policy(app: Data<App>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().content_type(TEXT).insert_header(FOR_SECONDS).body(policy(&app)?.text.clone()))
}

/// A checkpoint, and who has witnessed it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Witnessed {
    /// How many entries it covers.
    size: u64,
    /// The root of the tree over them, in base64.
    root: String,
    /// The witnesses that signed it, and when.
    cosigned: Vec<Cosigned>,
    /// How many it takes.
    needed: usize,
    /// Of how many.
    of: usize,
    /// Whether it has enough.
    met: bool,
}

/// A witness's signature.
#[derive(Debug, Serialize, ToSchema)]
struct Cosigned {
    /// By its name in the policy.
    witness: String,
    /// When, by the witness's clock.
    at: DateTime<Utc>,
}

impl Witnessed {
    fn new((checkpoint, status): (SignedCheckpoint, Status)) -> Result<Self, Problem> {
        let signed = Signed::parse(checkpoint.note.as_bytes()).map_err(|error| Problem::Fault(error.to_string()))?;
        let cosigned = status.cosigned.into_iter().map(|(witness, seconds)| {
            let at = i64::try_from(seconds).ok().and_then(|it| DateTime::from_timestamp(it, 0)).unwrap_or_default();
            Cosigned { witness, at }
        });
        Ok(Witnessed {
            size: checkpoint.size,
            root: STANDARD.encode(signed.checkpoint().root.0),
            cosigned: cosigned.collect(),
            needed: status.needed,
            of: status.of,
            met: status.met,
        })
    }
}

/// How the transparency log stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TreeView {
    /// The newest checkpoint; null until there is one.
    checkpoint: Option<Witnessed>,
    /// The newest with enough witnesses.
    witnessed: Option<Witnessed>,
    /// For how many seconds an access may have been without a number.
    sequencing_seconds: u64,
    /// For how many seconds the oldest entry that no checkpoint covers has been one.
    signing_seconds: u64,
}

/// Get how the access log's tree stands: its newest checkpoint, the newest that enough have witnessed, and how far
/// sealing is behind.
#[utoipa::path(
    tag = "access-log",
    responses((status = 200, description = "How it stands", body = TreeView), ReadProblems),
    security(())
)]
#[get("/access-log/tree")]
async fn get_tree(app: Data<App>) -> Result<HttpResponse, Problem> {
    let Lag { sequencing, signing } = app.ask(Db::lag).await?;
    let (checkpoint, witnessed) = match (&app.parts().log_policy, app.ask(Db::checkpoint).await?) {
        (Some(policy), Some(found)) => {
            let status = policy.status(&found)?;
            (Some(Witnessed::new((found, status))?), witnessed(&app).await?.map(Witnessed::new).transpose()?)
        }
        _ => (None, None),
    };
    Ok(HttpResponse::Ok().insert_header(FOR_SECONDS).json(TreeView {
        checkpoint,
        witnessed,
        sequencing_seconds: sequencing.as_secs(),
        signing_seconds: signing.as_secs(),
    }))
}

/// Between which trees.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ConsistencyParams {
    /// The size of the older.
    from: u64,
    /// The size of the newer; at most that of the newest checkpoint.
    to: u64,
}

/// A proof of consistency.
#[derive(Debug, Serialize, ToSchema)]
struct ConsistencyProof {
    /// The size of the older tree.
    from: u64,
    /// The size of the newer.
    to: u64,
    /// The nodes, in base64 (RFC 6962, 2.1.2).
    hashes: Vec<String>,
}

/// Get the proof that the access log has only grown between two sizes (RFC 6962, 2.1.2).
#[utoipa::path(
    tag = "access-log",
    params(ConsistencyParams),
    responses((status = 200, description = "The proof", body = ConsistencyProof), ReadProblems),
    security(())
)]
#[get("/access-log/consistency")]
async fn get_consistency_proof(
    app: Data<App>,
    Params(params): Params<ConsistencyParams>,
) -> Result<HttpResponse, Problem> {
    let ConsistencyParams { from, to } = params;
    if from > to {
        return Err(Problem::malformed("from", "range", "is more than `to`"));
    }
    let newest = app.ask(Db::checkpoint).await?;
    if newest.is_none_or(|it| to > it.size) {
        return Err(Problem::NoSuchPath);
    }
    let proof = app.ask(move |db| db.consistency(from, to)).await?;
    let hashes = proof.iter().map(|it| STANDARD.encode(it.0)).collect();
    Ok(HttpResponse::Ok().json(ConsistencyProof { from, to, hashes }))
}

/// Get a tile of the access log's tree (C2SP tlog-tiles): up to 256 hashes of 32 bytes.
///
/// `tile` is the level, the index in groups of three digits, and of a partial tile its width: `0/x001/234.p/17`.
#[utoipa::path(
    tag = "access-log",
    path = "/access-log/tile/{tile}",
    params(("tile" = String, Path, description = "Which, with slashes in it", example = "0/000.p/17", max_length = 64)),
    responses((status = 200, description = "The hashes", body = String, content_type = "application/octet-stream"), ReadProblems),
    security(())
)]
#[get("/access-log/tile/{tile}*")]
async fn get_tile(app: Data<App>, tile: Path<String>) -> Result<HttpResponse, Problem> {
    let Ok(TileRequest::Hashes { level, index, width }) = tile.parse() else { return Err(Problem::NoSuchPath) };
    let hashes = app.ask(move |db| db.tile(TileId { level, index }, width)).await?;
    // What no checkpoint covers may yet become another, as when a database is set back.
    let size = app.ask(Db::checkpoint).await?.map_or(0, |it| it.size);
    let caching = if tree::widths(level, index, size).contains(&width) { FOR_EVER } else { FOR_SECONDS };
    Ok(HttpResponse::Ok().content_type(BYTES).insert_header(caching).body(hashes))
}
