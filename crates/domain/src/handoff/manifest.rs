//! What a handoff hands over, as it was when it was offered: versions alone, no content.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::{ChildId, ReferralId, Version};
use crate::section::Section;
use crate::values::codes;

codes! {
    /// How a part of a case differs from what was offered.
    pub enum ChangeKind {
        /// It was not there.
        Added,
        /// It has another version.
        Changed,
        /// It is not open any more.
        Removed,
    }
}

/// A part of a case, with its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "of", rename_all = "kebab-case")]
pub enum ManifestItem {
    /// Priority, codes and status.
    Header {
        /// Its version.
        version: Version,
    },
    /// A child of the case.
    Child {
        /// Which.
        child: ChildId,
    },
    /// A section that somebody has written.
    Section {
        /// Which.
        section: Section,
        /// Of which child; of the case when null.
        child: Option<ChildId>,
        /// Its version.
        version: Version,
    },
    /// An open referral.
    Referral {
        /// Which.
        referral: ReferralId,
        /// Its version.
        version: Version,
    },
}

/// A case as it was at some moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// SHA-256 over all items, in hexadecimal digits: another one for another state of the case.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub version: String,
    /// Every part of it.
    pub items: Vec<ManifestItem>,
}

/// A part of a case that is not as it was offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ManifestChange {
    /// How it differs.
    pub change: ChangeKind,
    /// The part, as it is now; as it was, where it was removed.
    pub item: ManifestItem,
}

impl ManifestItem {
    /// Whether both tell of the same part.
    fn is_same_part(&self, other: &ManifestItem) -> bool {
        use ManifestItem::*;
        match (self, other) {
            (Header { .. }, Header { .. }) => true,
            (Child { child: a }, Child { child: b }) => a == b,
            (Section { section: a, child: of_a, .. }, Section { section: b, child: of_b, .. }) => {
                (a, of_a) == (b, of_b)
            }
            (Referral { referral: a, .. }, Referral { referral: b, .. }) => a == b,
            _ => false,
        }
    }
}

impl Manifest {
    /// What is different in `now`.
    pub fn changes(&self, now: &Manifest) -> Vec<ManifestChange> {
        let differs = |item: &ManifestItem| match self.items.iter().find(|it| it.is_same_part(item)) {
            None => Some(ManifestChange { change: ChangeKind::Added, item: item.clone() }),
            Some(before) if before != item => Some(ManifestChange { change: ChangeKind::Changed, item: item.clone() }),
            Some(_) => None,
        };
        let is_gone = |item: &&ManifestItem| !now.items.iter().any(|it| it.is_same_part(item));
        let gone = self
            .items
            .iter()
            .filter(is_gone)
            .map(|it| ManifestChange { change: ChangeKind::Removed, item: it.clone() });
        now.items.iter().filter_map(differs).chain(gone).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_changed_or_gone_is_told() {
        let referral =
            |version| ManifestItem::Referral { referral: ReferralId(uuid::Uuid::nil()), version: Version(version) };
        let plan = |version| ManifestItem::Section { section: Section::Plan, child: None, version: Version(version) };
        let of = |items| Manifest { version: String::new(), items };
        let changes =
            of(vec![plan(1), referral(1)]).changes(&of(vec![ManifestItem::Header { version: Version(1) }, plan(2)]));
        let told: Vec<_> = changes.iter().map(|it| (it.change, it.item.clone())).collect();
        let wanted = [
            (ChangeKind::Added, ManifestItem::Header { version: Version(1) }),
            (ChangeKind::Changed, plan(2)),
            (ChangeKind::Removed, referral(1)),
        ];
        assert_eq!(told, wanted);
    }
}
