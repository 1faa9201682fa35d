//! What each kind of entity writes, when it is saved, besides what every change writes.

use lindung_domain::case::{Added, Case, Headed, Opened, Shielded, Written};
use lindung_domain::consent::Consent;
use lindung_domain::emergency::EmergencyAccess;
use lindung_domain::grant::{ByHand, EndedByHand};
use lindung_domain::handoff::{HandedOver, Handoff};
use lindung_domain::occurrence::Occurrence;
use lindung_domain::overrides::Override;
use lindung_domain::proposal::{Effect, Enacted, Proposal};
use lindung_domain::referral::Referral;
use lindung_domain::release::{Release, Withheld};
use lindung_domain::status_check::KnownChecked;
use lindung_domain::{CaseId, ChildId};
use uuid::Uuid;

/// What an entity's change writes besides what every change writes.
pub trait Saved {
    /// The case it belongs to.
    fn case(&self) -> CaseId;
    /// The case itself, where the change makes or changes it.
    #[doc(hidden)]
    fn header(&self) -> Header<'_> {
        Header::Untouched
    }
    /// The children it makes.
    #[doc(hidden)]
    fn children(&self) -> Vec<Uuid> {
        Vec::new()
    }
    /// The sections it writes.
    #[doc(hidden)]
    fn sections(&self) -> Vec<&Written> {
        Vec::new()
    }
    /// The child that it erases: its key is destroyed.
    #[doc(hidden)]
    fn erases(&self) -> Option<ChildId> {
        None
    }
    /// The referrals it makes or changes.
    #[doc(hidden)]
    fn referrals(&self) -> Vec<&Referral> {
        Vec::new()
    }
    /// The handoffs it makes or changes.
    #[doc(hidden)]
    fn handoffs(&self) -> Vec<&Handoff> {
        Vec::new()
    }
    /// The grant that it ends by hand.
    #[doc(hidden)]
    fn ended_grant(&self) -> Option<&EndedByHand> {
        None
    }
    /// The shield that it puts up or lifts.
    #[doc(hidden)]
    fn shielded(&self) -> Option<&Shielded> {
        None
    }
    /// The emergency access that it makes or changes.
    #[doc(hidden)]
    fn emergency(&self) -> Option<&EmergencyAccess> {
        None
    }
    /// The proposal that it makes or changes.
    #[doc(hidden)]
    fn proposal(&self) -> Option<&Proposal> {
        None
    }
    /// The consent that it records, withdraws or confirms to be withdrawn.
    #[doc(hidden)]
    fn consent(&self) -> Option<&Consent> {
        None
    }
    /// The override that it reviews.
    #[doc(hidden)]
    fn reviewed(&self) -> Option<&Override> {
        None
    }
    /// The access that it withholds.
    #[doc(hidden)]
    fn withheld(&self) -> Option<&Withheld> {
        None
    }
    /// The release that it makes.
    #[doc(hidden)]
    fn release(&self) -> Option<&Release> {
        None
    }
    /// The occurrence that it records.
    #[doc(hidden)]
    fn occurrence(&self) -> Option<&Occurrence> {
        None
    }
    /// The status check that it is.
    #[doc(hidden)]
    fn checked(&self) -> Option<&KnownChecked> {
        None
    }
}

/// What becomes of the case's own row.
#[doc(hidden)]
#[derive(Debug)]
pub enum Header<'a> {
    New(&'a Case),
    Changed(&'a Case),
    /// Led by another agency, which row-level security has to know of before it saves the rest.
    Moved(&'a Case),
    Untouched,
}

impl Saved for Opened {
    fn case(&self) -> CaseId {
        self.case.record().id
    }
    fn header(&self) -> Header<'_> {
        Header::New(&self.case)
    }
    fn children(&self) -> Vec<Uuid> {
        self.children.iter().map(|it| it.0).collect()
    }
    fn sections(&self) -> Vec<&Written> {
        self.sections.iter().collect()
    }
}

impl Saved for Headed {
    fn case(&self) -> CaseId {
        self.case.record().id
    }
    fn header(&self) -> Header<'_> {
        Header::Changed(&self.case)
    }
    fn handoffs(&self) -> Vec<&Handoff> {
        self.moot.iter().collect()
    }
}

impl Saved for Handoff {
    fn case(&self) -> CaseId {
        self.record().case
    }
    fn handoffs(&self) -> Vec<&Handoff> {
        vec![self]
    }
}

impl Saved for HandedOver {
    fn case(&self) -> CaseId {
        self.case.record().id
    }
    fn header(&self) -> Header<'_> {
        Header::Moved(&self.case)
    }
    fn referrals(&self) -> Vec<&Referral> {
        self.referrals.iter().collect()
    }
    fn handoffs(&self) -> Vec<&Handoff> {
        std::iter::once(&self.handoff).chain(&self.moot).collect()
    }
}

impl Saved for ByHand {
    fn case(&self) -> CaseId {
        self.grant.case
    }
}

impl Saved for EndedByHand {
    fn case(&self) -> CaseId {
        self.case
    }
    fn ended_grant(&self) -> Option<&EndedByHand> {
        Some(self)
    }
}

impl Saved for Added {
    fn case(&self) -> CaseId {
        self.case.record().id
    }
    fn header(&self) -> Header<'_> {
        Header::Changed(&self.case)
    }
    fn children(&self) -> Vec<Uuid> {
        vec![self.child.0]
    }
    fn sections(&self) -> Vec<&Written> {
        self.sections.iter().collect()
    }
}

impl Saved for Written {
    fn case(&self) -> CaseId {
        self.case
    }
    fn sections(&self) -> Vec<&Written> {
        vec![self]
    }
}

impl Saved for Referral {
    fn case(&self) -> CaseId {
        self.record().case
    }
    fn referrals(&self) -> Vec<&Referral> {
        vec![self]
    }
}

impl Saved for Shielded {
    fn case(&self) -> CaseId {
        self.case.record().id
    }
    fn header(&self) -> Header<'_> {
        Header::Changed(&self.case)
    }
    fn shielded(&self) -> Option<&Shielded> {
        Some(self)
    }
}

impl Saved for EmergencyAccess {
    fn case(&self) -> CaseId {
        self.record().case
    }
    fn emergency(&self) -> Option<&EmergencyAccess> {
        Some(self)
    }
}

impl Saved for Proposal {
    fn case(&self) -> CaseId {
        self.record().case
    }
    fn proposal(&self) -> Option<&Proposal> {
        Some(self)
    }
}

impl Saved for Consent {
    fn case(&self) -> CaseId {
        self.record().case
    }
    fn consent(&self) -> Option<&Consent> {
        Some(self)
    }
}

impl Saved for Override {
    fn case(&self) -> CaseId {
        self.record().case
    }
    fn reviewed(&self) -> Option<&Override> {
        Some(self)
    }
}

impl Saved for Withheld {
    fn case(&self) -> CaseId {
        self.case
    }
    fn withheld(&self) -> Option<&Withheld> {
        Some(self)
    }
}

impl Saved for Release {
    fn case(&self) -> CaseId {
        self.case
    }
    fn release(&self) -> Option<&Release> {
        Some(self)
    }
}

impl Saved for Occurrence {
    fn case(&self) -> CaseId {
        self.case
    }
    fn occurrence(&self) -> Option<&Occurrence> {
        Some(self)
    }
}

impl Saved for KnownChecked {
    fn case(&self) -> CaseId {
        self.case
    }
    fn checked(&self) -> Option<&KnownChecked> {
        Some(self)
    }
}

impl Saved for Enacted {
    fn case(&self) -> CaseId {
        self.proposal.record().case
    }
    fn header(&self) -> Header<'_> {
        self.shielded().map_or(Header::Untouched, |it| Header::Changed(&it.case))
    }
    fn shielded(&self) -> Option<&Shielded> {
        match &self.effect {
            Effect::Shielded(shielded) => Some(shielded),
            Effect::Erased(_) => None,
        }
    }
    fn erases(&self) -> Option<ChildId> {
        match &self.effect {
            Effect::Shielded(_) => None,
            Effect::Erased(erased) => Some(erased.child),
        }
    }
    fn proposal(&self) -> Option<&Proposal> {
        Some(&self.proposal)
    }
}
