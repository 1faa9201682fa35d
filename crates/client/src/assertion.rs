//! The assertions that a client signs to get a token (RFC 7523): for itself, or for an officer.

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, Header, encode};
use serde::{Deserialize, Serialize};

use crate::credentials::Credentials;
use crate::error::Error;

/// For how many seconds an assertion is good; the service takes at most 300.
const LIFETIME: i64 = 120;

/// An officer, as their agency's system vouches for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Officer {
    /// As the agency's system names them.
    pub id: String,
    /// Their name.
    pub name: String,
    /// What they may act as.
    pub roles: Vec<String>,
    /// What the accesses are for; an administrator has none.
    pub purpose: Option<String>,
}

/// For whom a client speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speaker {
    /// The agency or unit.
    pub agency: String,
    /// The officer; none when the client speaks for itself.
    pub officer: Option<Officer>,
}

impl Speaker {
    /// The client alone, for one of its agencies.
    pub fn client(agency: &str) -> Self {
        Speaker { agency: agency.to_owned(), officer: None }
    }

    /// An officer, in roles and for a purpose.
    pub fn officer(agency: &str, id: &str, name: &str, roles: &[&str], purpose: Option<&str>) -> Self {
        let officer = Officer {
            id: id.to_owned(),
            name: name.to_owned(),
            roles: roles.iter().map(|it| (*it).to_owned()).collect(),
            purpose: purpose.map(ToOwned::to_owned),
        };
        Speaker { agency: agency.to_owned(), officer: Some(officer) }
    }
}

/// The claims of an assertion. They are free to change before it is signed, as a liar would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assertion {
    /// The client's id.
    pub iss: String,
    /// Of whom it tells: the client itself, or the officer.
    pub sub: String,
    /// The issuer of the token that it is for.
    pub aud: String,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// Until when it is good.
    pub exp: i64,
    /// Its id, good for one use.
    pub jti: String,
    /// The agency or unit acted for.
    pub agency: String,
    /// The officer's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The officer's roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// The purpose of the officer's accesses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
}

impl Assertion {
    /// What the client says of the speaker to the issuer at `now`.
    pub fn new(credentials: &Credentials, speaker: &Speaker, issuer: &str, now: DateTime<Utc>) -> Self {
        let officer = speaker.officer.clone();
        Assertion {
            iss: credentials.client_id.clone(),
            sub: officer.as_ref().map_or_else(|| credentials.client_id.clone(), |it| it.id.clone()),
            aud: issuer.to_owned(),
            iat: now.timestamp(),
            exp: now.timestamp() + LIFETIME,
            jti: crate::unique(now),
            agency: speaker.agency.clone(),
            name: officer.as_ref().map(|it| it.name.clone()),
            roles: officer.as_ref().map(|it| it.roles.clone()),
            purpose: officer.and_then(|it| it.purpose),
        }
    }

    /// The signed assertion.
    ///
    /// # Errors
    /// The client's key is none.
    pub fn sign(&self, credentials: &Credentials) -> Result<String, Error> {
        let header = Header { kid: Some(credentials.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        encode(&header, self, &credentials.signing_key()?).map_err(|_| Error::Crypto("sign an assertion"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::jwk::Jwk;
    use jsonwebtoken::{DecodingKey, Validation, decode};
    use serde_json::{Value, json};

    fn signed(speaker: &Speaker) -> (Header, Value) {
        let credentials = Credentials::generate("kpm-system", "KPM", vec![], vec![]).unwrap();
        let assertion = Assertion::new(&credentials, speaker, "https://lindung.example", crate::now());
        let token = assertion.sign(&credentials).unwrap();
        let jwk: Jwk = serde_json::from_value(credentials.public_jwk().unwrap()).unwrap();
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_audience(&["https://lindung.example"]);
        let found = decode::<Value>(&token, &DecodingKey::from_jwk(&jwk).unwrap(), &rules).unwrap();
        assert_eq!(found.header.kid, Some(credentials.kid));
        (found.header, found.claims)
    }

    #[test]
    fn a_client_speaks_for_itself() {
        let (header, claims) = signed(&Speaker::client("KPM"));
        assert_eq!(header.typ.as_deref(), Some("JWT"));
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!("kpm-system"), &json!("kpm-system")));
        assert_eq!(claims["exp"].as_i64(), claims["iat"].as_i64().map(|it| it + LIFETIME));
        assert_eq!(claims.get("roles"), None);
    }

    #[test]
    fn a_client_vouches_for_an_officer() {
        let officer = Speaker::officer("KPM", "aida", "Aida", &["officer"], Some("education-safeguarding"));
        let (_, claims) = signed(&officer);
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!("kpm-system"), &json!("aida")));
        assert_eq!(claims["roles"], json!(["officer"]));
        assert_eq!(claims["purpose"], "education-safeguarding");
    }

    #[test]
    fn no_two_assertions_have_the_same_id() {
        let credentials = Credentials::generate("kk-system", "KK", vec![], vec![]).unwrap();
        let at = crate::now();
        let id = || Assertion::new(&credentials, &Speaker::client("KK"), "i", at).jti;
        assert_ne!(id(), id());
    }
}
