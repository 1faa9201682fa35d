//! What the tree is made of: canonical JSON (RFC 8785) that is hashed, stored and served in the same bytes.
//!
//! A leaf tells no more than may be known for ever. What an access was about is beside it, as an [`Opening`] to which
//! the leaf is [committed](Commitment): without it the leaf proves as much as before, and tells nothing of it.
//! Agencies, roles and the like are texts: what they mean is not known here.

mod at;
mod opening;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

pub use self::at::At;
pub use self::opening::{Commitment, Detail, Opening, SALT_SIZE};
use crate::bundle::MAX_ENTRY;
use crate::tree::MAX_SIZE;

/// Why something is no leaf or detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Error {
    /// It has more bytes than an entry can have.
    #[error("the leaf is longer than 65,535 bytes")]
    TooLong,
    /// It says something else, or leaves something out.
    #[error("this is no leaf or detail that is known")]
    Malformed,
    /// It says it in other bytes, or more than that.
    #[error("this is not the canonical form")]
    NotCanonical,
    /// The ranges of an erasure do not ascend, or are no entries of a tree.
    #[error("these are not ascending ranges of entries")]
    Ranges,
}

/// A leaf, by its `type`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Leaf {
    /// Somebody saw or tried something.
    Access(AccessLeaf),
    /// Openings were destroyed.
    Erasure(ErasureLeaf),
}

/// Who saw or tried what, as far as that is kept for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessLeaf {
    /// The entry of the access log.
    pub id: Uuid,
    /// When.
    pub at: At,
    /// In which request.
    pub request_id: Uuid,
    /// By which program, where it was known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// For which agency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agency: Option<String>,
    /// By which officer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub officer: Option<String>,
    /// In which roles.
    pub roles: Vec<String>,
    /// What for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// The operation.
    pub action: String,
    /// What became of it.
    pub outcome: String,
    /// The rule that refused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// How many things were shown.
    pub count: u32,
    /// To what it was about.
    pub detail: Commitment,
}

/// That the openings of some entries were destroyed, and which two people agreed to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureLeaf {
    /// The entry of the access log that tells of the erasure.
    pub id: Uuid,
    /// When.
    pub at: At,
    /// What they agreed to.
    pub proposal: Uuid,
    /// Who proposed it, and who confirmed it.
    pub approvers: [Approver; 2],
    /// The numbers of the entries, as ranges `[first, last]` that include both, ascending and apart.
    pub entries: Vec<[u64; 2]>,
}

/// One of the two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approver {
    /// The agency.
    pub agency: String,
    /// The officer.
    pub officer: String,
}

impl Leaf {
    /// The bytes that are hashed.
    ///
    /// # Errors
    /// They are too many, or the ranges of an erasure are none.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        if let Leaf::Erasure(erasure) = self {
            erasure.check_ranges()?;
        }
        let bytes = canonical(self)?;
        if bytes.len() <= MAX_ENTRY { Ok(bytes) } else { Err(Error::TooLong) }
    }

    /// Reads a leaf.
    ///
    /// # Errors
    /// [`Leaf::to_bytes`] would not have written exactly that.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_ENTRY {
            return Err(Error::TooLong);
        }
        read(bytes, Leaf::to_bytes)
    }

    /// The entry of the access log.
    pub fn id(&self) -> Uuid {
        match self {
            Leaf::Access(AccessLeaf { id, .. }) | Leaf::Erasure(ErasureLeaf { id, .. }) => *id,
        }
    }

    /// When it was.
    pub fn at(&self) -> &At {
        match self {
            Leaf::Access(AccessLeaf { at, .. }) | Leaf::Erasure(ErasureLeaf { at, .. }) => at,
        }
    }
}

impl ErasureLeaf {
    /// Whether the opening of that entry was destroyed.
    pub fn names(&self, number: u64) -> bool {
        self.entries.iter().any(|[first, last]| (*first..=*last).contains(&number))
    }

    /// The ranges of these entries, as few as there can be.
    pub fn ranges(numbers: impl IntoIterator<Item = u64>) -> Vec<[u64; 2]> {
        let mut numbers: Vec<_> = numbers.into_iter().collect();
        numbers.sort_unstable();
        let mut ranges: Vec<[u64; 2]> = Vec::new();
        for number in numbers {
            match ranges.last_mut() {
                Some([_, last]) if number <= last.saturating_add(1) => *last = number,
                _ => ranges.push([number, number]),
            }
        }
        ranges
    }

    fn check_ranges(&self) -> Result<(), Error> {
        let each = self.entries.iter().all(|[first, last]| first <= last && *last < MAX_SIZE);
        let apart = self.entries.is_sorted_by(|[_, last], [first, _]| last < first);
        if each && apart { Ok(()) } else { Err(Error::Ranges) }
    }
}

fn canonical(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json_canonicalizer::to_vec(value).map_err(|_| Error::Malformed)
}

/// Reads what is written in exactly these bytes. That also refuses unknown and repeated fields, and null.
fn read<T: DeserializeOwned>(bytes: &[u8], write: impl Fn(&T) -> Result<Vec<u8>, Error>) -> Result<T, Error> {
    // What serde would tell repeats what was read, and that is not for any log.
    let value = serde_json::from_slice(bytes).map_err(|_| Error::Malformed)?;
    if write(&value)? == bytes { Ok(value) } else { Err(Error::NotCanonical) }
}
