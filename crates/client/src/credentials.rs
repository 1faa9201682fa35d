//! A client's credentials: what it is registered as, and its private key, in one JSON file.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
use pem::Pem;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::Error;

const PEM_TAG: &str = "PRIVATE KEY";

/// A client as it is registered, with its key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Credentials {
    /// The client's id.
    pub client_id: String,
    /// The agency it belongs to.
    pub agency: String,
    /// The units below the agency that it may speak for too.
    pub units: Vec<String>,
    /// The roles that it may vouch for.
    pub roles: Vec<String>,
    /// The name under which the service knows the key.
    pub kid: String,
    /// PEM of PKCS#8.
    private_key: String,
}

impl fmt::Debug for Credentials {
    /// Leaves the key out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("client_id", &self.client_id)
            .field("agency", &self.agency)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

impl Credentials {
    /// Credentials with a freshly made Ed25519 key.
    ///
    /// # Errors
    /// The machine cannot make a key.
    pub fn generate(client_id: &str, agency: &str, units: Vec<String>, roles: Vec<String>) -> Result<Self, Error> {
        let cannot = |_| Error::Crypto("make a key");
        let pair = Ed25519KeyPair::generate().map_err(cannot)?;
        Ok(Credentials {
            client_id: client_id.to_owned(),
            agency: agency.to_owned(),
            units,
            roles,
            kid: thumbprint(&public_part(&pair)),
            // Version 1 of PKCS#8: the one that every other tool reads too.
            private_key: pem::encode(&Pem::new(PEM_TAG, pair.to_pkcs8v1().map_err(cannot)?.as_ref())),
        })
    }

    /// The public key as a JWK (RFC 8037); its `kid` is its thumbprint (RFC 7638).
    ///
    /// # Errors
    /// The private key is none.
    pub fn public_jwk(&self) -> Result<Value, Error> {
        let x = public_part(&self.key_pair()?);
        let kid = thumbprint(&x);
        Ok(json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "alg": "EdDSA", "use": "sig" }))
    }

    /// Whether the client may speak for this agency or unit.
    pub fn speaks_for(&self, agency: &str) -> bool {
        self.agency == agency || self.units.iter().any(|it| it == agency)
    }

    /// The key, to sign with.
    ///
    /// # Errors
    /// The private key is none.
    pub fn signing_key(&self) -> Result<EncodingKey, Error> {
        EncodingKey::from_ed_pem(self.private_key.as_bytes()).map_err(|_| self.no_key())
    }

    /// Where the credentials of a client are kept in a folder.
    pub fn path_in(folder: &Path, client_id: &str) -> PathBuf {
        folder.join(format!("{client_id}.json"))
    }

    /// Reads credentials from a file.
    ///
    /// # Errors
    /// The file cannot be read, or does not hold credentials.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = fs::read(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
        let credentials: Credentials =
            serde_json::from_slice(&text).map_err(|source| Error::Content { path: path.to_owned(), source })?;
        credentials.key_pair()?;
        Ok(credentials)
    }

    /// Reads all credentials of a folder: every file in it that ends in `.json`, by name.
    ///
    /// # Errors
    /// The folder or one of the files cannot be read, or does not hold credentials.
    pub fn load_all(folder: &Path) -> Result<Vec<Self>, Error> {
        let failed = |source| Error::File { path: folder.to_owned(), source };
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|it| it == "json") {
                paths.push(path);
            }
        }
        paths.sort();
        paths.iter().map(|path| Credentials::load(path)).collect()
    }

    /// Writes a new file that only its owner can read. It is there whole or not at all, and never
    /// replaces another.
    ///
    /// # Errors
    /// [`Error::Exists`] when there is such a file; it cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let failed = |source| Error::File { path: path.to_owned(), source };
        let text =
            serde_json::to_vec_pretty(self).map_err(|source| Error::Content { path: path.to_owned(), source })?;
        let draft = path.with_extension(format!("{}.new", crate::unique(crate::now())));
        let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).and_then(|mut file| {
            file.write_all(&text)?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            // Unlike a rename, a link fails where the name is taken.
            fs::hard_link(&draft, path)
        });
        let removed = fs::remove_file(&draft);
        match written {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(Error::Exists(path.to_owned())),
            Err(error) => Err(failed(error)),
            Ok(()) => removed.map_err(failed),
        }
    }

    fn key_pair(&self) -> Result<Ed25519KeyPair, Error> {
        let pem = pem::parse(&self.private_key).map_err(|_| self.no_key())?;
        Ed25519KeyPair::from_pkcs8(pem.contents()).map_err(|_| self.no_key())
    }

    fn no_key(&self) -> Error {
        Error::Key { client: self.client_id.clone() }
    }
}

pub(crate) fn public_part(pair: &Ed25519KeyPair) -> String {
    URL_SAFE_NO_PAD.encode(pair.public_key().as_ref())
}

/// RFC 7638: the required members, in the order of their names, without spaces.
fn thumbprint(x: &str) -> String {
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn credentials() -> Credentials {
        let units = vec!["KDN.PDRM.D11".to_owned()];
        Credentials::generate("kdn-system", "KDN", units, vec!["officer".to_owned()]).unwrap()
    }

    fn folder() -> PathBuf {
        let folder = std::env::temp_dir().join(crate::unique(crate::now()));
        fs::create_dir(&folder).unwrap();
        folder
    }

    /// The example of RFC 8037, appendix A.3.
    #[test]
    fn the_thumbprint_is_that_of_the_rfc() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        assert_eq!(thumbprint(x), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    /// The private key of RFC 8410, section 10.3, version 1 and version 2 of PKCS#8.
    #[test]
    fn both_versions_of_pkcs8_are_read() {
        let v1 = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
        let v2 = "MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
                  oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB\n\
                  Z9w7lshQhqowtrbLDFw4rXAxZuE=";
        let read = |body: &str| {
            let private_key = format!("-----BEGIN {PEM_TAG}-----\n{body}\n-----END {PEM_TAG}-----\n");
            Credentials { private_key, ..credentials() }.public_jwk().unwrap()
        };
        assert_eq!(read(v1)["x"], "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE");
        assert_eq!(read(v1), read(v2));
    }

    #[test]
    fn a_file_is_its_owners_and_is_not_replaced() {
        let (folder, credentials) = (folder(), credentials());
        let path = Credentials::path_in(&folder, &credentials.client_id);
        credentials.save(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(self::credentials().save(&path), Err(Error::Exists(_))));
        assert_eq!(Credentials::load_all(&folder).unwrap(), [credentials]);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no draft is left behind");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_client_speaks_for_its_agency_and_its_units_only() {
        let credentials = credentials();
        assert!(credentials.speaks_for("KDN") && credentials.speaks_for("KDN.PDRM.D11"));
        assert!(!credentials.speaks_for("KDN.PDRM") && !credentials.speaks_for("KDN.PDRM.D11.KL"));
    }

    #[test]
    fn the_key_does_not_show_in_debug_output() {
        let credentials = credentials();
        assert!(!format!("{credentials:?}").contains("PRIVATE"));
        assert_eq!(credentials.public_jwk().unwrap()["kid"], credentials.kid);
    }

    #[test]
    fn a_file_without_a_key_is_refused() {
        let folder = folder();
        let path = folder.join("x.json");
        let text = json!({ "clientId": "x", "agency": "KK", "units": [], "roles": [], "kid": "k", "privateKey": "no" });
        fs::write(&path, text.to_string()).unwrap();
        assert!(matches!(Credentials::load(&path), Err(Error::Key { .. })));
        fs::remove_dir_all(folder).unwrap();
    }
}
