//! What needs two different people: one proposes, another of the lead's supervisors agrees.

use crate::case::{Asking, CaseFile, Erased, Shielded};
use crate::event::data::ProposalData;
use crate::event::{Change, Event, Kind, Subject};
use crate::id::{AgencyCode, CaseId, ChildId, OfficerId, ProposalId, Version};
use crate::policy::{Act, Obligation, Permit, Relation};
use crate::refusal::{Invalid, Refusal};
use crate::shield::{Admitted, Shield};
use crate::values::codes;
use chrono::{DateTime, TimeDelta, Utc};

codes! {
    /// What is proposed.
    pub enum ProposalKind {
        /// Lift a shield, or let it name others.
        Unshield,
        /// Erase who a child is, for good.
        EraseChild,
    }

    /// Where a proposal stands.
    pub enum ProposalStatus {
        /// Waits for another person.
        Proposed,
        /// Agreed to, and done.
        Confirmed,
        /// Not agreed to.
        Declined,
    }
}

/// How long a proposal waits.
pub const LASTS: TimeDelta = TimeDelta::days(7);

/// Everything that is kept of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub id: ProposalId,
    /// About which case.
    pub case: CaseId,
    /// About which of its children; the case itself when unset.
    pub child: Option<ChildId>,
    /// What.
    pub kind: ProposalKind,
    /// Of a shield: whom it is to admit then; it is lifted when unset.
    pub admits: Option<Shield>,
    /// Why.
    pub reason: String,
    /// The agency of whoever proposed it.
    pub agency: AgencyCode,
    /// Who proposed it.
    pub proposed_by: OfficerId,
    /// When.
    pub proposed_at: DateTime<Utc>,
    /// Where it stands.
    pub status: ProposalStatus,
    /// Who decided.
    pub decided_by: Option<OfficerId>,
    /// When.
    pub decided_at: Option<DateTime<Utc>>,
    /// Its version.
    pub version: Version,
}

/// A proposal as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal(Record);

/// A proposal that was agreed to, with what that did.
#[derive(Debug, Clone, PartialEq)]
pub struct Enacted {
    /// The proposal.
    pub proposal: Proposal,
    /// What that did.
    pub effect: Effect,
}

/// What a proposal did.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// A shield was lifted, or names others.
    Shielded(Box<Shielded>),
    /// A child was erased.
    Erased(Erased),
}

impl ProposalKind {
    fn act(self) -> Act {
        match self {
            ProposalKind::Unshield => Act::Unshield,
            ProposalKind::EraseChild => Act::EraseChild,
        }
    }
}

impl Proposal {
    /// As it was saved.
    pub fn restore(record: Record) -> Self {
        Proposal(record)
    }

    /// What is kept of it.
    pub fn record(&self) -> &Record {
        &self.0
    }

    /// Proposes something about a case or one of its children.
    ///
    /// # Errors
    /// Not found, not theirs; there is nothing to lift.
    pub fn make(
        id: ProposalId,
        (kind, child, admits): (ProposalKind, Option<ChildId>, Option<Vec<Admitted>>),
        reason: String,
        file: &CaseFile,
        asking: &Asking<'_>,
    ) -> Result<Change<Self>, Refusal> {
        let rule = file.decide(kind.act(), asking)?.rule;
        file.require_child(child, asking)?;
        let proposed_by = asking.actor.officer_id().cloned().ok_or(Refusal::NotYours)?;
        match kind {
            ProposalKind::Unshield if file.shield_of(child).is_none() => {
                return Err(Refusal::case_not_now("it is not shielded"));
            }
            ProposalKind::EraseChild if child.is_none() => {
                return Err(Invalid::new("child", "required", "names the child to erase").into());
            }
            ProposalKind::EraseChild if admits.is_some() => {
                return Err(Invalid::new("admits", "unknown", "goes with unshield alone").into());
            }
            ProposalKind::Unshield | ProposalKind::EraseChild => {}
        }
        let admits = admits.map(|it| Shield::of(it, asking.actor)).transpose()?;
        let proposal = Proposal(Record {
            id,
            case: file.case.record().id,
            child,
            kind,
            admits,
            reason,
            agency: asking.actor.agency().clone(),
            proposed_by,
            proposed_at: asking.now,
            status: ProposalStatus::Proposed,
            decided_by: None,
            decided_at: None,
            version: Version::FIRST,
        });
        let event = proposal.event(Kind::ProposalMade);
        Ok(Change::new(proposal, rule, event))
    }

    /// Agrees to it: it is done.
    ///
    /// # Errors
    /// Not found, not theirs (never by whoever proposed it), not waiting any more.
    pub fn confirm(self, file: &CaseFile, asking: &Asking<'_>) -> Result<Change<Enacted>, Refusal> {
        let (rule, proposal) = self.decided(ProposalStatus::Confirmed, file, asking)?;
        let Record { kind, child, admits, .. } = &proposal.0;
        let (effect, event) = match (kind, child) {
            (ProposalKind::Unshield, child) => {
                let kind = if child.is_some() { Kind::ChildUnshielded } else { Kind::CaseUnshielded };
                let (shielded, event) = file.shielded_as(*child, admits.clone(), kind, asking);
                (Effect::Shielded(Box::new(shielded)), event)
            }
            (ProposalKind::EraseChild, Some(child)) => {
                let (erased, event) = file.erased(*child, asking);
                (Effect::Erased(erased), event)
            }
            (ProposalKind::EraseChild, None) => return Err(Refusal::NotFound),
        };
        let confirmed = proposal.event(Kind::ProposalConfirmed);
        Ok(Change::new(Enacted { proposal, effect }, rule, event).and_event(confirmed))
    }

    /// Does not agree to it, or takes it back.
    ///
    /// # Errors
    /// Not found, not theirs, not waiting any more.
    pub fn decline(self, file: &CaseFile, asking: &Asking<'_>) -> Result<Change<Self>, Refusal> {
        let (rule, proposal) = self.decided(ProposalStatus::Declined, file, asking)?;
        let event = proposal.event(Kind::ProposalDeclined);
        Ok(Change::new(proposal, rule, event))
    }

    /// What the policy allows in general is not for whoever proposed it: agreeing takes another person.
    fn decided(
        self,
        status: ProposalStatus,
        file: &CaseFile,
        asking: &Asking<'_>,
    ) -> Result<(Relation, Proposal), Refusal> {
        let record = self.0;
        let Permit { rule, obligations, .. } = file.decide(record.kind.act(), asking)?;
        file.require_child(record.child, asking)?;
        let decided_by = asking.actor.officer_id().cloned().ok_or(Refusal::NotYours)?;
        let proposed_it = record.agency == *asking.actor.agency() && record.proposed_by == decided_by;
        if status == ProposalStatus::Confirmed && proposed_it && obligations.contains(&Obligation::SecondPerson) {
            return Err(Refusal::NotYours);
        }
        if record.status != ProposalStatus::Proposed || asking.now >= record.proposed_at + LASTS {
            return Err(Refusal::case_not_now("it is decided, or older than seven days"));
        }
        let (decided_by, decided_at) = (Some(decided_by), Some(asking.now));
        Ok((rule, Proposal(Record { status, decided_by, decided_at, version: record.version.next(), ..record })))
    }

    fn event(&self, told: Kind) -> Event {
        let Record { id, kind, agency, version, .. } = &self.0;
        let data = ProposalData { kind: *kind, version: *version };
        Event::new(told, Subject::Proposal(*id), [agency.clone()].into(), data)
    }
}
