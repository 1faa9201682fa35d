//! Tokens that are bound to a key (RFC 9449): a request with one carries a proof that whoever sends it
//! has the key, so that the token alone is useless.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Serialize;
use serde_json::{Value, json};

use crate::api::{Api, Reply};
use crate::assertion::Speaker;
use crate::credentials::{Credentials, public_part};
use crate::error::Error;

/// The key of one session, and the nonce that the service gave last. Cheap to clone.
#[derive(Clone)]
pub struct ProofKey(Arc<Inner>);

struct Inner {
    key: EncodingKey,
    jwk: Jwk,
    nonce: Mutex<Option<String>>,
}

#[derive(Serialize)]
struct Claims<'a> {
    htm: &'a str,
    htu: &'a str,
    iat: i64,
    jti: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ath: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
}

impl fmt::Debug for ProofKey {
    /// Leaves the key out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofKey").finish_non_exhaustive()
    }
}

impl ProofKey {
    /// A freshly made Ed25519 key.
    ///
    /// # Errors
    /// The machine cannot make one.
    pub fn generate() -> Result<Self, Error> {
        let cannot = || Error::Crypto("make a key");
        let pair = Ed25519KeyPair::generate().map_err(|_| cannot())?;
        let pkcs8 = pair.to_pkcs8v1().map_err(|_| cannot())?;
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": public_part(&pair) });
        let jwk = serde_json::from_value(jwk).map_err(|_| cannot())?;
        Ok(ProofKey(Arc::new(Inner { key: EncodingKey::from_ed_der(pkcs8.as_ref()), jwk, nonce: Mutex::default() })))
    }

    /// A proof for one request at `now`: its method, its URL, and the token that it shows, if any.
    ///
    /// # Errors
    /// It cannot be signed.
    pub fn proof(&self, method: &str, url: &str, token: Option<&str>, now: DateTime<Utc>) -> Result<String, Error> {
        let header =
            Header { typ: Some("dpop+jwt".to_owned()), jwk: Some(self.0.jwk.clone()), ..Header::new(Algorithm::EdDSA) };
        let claims = Claims {
            htm: method,
            htu: url.split(['?', '#']).next().unwrap_or_default(),
            iat: now.timestamp(),
            jti: crate::unique(now),
            ath: token.map(|it| URL_SAFE_NO_PAD.encode(digest(&SHA256, it.as_bytes()))),
            nonce: self.0.nonce.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        };
        encode(&header, &claims, &self.0.key).map_err(|_| Error::Crypto("sign a proof"))
    }

    /// Sends a request with a proof; once more, if the service wants another nonce.
    pub(crate) async fn prove(
        &self,
        make: impl Fn() -> Result<String, Error>,
        send: impl AsyncFn(String) -> Result<Reply, Error>,
    ) -> Result<Reply, Error> {
        let reply = send(make()?).await?;
        if !(self.remember(&reply) && wants_nonce(&reply)) {
            return Ok(reply);
        }
        let reply = send(make()?).await?;
        self.remember(&reply);
        Ok(reply)
    }

    /// Keeps the nonce of an answer, if it has one.
    fn remember(&self, reply: &Reply) -> bool {
        let nonce = reply.header("dpop-nonce").map(ToOwned::to_owned);
        let given = nonce.is_some();
        if given {
            *self.0.nonce.lock().unwrap_or_else(PoisonError::into_inner) = nonce;
        }
        given
    }
}

/// Whether it is a nonce that a request lacked (RFC 9449, 8 and 9).
fn wants_nonce(reply: &Reply) -> bool {
    const CODE: &str = "use_dpop_nonce";
    reply.body.get("error").is_some_and(|it| it == CODE)
        || reply.header("www-authenticate").is_some_and(|it| it.contains(CODE))
}

/// Somebody who is signed in with a token that is bound to a key of this session's own.
#[derive(Debug, Clone)]
pub struct Bound {
    api: Api,
    key: ProofKey,
    token: String,
}

impl Bound {
    /// Signs the speaker in at `now`.
    ///
    /// # Errors
    /// The service gives no token, or does not answer.
    pub async fn sign_in(
        api: &Api,
        credentials: &Credentials,
        speaker: &Speaker,
        now: DateTime<Utc>,
    ) -> Result<Self, Error> {
        let key = ProofKey::generate()?;
        let token = api.token_of(credentials, speaker, Some(&key), now).await?;
        Ok(Bound { api: api.clone(), key, token })
    }

    /// The access token; useless without the key.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The header fields that a request at `now` needs: the token and a proof for just this one.
    ///
    /// # Errors
    /// The proof cannot be signed.
    pub fn headers(&self, method: &str, url: &str, now: DateTime<Utc>) -> Result<[(&'static str, String); 2], Error> {
        let proof = self.key.proof(method, url, Some(&self.token), now)?;
        Ok([("Authorization", format!("DPoP {}", self.token)), ("DPoP", proof)])
    }

    /// Sends a request at `now`, as [`Api::request`] does, with the token and a proof.
    ///
    /// # Errors
    /// The method, path or a header field is none; the service does not answer.
    pub async fn request(
        &self,
        now: DateTime<Utc>,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Reply, Error> {
        let (url, authorization) = (self.api.url(path)?, format!("DPoP {}", self.token));
        let make = || self.key.proof(method, &url, Some(&self.token), now);
        let send = async |proof: String| {
            let proven = [headers, &[("authorization", &authorization), ("dpop", &proof)]].concat();
            self.api.request(method, path, None, &proven, body).await
        };
        self.key.prove(make, send).await
    }
}
