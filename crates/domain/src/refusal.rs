//! Why something did not happen. Transport-free: a variant exists only where a program must tell it apart.

use chrono::{DateTime, Datelike, Utc};

use crate::id::{ReferralId, Version};
use crate::referral::Action;

/// A value that cannot be taken, with the field that holds it. Never carries the value itself,
/// which may be personal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The path of the field in the request body, as in `names[0]`.
    pub field: String,
    /// A stable code for programs.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

impl Invalid {
    /// `field` breaks the rule `code`.
    pub fn new(field: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Invalid { field: field.into(), code, message: message.into() }
    }
}

/// Checks that a time is yet to come, and within the years that have four digits, as RFC 3339 has them.
pub(crate) fn future(field: impl Into<String>, time: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), Invalid> {
    if time > now && time.year() <= 9999 {
        Ok(())
    } else {
        Err(Invalid::new(field, "future", "must lie in the future, before the year 10000"))
    }
}

/// Checks that a time has come, as that of something that happened has.
pub(crate) fn not_future(field: &str, time: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), Invalid> {
    if time <= now && time.year() >= 1900 {
        Ok(())
    } else {
        Err(Invalid::new(field, "past", "must not lie in the future, nor before the year 1900"))
    }
}

/// Why a command was not carried out, in the order in which they are answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The actor's agency is no party: exactly as if it did not exist.
    #[error("not found")]
    NotFound,
    /// A party, but not theirs to do.
    #[error("not yours to do")]
    NotYours,
    /// Changed since the version that the actor has.
    #[error("stale")]
    Stale {
        /// The version it has now.
        current: Version,
    },
    /// The referral's state does not allow it.
    #[error("not in this state")]
    NotNow {
        /// What this actor may do now.
        allowed: Vec<Action>,
    },
    /// The case's state does not allow it.
    #[error("{why}")]
    CaseNotNow {
        /// What stands in the way.
        why: &'static str,
        /// The referrals that stand in the way.
        referrals: Vec<ReferralId>,
    },
    /// A value that the domain cannot take.
    #[error("invalid")]
    Invalid(Vec<Invalid>),
}

impl From<Invalid> for Refusal {
    fn from(invalid: Invalid) -> Self {
        Refusal::Invalid(vec![invalid])
    }
}

/// The version that the actor holds, from `If-Match` (RFC 9110, 13.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Exactly this version.
    Version(Version),
    /// Whatever it is now: `If-Match: *`, or an append that needs none.
    Any,
}

impl Expected {
    /// Checks the version of what is there.
    ///
    /// # Errors
    /// [`Refusal::Stale`] when it is another.
    pub fn require(self, current: Version) -> Result<(), Refusal> {
        match self {
            Expected::Version(expected) if expected != current => Err(Refusal::Stale { current }),
            Expected::Version(_) | Expected::Any => Ok(()),
        }
    }
}
