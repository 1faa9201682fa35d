//! Why the database did not do it. Knows nothing of HTTP.

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use lindung_domain::Refusal;
use lindung_domain::refusal::Invalid;
use lindung_vault::Error as VaultError;

/// What can go wrong between a decision and its record.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The domain said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The client is disabled, or no longer registered for this agency or role.
    #[error("the client's rights have ended")]
    RightsEnded,
    /// The idempotency key was used for something else.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// A request with this idempotency key is still running.
    #[error("a request with this idempotency key is still running")]
    KeyBusy,
    /// The proof of possession was used for another request.
    #[error("the proof was used before")]
    ProofReused,
    /// It exists already.
    #[error("it exists already")]
    Exists,
    /// The database, or what has the identity keys, cannot be reached or cannot serve now; trying again later may help.
    #[error("not available: {0}")]
    Unavailable(String),
    /// The database did something unforeseen, or what is sealed does not open.
    #[error("failed: {0}")]
    Fault(String),
}

impl Error {
    /// Something unforeseen.
    pub(crate) fn fault(why: impl ToString) -> Self {
        Error::Fault(why.to_string())
    }
}

/// What the server says when it is it that cannot, not the statement: SQLSTATE classes 08, 53, 55
/// and 57, which diesel does not pass on.
const BUSY: &[&str] = &[
    "deadlock detected",
    "lock timeout",
    "statement timeout",
    "terminating connection",
    "shutting down",
    "starting up",
    "in recovery mode",
    "too many clients",
    "remaining connection slots",
    "could not extend file",
    "no space left",
    "out of memory",
    "read-only transaction",
    "server closed the connection",
    "could not connect",
    "connection to server",
    "no connection to the server",
    "could not receive data",
    "could not send data",
];

/// What the server says of a value that it cannot hold, where ours can: SQLSTATE class 22 and 54001.
const OUTSIDE: &[&str] = &[
    "out of range",
    "invalid byte sequence",
    "unsupported Unicode escape sequence",
    "cannot be converted to text",
    "stack depth limit exceeded",
];

/// Whether a table is `spent_proofs`, or a partition of it.
fn is_of_proofs(table: &str) -> bool {
    table.starts_with("spent_proofs")
}

impl From<DieselError> for Error {
    /// Only the beginning of the server's primary message is kept: the rest may hold values.
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::DatabaseError(kind, info) => {
                let message = info.message().split(": ").next().unwrap_or_default().to_owned();
                match kind {
                    DatabaseErrorKind::ClosedConnection
                    | DatabaseErrorKind::UnableToSendCommand
                    | DatabaseErrorKind::SerializationFailure
                    | DatabaseErrorKind::ReadOnlyTransaction => Error::Unavailable(message),
                    _ if BUSY.iter().any(|it| message.contains(it)) => Error::Unavailable(message),
                    _ if OUTSIDE.iter().any(|it| message.contains(it)) => {
                        Refusal::from(Invalid::new("request", "range", "holds a value that cannot be kept")).into()
                    }
                    DatabaseErrorKind::UniqueViolation if info.table_name().is_some_and(is_of_proofs) => {
                        Error::ProofReused
                    }
                    DatabaseErrorKind::UniqueViolation => Error::Exists,
                    _ => Error::Fault(message),
                }
            }
            DieselError::BrokenTransactionManager => Error::Unavailable("the transaction was lost".to_owned()),
            other => Error::Fault(other.to_string()),
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Error::Fault(format!("a row does not fit: {:?} at {}:{}", error.classify(), error.line(), error.column()))
    }
}

impl From<VaultError> for Error {
    /// A command that has the keys may answer later; whatever else is wrong stays wrong.
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Command(_) => Error::Unavailable(error.to_string()),
            VaultError::DoesNotOpen
            | VaultError::NoVersion(_)
            | VaultError::Locked
            | VaultError::Keys(_)
            | VaultError::NoRandomness => Error::Fault(error.to_string()),
        }
    }
}
