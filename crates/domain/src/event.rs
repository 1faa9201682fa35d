//! What happened, in the past tense, and the change that it belongs to.
//!
//! Events are thin: ids, codes, agencies and versions, never a name and never what somebody wrote.

use std::collections::BTreeSet;

use crate::actor::SECRETARIAT;
use crate::grant::GrantChange;
use crate::id::{AgencyCode, CaseId, ChildId, EmergencyId, ProposalId, ReferralId};
use crate::message::Message;
use crate::policy::Relation;

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
}

/// One thing that happened to one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Past tense, dotted, as in `referral.accepted`; the full type has [`Event::PREFIX`] before it.
    pub kind: String,
    /// To what it happened.
    pub subject: Subject,
    /// Who is told: those entitled before or after the change.
    pub recipients: BTreeSet<AgencyCode>,
    /// Ids and codes.
    pub data: serde_json::Value,
}

impl Event {
    /// What every event type begins with.
    pub const PREFIX: &'static str = "my.gov.lindung.";
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
    message: Option<Message>,
}

impl<T> Change<T> {
    pub(crate) fn new(entity: T, rule: Relation, event: Event) -> Self {
        Change { entity, rule, events: vec![event], grants: Vec::new(), message: None }
    }

    /// A change that nobody is told of.
    pub(crate) fn untold(entity: T, rule: Relation) -> Self {
        Change { entity, rule, events: Vec::new(), grants: Vec::new(), message: None }
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

    /// What was written.
    pub fn message(&self) -> Option<&Message> {
        self.message.as_ref()
    }

    /// The entity, once the rest is saved.
    pub fn into_entity(self) -> T {
        self.entity
    }
}
