//! The lifecycle of a handoff.

use crate::event::Kind;
use crate::values::codes;

codes! {
    /// Where a handoff stands.
    pub enum HandoffStatus {
        /// Another agency asked the lead for it.
        Asked,
        /// Offered by the lead.
        Offered,
        /// Taken: the lead has moved.
        Accepted,
        /// Not taken.
        Declined,
        /// Asked for, and not given.
        Refused,
        /// Taken back.
        Withdrawn,
        /// Not answered in time.
        Expired,
    }

    /// What may be done to a handoff, in the imperative; the last part of its path.
    pub enum HandoffAction {
        /// Ask the lead for it.
        Ask,
        /// Offer it to another agency, or offer it again as the case is now.
        Offer,
        /// Take the lead.
        Accept,
        /// Do not take it.
        Decline,
        /// Do not give what was asked for.
        Refuse,
        /// Take it back.
        Withdraw,
        /// End it, since nobody answered. The clock does that.
        Expire,
    }
}

impl HandoffStatus {
    /// Whether it still waits for somebody.
    pub fn is_live(self) -> bool {
        matches!(self, HandoffStatus::Asked | HandoffStatus::Offered)
    }

    /// The status after `action` from `before` (none for a new one), or nothing where the action is not possible.
    /// The whole lifecycle is this table; a test prints it.
    pub fn after(before: Option<HandoffStatus>, action: HandoffAction) -> Option<HandoffStatus> {
        use HandoffStatus::*;
        Some(match (action, before) {
            (HandoffAction::Ask, None) => Asked,
            (HandoffAction::Offer, None | Some(Asked | Offered)) => Offered,
            (HandoffAction::Accept, Some(Offered)) => Accepted,
            (HandoffAction::Decline, Some(Offered)) => Declined,
            (HandoffAction::Refuse, Some(Asked)) => Refused,
            (HandoffAction::Withdraw, Some(Asked | Offered)) => Withdrawn,
            (HandoffAction::Expire, Some(Asked | Offered)) => Expired,
            _ => return None,
        })
    }
}

impl HandoffAction {
    /// The event that it makes.
    pub fn told(self) -> Kind {
        match self {
            HandoffAction::Ask => Kind::HandoffAsked,
            HandoffAction::Offer => Kind::HandoffOffered,
            HandoffAction::Accept => Kind::HandoffAccepted,
            HandoffAction::Decline => Kind::HandoffDeclined,
            HandoffAction::Refuse => Kind::HandoffRefused,
            HandoffAction::Withdraw => Kind::HandoffWithdrawn,
            HandoffAction::Expire => Kind::HandoffExpired,
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
        for action in HandoffAction::ALL {
            for before in std::iter::once(None).chain(HandoffStatus::ALL.iter().copied().map(Some)) {
                if let Some(after) = HandoffStatus::after(before, *action) {
                    let before = before.map_or("-", HandoffStatus::as_str);
                    writeln!(table, "{:<9} {before:<9} -> {after}", action.as_str()).unwrap();
                }
            }
        }
        insta::assert_snapshot!(table, @r"
        ask       -         -> asked
        offer     -         -> offered
        offer     asked     -> offered
        offer     offered   -> offered
        accept    offered   -> accepted
        decline   offered   -> declined
        refuse    asked     -> refused
        withdraw  asked     -> withdrawn
        withdraw  offered   -> withdrawn
        expire    asked     -> expired
        expire    offered   -> expired
        ");
    }
}
