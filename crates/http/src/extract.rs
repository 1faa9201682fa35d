//! What comes with a request: bodies, parameters and headers, each checked once, here.

use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, IF_MATCH};
use actix_web::web::{BytesMut, Data, PathConfig};
use actix_web::{FromRequest, HttpRequest, rt};
use futures::StreamExt;
use futures::future::LocalBoxFuture;
use lindung_domain::Version;
use lindung_domain::refusal::Expected;
use lindung_persistence::Repeat;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::app::App;
use crate::parse;
use crate::problem::Problem;

/// The most bytes of a body.
pub const BODY_LIMIT: usize = 1024 * 1024;
/// How long a body may take to come.
const BODY_DEADLINE: Duration = Duration::from_secs(15);
const FORM: &str = "application/x-www-form-urlencoded";

/// A JSON body and the idempotency key that came with it; `CREATES` makes the key obligatory. An
/// empty body stands for `{}`.
#[derive(Debug)]
pub struct Body<T, const CREATES: bool = false> {
    /// What was sent.
    pub value: T,
    /// Under which key, if any.
    pub repeat: Option<Repeat>,
}

/// Nothing: `{}` or no body.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// The body of a request that creates something.
pub type NewBody<T> = Body<T, true>;

impl<T: DeserializeOwned + Validate + 'static, const CREATES: bool> FromRequest for Body<T, CREATES> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let key = idempotency_key(request.headers())?;
            if CREATES && key.is_none() {
                return Err(Problem::KeyRequired);
            }
            let bytes = read(&request, &mut payload, "application/json").await?;
            let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
            let value: T = parse::json(text)?;
            parse::validated(&value)?;
            let repeat = key.and_then(|key| {
                let digest = request.app_data::<Data<App>>()?.digest(&bytes);
                Some(Repeat { key, route: format!("{} {}", request.method(), request.path()), digest })
            });
            Ok(Body { value, repeat })
        })
    }
}

/// A form, as OAuth has it: what is unknown in it is ignored (RFC 6749, 3.2), what stands twice is refused.
pub struct Form<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Form<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = read(&request, &mut payload, FORM).await?;
            parse::query(&String::from_utf8_lossy(&bytes)).map(Form)
        })
    }
}

/// Query parameters; an unknown one is refused.
#[derive(Debug)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned + Validate> FromRequest for Params<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse::query(request.query_string()).and_then(|value: T| {
            parse::validated(&value)?;
            Ok(Params(value))
        }))
    }
}

/// The version that the caller has, from `If-Match` (RFC 9110, 13.1.1), which must be there.
#[derive(Debug, Clone, Copy)]
pub struct IfMatch(pub Expected);

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(if_match(request.headers()).and_then(|it| it.map(IfMatch).ok_or(Problem::PreconditionRequired)))
    }
}

/// The same where it may be left out.
#[derive(Debug, Clone, Copy)]
pub struct MaybeIfMatch(pub Expected);

impl FromRequest for MaybeIfMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(if_match(request.headers()).map(|it| MaybeIfMatch(it.unwrap_or(Expected::Any))))
    }
}

fn if_match(headers: &HeaderMap) -> Result<Option<Expected>, Problem> {
    let mut values = headers.get_all(IF_MATCH);
    let Some(value) = values.next() else { return Ok(None) };
    let one = || Problem::malformed("If-Match", "entity-tag", "is one entity tag in quotes, or *");
    let text = value.to_str().map_err(|_| one())?.trim();
    if values.next().is_some() {
        return Err(one());
    }
    if text == "*" {
        return Ok(Some(Expected::Any));
    }
    let tag = text.strip_prefix("W/").unwrap_or(text);
    let tag = tag.strip_prefix('"').and_then(|it| it.strip_suffix('"')).ok_or_else(one)?;
    if tag.contains('"') {
        return Err(one());
    }
    // A weak tag, or one that we never gave, matches nothing that is there.
    let given = |it: &i64| !text.starts_with('W') && it.to_string() == tag;
    let version = tag.parse().ok().filter(given);
    Ok(Some(Expected::Version(Version(version.unwrap_or(-1)))))
}

/// `Idempotency-Key`, as a quoted string (RFC 8941) or a bare token.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all("idempotency-key");
    let Some(value) = values.next() else { return Ok(None) };
    let wrong = || Problem::malformed("Idempotency-Key", "length", "is one value of 1 to 255 visible characters");
    let text = value.to_str().map_err(|_| wrong())?.trim();
    let key = text.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(text);
    if values.next().is_some() || !(1..=255).contains(&key.len()) || !key.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return Err(wrong());
    }
    Ok(Some(key.to_owned()))
}

/// The bytes of a body: not encoded, of its media type, not too large, not too slow.
async fn read(request: &HttpRequest, payload: &mut Payload, media: &str) -> Result<BytesMut, Problem> {
    let header = |name| request.headers().get(name).map(|it| it.to_str().unwrap_or_default().trim().to_lowercase());
    if header(CONTENT_ENCODING).is_some_and(|it| it != "identity") {
        return Err(Problem::UnsupportedMediaType);
    }
    let received = rt::time::timeout(BODY_DEADLINE, async {
        let mut bytes = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| Problem::malformed("body", "incomplete", "did not come whole"))?;
            if bytes.len() + chunk.len() > BODY_LIMIT {
                return Err(Problem::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    });
    let bytes = received.await.map_err(|_| Problem::Timeout)??;
    let named = header(CONTENT_TYPE);
    let of_type = |it: &str| it.split(';').next().map(str::trim) == Some(media);
    match named {
        None if bytes.is_empty() => Ok(bytes),
        Some(it) if of_type(&it) => Ok(bytes),
        _ => Err(Problem::UnsupportedMediaType),
    }
}

/// Names the part of a path that is not what it should be.
pub fn path_config() -> PathConfig {
    PathConfig::default().error_handler(|_, request| {
        let parts: Vec<(&str, &str)> = request.match_info().iter().collect();
        let wrong = parts.iter().find(|it| Uuid::parse_str(it.1).is_err()).or(parts.last());
        let field = wrong.map_or("path", |it| it.0);
        Problem::malformed(field, "format", "is not what this part of the path can be").into()
    })
}
