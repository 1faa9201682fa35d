//! The configuration: read from the environment, here and nowhere else.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use figment::Figment;
use figment::providers::{Env, Serialized};
use lindung_delivery::{Mailer, Smtp};
use lindung_http::LogPolicy;
use lindung_http::limits::Rates;
use lindung_persistence::{Db, DbRole, Settings};
use lindung_vault::Vault;
use lindung_webhook::Allow;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::Failure;

/// Where the service runs: what may be missing depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// For real: nothing is made up.
    Production,
    /// On somebody's machine: keys are made when they are missing.
    Development,
}

/// Whether something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// It is.
    On,
    /// It is not.
    Off,
}

/// Everything that can be set, each as `LINDUNG_…`.
#[derive(Debug, Deserialize)]
pub struct Config {
    database_url: Option<SecretString>,
    worker_database_url: Option<SecretString>,
    signer_database_url: Option<SecretString>,
    /// Whether the service runs the clocks too.
    pub work: Switch,
    /// Where to listen.
    pub listen: SocketAddr,
    issuer: Option<String>,
    /// Where the service runs.
    pub environment: Environment,
    token_keys: Option<String>,
    digest_key: Option<PathBuf>,
    webhook_key: Option<PathBuf>,
    smtp_url: Option<SecretString>,
    mail_from: Option<String>,
    /// The folder that mail is written to in development.
    pub mail_folder: Option<PathBuf>,
    identity_keys: Option<PathBuf>,
    identity_keys_command: Option<String>,
    credentials: Option<PathBuf>,
    sign_keys: Option<String>,
    sign_state: Option<PathBuf>,
    pool_size: u32,
    /// Threads that speak HTTP; 0 takes as many as there are cores.
    pub workers: usize,
    client_rate: u32,
    officer_rate: u32,
    status_checks_per_day: u32,
    log_policy: Option<PathBuf>,
    /// After how many seconds without sealing of the access log nobody is shown anything any more; 0 for never.
    pub seal_limit: u64,
    /// How many children an officer may see in a day without an alarm; 0 raises none.
    pub children_per_day: u32,
    /// What is logged, as tracing's filters have it.
    pub log: String,
}

/// What holds when nothing is said.
#[derive(Serialize)]
struct Defaults {
    listen: &'static str,
    environment: Environment,
    pool_size: u32,
    work: Switch,
    workers: usize,
    client_rate: u32,
    officer_rate: u32,
    status_checks_per_day: u32,
    seal_limit: u64,
    children_per_day: u32,
    log: &'static str,
}

const DEFAULTS: Defaults = Defaults {
    listen: "127.0.0.1:8080",
    environment: Environment::Production,
    pool_size: 8,
    work: Switch::On,
    workers: 0,
    client_rate: 200,
    officer_rate: 20,
    status_checks_per_day: 1000,
    seal_limit: 0,
    children_per_day: 200,
    log: "info",
};

/// How long a request waits for a connection before it is answered 503.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

impl Config {
    /// From the environment.
    ///
    /// # Errors
    /// A variable does not hold what it should.
    pub fn load() -> Result<Self, Failure> {
        // Lists and numbers come as text; a path that looks like a number is still a path.
        let given = Env::prefixed("LINDUNG_").ignore(&["test_database_url"]);
        let figment = Figment::from(Serialized::defaults(DEFAULTS)).merge(given);
        let config: Config = figment.extract().map_err(|error| {
            let named = error.path.first().map_or(String::new(), |it| format!("LINDUNG_{}: ", it.to_uppercase()));
            format!("{named}{}", error.kind)
        })?;
        Ok(config)
    }

    /// The service's own URL, without a slash at the end.
    ///
    /// # Errors
    /// It is missing in production, or not one that clients could trust.
    pub fn issuer(&self) -> Result<String, Failure> {
        let issuer = match (&self.issuer, self.environment) {
            (Some(issuer), _) => issuer.trim_end_matches('/').to_owned(),
            (None, Environment::Development) => format!("http://{}", self.listen),
            (None, Environment::Production) => {
                return Err("LINDUNG_ISSUER is missing: the https URL at which clients reach the service".into());
            }
        };
        let secure = issuer.starts_with("https://");
        if !secure && (self.environment == Environment::Production || !issuer.starts_with("http://")) {
            return Err("LINDUNG_ISSUER must begin with https:// outside development".into());
        }
        Ok(issuer)
    }

    /// The database, as one of its roles, with the vault of who children are: [`Vault::locked`] for what has nothing
    /// to do with that.
    ///
    /// # Errors
    /// Nobody says which.
    pub fn db(&self, role: DbRole, vault: Vault) -> Result<Db, Failure> {
        let url = self.database_url.as_ref().ok_or("LINDUNG_DATABASE_URL is missing")?.expose_secret().to_owned();
        let (vault, acquire_timeout) = (Arc::new(vault), ACQUIRE_TIMEOUT);
        Ok(Db::new(Settings { url, role, pool_size: self.pool_size, acquire_timeout, vault }))
    }

    /// The database for what runs by itself: of the clocks one connection leads and another does, a third sequences, a
    /// fourth notifies, two deliver, and one stands for whoever does.
    ///
    /// # Errors
    /// Nobody says which.
    pub fn worker_db(&self) -> Result<Db, Failure> {
        let url = self.worker_database_url.as_ref().or(self.database_url.as_ref());
        let url = url.ok_or("LINDUNG_DATABASE_URL is missing")?.expose_secret().to_owned();
        let (vault, acquire_timeout) = (Arc::new(Vault::locked()), ACQUIRE_TIMEOUT);
        Ok(Db::new(Settings { url, role: DbRole::Worker, pool_size: 7, acquire_timeout, vault }))
    }

    /// The database for the signer of the access log.
    ///
    /// # Errors
    /// Nobody says which.
    pub fn signer_db(&self) -> Result<Db, Failure> {
        let url = self.signer_database_url.as_ref().or(self.database_url.as_ref());
        let url = url.ok_or("LINDUNG_DATABASE_URL is missing")?.expose_secret().to_owned();
        let (vault, acquire_timeout) = (Arc::new(Vault::locked()), ACQUIRE_TIMEOUT);
        Ok(Db::new(Settings { url, role: DbRole::Signer, pool_size: 4, acquire_timeout, vault }))
    }

    /// The files with the keys that sign the access log; all sign.
    ///
    /// # Errors
    /// Nobody says which.
    pub fn sign_keys(&self) -> Result<Vec<PathBuf>, Failure> {
        let paths = self.sign_keys.as_deref().ok_or("LINDUNG_SIGN_KEYS is missing: files with commas between")?;
        Ok(paths.split(',').map(|it| PathBuf::from(it.trim())).collect())
    }

    /// The folder with what the signer has signed.
    ///
    /// # Errors
    /// Nobody says which.
    pub fn sign_state(&self) -> Result<&PathBuf, Failure> {
        self.sign_state.as_ref().ok_or_else(|| "LINDUNG_SIGN_STATE is missing: a folder".into())
    }

    /// The file with the policy of the access log: its keys, its witnesses and their quorum.
    ///
    /// # Errors
    /// Nobody says which.
    pub fn log_policy_file(&self) -> Result<&PathBuf, Failure> {
        self.log_policy.as_ref().ok_or_else(|| "LINDUNG_LOG_POLICY is missing: a file".into())
    }

    /// What the access log is called: its origin in checkpoints, and the name of its keys.
    ///
    /// # Errors
    /// As for [`Config::issuer`].
    pub fn log_origin(&self) -> Result<String, Failure> {
        let issuer = self.issuer()?;
        let name = issuer.split_once("://").map_or(issuer.as_str(), |(_, name)| name);
        Ok(format!("{name}/v1/access-log"))
    }

    /// How often one may ask.
    pub fn rates(&self) -> Rates {
        let status_checks_per_day = self.status_checks_per_day;
        Rates { client: self.client_rate, officer: self.officer_rate, status_checks_per_day }
    }

    /// Whom to trust for checkpoints of the access log, where that is set.
    ///
    /// # Errors
    /// The file cannot be read, or is no policy.
    pub fn log_policy(&self) -> Result<Option<LogPolicy>, Failure> {
        let Some(path) = &self.log_policy else { return Ok(None) };
        let text =
            fs::read_to_string(path).map_err(|error| format!("LINDUNG_LOG_POLICY, {}: {error}", path.display()))?;
        Ok(Some(LogPolicy::new(text).map_err(|error| format!("LINDUNG_LOG_POLICY, {}: {error}", path.display()))?))
    }

    /// The files with the keys of access tokens; the first signs.
    ///
    /// # Errors
    /// Nobody says which.
    pub fn token_keys(&self) -> Result<Vec<PathBuf>, Failure> {
        let paths = self.token_keys.as_deref().ok_or("LINDUNG_TOKEN_KEYS is missing: PEM files with commas between")?;
        Ok(paths.split(',').map(|it| PathBuf::from(it.trim())).collect())
    }

    /// The file with the key of digests.
    ///
    /// # Errors
    /// Nobody says which.
    pub fn digest_key(&self) -> Result<&PathBuf, Failure> {
        self.digest_key.as_ref().ok_or_else(|| "LINDUNG_DIGEST_KEY is missing: a file of 32 random bytes".into())
    }

    /// The file with the key that the secrets of webhooks follow from.
    ///
    /// # Errors
    /// Nobody says which.
    pub fn webhook_key(&self) -> Result<&PathBuf, Failure> {
        self.webhook_key.as_ref().ok_or_else(|| "LINDUNG_WEBHOOK_KEY is missing: a file of 32 random bytes".into())
    }

    /// Where webhooks may go beside the public internet: in development to this machine itself.
    pub fn webhooks(&self) -> Allow {
        match self.environment {
            Environment::Development => Allow::Loopback,
            Environment::Production => Allow::Nothing,
        }
    }

    /// Who sends mail, where that is set: by a mail server, or in development into a folder.
    ///
    /// # Errors
    /// It lacks a sender, is not encrypted outside development, or is both.
    pub fn mailer(&self) -> Result<Option<Mailer>, Failure> {
        let (plain, issuer) = (self.environment == Environment::Development, self.issuer()?);
        let from = || self.mail_from.as_deref().ok_or("LINDUNG_MAIL_FROM is missing: the address that mail comes from");
        let mailer = match (&self.smtp_url, &self.mail_folder) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => return Err("of LINDUNG_SMTP_URL and LINDUNG_MAIL_FOLDER only one can be set".into()),
            (None, Some(_)) if !plain => return Err("LINDUNG_MAIL_FOLDER needs LINDUNG_ENVIRONMENT=development".into()),
            (None, Some(folder)) => Mailer::to_folder(folder, from()?, &issuer),
            (Some(url), None) => {
                Mailer::by_server(&Smtp { url: url.expose_secret().to_owned(), plain }, from()?, &issuer)
            }
        };
        // What is wrong is told without the URL, which holds a password.
        Ok(Some(mailer.map_err(|error| format!("LINDUNG_SMTP_URL or LINDUNG_MAIL_FROM: {error}"))?))
    }

    /// The command that has the identity keys, if it is one.
    ///
    /// # Errors
    /// There is a folder too.
    pub fn identity_keys_command(&self) -> Result<Option<&str>, Failure> {
        if self.identity_keys.is_some() && self.identity_keys_command.is_some() {
            return Err("of LINDUNG_IDENTITY_KEYS and LINDUNG_IDENTITY_KEYS_COMMAND only one can be set".into());
        }
        Ok(self.identity_keys_command.as_deref())
    }

    /// The folder with the identity keys.
    ///
    /// # Errors
    /// Nobody says which.
    pub fn identity_keys_folder(&self) -> Result<&PathBuf, Failure> {
        self.identity_keys.as_ref().ok_or_else(|| "LINDUNG_IDENTITY_KEYS is missing: a folder".into())
    }

    /// The folder with the credentials of clients.
    ///
    /// # Errors
    /// Nobody says which.
    pub fn credentials(&self) -> Result<&PathBuf, Failure> {
        self.credentials.as_ref().ok_or_else(|| "LINDUNG_CREDENTIALS is missing: a folder".into())
    }
}
