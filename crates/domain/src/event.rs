//! What happened, in the past tense, and the change that it belongs to.
//!
//! Events are thin: ids, codes, agencies and versions, never a name and never what somebody wrote.

pub mod data;
mod kind;
mod pattern;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::actor::SECRETARIAT;
use crate::clock::{self, ClockChange, Running};
use crate::grant::GrantChange;
use crate::id::{
    AgencyCode, CaseId, ChildId, ConsentId, DataSharingId, EmergencyId, GrantId, HandoffId, OverrideId, ProposalId,
    ReferralId,
};
use crate::message::Message;
use crate::overrides::Override;
use crate::policy::Relation;
use crate::values::Priority;

pub use data::Data;
pub use kind::Kind;
pub use pattern::{NoSuchType, Pattern};

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The case itself.
    Case(CaseId),
    /// One of its children.
    Child(ChildId),
    /// A referral.
    Referral(ReferralId),
    /// An emergency access to the case.
    Emergency(EmergencyId),
    /// Something proposed about the case.
    Proposal(ProposalId),
    /// A handoff of the case.
    Handoff(HandoffId),
    /// A grant that was given or ended by hand.
    Grant(GrantId),
    /// A consent, recorded on a child.
    Consent(ConsentId),
    /// A disclosure without consent.
    Override(OverrideId),
    /// A data-sharing request, which is about no case.
    DataSharing(DataSharingId),
}

/// One thing that happened to one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: Kind,
    /// To what it happened.
    pub subject: Subject,
    /// Who is told: those entitled before or after the change.
    pub recipients: BTreeSet<AgencyCode>,
    /// Ids and codes.
    pub data: Data,
    /// What it means for clocks; nothing where unset.
    pub stakes: Option<Stakes>,
}

/// Who waits, who has to act: what clocks go by. It is not told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stakes {
    /// Who waits.
    pub asker: Option<AgencyCode>,
    /// Who has to act; nobody yet where it is open to several.
    pub holder: Option<AgencyCode>,
    /// How fast it has to move.
    pub priority: Option<Priority>,
    /// The date that was agreed, where there is one.
    pub agreed: Option<DateTime<Utc>>,
    /// When it happened, if that was not now.
    pub at: Option<DateTime<Utc>>,
    /// The thing is over: whatever still runs on it is void.
    pub over: bool,
    /// The first agency's place in every clock of the case is the second's now.
    pub heir: Option<(AgencyCode, AgencyCode)>,
    /// What is known to have happened to the thing, recorded before this.
    pub known: Vec<Fact>,
}

/// Something that is known to have happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// As the kind of its event.
    pub kind: Kind,
    /// When it happened.
    pub at: DateTime<Utc>,
}

impl Event {
    /// What every event type begins with.
    pub const PREFIX: &'static str = "my.gov.lindung.";

    /// An event that no clock goes by.
    pub(crate) fn new(kind: Kind, subject: Subject, recipients: BTreeSet<AgencyCode>, data: impl Into<Data>) -> Self {
        Event { kind, subject, recipients, data: data.into(), stakes: None }
    }

    /// The same event, with what it means for clocks.
    pub(crate) fn with_stakes(self, stakes: Stakes) -> Self {
        Event { stakes: Some(stakes), ..self }
    }
}

/// The secretariat, whose coordinators are told of what happens to headers.
pub(crate) fn secretariat() -> Option<AgencyCode> {
    SECRETARIAT.parse().ok()
}

/// A changed (or new) entity with all that has to be saved with it. Only this crate makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct Change<T> {
    entity: T,
    rule: Relation,
    events: Vec<Event>,
    grants: Vec<GrantChange>,
    clocks: Vec<ClockChange>,
    message: Option<Message>,
    overrides: Vec<Override>,
}

impl<T> Change<T> {
    pub(crate) fn new(entity: T, rule: Relation, event: Event) -> Self {
        Change::of_events(entity, rule, vec![event])
    }

    /// A command that changed the status of several resources at once.
    pub(crate) fn of_events(entity: T, rule: Relation, events: Vec<Event>) -> Self {
        Change { entity, rule, events, grants: Vec::new(), clocks: Vec::new(), message: None, overrides: Vec::new() }
    }

    /// A change that nobody is told of.
    pub(crate) fn untold(entity: T, rule: Relation) -> Self {
        Change::of_events(entity, rule, Vec::new())
    }

    /// One more resource whose own status the command changed.
    pub(crate) fn and_event(mut self, event: Event) -> Self {
        self.events.push(event);
        self
    }

    pub(crate) fn with_grants(mut self, grants: Vec<GrantChange>) -> Self {
        self.grants = grants;
        self
    }

    pub(crate) fn with_message(mut self, message: Option<Message>) -> Self {
        self.message = message;
        self
    }

    /// The change with what it means for clocks, of which these run; what is told of them is told with it.
    pub fn with_clocks(mut self, running: &[Running], now: DateTime<Utc>) -> Self {
        let (clocks, told) = clock::moved(running, &self.events, now);
        self.clocks = clocks;
        self.events.extend(told);
        self
    }

    /// The disclosures without consent that it makes, each with its event.
    pub(crate) fn with_overrides(mut self, made: Vec<(Override, Event)>) -> Self {
        let (overrides, events): (Vec<_>, Vec<_>) = made.into_iter().unzip();
        self.overrides = overrides;
        self.events.extend(events);
        self
    }

    /// The entity as it is now.
    pub fn entity(&self) -> &T {
        &self.entity
    }

    /// The relation that permitted it.
    pub fn rule(&self) -> Relation {
        self.rule
    }

    /// What happened.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// How grants move.
    pub fn grants(&self) -> &[GrantChange] {
        &self.grants
    }

    /// How clocks move.
    pub fn clocks(&self) -> &[ClockChange] {
        &self.clocks
    }

    /// What was written.
    pub fn message(&self) -> Option<&Message> {
        self.message.as_ref()
    }

    /// What is disclosed without consent.
    pub fn overrides(&self) -> &[Override] {
        &self.overrides
    }

    /// The entity, once the rest is saved.
    pub fn into_entity(self) -> T {
        self.entity
    }
}
