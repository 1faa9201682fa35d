//! What an access was about, which can be erased, and what in its leaf holds it fast until then.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Error, canonical, read};

/// The bytes of a salt: random, so that nobody can find the detail by trying.
pub const SALT_SIZE: usize = 32;

/// What a commitment hashes first: it is of no use elsewhere.
const TAG: &[u8] = b"lindung.my/access-detail/v1\n";

/// What an access was about.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Detail {
    /// What was asked for, as the path had it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The cases that were shown or tried.
    pub case_ids: Vec<Uuid>,
    /// The children.
    pub child_ids: Vec<Uuid>,
    /// The sections of their files.
    pub sections: Vec<String>,
}

impl Detail {
    /// The bytes that a leaf is committed to: canonical JSON.
    ///
    /// # Errors
    /// None that is known of.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        canonical(self)
    }

    /// Reads a detail.
    ///
    /// # Errors
    /// [`Detail::to_bytes`] would not have written exactly that.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        read(bytes, Detail::to_bytes)
    }
}

/// `SHA-256("lindung.my/access-detail/v1\n" | salt | detail)`: tells nothing of the detail, and fits no other.
///
/// In JSON in base64 (RFC 4648, padded).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commitment(pub [u8; 32]);

impl Commitment {
    /// The one to that detail under that salt.
    pub fn to(salt: &[u8; SALT_SIZE], detail: &[u8]) -> Self {
        Commitment(Sha256::new().chain_update(TAG).chain_update(salt).chain_update(detail).finalize().into())
    }
}

impl Serialize for Commitment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Commitment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = STANDARD.decode(String::deserialize(deserializer)?).ok().and_then(|it| it.try_into().ok());
        bytes.map(Commitment).ok_or_else(|| serde::de::Error::custom("32 bytes in base64 are expected"))
    }
}

/// What opens a commitment, until it is destroyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// 32 random bytes.
    pub salt: [u8; SALT_SIZE],
    /// The bytes of the [`Detail`].
    pub detail: Vec<u8>,
}

impl Opening {
    /// What a leaf that it belongs to is committed to.
    pub fn commitment(&self) -> Commitment {
        Commitment::to(&self.salt, &self.detail)
    }

    /// Whether it is the one that a leaf was committed to.
    pub fn opens(&self, commitment: &Commitment) -> bool {
        self.commitment() == *commitment
    }
}
