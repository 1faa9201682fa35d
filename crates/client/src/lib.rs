//! A ministry system's side of the API: its key, the assertions that it signs, and its requests.
//!
//! It knows the API as any other system does, from outside: ids are strings, bodies are JSON, and
//! nothing of the service is linked in. [`story`] plays a whole story from a file. [`Witness`] is another's service,
//! which a log asks.

mod api;
mod assertion;
mod bound;
mod credentials;
mod error;
pub mod story;
mod witness;

pub use api::{Api, Reply};
pub use assertion::{Assertion, Officer, Speaker};
pub use bound::{Bound, ProofKey};
pub use credentials::Credentials;
pub use error::Error;
pub use witness::{Witness, Witnessed};

use chrono::{DateTime, Utc};
use uuid::{NoContext, Timestamp, Uuid};

/// The time by this machine's clock: the one place of this crate that asks for it.
#[expect(clippy::disallowed_methods, reason = "this is the ministry system's clock, not the service's")]
fn now() -> DateTime<Utc> {
    Utc::now()
}

/// An id that nobody has used before: of an assertion, or of one attempt to create something.
fn unique(now: DateTime<Utc>) -> String {
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos())).to_string()
}
