//! Keys in files: read, and in development made when they are missing.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use aws_lc_rs::rand;
use lindung_http::keys::{self, TokenKeys};
use lindung_vault::{CommandKeys, FileKeys, Vault};
use lindung_webhook::SecretKey;
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use crate::Failure;
use crate::config::{Config, Environment};

const TAG: &str = "PRIVATE KEY";

/// The keys of access tokens.
///
/// # Errors
/// A file is missing or holds no key.
pub fn token_keys(config: &Config) -> Result<TokenKeys, Failure> {
    let paths = config.token_keys()?;
    if let Some(first) = paths.first() {
        make_in_development(config, first, || Ok(pem::encode(&pem::Pem::new(TAG, keys::new_pkcs8()?)).into_bytes()))?;
    }
    let read = |path: &std::path::PathBuf| -> Result<Vec<u8>, Failure> {
        let found = pem::parse(read(path)?).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(found.into_contents())
    };
    let all = paths.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    TokenKeys::from_pkcs8(&all).map_err(|error| format!("a file of LINDUNG_TOKEN_KEYS {error}").into())
}

/// The key of digests.
///
/// # Errors
/// The file is missing or has not 32 bytes.
pub fn digest_key(config: &Config) -> Result<[u8; 32], Failure> {
    key_of_bytes(config, config.digest_key()?)
}

/// The key that the secrets of webhooks follow from.
///
/// # Errors
/// The file is missing or has not 32 bytes.
pub fn webhook_key(config: &Config) -> Result<SecretKey, Failure> {
    Ok(SecretKey::new(&key_of_bytes(config, config.webhook_key()?)?))
}

fn key_of_bytes(config: &Config, path: &Path) -> Result<[u8; 32], Failure> {
    make_in_development(config, path, || Ok(random()?.to_vec()))?;
    read(path)?.try_into().map_err(|_| format!("{} has not 32 bytes", path.display()).into())
}

/// The vault of who children are.
///
/// # Errors
/// The keys are missing, or do not work.
pub fn vault(config: &Config) -> Result<Vault, Failure> {
    if let Some(command) = config.identity_keys_command()? {
        return Ok(Vault::new(CommandKeys::new(command)?)?);
    }
    let folder = config.identity_keys_folder()?;
    if config.environment == Environment::Development
        && !folder.join("1.key").exists()
        && FileKeys::open(folder).is_err()
    {
        FileKeys::add(folder)?;
    }
    Ok(Vault::new(FileKeys::open(folder)?)?)
}

/// 32 random bytes.
///
/// # Errors
/// The machine gives none.
pub fn random() -> Result<Zeroizing<[u8; 32]>, Failure> {
    let mut key = Zeroizing::new([0; 32]);
    rand::fill(key.as_mut_slice()).map_err(|_| "the machine gives no random bytes")?;
    Ok(key)
}

/// The text of a file that holds a key.
///
/// # Errors
/// It cannot be read.
pub fn text(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = fs::read_to_string(path).map(Zeroizing::new);
    text.map_err(|error| format!("{}: {error}", path.display()).into())
}

/// Makes a file that only its owner reads; one that is there stays as it is.
///
/// # Errors
/// There is one; it cannot be written.
pub fn create(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()));
    written.map_err(|error| format!("{}: {error}", path.display()).into())
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()).into())
}

/// Makes a file that only its owner reads, if this is development and there is none.
fn make_in_development(
    config: &Config,
    path: &Path,
    content: impl FnOnce() -> Result<Vec<u8>, Failure>,
) -> Result<(), Failure> {
    if config.environment != Environment::Development {
        return Ok(());
    }
    if path.exists() {
        return Ok(());
    }
    // Whoever starts beside us sees all of it, or nothing.
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(&content()?)?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() != ErrorKind::AlreadyExists => Err(failed(error.error).into()),
        Ok(_) | Err(_) => Ok(()),
    }
}
