//! What seals who a child is, and opens it again. Pure cryptography: no database, no HTTP, no clock.
//!
//! Each child has a [`DataKey`] of its own, with which whatever is known of it is sealed at a
//! [`Place`]: what is moved elsewhere does not open. Data keys are kept [`Wrapped`] by a versioned
//! key of the [`KeyEncryptionKeys`], from files ([`FileKeys`]) or a command ([`CommandKeys`]), so
//! that destroying one wrapped key forgets one child. No key has a `Debug` that shows it.

mod command;
mod data_key;
mod file;
mod place;
mod vault;

pub use command::CommandKeys;
pub use data_key::DataKey;
pub use file::FileKeys;
pub use place::Place;
pub use vault::{Token, Vault};

use aws_lc_rs::hmac;

/// The version of a key-encryption key, from 1 upwards. The highest wraps, all unwrap.
pub type Version = i32;

/// A data key as it is kept: wrapped by the key of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapped {
    /// Of the key that wrapped it.
    pub version: Version,
    /// What only that key opens.
    pub bytes: Vec<u8>,
}

/// The keys that wrap data keys, wherever they are kept.
pub trait KeyEncryptionKeys: Send + Sync {
    /// The versions that there are, in ascending order.
    ///
    /// # Errors
    /// The keys cannot be reached.
    fn versions(&self) -> Result<Vec<Version>, Error>;

    /// Wraps a data key for a place.
    ///
    /// # Errors
    /// There is no such version; the keys cannot be reached.
    fn wrap(&self, version: Version, key: &DataKey, place: &Place) -> Result<Wrapped, Error>;

    /// Unwraps what was wrapped for that place.
    ///
    /// # Errors
    /// It was not; there is no such version; the keys cannot be reached.
    fn unwrap(&self, wrapped: &Wrapped, place: &Place) -> Result<DataKey, Error>;

    /// The key of that version's blind indexes, which depends on the version's key and on nothing else.
    ///
    /// # Errors
    /// There is no such version; the keys cannot be reached.
    fn index_key(&self, version: Version) -> Result<hmac::Key, Error>;

    /// Whether unwrapping takes so long that unwrapped keys are worth keeping in memory for a while.
    fn is_slow(&self) -> bool {
        false
    }
}

/// Why something was not sealed or opened. Holds no key and nothing of what is sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Another key, another place, or bytes that were changed.
    #[error("what is sealed does not open: wrong key, wrong place, or changed bytes")]
    DoesNotOpen,
    /// A version that is needed and not there.
    #[error("version {0} of the identity keys is missing")]
    NoVersion(Version),
    /// This process was started without keys.
    #[error("this process has no identity keys")]
    Locked,
    /// The keys are there, but are not what they should be.
    #[error("{0}")]
    Keys(String),
    /// The command that has the keys did not answer as it should; trying again may help.
    #[error("the command of the identity keys {0}")]
    Command(&'static str),
    /// The machine gives no random bytes.
    #[error("the machine gives no random bytes")]
    NoRandomness,
}
