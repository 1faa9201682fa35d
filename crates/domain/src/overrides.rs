//! Overrides: what a referral disclosed without consent, why and until when; judged by another person of its sender.
//!
//! One is made when its referral is sent. Found not to be justified, what rests on it ends at once.

use crate::case::{Asking, CaseFile};
use crate::emergency::ReviewOutcome;
use crate::event::data::OverrideData;
use crate::event::{Change, Event, Kind, Stakes, Subject};
use crate::grant::{Ending, GrantChange};
use crate::id::{AgencyCode, CaseId, OfficerId, OverrideId, ReferralId, Version};
use crate::policy::{self, Act, Relation, Relations};
use crate::refusal::Refusal;
use crate::section::Section;
use chrono::{DateTime, Utc};

/// Everything that is kept of an override.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub id: OverrideId,
    /// The case.
    pub case: CaseId,
    /// The referral that discloses.
    pub referral: ReferralId,
    /// What is disclosed.
    pub sections: Vec<Section>,
    /// Why.
    pub reason: String,
    /// Until when, exclusively.
    pub until: DateTime<Utc>,
    /// The agency that sent the referral.
    pub agency: AgencyCode,
    /// The officer who did.
    pub officer: OfficerId,
    /// When.
    pub at: DateTime<Utc>,
    /// What the review found.
    pub review: Option<ReviewOutcome>,
    /// The review, in words.
    pub review_note: Option<String>,
    /// Who reviewed it.
    pub reviewed_by: Option<OfficerId>,
    /// When.
    pub reviewed_at: Option<DateTime<Utc>>,
    /// Its version.
    pub version: Version,
}

/// An override as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override(Record);

impl Override {
    /// As it was saved.
    pub fn restore(record: Record) -> Self {
        Override(record)
    }

    /// What is kept of it.
    pub fn record(&self) -> &Record {
        &self.0
    }

    /// One that a referral makes as it is sent, with its event.
    pub(crate) fn made(record: Record, lead: &AgencyCode) -> (Self, Event) {
        let made = Override(record);
        let event = made.event(Kind::OverrideMade, lead);
        (made, event)
    }

    /// Judges it; where it was not justified, what rests on it ends.
    ///
    /// # Errors
    /// Not found, not theirs (never by whoever made it), or judged already.
    pub fn review(
        self,
        outcome: ReviewOutcome,
        note: String,
        file: &CaseFile,
        asking: &Asking<'_>,
    ) -> Result<Change<Self>, Refusal> {
        let rule = policy::require(asking.actor, Act::ReviewOverride, &self.relations(file, asking))?;
        let reviewer = asking.actor.officer_id().cloned().ok_or(Refusal::NotYours)?;
        if reviewer == self.0.officer {
            return Err(Refusal::NotYours);
        }
        if self.0.review.is_some() {
            return Err(Refusal::case_not_now("it was reviewed"));
        }
        let reviewed = Override(Record {
            review: Some(outcome),
            review_note: Some(note),
            reviewed_by: Some(reviewer),
            reviewed_at: Some(asking.now),
            version: self.0.version.next(),
            ..self.0
        });
        let event = reviewed.event(Kind::OverrideReviewed, file.audience().0);
        let ended = GrantChange::End { which: Ending::Override(reviewed.0.id), at: asking.now };
        let grants = if outcome == ReviewOutcome::NotJustified { vec![ended] } else { Vec::new() };
        Ok(Change::new(reviewed, rule, event).with_grants(grants))
    }

    /// How the actor stands to it.
    pub fn relations(&self, file: &CaseFile, asking: &Asking<'_>) -> Relations {
        if !file.admits(asking) {
            return Relations::new();
        }
        let leads = file.relations(asking).contains(&Relation::Lead);
        let own = self.0.agency == *asking.actor.agency();
        [leads.then_some(Relation::Lead), own.then_some(Relation::Maker)].into_iter().flatten().collect()
    }

    fn event(&self, kind: Kind, lead: &AgencyCode) -> Event {
        let Record { id, referral, sections, agency, until, review, version, .. } = &self.0;
        let recipients = [lead, agency].into_iter().cloned().collect();
        let data = OverrideData {
            referral: *referral,
            sections: sections.clone(),
            until: *until,
            review: *review,
            version: *version,
        };
        let stakes = Stakes { asker: Some(lead.clone()), holder: Some(agency.clone()), ..Stakes::default() };
        Event::new(kind, Subject::Override(*id), recipients, data).with_stakes(stakes)
    }
}
