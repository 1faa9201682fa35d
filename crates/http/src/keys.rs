//! Keys: those with which access tokens are signed, and the public ones of clients.

use std::fmt;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use serde_json::{Value, json};

/// The least length of an RSA modulus, in bytes (2,048 bits).
const RSA_LEAST: usize = 256;

/// Why a key is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// It is no private Ed25519 key in PKCS#8.
    #[error("is no private Ed25519 key in PKCS#8")]
    Private,
    /// There is none to sign with.
    #[error("there is no key to sign with")]
    None,
    /// It is no public JWK of one of three kinds.
    #[error("is no public JWK for EdDSA (Ed25519), ES256 (P-256) or PS256 (RSA of 2,048 bits or more)")]
    Public,
}

/// The keys of access tokens: the first signs, all verify, so that a key can be replaced.
pub struct TokenKeys {
    pub(crate) kid: String,
    pub(crate) signing: EncodingKey,
    pub(crate) public: Vec<PublicKey>,
}

/// A public key, ready to verify.
#[derive(Clone)]
pub struct PublicKey {
    pub(crate) kid: String,
    pub(crate) algorithm: Algorithm,
    pub(crate) key: DecodingKey,
    /// As it is published and registered (RFC 7517).
    pub jwk: Value,
}

impl TokenKeys {
    /// The keys, each a private Ed25519 key in PKCS#8 (DER).
    ///
    /// # Errors
    /// One is not such a key, or there is none.
    pub fn from_pkcs8(keys: &[Vec<u8>]) -> Result<Self, BadKey> {
        let first = keys.first().ok_or(BadKey::None)?;
        let public = keys.iter().map(|it| public_of(it)).collect::<Result<Vec<_>, _>>()?;
        let kid = public.first().map(|it| it.kid.clone()).ok_or(BadKey::None)?;
        Ok(TokenKeys { kid, signing: EncodingKey::from_ed_der(first), public })
    }

    /// The public halves (RFC 7517).
    pub fn jwks(&self) -> Value {
        json!({ "keys": self.public.iter().map(|it| &it.jwk).collect::<Vec<_>>() })
    }
}

/// A fresh private key for access tokens, in PKCS#8 (DER).
///
/// # Errors
/// The machine cannot make one.
pub fn new_pkcs8() -> Result<Vec<u8>, BadKey> {
    let pair = Ed25519KeyPair::generate().map_err(|_| BadKey::Private)?;
    Ok(pair.to_pkcs8v1().map_err(|_| BadKey::Private)?.as_ref().to_vec())
}

impl fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenKeys({})", self.kid)
    }
}

fn public_of(pkcs8: &[u8]) -> Result<PublicKey, BadKey> {
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map_err(|_| BadKey::Private)?;
    let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    PublicKey::from_jwk(&json!({ "kty": "OKP", "crv": "Ed25519", "x": x }))
}

impl PublicKey {
    /// A public JWK (RFC 7517) for one of the algorithms that we take. Its `kid`, where it has none,
    /// is its thumbprint (RFC 7638).
    ///
    /// # Errors
    /// It is private, of another kind, too short, or not for signatures.
    pub fn from_jwk(value: &Value) -> Result<Self, BadKey> {
        const PRIVATE: &[&str] = &["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
        if PRIVATE.iter().any(|it| value.get(it).is_some()) {
            return Err(BadKey::Public);
        }
        let jwk: Jwk = serde_json::from_value(value.clone()).map_err(|_| BadKey::Public)?;
        let (algorithm, name) = match &jwk.algorithm {
            AlgorithmParameters::OctetKeyPair(it) if it.curve == EllipticCurve::Ed25519 => (Algorithm::EdDSA, "EdDSA"),
            AlgorithmParameters::EllipticCurve(it) if it.curve == EllipticCurve::P256 => (Algorithm::ES256, "ES256"),
            AlgorithmParameters::RSA(it) if URL_SAFE_NO_PAD.decode(&it.n).is_ok_and(|n| n.len() >= RSA_LEAST) => {
                (Algorithm::PS256, "PS256")
            }
            _ => return Err(BadKey::Public),
        };
        let other_use = jwk.common.public_key_use.as_ref().is_some_and(|it| *it != PublicKeyUse::Signature);
        if other_use || value.get("alg").is_some_and(|it| it != name) {
            return Err(BadKey::Public);
        }
        let key = DecodingKey::from_jwk(&jwk).map_err(|_| BadKey::Public)?;
        let kid = match &jwk.common.key_id {
            Some(kid) => kid.clone(),
            None => jwk.thumbprint(ThumbprintHash::SHA256).map_err(|_| BadKey::Public)?,
        };
        let mut jwk = value.clone();
        for (field, text) in [("kid", kid.as_str()), ("alg", name), ("use", "sig")] {
            jwk[field] = text.into();
        }
        Ok(PublicKey { kid, algorithm, key, jwk })
    }

    /// A public key as its owner sends it: a JWK, or PEM.
    ///
    /// # Errors
    /// It is neither, or not a key that we take.
    pub fn from_text(text: &str) -> Result<Self, BadKey> {
        if let Ok(jwk) = serde_json::from_str::<Value>(text) {
            return PublicKey::from_jwk(&jwk);
        }
        let pem = text.as_bytes();
        let key = DecodingKey::from_ed_pem(pem)
            .or_else(|_| DecodingKey::from_ec_pem(pem))
            .or_else(|_| DecodingKey::from_rsa_pem(pem))
            .map_err(|_| BadKey::Public)?;
        let jwk = Jwk::from_decoding_key(&key, None).map_err(|_| BadKey::Public)?;
        PublicKey::from_jwk(&serde_json::to_value(jwk).map_err(|_| BadKey::Public)?)
    }

    /// Its name among its owner's keys.
    pub fn kid(&self) -> &str {
        &self.kid
    }
}
