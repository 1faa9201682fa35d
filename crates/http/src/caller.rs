//! Who is asking: from the bearer token to the actor.
//!
//! The token tells only who; what they may do is looked up with every statement. A signature is
//! checked once and remembered until the token expires.

use std::collections::HashMap;
use std::future::{Ready, ready};
use std::sync::{PoisonError, RwLock};

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use aws_lc_rs::digest::{SHA256, digest};
use jsonwebtoken::Validation;
use lindung_domain::{Actor, AgencyCode, ClientId, OfficerId, Purpose, Role};
use lindung_persistence::Call;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::negotiate;
use crate::observe::RequestId;
use crate::problem::Problem;

/// The `typ` of an access token (RFC 9068).
pub(crate) const ACCESS_TOKEN: &str = "at+jwt";

/// The claims of an access token (RFC 9068).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AccessClaims {
    pub(crate) iss: String,
    pub(crate) aud: String,
    /// The officer, or the client when it acts alone.
    pub(crate) sub: String,
    pub(crate) client_id: ClientId,
    pub(crate) agency: AgencyCode,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) roles: Vec<Role>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) purpose: Option<Purpose>,
    pub(crate) iat: i64,
    pub(crate) exp: i64,
    pub(crate) jti: String,
}

impl AccessClaims {
    fn actor(self) -> Option<Actor> {
        let AccessClaims { sub, client_id, agency, roles, purpose, .. } = self;
        if roles.is_empty() {
            return Some(Actor::client(client_id, agency));
        }
        Actor::officer(client_id, agency, sub.parse::<OfficerId>().ok()?, &roles, purpose).ok()
    }
}

/// The most tokens remembered; beyond it those that expired are dropped, or all.
const REMEMBERED: usize = 10_000;

/// Tokens whose signature was checked, by their SHA-256.
#[derive(Default)]
pub(crate) struct Verified(RwLock<HashMap<[u8; 32], (Actor, i64)>>);

impl Verified {
    fn get(&self, hash: &[u8; 32]) -> Option<(Actor, i64)> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    fn remember(&self, hash: [u8; 32], actor: Actor, expires: i64, now: i64) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.retain(|_, it| it.1 > now);
            if known.len() >= REMEMBERED {
                known.clear();
            }
        }
        known.insert(hash, (actor, expires));
    }
}

/// Every request about something is one call of one operation by one caller.
#[derive(Debug)]
pub struct Caller(pub Call);

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(called(request).map(Caller))
    }
}

fn called(request: &HttpRequest) -> Result<Call, Problem> {
    let app = request.app_data::<Data<App>>().ok_or_else(|| Problem::Fault("the app is missing".to_owned()))?;
    let actor = authenticate(request, app)?;
    request.extensions_mut().insert(actor.clone());
    let action = app.operations().of(request).ok_or(Problem::NoSuchPath)?;
    negotiate::acceptable(request, action)?;
    Ok(Call { actor, action, request_id: RequestId::of(request), target: target(request), now: app.now() })
}

/// What the path names: its parameters, as far as they look like ids or codes.
pub(crate) fn target(request: &HttpRequest) -> Option<String> {
    let plain =
        |it: &str| (1..=64).contains(&it.len()) && it.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b));
    let named: Vec<&str> = request.match_info().iter().map(|it| it.1).filter(|it| plain(it)).collect();
    (!named.is_empty()).then(|| named.join("/"))
}

fn authenticate(request: &HttpRequest, app: &App) -> Result<Actor, Problem> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let token = match (headers.next(), headers.next()) {
        (Some(header), None) => bearer(header.to_str().unwrap_or_default()),
        (None, _) => return Err(Problem::Unauthenticated("send an access token as Authorization: Bearer …")),
        (Some(_), Some(_)) => None,
    };
    let token = token.ok_or(Problem::Unauthenticated("the Authorization header is no bearer token"))?;
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    let now = app.now().timestamp();
    let (actor, expires) = match app.verified().get(&hash) {
        Some(known) => known,
        None => {
            let (actor, expires) = verify(token, app, now).ok_or(Problem::Unauthenticated("the token is not good"))?;
            app.verified().remember(hash, actor.clone(), expires, now);
            (actor, expires)
        }
    };
    if expires <= now {
        return Err(Problem::Unauthenticated("the token has expired"));
    }
    Ok(actor)
}

/// The token of a bearer header (RFC 6750, 2.1).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= 4096).then_some(token)
}

/// Checks all that jsonwebtoken does not: `typ`, `kid`, that no key comes with the token, `iat`.
fn verify(token: &str, app: &App, now: i64) -> Option<(Actor, i64)> {
    let header = jsonwebtoken::decode_header(token).ok()?;
    let typ = header.typ.as_deref()?;
    let typ = typ.strip_prefix("application/").unwrap_or(typ);
    if !typ.eq_ignore_ascii_case(ACCESS_TOKEN) || brings_a_key(&header) {
        return None;
    }
    let kid = header.kid.as_deref()?;
    let parts = app.parts();
    let key = parts.token_keys.public.iter().find(|it| it.kid == kid)?;
    let mut validation = Validation::new(key.algorithm);
    validation.set_issuer(&[&parts.issuer]);
    validation.set_audience(&[audience(&parts.issuer)]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    // Against our own clock, and without leeway, in `authenticate`.
    validation.validate_exp = false;
    let claims = jsonwebtoken::decode::<AccessClaims>(token, &key.key, &validation).ok()?.claims;
    let expires = claims.exp;
    (claims.iat <= now + SKEW && expires > now).then_some(())?;
    Some((claims.actor()?, expires))
}

/// How far, in seconds, another machine's clock may be ahead of ours.
pub(crate) const SKEW: i64 = 30;

/// The audience of access tokens: the API.
pub(crate) fn audience(issuer: &str) -> String {
    format!("{issuer}/v1")
}

/// Whether a header names or carries a key, or something that must be understood and is not.
pub(crate) fn brings_a_key(header: &jsonwebtoken::Header) -> bool {
    header.jku.is_some()
        || header.jwk.is_some()
        || header.x5u.is_some()
        || header.x5c.is_some()
        || header.crit.is_some()
}
