//! What was loaded for a decision, and whether an answer may be repeated.

use lindung_domain::CaseId;
use lindung_domain::case::{Asking, CaseFile};
use lindung_domain::clock::Running;
use lindung_domain::consent::Consent;
use lindung_domain::emergency::{self, EmergencyAccess, Trust};
use lindung_domain::handoff::Handoff;
use lindung_domain::overrides::Override;
use lindung_domain::policy::{self, Act, Relation};
use lindung_domain::proposal::Proposal;
use lindung_domain::referral::{Action, Party, Referral};
use lindung_domain::refusal::Refusal;
use lindung_domain::release::Entry;

use super::Target;
use crate::grants::GrantItem;
use crate::idempotency::Answer;

/// What was loaded for a decision.
#[derive(Debug)]
pub struct Loaded {
    pub(super) file: Option<CaseFile>,
    pub(super) referral: Option<Referral>,
    pub(super) emergency: Option<EmergencyAccess>,
    pub(super) trust: Trust,
    pub(super) proposal: Option<Proposal>,
    pub(super) handoff: Option<Handoff>,
    pub(super) grant: Option<GrantItem>,
    pub(super) consent: Option<Consent>,
    pub(super) overridden: Option<Override>,
    pub(super) entry: Option<Entry>,
    /// The agencies that the command names, as far as they are registered.
    pub(crate) parties: Vec<Party>,
    /// The clocks of the case that run, as far as the actor may know of them.
    pub(crate) running: Vec<Running>,
    pub(crate) event_count: i64,
    pub(crate) replay: Option<Answer>,
}

impl Loaded {
    /// The case.
    ///
    /// # Errors
    /// There is none.
    pub fn file(&self) -> Result<&CaseFile, Refusal> {
        self.file.as_ref().ok_or(Refusal::NotFound)
    }

    /// The referral.
    ///
    /// # Errors
    /// There is none.
    pub fn referral(&self) -> Result<&Referral, Refusal> {
        self.referral.as_ref().ok_or(Refusal::NotFound)
    }

    /// The emergency access.
    ///
    /// # Errors
    /// There is none.
    pub fn emergency(&self) -> Result<&EmergencyAccess, Refusal> {
        self.emergency.as_ref().ok_or(Refusal::NotFound)
    }

    /// Whether the actor may look at all in an emergency; known only where one is asked for or confirmed.
    pub fn trust(&self) -> Trust {
        self.trust
    }

    /// The proposal.
    ///
    /// # Errors
    /// There is none.
    pub fn proposal(&self) -> Result<&Proposal, Refusal> {
        self.proposal.as_ref().ok_or(Refusal::NotFound)
    }

    /// The handoff.
    ///
    /// # Errors
    /// There is none.
    pub fn handoff(&self) -> Result<&Handoff, Refusal> {
        self.handoff.as_ref().ok_or(Refusal::NotFound)
    }

    /// The grant, whether or not it is live.
    ///
    /// # Errors
    /// There is none.
    pub fn grant(&self) -> Result<&GrantItem, Refusal> {
        self.grant.as_ref().ok_or(Refusal::NotFound)
    }

    /// The consent.
    ///
    /// # Errors
    /// There is none.
    pub fn consent(&self) -> Result<&Consent, Refusal> {
        self.consent.as_ref().ok_or(Refusal::NotFound)
    }

    /// The override.
    ///
    /// # Errors
    /// There is none.
    pub fn overridden(&self) -> Result<&Override, Refusal> {
        self.overridden.as_ref().ok_or(Refusal::NotFound)
    }

    /// The access.
    ///
    /// # Errors
    /// There is none.
    pub fn entry(&self) -> Result<&Entry, Refusal> {
        self.entry.as_ref().ok_or(Refusal::NotFound)
    }

    pub(crate) fn case_id(&self) -> Option<CaseId> {
        self.file.as_ref().map(|it| it.case.record().id)
    }

    /// Whether what an answer tells of may still be seen: a repeat passes the policy again, and
    /// where the right has gone it is as if there had never been anything.
    pub(crate) fn require_read(&self, target: Target, asking: &Asking<'_>) -> Result<Relation, Refusal> {
        let file = self.file()?;
        if matches!(target, Target::Emergency(_) | Target::EmergencyAccess(..)) {
            return emergency::require_trust(self.trust, asking).map_err(|_| Refusal::NotFound);
        }
        if let Some(entry) = &self.entry {
            let relations = entry.relations(file, asking);
            return policy::require(asking.actor, Act::WithholdAccess, &relations).map_err(|_| Refusal::NotFound);
        }
        if let Some(handoff) = &self.handoff {
            return handoff.require_read(file, asking).map_err(|_| Refusal::NotFound);
        }
        if let Some(consent) = &self.consent {
            return consent.require_read(file, asking).map_err(|_| Refusal::NotFound);
        }
        if let Some(overridden) = &self.overridden {
            let relations = overridden.relations(file, asking);
            return policy::require(asking.actor, Act::ReadOverrides, &relations).map_err(|_| Refusal::NotFound);
        }
        let right = match &self.referral {
            // A client alone reads no referral, but it may be told again of the receipt that it gave.
            Some(referral) => referral
                .require_read(Act::ReadReferral, file, asking)
                .or_else(|_| referral.require_read(Act::Referral(Action::Receive), file, asking)),
            None => file.decide(Act::ReadCase, asking).map(|it| it.rule),
        };
        right.map_err(|_| Refusal::NotFound)
    }
}
