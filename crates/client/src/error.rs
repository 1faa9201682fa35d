//! What can go wrong on a client's side. An answer of the service is no error, whatever its status.

use std::path::PathBuf;

/// Why something did not work. Never tells of a key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key is no Ed25519 key in PKCS#8.
    #[error("the private key of client {client} is no Ed25519 key in PKCS#8 PEM")]
    Key {
        /// Whose key.
        client: String,
    },
    /// A key could not be made, or an assertion not be signed.
    #[error("cannot {0}")]
    Crypto(&'static str),
    /// There is a file of that name already; it was left as it is.
    #[error("{0} exists already")]
    Exists(PathBuf),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{path}: {source}")]
    Content {
        /// Which.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// What was to be sent is no request.
    #[error("{what} cannot be sent: {why}")]
    Request {
        /// Which part of it.
        what: String,
        /// Why.
        why: String,
    },
    /// No answer came, or none that could be read.
    #[error("no answer to {request}: {why}")]
    NoAnswer {
        /// Method and path.
        request: String,
        /// Why.
        why: String,
    },
    /// The service gives no token.
    #[error("no token for {agency} from client {client}: {status} {error}")]
    NoToken {
        /// For whom it was asked.
        agency: String,
        /// Who asked.
        client: String,
        /// The status of the answer.
        status: u16,
        /// Its error code and description (RFC 6749, 5.2).
        error: String,
    },
    /// None of the clients at hand may speak for the agency.
    #[error("no client whose credentials are at hand may speak for {0}")]
    Nobody(String),
    /// A story cannot be played as it is written.
    #[error("{at}: {why}")]
    Story {
        /// Which step or actor.
        at: String,
        /// What is wrong with it.
        why: String,
    },
    /// The transcript could not be written.
    #[error("the transcript cannot be written: {0}")]
    Transcript(#[from] std::io::Error),
}
