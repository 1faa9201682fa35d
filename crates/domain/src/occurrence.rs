//! Occurrences: what happened to a child outside the system, when it happened and not when it was recorded. They start
//! and meet the clocks that a law sets, and are never changed.

use crate::case::{Asking, CaseFile};
use crate::event::data::OccurrenceData;
use crate::event::{Change, Event, Fact, Kind, Stakes, Subject, secretariat};
use crate::grant::Grant;
use crate::id::{AgencyCode, CaseId, ChildId, OccurrenceId, OfficerId};
use crate::policy::{self, Act};
use crate::refusal::{Invalid, Refusal, past};
use crate::values::codes;
use chrono::{DateTime, Utc};

codes! {
    /// What happened to a child outside the system.
    pub enum OccurrenceKind {
        /// It was taken into temporary custody.
        CustodyTaken,
        /// It was brought before a Protector or a court.
        BroughtBeforeProtector,
        /// It was released from custody.
        Released,
        /// A medical examination was directed.
        ExaminationDirected,
        /// It was examined.
        Examined,
        /// The direction was withdrawn.
        DirectionWithdrawn,
        /// It was placed in somebody's care.
        PlacedInCare,
        /// The Protector was notified of that.
        ProtectorNotified,
    }
}

impl OccurrenceKind {
    /// The event that it makes, by which clocks go.
    fn told(self) -> Kind {
        match self {
            OccurrenceKind::CustodyTaken => Kind::CustodyTaken,
            OccurrenceKind::BroughtBeforeProtector => Kind::BroughtBeforeProtector,
            OccurrenceKind::Released => Kind::Released,
            OccurrenceKind::ExaminationDirected => Kind::ExaminationDirected,
            OccurrenceKind::Examined => Kind::Examined,
            OccurrenceKind::DirectionWithdrawn => Kind::DirectionWithdrawn,
            OccurrenceKind::PlacedInCare => Kind::PlacedInCare,
            OccurrenceKind::ProtectorNotified => Kind::ProtectorNotified,
        }
    }
}

/// Something that happened to a child outside the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// Its id.
    pub id: OccurrenceId,
    /// Of which case.
    pub case: CaseId,
    /// To which child.
    pub child: ChildId,
    /// What.
    pub kind: OccurrenceKind,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// Which agency recorded it.
    pub agency: AgencyCode,
    /// Which officer.
    pub officer: OfficerId,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
}

impl CaseFile {
    /// The child that an occurrence is about: where none is named, the only one.
    ///
    /// # Errors
    /// Not found, not theirs; there are several and none is named.
    pub fn child_of_occurrence(&self, child: Option<ChildId>, asking: &Asking<'_>) -> Result<ChildId, Refusal> {
        let child = match (child, self.children.as_slice()) {
            (Some(child), _) | (None, &[child]) => child,
            (None, _) => {
                self.decide(Act::RecordOccurrence, asking)?;
                return Err(Invalid::new("child", "required", "the case has several children: name one").into());
            }
        };
        policy::require(asking.actor, Act::RecordOccurrence, &self.relations_to_child(child, asking))?;
        if self.children.contains(&child) { Ok(child) } else { Err(Refusal::NotFound) }
    }

    /// Records what happened to a child, of which `earlier` was recorded before.
    ///
    /// # Errors
    /// Not found, not theirs, the case is closed, or it lies in the future.
    pub fn record_occurrence(
        &self,
        id: OccurrenceId,
        (kind, occurred_at): (OccurrenceKind, DateTime<Utc>),
        child: ChildId,
        earlier: &[(OccurrenceKind, DateTime<Utc>)],
        asking: &Asking<'_>,
    ) -> Result<Change<Occurrence>, Refusal> {
        let relations = self.relations_to_child(child, asking);
        let rule = policy::require(asking.actor, Act::RecordOccurrence, &relations)?;
        self.require_open()?;
        past("occurredAt", occurred_at, asking.now)?;
        let (record, (lead, shielded)) = (self.case.record(), self.audience());
        let agency = asking.actor.agency().clone();
        let officer = asking.actor.officer_id().cloned().ok_or(Refusal::NotYours)?;
        let shown = |it: &&Grant| it.is_live(asking.now) && it.covers(Some(child));
        let hidden = shielded || self.shielded.iter().any(|it| it.0 == child);
        let recipients = self.grants.iter().filter(shown).map(|it| it.agency.clone());
        let stakes = Stakes {
            asker: Some(lead.clone()),
            holder: Some(agency.clone()),
            priority: Some(record.header.priority),
            at: Some(occurred_at),
            known: earlier.iter().map(|(kind, at)| Fact { kind: kind.told(), at: *at }).collect(),
            ..Stakes::default()
        };
        let event = Event::new(
            kind.told(),
            Subject::Child(child),
            recipients.chain(secretariat().filter(|_| !hidden)).collect(),
            OccurrenceData { occurrence: id, occurred_at, by: agency.clone() },
        );
        let occurrence =
            Occurrence { id, case: record.id, child, kind, occurred_at, agency, officer, recorded_at: asking.now };
        Ok(Change::new(occurrence, rule, event.with_stakes(stakes)))
    }
}
