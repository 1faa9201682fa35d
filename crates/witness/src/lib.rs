//! A witness of transparency logs (C2SP `tlog-witness`), as one that does not run the log runs it.
//!
//! It never cosigns two checkpoints of a log of which the later does not hold the earlier: not for requests at the same
//! time, not across a crash at any moment, not from two processes. So what it cosigns is on the disk before the
//! answer leaves, under a lock of the log's own, in a folder that one process at a time has. It knows nothing of what
//! logs are about, and nothing of any database.

pub mod file;
mod service;
mod state;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use lindung_ledger::checkpoint::CheckpointError;
use lindung_ledger::key::{Cosigner, Vkey};
use lindung_ledger::witness::{self, AddCheckpoint, Refusal};

pub use service::{Clock, serve};

use crate::state::{Folder, Log};

/// Why there is no witness, or none that can go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder, or a file in it, cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another process has the folder.
    #[error("{0} is in use by another witness")]
    InUse(PathBuf),
    /// The log's state is missing. It is never taken for a log's beginning.
    #[error(
        "there is no state of {0} in the folder; `init` makes one, and only for a log that this key never cosigned"
    )]
    Unknown(String),
    /// The log has a state already.
    #[error("there is a state of {0} already")]
    Known(String),
    /// The file is none that a witness has written.
    #[error("{0} is not the state of the log")]
    Damaged(PathBuf),
    /// A checkpoint could not be cosigned.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// Why a checkpoint was not cosigned.
#[derive(Debug, thiserror::Error)]
pub enum NotCosigned {
    /// It must not be.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It could not be.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// A witness of some logs.
pub struct Witness {
    cosigner: Cosigner,
    keys: Vec<Vkey>,
    logs: BTreeMap<String, Mutex<Log>>,
    folder: Folder,
}

impl Witness {
    /// The witness with that key, of the logs that have these keys, from where its state says; the folder is its own
    /// as long as it lives.
    ///
    /// # Errors
    /// Another process has the folder; the state of a log is missing or damaged.
    pub fn open(cosigner: Cosigner, keys: Vec<Vkey>, folder: &Path) -> Result<Self, Error> {
        let folder = Folder::open(folder)?;
        let mut logs = BTreeMap::new();
        for origin in keys.iter().map(Vkey::name) {
            logs.insert(origin.to_owned(), Mutex::new(folder.log(origin)?));
        }
        Ok(Witness { cosigner, keys, logs, folder })
    }

    /// Makes the state of a log that the witness has never cosigned: whatever it sees first is the beginning. For a log
    /// whose state was lost this would permit a second history; there a witness begins anew, with another key.
    ///
    /// # Errors
    /// There is a state already; another process has the folder.
    pub fn begin(log: &Vkey, folder: &Path) -> Result<(), Error> {
        Folder::open(folder)?.begin(log.name())
    }

    /// Answers a request to cosign, at that time in seconds since 1970: with the line of the cosignature, which is of
    /// what the disk has by then.
    ///
    /// # Errors
    /// Why it is not cosigned.
    pub fn add_checkpoint(&self, body: &[u8], seconds: u64) -> Result<String, NotCosigned> {
        let request = AddCheckpoint::parse(body)?;
        let checkpoint = request.checkpoint.checkpoint();
        let log = self.logs.get(&checkpoint.origin).ok_or(Refusal::UnknownOrigin)?;
        // A panic between these lines has left what was last written as it is.
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        witness::decide(log.last, &request, &self.keys)?;
        let next = (checkpoint.size, checkpoint.root);
        if log.last != Some(next) {
            self.folder.write(&checkpoint.origin, &request.checkpoint)?;
            log.last = Some(next);
        }
        Ok(request.checkpoint.cosign(&self.cosigner, seconds).map_err(Error::from)?)
    }
}
