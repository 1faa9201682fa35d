//! The lifecycle of a data-sharing request, and the codes of the law it goes by (Act 864).

use crate::event::Kind;
use crate::values::codes;

codes! {
    /// Where a data-sharing request stands.
    pub enum DataSharingStatus {
        /// With the provider, which has 14 days to answer (Act 864 s.14).
        Received,
        /// The data is shared.
        Granted,
        /// The data is shared, on conditions.
        GrantedWithConditions,
        /// The data is not shared (s.15).
        Refused,
        /// To be answered later, by a date that the provider set (s.14(3)).
        Deferred,
        /// Taken back by the requester.
        Withdrawn,
    }

    /// What may be done to a data-sharing request, in the imperative; the last part of its path.
    pub enum DataSharingAction {
        /// Ask another agency for data.
        Ask,
        /// Share it.
        Grant,
        /// Do not share it.
        Refuse,
        /// Set a later date for the answer.
        Defer,
        /// Take the request back.
        Withdraw,
    }

    /// What data may be asked for (Act 864 s.13).
    pub enum SharingPurpose {
        /// Efficiency or effectiveness of a policy, programme or service.
        #[serde(rename = "A864.13.a")]
        #[strum(serialize = "A864.13.a")]
        Efficiency,
        /// A threat to somebody's life, health or safety, or to that of the public.
        #[serde(rename = "A864.13.b")]
        #[strum(serialize = "A864.13.b")]
        Threat,
        /// A public emergency.
        #[serde(rename = "A864.13.c")]
        #[strum(serialize = "A864.13.c")]
        PublicEmergency,
        /// The public interest.
        #[serde(rename = "A864.13.d")]
        #[strum(serialize = "A864.13.d")]
        PublicInterest,
        /// Another purpose that the Committee has set.
        #[serde(rename = "A864.13.e")]
        #[strum(serialize = "A864.13.e")]
        SetByCommittee,
    }

    /// On what ground data may be refused (Act 864 s.15).
    pub enum RefusalGround {
        /// The identity of a confidential source.
        #[serde(rename = "A864.15.a")]
        #[strum(serialize = "A864.15.a")]
        Source,
        /// Witness protection.
        #[serde(rename = "A864.15.b")]
        #[strum(serialize = "A864.15.b")]
        Witness,
        /// Investigative methods.
        #[serde(rename = "A864.15.c")]
        #[strum(serialize = "A864.15.c")]
        Methods,
        /// Privilege, contract, confidence or a court order would be breached.
        #[serde(rename = "A864.15.d")]
        #[strum(serialize = "A864.15.d")]
        Confidence,
        /// National security, an investigation, an inquest or court proceedings.
        #[serde(rename = "A864.15.e")]
        #[strum(serialize = "A864.15.e")]
        Proceedings,
        /// Somebody's health, safety or welfare would be endangered.
        #[serde(rename = "A864.15.f")]
        #[strum(serialize = "A864.15.f")]
        Danger,
        /// Not for a purpose of s.13.
        #[serde(rename = "A864.15.g")]
        #[strum(serialize = "A864.15.g")]
        Purpose,
        /// The requester lacks safeguards.
        #[serde(rename = "A864.15.h")]
        #[strum(serialize = "A864.15.h")]
        Safeguards,
        /// Another ground that the Committee has set.
        #[serde(rename = "A864.15.i")]
        #[strum(serialize = "A864.15.i")]
        SetByCommittee,
    }

    /// How an agency stands to a data-sharing request.
    pub enum DataSharingSide {
        /// It asks.
        Requester,
        /// It is asked.
        Provider,
    }
}

impl DataSharingStatus {
    /// Whether it still waits for the provider.
    pub fn is_live(self) -> bool {
        matches!(self, DataSharingStatus::Received | DataSharingStatus::Deferred)
    }

    /// The status after `action` from `before` (none for a new one), or nothing where the action is not possible. The
    /// whole lifecycle is this table, but that granting on conditions is a status of its own; a test prints it.
    pub fn after(before: Option<DataSharingStatus>, action: DataSharingAction) -> Option<DataSharingStatus> {
        use DataSharingStatus::*;
        Some(match (action, before) {
            (DataSharingAction::Ask, None) => Received,
            (DataSharingAction::Grant, Some(Received | Deferred)) => Granted,
            (DataSharingAction::Refuse, Some(Received | Deferred)) => Refused,
            // Once: the law knows one new period.
            (DataSharingAction::Defer, Some(Received)) => Deferred,
            (DataSharingAction::Withdraw, Some(Received | Deferred)) => Withdrawn,
            _ => return None,
        })
    }
}

impl DataSharingAction {
    /// The event that it makes.
    pub(super) fn told(self) -> Kind {
        match self {
            DataSharingAction::Ask => Kind::DataRequestReceived,
            DataSharingAction::Grant => Kind::DataRequestGranted,
            DataSharingAction::Refuse => Kind::DataRequestRefused,
            DataSharingAction::Defer => Kind::DataRequestDeferred,
            DataSharingAction::Withdraw => Kind::DataRequestWithdrawn,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    #[test]
    fn the_lifecycle() {
        let mut table = String::new();
        for action in DataSharingAction::ALL {
            for before in std::iter::once(None).chain(DataSharingStatus::ALL.iter().copied().map(Some)) {
                if let Some(after) = DataSharingStatus::after(before, *action) {
                    let before = before.map_or("-", DataSharingStatus::as_str);
                    writeln!(table, "{:<9} {before:<9} -> {after}", action.as_str()).unwrap();
                }
            }
        }
        insta::assert_snapshot!(table, @r"
        ask       -         -> received
        grant     received  -> granted
        grant     deferred  -> granted
        refuse    received  -> refused
        refuse    deferred  -> refused
        defer     received  -> deferred
        withdraw  received  -> withdrawn
        withdraw  deferred  -> withdrawn
        ");
    }
}
