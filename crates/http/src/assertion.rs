//! What a client signs to prove who it is (RFC 7523, 3).

use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::Validation;
use lindung_domain::ClientId;
use lindung_persistence::{Client, Db};
use serde::Deserialize;

use crate::app::App;
use crate::caller::{SKEW, brings_a_key};
use crate::keys::PublicKey;
use crate::tokens::NoToken;

/// The longest that an assertion may hold, in seconds.
const LIFETIME: i64 = 300;

/// The claims of an assertion.
#[derive(Debug, Deserialize)]
pub(crate) struct Assertion {
    pub(crate) iss: String,
    pub(crate) sub: String,
    /// One string: an assertion for several is good for a thief among them.
    aud: String,
    iat: i64,
    exp: i64,
    nbf: Option<i64>,
    jti: String,
    pub(crate) agency: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) roles: Option<Vec<String>>,
    pub(crate) purpose: Option<String>,
}

/// The client that signed the assertion and what it says. An assertion is good once.
pub(crate) fn verify(app: &App, db: &Db, text: &str, now: DateTime<Utc>) -> Result<(Client, Assertion), NoToken> {
    let bad = NoToken::Assertion;
    if text.len() > 8192 {
        return Err(bad("the assertion is too long"));
    }
    let header = jsonwebtoken::decode_header(text).map_err(|_| bad("the assertion is no JWT that we take"))?;
    if header.typ.as_deref().is_some_and(|it| !it.eq_ignore_ascii_case("jwt")) {
        return Err(bad("typ of an assertion is JWT"));
    }
    if brings_a_key(&header) {
        return Err(bad("an assertion brings no key and no extension with it"));
    }
    let unproven: Assertion = jsonwebtoken::dangerous::insecure_decode_claims(text)
        .map_err(|_| bad("a claim is missing or not of its type"))?;
    // Whether there is no such client, or no such key, or a bad signature: all the same from outside.
    let unproved = || NoToken::Assertion("the assertion is not signed by a registered key of an active client");
    let id: ClientId = unproven.iss.parse().map_err(|_| unproved())?;
    let (client, keys) = db.client(&id)?.filter(|it| it.0.active).ok_or_else(unproved)?;
    let named = |kid: &str| header.kid.as_deref().is_none_or(|it| it == kid);
    let claims = keys
        .iter()
        .filter(|it| named(&it.kid))
        .filter_map(|it| PublicKey::from_jwk(&it.jwk).ok())
        .filter(|it| it.algorithm == header.alg)
        .find_map(|it| signed_by(&it, text))
        .ok_or_else(unproved)?;
    check(&claims, &app.parts().issuer, now.timestamp())?;
    // Counted only now, so that nobody can use up what is another's.
    app.limits().client(&id).map_err(NoToken::Throttled)?;
    // Kept for as long as it could be shown again.
    let expires = now + Duration::seconds(LIFETIME + SKEW);
    if !db.spend_assertion(&id, &claims.jti, expires)? {
        return Err(bad("jti was used before"));
    }
    Ok((client, claims))
}

fn signed_by(key: &PublicKey, text: &str) -> Option<Assertion> {
    let mut validation = Validation::new(key.algorithm);
    // All claims are checked below, against our own clock.
    validation.validate_exp = false;
    validation.validate_aud = false;
    jsonwebtoken::decode::<Assertion>(text, &key.key, &validation).ok().map(|it| it.claims)
}

fn check(claims: &Assertion, issuer: &str, now: i64) -> Result<(), NoToken> {
    let Assertion { aud, iat, exp, nbf, jti, .. } = claims;
    let rules = [
        (aud == issuer, "aud is the issuer, one string"),
        (*exp > now, "the assertion has expired"),
        (*iat <= now + SKEW, "iat lies in the future"),
        (exp.saturating_sub(*iat) <= LIFETIME, "an assertion holds for at most 300 seconds"),
        (exp > iat, "exp is after iat"),
        (nbf.is_none_or(|it| it <= now + SKEW), "the assertion is not good yet"),
        ((1..=128).contains(&jti.len()) && !jti.contains('\0'), "jti has 1 to 128 characters"),
    ];
    match rules.iter().find(|it| !it.0) {
        Some((_, why)) => Err(NoToken::Assertion(why)),
        None => Ok(()),
    }
}
