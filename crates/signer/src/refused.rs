//! Why nothing is signed.

use std::path::PathBuf;

use lindung_ledger::checkpoint::CheckpointError;
use lindung_persistence as persistence;

/// What is in the database is not what was signed. Somebody has to look into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Leaves have gone that were signed.
    #[error("the log has shrunk: {signed} leaves were signed, {found} are there")]
    Shrunk {
        /// How many were signed.
        signed: u64,
        /// How many there are.
        found: u64,
    },
    /// A leaf is missing among others.
    #[error("the leaf {number} is missing")]
    Missing {
        /// Its number.
        number: u64,
    },
    /// The tree of a size that was signed is another one.
    #[error("the log was rewritten: the tree of {size} leaves is not the one that was signed")]
    Rewritten {
        /// The size.
        size: u64,
    },
    /// The stored tiles are not those of the leaves.
    #[error("the stored tiles are not those of the {size} leaves")]
    Tiles {
        /// How many leaves.
        size: u64,
    },
    /// The newest checkpoint was not signed by the log.
    #[error("the checkpoint of {size} leaves in the database is not the log's")]
    Foreign {
        /// Its size.
        size: u64,
    },
}

/// Why nothing is signed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It must not be.
    #[error("nothing is signed: {0}")]
    Refused(#[from] Refused),
    /// The keys do not fit the policy.
    #[error("the signing keys are not those of one log that the policy names")]
    Keys,
    /// The state is missing, which is no beginning.
    #[error(
        "the signer's state is missing: go on from a checkpoint that a witness holds, or, where nothing was ever signed, begin with sign init"
    )]
    NoState,
    /// There is a state, and so no reason to begin from a checkpoint.
    #[error("the signer's state is there: it goes on from that, and from no checkpoint")]
    Stated,
    /// Another process has the state.
    #[error("{0} is in use by another signer")]
    InUse(PathBuf),
    /// The state cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Where it is.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The state is none that a signer of this log has written.
    #[error("{0} is not the state of this log's signer")]
    Damaged(PathBuf),
    /// The checkpoint is not to be used, or could not be signed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The database is not available.
    #[error(transparent)]
    Database(#[from] persistence::Error),
}
