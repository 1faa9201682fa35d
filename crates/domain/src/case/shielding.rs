//! Putting up a shield, and lifting it: the one alone, the other by two.

use super::{Asking, Case, CaseFile, Record, Shielded};
use crate::event::data::ShieldData;
use crate::event::{Change, Event, Kind, Subject};
use crate::id::ChildId;
use crate::policy::Act;
use crate::refusal::{Invalid, Refusal};
use crate::shield::{Admitted, Shield};

impl CaseFile {
    /// The shield of a child of the case, or of the case itself.
    pub fn shield_of(&self, child: Option<ChildId>) -> Option<&Shield> {
        match child {
            None => self.case.record().shield.as_ref(),
            Some(child) => self.shielded.iter().find(|it| it.0 == child).map(|it| &it.1),
        }
    }

    /// Makes the case or one of its children invisible but to those named, or names fewer.
    ///
    /// # Errors
    /// Not found, not theirs, stale; the shield that is up would admit more than before, which needs two.
    pub fn put_up(
        &self,
        child: Option<ChildId>,
        admits: Vec<Admitted>,
        asking: &Asking<'_>,
    ) -> Result<Change<Shielded>, Refusal> {
        let rule = self.decide(Act::Shield, asking)?.rule;
        self.require_child(child, asking)?;
        asking.expected.require(self.case.record().version)?;
        let shield = Shield::of(admits, asking.actor)?;
        if self.shield_of(child).is_some_and(|it| !shield.is_within(it)) {
            return Err(
                Invalid::new("admits", "wider", "names more than the shield that is up: propose to lift it").into()
            );
        }
        let kind = if child.is_some() { Kind::ChildShielded } else { Kind::CaseShielded };
        let (entity, event) = self.shielded_as(child, Some(shield), kind, asking);
        Ok(Change::new(entity, rule, event))
    }

    /// The case with another shield or none, for whoever decided that with somebody else.
    pub(crate) fn shielded_as(
        &self,
        child: Option<ChildId>,
        shield: Option<Shield>,
        kind: Kind,
        asking: &Asking<'_>,
    ) -> (Shielded, Event) {
        let record = self.case.record();
        let shield_of_case = if child.is_none() { shield.clone() } else { record.shield.clone() };
        let case = Case(Record { version: record.version.next(), shield: shield_of_case, ..record.clone() });
        let subject = child.map_or(Subject::Case(record.id), Subject::Child);
        let data = ShieldData { by: asking.actor.agency().clone(), version: case.record().version };
        // Those who lose sight of it are told too.
        let event = Event::new(kind, subject, self.parties_now(asking.now).collect(), data);
        (Shielded { case, child, shield }, event)
    }

    /// Whether the child is one of the case that the actor may know of.
    pub(crate) fn require_child(&self, child: Option<ChildId>, asking: &Asking<'_>) -> Result<(), Refusal> {
        let known = |it| self.known_children(asking).contains(&it);
        if child.is_none_or(known) { Ok(()) } else { Err(Refusal::NotFound) }
    }

    /// The children that no shield hides from the actor.
    pub(crate) fn known_children(&self, asking: &Asking<'_>) -> Vec<ChildId> {
        self.children.iter().copied().filter(|it| self.admits_to(*it, asking)).collect()
    }
}
