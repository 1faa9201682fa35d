//! Proofs of possession (RFC 9449): whoever shows a bound token shows for this one request that they
//! have its key, so that a stolen token is useless.
//!
//! A proof names method, URL and token, is fresh by a nonce of ours, and is good once: the statement
//! that writes the access row spends it. Nothing is kept for a nonce, so that all servers take it.

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Validation;
use lindung_persistence::{PROOF_PERIOD, Proof};
use serde::Deserialize;
use serde_json::Value;

use crate::app::App;
use crate::caller::SKEW;
use crate::keys::PublicKey;
use crate::problem::Problem;

/// The header field of a proof.
const HEADER: &str = "dpop";
/// The header field of a nonce.
pub(crate) const NONCE: &str = "dpop-nonce";
/// The `typ` of a proof.
const TYP: &str = "dpop+jwt";
/// The algorithms of proofs.
pub(crate) const ALGORITHMS: [&str; 3] = ["EdDSA", "ES256", "PS256"];
/// The most characters of a proof: one by an RSA key of 8,192 bits still fits.
const LONGEST: usize = 8192;
/// For how many seconds a nonce is the newest; it is taken for as long again.
const NONCE_SECONDS: i64 = 60;

/// What a proof must be about.
pub(crate) struct About<'a> {
    /// The method, as it was sent.
    pub(crate) method: &'a str,
    /// The URL, without query and fragment.
    pub(crate) url: String,
    /// The SHA-256 of the token that it comes with, and the key that this is bound to.
    pub(crate) token: Option<(&'a [u8; 32], &'a str)>,
}

/// A proof that is good, as far as it can be told without knowing whether it was used before.
#[derive(Debug, Clone)]
pub(crate) struct Proven {
    pub(crate) proof: Proof,
    /// Its nonce is not the newest.
    pub(crate) aging: bool,
}

/// Why a proof is not taken.
#[derive(Debug)]
pub(crate) enum BadProof {
    /// It has no nonce of ours, or an old one.
    Nonce,
    /// Anything else.
    Bad(&'static str),
}

impl BadProof {
    /// As a request of the API is answered.
    pub(crate) fn problem(self, newest: String) -> Problem {
        match self {
            BadProof::Nonce => Problem::NonceNeeded(newest),
            BadProof::Bad(why) => Problem::BadProof(why),
        }
    }
}

#[derive(Deserialize)]
struct Claims {
    htm: String,
    htu: String,
    iat: i64,
    jti: String,
    ath: Option<String>,
    nonce: Option<String>,
}

/// The proof that a request brings, if it brings one.
pub(crate) fn brought(request: &HttpRequest) -> Result<Option<&str>, BadProof> {
    let mut values = request.headers().get_all(HEADER);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| BadProof::Bad("the proof is no JWT")),
        (Some(_), Some(_)) => Err(BadProof::Bad("a request has one DPoP header")),
    }
}

/// Whether a proof is good (RFC 9449, 4.3), but for its having been used before. The nonce comes
/// last: who asks for one has shown all the rest.
pub(crate) fn verify(text: &str, about: &About<'_>, nonces: &Nonces, now: i64) -> Result<Proven, BadProof> {
    let bad = BadProof::Bad;
    if text.len() > LONGEST {
        return Err(bad("the proof is too long"));
    }
    let (key, claims) = signed(text).ok_or(bad("the proof is not signed by the key in it, or not as a proof is"))?;
    let Claims { htm, htu, iat, jti, ath, nonce } = claims;
    let (hash, bound) = about.token.unzip();
    let rules = [
        (htm == about.method, "htm is the method of the request"),
        (htu.split(['?', '#']).next() == Some(&about.url), "htu is the URL of the request"),
        (iat <= now + SKEW, "iat lies in the future"),
        (iat >= now - PROOF_PERIOD, "iat lies too long ago"),
        (ath == hash.map(|it| URL_SAFE_NO_PAD.encode(it)), "ath is the SHA-256 of the token, and of nothing else"),
        (bound.is_none_or(|it| it == key.kid), "the token is bound to another key"),
        (
            (1..=128).contains(&jti.len()) && jti.bytes().all(|it| it.is_ascii_graphic()),
            "jti has 1 to 128 visible characters",
        ),
    ];
    if let Some((_, why)) = rules.iter().find(|it| !it.0) {
        return Err(bad(why));
    }
    let aging = nonce.and_then(|it| nonces.aging(&it, now)).ok_or(BadProof::Nonce)?;
    Ok(Proven { proof: Proof { jkt: key.kid, jti, made: iat }, aging })
}

/// The key in a proof, by its thumbprint, and what it signed.
fn signed(text: &str) -> Option<(PublicKey, Claims)> {
    let header = jsonwebtoken::decode_header(text).ok()?;
    let other_key = header.jku.is_some() || header.x5u.is_some() || header.x5c.is_some();
    if header.typ.as_deref() != Some(TYP) || other_key || header.crit.is_some() {
        return None;
    }
    // From the header itself: jsonwebtoken's own type would have left a private part out.
    let raw = URL_SAFE_NO_PAD.decode(text.split('.').next()?).ok()?;
    let mut jwk = serde_json::from_slice::<Value>(&raw).ok()?.get_mut("jwk")?.take();
    // Without a name of its own it is known by its thumbprint.
    jwk.as_object_mut()?.remove("kid");
    let key = PublicKey::from_jwk(&jwk).ok()?;
    let mut validation = Validation::new(key.algorithm);
    // All claims are checked by the caller, against our own clock.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let claims = jsonwebtoken::decode::<Claims>(text, &key.key, &validation).ok()?.claims;
    Some((key, claims))
}

/// Tells the newest nonce.
pub(crate) fn renew(headers: &mut HeaderMap, app: &App) {
    if let Ok(nonce) = HeaderValue::from_str(&app.nonces().newest(app.now().timestamp())) {
        headers.insert(HeaderName::from_static(NONCE), nonce);
    }
}

/// The SHA-256 of a token.
pub(crate) fn hash(token: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    hash
}

/// The nonces of the service (RFC 9449, 8 and 9): a keyed digest of the time, so that every server
/// with the key gives and takes the same.
pub(crate) struct Nonces(hmac::Key);

impl Nonces {
    /// From the key of digests. No JSON begins with U+0000: no digest of a body is this key.
    pub(crate) fn new(digest_key: &hmac::Key) -> Self {
        Nonces(hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(digest_key, b"\0dpop nonces").as_ref()))
    }

    /// The newest.
    pub(crate) fn newest(&self, now: i64) -> String {
        self.of(now.div_euclid(NONCE_SECONDS))
    }

    /// Whether a nonce is the last but one; nothing, if it is neither that nor the newest.
    fn aging(&self, nonce: &str, now: i64) -> Option<bool> {
        let newest = now.div_euclid(NONCE_SECONDS);
        [(newest, false), (newest - 1, true)].into_iter().find(|it| self.of(it.0) == nonce).map(|it| it.1)
    }

    fn of(&self, time: i64) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, &time.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nonces(key: u8) -> Nonces {
        Nonces::new(&hmac::Key::new(hmac::HMAC_SHA256, &[key; 32]))
    }

    #[test]
    fn a_nonce_is_taken_for_two_minutes_at_most_by_every_server_with_the_key() {
        let (one, other) = (nonces(1), nonces(1));
        let nonce = one.newest(600);
        for (now, aging) in [(600, Some(false)), (659, Some(false)), (660, Some(true)), (719, Some(true)), (720, None)]
        {
            assert_eq!(other.aging(&nonce, now), aging, "{now}");
        }
        assert_eq!(other.aging(&nonce, 599), None, "it is not taken before its time");
        assert_eq!(nonces(2).aging(&nonce, 600), None);
    }
}
