//! What every request shares, and the only way from a request to the database.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use actix_web::web;
use aws_lc_rs::hmac;
use chrono::{DateTime, SubsecRound, Utc};
use lindung_domain::case::Asking;
use lindung_domain::refusal::Expected;
use lindung_persistence::{Answer, Call, Db, Decided, Error, Loaded, Refused, Repeat, Saved, Target, Tx, Writing};
use lindung_webhook::{Allow, SecretKey};

use crate::caller::Verified;
use crate::events::waiting::Waiting;
use crate::keys::TokenKeys;
use crate::limits::{Limits, Rates};
use crate::operations::Operations;
use crate::problem::Problem;
use crate::proof::Nonces;
use crate::sealing::Sealing;
use crate::tree::LogPolicy;

/// Where "now" comes from.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Microseconds since 1970, set by somebody else: for tests.
    Set(Arc<AtomicI64>),
}

impl Clock {
    /// Now, in whole microseconds as PostgreSQL keeps them.
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            Clock::System => Utc::now().trunc_subsecs(6),
            Clock::Set(micros) => DateTime::from_timestamp_micros(micros.load(Ordering::SeqCst)).unwrap_or_default(),
        }
    }
}

/// What the service is made of.
pub struct Parts {
    /// The database.
    pub db: Db,
    /// Its time.
    pub clock: Clock,
    /// Its own URL, without a slash at the end: issuer of tokens, audience of assertions.
    pub issuer: String,
    /// With which it signs access tokens.
    pub token_keys: TokenKeys,
    /// With which it digests request bodies, so that a kept digest tells nothing.
    pub digest_key: [u8; 32],
    /// Whether an officer's token must be bound to a key (RFC 9449).
    pub proofs_required: bool,
    /// How often one may ask.
    pub rates: Rates,
    /// Whom to trust for checkpoints of the access log; there are none to be seen without it.
    pub log_policy: Option<LogPolicy>,
    /// What the secrets of webhooks follow from.
    pub webhook_key: SecretKey,
    /// Where webhooks may go beside the public internet.
    pub webhooks: Allow,
    /// For how long the access log may be without sealing before nobody is shown a child any more.
    pub seal_limit: Option<Duration>,
}

/// The service as requests see it. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

struct Shared {
    parts: Parts,
    digest_key: hmac::Key,
    nonces: Nonces,
    limits: Limits,
    verified: Verified,
    operations: Operations,
    sealing: Sealing,
    waiting: Waiting,
}

/// How a command goes in: about what, from which version, naming whom, under which key.
#[derive(Debug)]
pub struct How {
    /// What it is about.
    pub target: Target,
    /// The version that the caller has.
    pub expected: Expected,
    /// The agencies that it names.
    pub named: Vec<String>,
    /// Under which idempotency key.
    pub repeat: Option<Repeat>,
}

impl How {
    /// Of what is about no case, whatever its version.
    pub(crate) fn about_no_case() -> Self {
        How { target: Target::New, expected: Expected::Any, named: Vec::new(), repeat: None }
    }

    fn writing<'a>(&'a self, call: &'a Call) -> Writing<'a> {
        let How { target, expected, named, repeat } = self;
        Writing { call, target: *target, expected: *expected, named: named.clone(), repeat: repeat.as_ref() }
    }
}

impl App {
    /// A service of these parts.
    pub fn new(parts: Parts) -> Self {
        let digest_key = hmac::Key::new(hmac::HMAC_SHA256, &parts.digest_key);
        let (nonces, limits) = (Nonces::new(&digest_key), Limits::new(parts.rates, &parts.clock));
        let (verified, operations) = (Verified::default(), Operations::known());
        let sealing = Sealing::within(parts.seal_limit);
        App(Arc::new(Shared {
            parts,
            digest_key,
            nonces,
            limits,
            verified,
            operations,
            sealing,
            waiting: Waiting::default(),
        }))
    }

    /// What it is made of.
    pub fn parts(&self) -> &Parts {
        &self.0.parts
    }

    /// Now.
    pub fn now(&self) -> DateTime<Utc> {
        self.0.parts.clock.now()
    }

    /// Tokens whose signature was checked already.
    pub(crate) fn verified(&self) -> &Verified {
        &self.0.verified
    }

    /// Who has asked how often.
    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The nonces of proofs.
    pub(crate) fn nonces(&self) -> &Nonces {
        &self.0.nonces
    }

    /// Every operation there is.
    pub(crate) fn operations(&self) -> &Operations {
        &self.0.operations
    }

    /// Whether the access log is sealed.
    pub(crate) fn sealing(&self) -> &Sealing {
        &self.0.sealing
    }

    /// Who waits for events.
    pub(crate) fn waiting(&self) -> &Waiting {
        &self.0.waiting
    }

    /// A keyed digest of a request's body.
    pub(crate) fn digest(&self, body: &[u8]) -> Vec<u8> {
        hmac::sign(&self.0.digest_key, body).as_ref().to_vec()
    }

    /// Reads, on a thread that may wait for the database.
    ///
    /// # Errors
    /// What `work` says; the access log is not sealed.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        call: Call,
        work: impl FnOnce(&Db, &Call) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Problem> {
        if self.0.sealing.is_behind() && self.0.operations.tells_of_children(call.action) {
            return Err(Error::Unavailable("the access log is not sealed".to_owned()).into());
        }
        self.blocking(move |db| work(db, &call)).await
    }

    /// Loads, decides and saves, on a thread that may wait for the database.
    ///
    /// # Errors
    /// What `decide` says, or why it could not be saved.
    pub(crate) async fn write<T: Saved + 'static>(
        &self,
        call: Call,
        how: How,
        decide: impl FnOnce(&mut Tx<'_>, Loaded, &Asking<'_>) -> Result<Decided<T>, Error> + Send + 'static,
    ) -> Result<Answer, Problem> {
        self.blocking(move |db| db.write(how.writing(&call), decide)).await
    }

    /// Changes what is about no case.
    ///
    /// # Errors
    /// What `work` says.
    pub(crate) async fn write_reference(
        &self,
        call: Call,
        how: How,
        work: impl FnOnce(&Db, Writing<'_>) -> Result<Answer, Error> + Send + 'static,
    ) -> Result<Answer, Problem> {
        self.blocking(move |db| work(db, how.writing(&call))).await
    }

    /// Records a refused request.
    ///
    /// # Errors
    /// It could not be recorded.
    pub(crate) async fn record(&self, refused: Refused) -> Result<(), Problem> {
        self.blocking(move |db| db.record_refusal(&refused)).await
    }

    /// Asks the database about clients: nothing about any child.
    ///
    /// # Errors
    /// What `work` says.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Db) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Problem> {
        self.blocking(work).await
    }

    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Db) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Problem> {
        let db = self.0.parts.db.clone();
        match web::block(move || work(&db)).await {
            Ok(result) => result.map_err(Problem::from),
            Err(_) => Err(Problem::Fault("a database thread died".to_owned())),
        }
    }
}
