//! "Who has seen this file", told to a child's lawful representative, and what is withheld from that.
//!
//! The representative may be the suspect. Here it is decided who may release or withhold; what a release tells is
//! selected from the access log by the statement that saves it.

use crate::case::{Asking, CaseFile};
use crate::event::data::{ReleaseData, WithheldData};
use crate::event::{Change, Event, Kind, Subject};
use crate::id::{AccessId, AgencyCode, CaseId, ChildId, OfficerId, ReleaseId};
use crate::policy::{self, Act, Relation, Relations};
use crate::refusal::Refusal;
use crate::values::codes;
use chrono::{DateTime, Utc};

codes! {
    /// Why an access is withheld: grounds on which data may be refused (Act 864 s.15).
    pub enum WithholdGround {
        /// It would tell of investigative methods (s.15(c)).
        #[serde(rename = "s15-c")]
        #[strum(serialize = "s15-c")]
        Methods,
        /// It would hurt national security, an investigation, an inquest or court proceedings (s.15(e)).
        #[serde(rename = "s15-e")]
        #[strum(serialize = "s15-e")]
        Proceedings,
        /// It would endanger somebody's health, safety or welfare (s.15(f)).
        #[serde(rename = "s15-f")]
        #[strum(serialize = "s15-f")]
        Danger,
    }

    /// In which capacity somebody speaks for a child. Who it is, no release says.
    pub enum Representative {
        /// The child itself.
        Child,
        /// A parent.
        Parent,
        /// A guardian.
        Guardian,
        /// A lawyer.
        Lawyer,
    }

    /// What was done with a file, as a release tells of it.
    pub enum Deed {
        /// Opened the case.
        OpenedCase,
        /// Saw the header of the case, or its children.
        SawCase,
        /// Changed the case.
        ChangedCase,
        /// Read sections.
        ReadSection,
        /// Wrote sections.
        WroteSection,
        /// Read the timeline or messages.
        ReadTimeline,
        /// Read a referral.
        ReadReferral,
        /// Worked on a referral.
        WorkedOnReferral,
        /// Opened the case in an emergency.
        OpenedInEmergency,
    }
}

/// An access to a case, as far as its withholding needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id in the access log.
    pub id: AccessId,
    /// Whose it was.
    pub agency: AgencyCode,
}

/// An access that no release is to tell of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// The case.
    pub case: CaseId,
    /// Which access.
    pub entry: AccessId,
    /// On which ground.
    pub ground: WithholdGround,
    /// Why.
    pub reason: String,
    /// Whose supervisor said so.
    pub by_agency: AgencyCode,
    /// Which one.
    pub by_officer: OfficerId,
    /// When.
    pub at: DateTime<Utc>,
}

/// A release to a child's lawful representative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Its id.
    pub id: ReleaseId,
    /// The case.
    pub case: CaseId,
    /// Whose representative it is for.
    pub child: ChildId,
    /// In which capacity.
    pub representative: Representative,
    /// Why.
    pub reason: String,
    /// Whose supervisor released it.
    pub by_agency: AgencyCode,
    /// Which one.
    pub by_officer: OfficerId,
    /// When.
    pub at: DateTime<Utc>,
}

impl Entry {
    /// How the actor stands to it, beside what they are to the case.
    pub fn relations(&self, file: &CaseFile, asking: &Asking<'_>) -> Relations {
        let mut relations = file.relations(asking);
        relations.extend((self.agency == *asking.actor.agency()).then_some(Relation::Accessor));
        relations
    }
}

impl CaseFile {
    /// Withholds an access to the case from what is released.
    ///
    /// # Errors
    /// Not found, not theirs.
    pub fn withhold(
        &self,
        entry: &Entry,
        (ground, reason): (WithholdGround, String),
        asking: &Asking<'_>,
    ) -> Result<Change<Withheld>, Refusal> {
        let rule = policy::require(asking.actor, Act::WithholdAccess, &entry.relations(self, asking))?;
        let by_officer = asking.actor.officer_id().cloned().ok_or(Refusal::NotYours)?;
        let (case, by_agency, (lead, _)) = (self.case.record().id, asking.actor.agency().clone(), self.audience());
        let recipients = [lead.clone(), entry.agency.clone()].into();
        let data = WithheldData { ground, by: by_agency.clone() };
        let event = Event::new(Kind::AccessWithheld, Subject::Case(case), recipients, data);
        let withheld = Withheld { case, entry: entry.id, ground, reason, by_agency, by_officer, at: asking.now };
        Ok(Change::new(withheld, rule, event))
    }

    /// Releases to a representative of the child who has seen its file.
    ///
    /// # Errors
    /// Not found, not theirs.
    pub fn release(
        &self,
        id: ReleaseId,
        child: ChildId,
        (representative, reason): (Representative, String),
        asking: &Asking<'_>,
    ) -> Result<Change<Release>, Refusal> {
        let rule = policy::require(asking.actor, Act::ReleaseAccesses, &self.relations(asking))?;
        self.require_child(Some(child), asking)?;
        let by_officer = asking.actor.officer_id().cloned().ok_or(Refusal::NotYours)?;
        let (case, by_agency) = (self.case.record().id, asking.actor.agency().clone());
        let data = ReleaseData { release: id, representative, by: by_agency.clone() };
        let event = Event::new(Kind::AccessesReleased, Subject::Child(child), [by_agency.clone()].into(), data);
        let release = Release { id, case, child, representative, reason, by_agency, by_officer, at: asking.now };
        Ok(Change::new(release, rule, event))
    }
}
