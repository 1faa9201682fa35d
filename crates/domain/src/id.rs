//! Typed ids. A `CaseId` cannot be passed where a `ReferralId` is meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = Uuid, example = "0193b5f4-7a00-7c3e-9d55-0d8f6c2b1a01")]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )*};
}

uuid_ids! {
    /// A case (UUIDv7).
    CaseId;
    /// A child, a resource of its own under one case (UUIDv7).
    ChildId;
    /// A referral (UUIDv7).
    ReferralId;
    /// A grant (UUIDv7).
    GrantId;
    /// A handoff (UUIDv7).
    HandoffId;
    /// An event (UUIDv7).
    EventId;
    /// An emergency access (UUIDv7).
    EmergencyId;
    /// Something proposed that needs two people (UUIDv7).
    ProposalId;
    /// A consent, recorded on a child (UUIDv7).
    ConsentId;
    /// A disclosure without consent, and its review (UUIDv7).
    OverrideId;
    /// An entry of the access log (UUIDv7).
    AccessId;
    /// What was released to a child's representative (UUIDv7).
    ReleaseId;
    /// A status check (UUIDv7).
    StatusCheckId;
    /// A suspension (UUIDv7).
    SuspensionId;
    /// Something written on a case or a referral (UUIDv7).
    MessageId;
    /// A clock (UUIDv7).
    ClockId;
    /// A fact outside the system that was recorded (UUIDv7).
    OccurrenceId;
    /// A data-sharing request (UUIDv7).
    DataSharingId;
    /// A subscription (UUIDv7).
    SubscriptionId;
    /// An event on its way to a subscription (UUIDv7).
    DeliveryId;
    /// Something that people are notified of (UUIDv7).
    NotificationId;
    /// What all events of one command have in common (UUIDv7): CloudEvents' `causationid`.
    CausationId;
}

/// Why a code is not one: the text breaks the grammar of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a {0}")]
pub struct NotACode(pub &'static str);

macro_rules! text_codes {
    ($($(#[$doc:meta])* $name:ident, $what:literal, $pattern:literal, $example:literal, $check:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String, pattern = $pattern, max_length = 64, example = $example)]
        pub struct $name(String);

        impl $name {
            /// The code as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotACode;
            fn try_from(text: String) -> Result<Self, NotACode> {
                let check: fn(&str) -> bool = $check;
                if text.len() <= 64 && check(&text) { Ok(Self(text)) } else { Err(NotACode($what)) }
            }
        }

        impl FromStr for $name {
            type Err = NotACode;
            fn from_str(text: &str) -> Result<Self, NotACode> {
                text.to_owned().try_into()
            }
        }

        impl From<$name> for String {
            fn from(code: $name) -> String {
                code.0
            }
        }
    )*};
}

text_codes! {
    /// An agency or unit, dotted: `KDN.PDRM.D11.KL`. The dots are only a name; the tree is `parent`.
    AgencyCode, "agency code", r"^[A-Z0-9]+(\.[A-Z0-9]+)*$", "KDN.PDRM.D11",
        |it| it.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
    /// An officer, as their agency's system names them: opaque, unique within the agency, no personal name.
    OfficerId, "officer id", r"^[A-Za-z0-9][A-Za-z0-9._@-]*$", "insp.tan",
        |it| it.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
            && it.bytes().all(|b| b.is_ascii_alphanumeric() || b"._@-".contains(&b));
    /// Whoever gave or withdrew a consent, as the system of the agency that recorded it names them: opaque, never a name.
    GiverRef, "reference", r"^[A-Za-z0-9][A-Za-z0-9._@-]*$", "P-2026-0117",
        |it| it.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
            && it.bytes().all(|b| b.is_ascii_alphanumeric() || b"._@-".contains(&b));
    /// A ministry's system.
    ClientId, "client id", r"^[a-z0-9][a-z0-9-]*$", "kdn-system",
        |it| it.bytes().next().is_some_and(|b| b != b'-')
            && it.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
}

/// How often a resource has changed; its `ETag` is this number in quotes. A section nobody has
/// written yet has version 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = i64, minimum = 0, example = 3)]
pub struct Version(pub i64);

impl Version {
    /// Of a resource just made.
    pub const FIRST: Version = Version(1);

    /// After one more change.
    #[must_use]
    pub fn next(self) -> Version {
        Version(self.0 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("KDN.PDRM.D11.KL", true)]
    #[case("KPM.SEKOLAH.WBA0001", true)]
    #[case("", false)]
    #[case("KPM.", false)]
    #[case("kpm", false)]
    #[case("KPM..X", false)]
    fn an_agency_code_is_dotted_capitals(#[case] text: &str, #[case] good: bool) {
        assert_eq!(text.parse::<AgencyCode>().is_ok(), good);
    }

    #[rstest]
    #[case("insp.tan", true)]
    #[case("a@b-c_1", true)]
    #[case(".tan", false)]
    #[case("in sp", false)]
    #[case("tan\u{202e}", false)]
    fn an_officer_id_is_plain(#[case] text: &str, #[case] good: bool) {
        assert_eq!(text.parse::<OfficerId>().is_ok(), good);
    }
}
