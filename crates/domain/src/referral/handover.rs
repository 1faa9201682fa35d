//! What becomes of the former lead's open referrals when its case is handed over.

use super::{Record, Referral, Status};
use crate::case::{Asking, CaseFile};
use crate::event::{Event, Kind};
use crate::grant::GrantChange;
use crate::id::AgencyCode;
use crate::values::Outcome;

/// A referral after the case was handed over.
pub(crate) struct Moved {
    pub(crate) referral: Referral,
    /// Where its own status changed.
    pub(crate) event: Option<Event>,
    pub(crate) grants: Vec<GrantChange>,
}

impl Referral {
    /// The referral of a case whose lead goes from `from` to `to`. What was asked of the new lead is done by leading;
    /// what was asked of others, the new lead asks now.
    pub(crate) fn handed_over(self, from: &AgencyCode, to: &AgencyCode, file: &CaseFile, asking: &Asking<'_>) -> Moved {
        let before = self.0;
        let listed: Vec<AgencyCode> = before.listed.iter().filter(|it| *it != to).cloned().collect();
        let none_left = before.listed.contains(to) && listed.is_empty() && before.recipient.is_none();
        if before.recipient.as_ref() == Some(to) || none_left {
            let after = Record {
                status: Status::Completed,
                recipient: Some(to.clone()),
                listed: Vec::new(),
                outcome: Some(Outcome::ResponsibilityTaken),
                awaiting_information: false,
                cancel_requested: false,
                version: before.version.next(),
                updated_at: asking.now,
                ..before.clone()
            };
            let grants = vec![after.end(None, asking.now)];
            let referral = Referral(after);
            let (lead, shielded) = file.audience();
            let event = referral.event(Some(&before), Kind::ReferralCompleted, lead, shielded);
            return Moved { referral, event: Some(event), grants };
        }
        let unlisted = before.listed.contains(to).then(|| before.end(Some(to), asking.now));
        let sender = if before.sender == *from { to.clone() } else { before.sender.clone() };
        let after = Record { sender, listed, version: before.version.next(), updated_at: asking.now, ..before };
        Moved { referral: Referral(after), event: None, grants: unlisted.into_iter().collect() }
    }
}
