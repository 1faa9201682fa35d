//! Who is asking: from the access token to the actor.
//!
//! The token tells only who; what they may do is looked up with every statement. A token that is bound
//! to a key comes with a proof of it, any other alone, and neither is taken for the other. A token's
//! signature is checked once and remembered until it expires; a proof is checked each time.

use std::collections::HashMap;
use std::future::{Ready, ready};
use std::sync::{PoisonError, RwLock};

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use chrono::{DateTime, Utc};
use jsonwebtoken::Validation;
use lindung_domain::{Actor, AgencyCode, ClientId, OfficerId, Purpose, Role};
use lindung_persistence::Call;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::negotiate;
use crate::observe::{RequestId, sent_method};
use crate::problem::Problem;
use crate::proof::{self, About, BadProof, Proven};

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
    /// The key that it is bound to, if it is to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cnf: Option<Confirmation>,
}

/// The key that a token is bound to (RFC 9449, 6.1).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirmation {
    /// Its thumbprint (RFC 7638).
    pub(crate) jkt: String,
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

/// What a token told whose signature was checked.
#[derive(Clone)]
struct Known {
    actor: Actor,
    /// The thumbprint of the key that it is bound to.
    jkt: Option<String>,
    expires: i64,
}

/// Tokens whose signature was checked, by their SHA-256.
#[derive(Default)]
pub(crate) struct Verified(RwLock<HashMap<[u8; 32], Known>>);

impl Verified {
    fn get(&self, hash: &[u8; 32]) -> Option<Known> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    fn remember(&self, hash: [u8; 32], token: Known, now: i64) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.retain(|_, it| it.expires > now);
            if known.len() >= REMEMBERED {
                known.clear();
            }
        }
        known.insert(hash, token);
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

/// When the caller's token expires: for answers that go on. It comes after [`Caller`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expiry(i64);

impl Expiry {
    /// Whether that was before now.
    pub(crate) fn is_past(self, now: DateTime<Utc>) -> bool {
        self.0 <= now.timestamp()
    }
}

impl FromRequest for Expiry {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(request.extensions().get::<Expiry>().copied().unwrap_or(Expiry(0))))
    }
}

fn called(request: &HttpRequest) -> Result<Call, Problem> {
    let app = request.app_data::<Data<App>>().ok_or_else(|| Problem::Fault("the app is missing".to_owned()))?;
    let (actor, proven) = authenticate(request, app)?;
    request.extensions_mut().insert(actor.clone());
    let proof = proven.as_ref().map(|it| it.proof.clone());
    if let Some(proven) = proven {
        request.extensions_mut().insert(proven);
    }
    app.limits().request(&actor)?;
    let action = app.operations().of(request).ok_or(Problem::NoSuchPath)?;
    negotiate::acceptable(request, action)?;
    Ok(Call { actor, action, request_id: RequestId::of(request), target: target(request), now: app.now(), proof })
}

/// What the path names: its parameters, as far as they look like ids or codes.
pub(crate) fn target(request: &HttpRequest) -> Option<String> {
    let plain =
        |it: &str| (1..=64).contains(&it.len()) && it.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b));
    let named: Vec<&str> = request.match_info().iter().map(|it| it.1).filter(|it| plain(it)).collect();
    (!named.is_empty()).then(|| named.join("/"))
}

/// How a token is shown.
#[derive(Clone, Copy)]
enum Scheme {
    Bearer,
    Dpop,
}

fn authenticate(request: &HttpRequest, app: &App) -> Result<(Actor, Option<Proven>), Problem> {
    let no = |why| Err(Problem::Unauthenticated(why));
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let shown = match (headers.next(), headers.next()) {
        (Some(header), None) => shown(header.to_str().unwrap_or_default()),
        (None, _) => return no("send an access token as Authorization: Bearer … or DPoP …"),
        (Some(_), Some(_)) => None,
    };
    let Some((scheme, token)) = shown else { return no("the Authorization header is no access token") };
    let (hash, now) = (proof::hash(token), app.now().timestamp());
    let known = match app.verified().get(&hash) {
        Some(known) => known,
        None => {
            let known = verify(token, app, now).ok_or(Problem::Unauthenticated("the token is not good"))?;
            app.verified().remember(hash, known.clone(), now);
            known
        }
    };
    let Known { actor, jkt, expires } = known;
    request.extensions_mut().insert(Expiry(expires));
    if expires <= now {
        return no("the token has expired");
    }
    match (scheme, jkt) {
        (Scheme::Bearer, None) if app.parts().proofs_required && actor.officer_id().is_some() => {
            no("an officer's token must be bound to a key (RFC 9449)")
        }
        (Scheme::Bearer, None) => Ok((actor, None)),
        // RFC 9449, 7.2: whoever has stolen it cannot make less of it.
        (Scheme::Bearer, Some(_)) => no("the token is bound to a key: send it as DPoP …, with a proof"),
        (Scheme::Dpop, None) => no("the token is bound to no key: send it as Bearer …"),
        (Scheme::Dpop, Some(jkt)) => match prove(request, app, (&hash, &jkt), now) {
            Ok(proven) => Ok((actor, Some(proven))),
            Err(bad) => Err(bad.problem(app.nonces().newest(now))),
        },
    }
}

/// The proof that comes with a request and its token.
fn prove(request: &HttpRequest, app: &App, token: (&[u8; 32], &str), now: i64) -> Result<Proven, BadProof> {
    let text = proof::brought(request)?.ok_or(BadProof::Bad("the DPoP header is missing"))?;
    let method = sent_method(request);
    let url = format!("{}{}", app.parts().issuer, request.path());
    proof::verify(text, &About { method: method.as_str(), url, token: Some(token) }, app.nonces(), now)
}

/// The scheme and the token of an Authorization header (RFC 6750, 2.1; RFC 9449, 7.1).
fn shown(header: &str) -> Option<(Scheme, &str)> {
    let (scheme, token) = header.split_once(' ')?;
    let known = [("bearer", Scheme::Bearer), ("dpop", Scheme::Dpop)];
    let scheme = known.into_iter().find(|it| scheme.eq_ignore_ascii_case(it.0))?.1;
    (!token.is_empty() && token.len() <= 4096).then_some((scheme, token))
}

/// Checks all that jsonwebtoken does not: `typ`, `kid`, that no key comes with the token, `iat`.
fn verify(token: &str, app: &App, now: i64) -> Option<Known> {
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
    let (expires, jkt) = (claims.exp, claims.cnf.clone().map(|it| it.jkt));
    (claims.iat <= now + SKEW && expires > now).then_some(())?;
    Some(Known { actor: claims.actor()?, jkt, expires })
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
