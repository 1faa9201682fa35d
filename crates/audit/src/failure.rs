//! Why a tool could not do its work. That something does not hold is no failure: it is a finding.

use std::path::{Path, PathBuf};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not what it has to be for anything to be said.
    #[error("{path}: {why}")]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The service could not be asked.
    #[error(transparent)]
    Client(#[from] lindung_client::Error),
    /// The service answered otherwise than an honest one does.
    #[error("{what}: {why}")]
    Answer {
        /// What it was asked for.
        what: String,
        /// What is wrong with the answer.
        why: String,
    },
    /// A table or chart could not be made.
    #[error("cannot write the report: {0}")]
    Report(String),
}

impl Failure {
    /// Of a file, for `map_err`.
    pub(crate) fn file(path: &Path) -> impl Fn(std::io::Error) -> Self {
        move |source| Failure::File { path: path.to_owned(), source }
    }
}
