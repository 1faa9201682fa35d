//! Tokens: how a client gets one, and what the service takes for one.

mod access;
mod assertions;
mod endpoint;
mod keys;
mod proofs;
mod rights;
mod vouching;

pub use access::forged_for_another_audience;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PSS_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lindung_client::Reply;
use lindung_persistence::{Client, ClientKey, Db};
use lindung_tests::TestApp;
use serde_json::{Value, json};

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";

/// A private key of one of the kinds that clients may have.
enum Key {
    Ed(Ed25519KeyPair),
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl Key {
    fn ed() -> Self {
        Key::Ed(Ed25519KeyPair::generate().unwrap())
    }

    fn ec() -> Self {
        Key::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    fn rsa() -> Self {
        Key::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    /// The key of the service's own access tokens.
    fn of_service(app: &TestApp) -> Self {
        Key::Ed(Ed25519KeyPair::from_pkcs8(&app.token_key).unwrap())
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Key::Ed(_) => "EdDSA",
            Key::Ec(_) => "ES256",
            Key::Rsa(_) => "PS256",
        }
    }

    /// The public half, as the key's own file would have it.
    fn public(&self) -> Vec<u8> {
        match self {
            Key::Ed(it) => it.public_key().as_ref().to_vec(),
            Key::Ec(it) => it.public_key().as_ref().to_vec(),
            Key::Rsa(it) => it.public_key().as_der().unwrap().as_ref().to_vec(),
        }
    }

    fn jwk(&self, kid: &str) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match self {
            Key::Ed(_) => json!({ "kty": "OKP", "crv": "Ed25519", "x": text(&self.public()) }),
            Key::Ec(_) => {
                let point = self.public();
                json!({ "kty": "EC", "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..]) })
            }
            Key::Rsa(it) => {
                let public = it.public_key();
                let part = |it: &[u8]| text(it);
                json!({
                    "kty": "RSA",
                    "n": part(public.modulus().big_endian_without_leading_zero()),
                    "e": part(public.exponent().big_endian_without_leading_zero()),
                })
            }
        };
        jwk["kid"] = kid.into();
        jwk
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Key::Ed(it) => it.sign(message).as_ref().to_vec(),
            Key::Ec(it) => it.sign(&random, message).unwrap().as_ref().to_vec(),
            Key::Rsa(it) => {
                let mut signature = vec![0; it.public_modulus_len()];
                it.sign(&RSA_PSS_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }
}

/// A JWT of any header and claims, signed in any way.
fn jwt(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let part = |it: &Value| URL_SAFE_NO_PAD.encode(it.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// HS256 with bytes that everybody knows.
fn hs256(secret: &[u8]) -> impl FnOnce(&[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    move |message| hmac::sign(&key, message).as_ref().to_vec()
}

/// A registered client of the Ministry of Education, with its private key.
struct Signer {
    id: &'static str,
    kid: &'static str,
    key: Key,
}

impl Signer {
    fn new(app: &TestApp) -> Self {
        Signer::with(app, Key::ed())
    }

    fn with(app: &TestApp, key: Key) -> Self {
        let signer = Signer { id: "test-system", kid: "test-key", key };
        let client = Client {
            id: signer.id.parse().unwrap(),
            agency: "KPM".parse().unwrap(),
            units: vec![SCHOOL.parse().unwrap()],
            roles: ["officer", "auditor", "administrator", "coordinator"].map(|it| it.parse().unwrap()).to_vec(),
            emergency: vec![],
            name: "A system under test".to_owned(),
            active: true,
        };
        let key = ClientKey { kid: signer.kid.to_owned(), jwk: signer.key.jwk(signer.kid) };
        app.database.maintenance().register_client(&client, &key, app.now()).unwrap();
        signer
    }

    fn header(&self) -> Value {
        json!({ "alg": self.key.algorithm(), "typ": "JWT", "kid": self.kid })
    }

    /// What the client says of itself.
    fn claims(&self, app: &TestApp) -> Value {
        let now = app.now().timestamp();
        json!({
            "iss": self.id, "sub": self.id, "aud": app.api.issuer(), "iat": now, "exp": now + 300,
            "jti": Db::new_id().to_string(),
        })
    }

    /// What the client says of an officer of its school.
    fn officer(&self, app: &TestApp) -> Value {
        let mut claims = self.claims(app);
        for (name, value) in [
            ("sub", json!("guru.aida")),
            ("name", json!("Aida binti Contoh")),
            ("roles", json!(["officer"])),
            ("purpose", json!("education-safeguarding")),
            ("agency", json!(SCHOOL)),
        ] {
            claims[name] = value;
        }
        claims
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        jwt(header, claims, |it| self.key.sign(it))
    }

    /// An assertion that is signed as it should be.
    fn signed(&self, claims: &Value) -> String {
        self.sign(&self.header(), claims)
    }
}

/// Asks for a token for the client alone.
async fn ask_alone(app: &TestApp, assertion: &str) -> Reply {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion),
    ];
    app.api.ask_for_token(&form).await.unwrap()
}

/// Asks for a token for an officer.
async fn ask_for_officer(app: &TestApp, assertion: &str) -> Reply {
    app.api.ask_for_token(&[("grant_type", JWT_BEARER), ("assertion", assertion)]).await.unwrap()
}

/// The access token of a good answer (RFC 6749, 5.1).
#[track_caller]
fn token(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("pragma"), Some("no-cache"));
    assert_eq!((&reply.body["token_type"], &reply.body["expires_in"]), (&json!("Bearer"), &json!(600)));
    reply.body["access_token"].as_str().unwrap().to_owned()
}

/// The description of a refusal as RFC 6749, 5.2, has it.
#[track_caller]
fn refusal(reply: &Reply, status: u16, error: &str) -> String {
    assert_eq!((reply.status, reply.body["error"].as_str()), (status, Some(error)), "{}", reply.body);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("pragma"), Some("no-cache"));
    assert_eq!(reply.header("www-authenticate").is_some(), status == 401);
    let members: Vec<&String> = reply.body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["error", "error_description"]);
    reply.body["error_description"].as_str().unwrap().to_owned()
}

/// The payload of a token, unchecked.
fn payload(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The header of a token, unchecked.
fn header(token: &str) -> Value {
    let part = token.split('.').next().unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
