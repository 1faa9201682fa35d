//! Emergency access (break-glass): one officer sees one case for four hours, and answers for it.
//!
//! The lead is told at once and reviews it. What is shielded opens when a colleague agrees. Whoever
//! has an access that nobody reviewed in time loses the right: that is derived at each decision.

use crate::case::{Asking, CaseFile};
use crate::event::data::EmergencyData;
use crate::event::{Change, Event, Kind, Stakes, Subject, secretariat};
use crate::grant::{Grant, GrantChange, Source};
use crate::id::{AgencyCode, CaseId, ClientId, EmergencyId, OfficerId, Version};
use crate::message::MESSAGE_LIMIT;
use crate::policy::{self, Act, Relation, Relations};
use crate::refusal::{Invalid, Refusal};
use crate::section::length;
use crate::values::codes;
use chrono::{DateTime, TimeDelta, Utc};

codes! {
    /// Why a case has to be seen at once.
    pub enum EmergencyCode {
        /// Somebody's life or body is in danger now.
        ImminentDanger,
        /// The child is missing.
        MissingChild,
        /// A medical emergency.
        MedicalEmergency,
        /// Another, told in the reason.
        Other,
    }

    /// What the lead's supervisor found.
    pub enum ReviewOutcome {
        /// It was right to look.
        Justified,
        /// It was not.
        NotJustified,
    }
}

/// The least code points of a reason.
pub const REASON_LEAST: usize = 20;
/// How long a colleague may take to agree.
pub const CONFIRM_WITHIN: TimeDelta = TimeDelta::minutes(15);
/// How long the lead may take to review it.
pub const REVIEW_WITHIN: TimeDelta = TimeDelta::hours(72);

/// Everything that is kept of an emergency access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub id: EmergencyId,
    /// Which case.
    pub case: CaseId,
    /// The agency whose officer looks.
    pub agency: AgencyCode,
    /// The officer.
    pub officer: OfficerId,
    /// The client that vouched for them.
    pub client: ClientId,
    /// Why.
    pub code: EmergencyCode,
    /// Why, in words.
    pub reason: String,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// The colleague who agreed, where that was needed.
    pub confirmed_by: Option<OfficerId>,
    /// When it opened; unset while it waits for a colleague.
    pub opened_at: Option<DateTime<Utc>>,
    /// Until when it is open, exclusively.
    pub until: Option<DateTime<Utc>>,
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

/// An emergency access as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmergencyAccess(Record);

/// Whether an officer may look at all in an emergency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trust {
    /// The client's registration names the agency.
    pub registered: bool,
    /// An earlier access of the officer's was not reviewed in time.
    pub overdue: bool,
}

impl Trust {
    fn holds(self) -> bool {
        self.registered && !self.overdue
    }
}

/// Permits asking for an emergency access, before it is known whether there is such a case.
///
/// # Errors
/// [`Refusal::NotYours`].
pub fn require_trust(trust: Trust, asking: &Asking<'_>) -> Result<Relation, Refusal> {
    let relations: Relations = trust.holds().then_some(Relation::Trusted).into_iter().collect();
    policy::permits(asking.actor, Act::OpenEmergency, &relations).ok_or(Refusal::NotYours)
}

impl EmergencyAccess {
    /// As it was saved.
    pub fn restore(record: Record) -> Self {
        EmergencyAccess(record)
    }

    /// What is kept of it.
    pub fn record(&self) -> &Record {
        &self.0
    }

    /// Checks a reason, in the field `reason`.
    ///
    /// # Errors
    /// It is too short to tell anything, or too long.
    pub fn reason(text: &str) -> Result<String, Invalid> {
        length("reason", text, MESSAGE_LIMIT)?;
        if text.trim().chars().count() < REASON_LEAST {
            return Err(Invalid::new("reason", "length", format!("must have at least {REASON_LEAST} characters")));
        }
        Ok(text.trim().to_owned())
    }

    /// Opens a case for the actor, or asks for it where something in the case is shielded.
    ///
    /// # Errors
    /// Not theirs; one is open already.
    pub fn ask(
        id: EmergencyId,
        (code, reason): (EmergencyCode, String),
        file: &CaseFile,
        trust: Trust,
        asking: &Asking<'_>,
    ) -> Result<Change<Self>, Refusal> {
        let rule = require_trust(trust, asking)?;
        let officer = asking.actor.officer_id().cloned().ok_or(Refusal::NotYours)?;
        let is_open = |it: &Grant| {
            it.source == Source::BreakGlass && it.officer.as_ref() == Some(&officer) && it.is_live(asking.now)
        };
        if file.grants.iter().any(|it| it.agency == *asking.actor.agency() && is_open(it)) {
            return Err(Refusal::case_not_now("it is open to you already"));
        }
        let record = Record {
            id,
            case: file.case.record().id,
            agency: asking.actor.agency().clone(),
            officer,
            client: asking.actor.client_id().clone(),
            code,
            reason,
            requested_at: asking.now,
            confirmed_by: None,
            opened_at: None,
            until: None,
            review: None,
            review_note: None,
            reviewed_by: None,
            reviewed_at: None,
            version: Version::FIRST,
        };
        if file.case.record().shield.is_some() || !file.shielded.is_empty() {
            let access = EmergencyAccess(record);
            let event = access.event(Kind::EmergencyRequested, file);
            return Ok(Change::new(access, rule, event));
        }
        Ok(record.opened(file, rule, asking))
    }

    /// Agrees to what a colleague asked for: it opens.
    ///
    /// # Errors
    /// Not found, not theirs (whoever asked cannot agree), or not waiting any more.
    pub fn confirm(self, file: &CaseFile, trust: Trust, asking: &Asking<'_>) -> Result<Change<Self>, Refusal> {
        let rule = policy::require(asking.actor, Act::ConfirmEmergency, &self.relations(file, trust, asking))?;
        let not_now = |why| Err(Refusal::case_not_now(why));
        if self.0.opened_at.is_some() {
            return not_now("it is open, or was");
        }
        if asking.now > self.0.requested_at + CONFIRM_WITHIN {
            return not_now("a colleague had 15 minutes to agree: ask again");
        }
        let record =
            Record { confirmed_by: asking.actor.officer_id().cloned(), version: self.0.version.next(), ..self.0 };
        Ok(record.opened(file, rule, asking))
    }

    /// Judges it.
    ///
    /// # Errors
    /// Not found, not theirs (never by whoever looked), stale, not opened, or judged already.
    pub fn review(
        self,
        outcome: ReviewOutcome,
        note: String,
        file: &CaseFile,
        asking: &Asking<'_>,
    ) -> Result<Change<Self>, Refusal> {
        let nobody = Trust { registered: false, overdue: false };
        let rule = policy::require(asking.actor, Act::ReviewEmergency, &self.relations(file, nobody, asking))?;
        asking.expected.require(self.0.version)?;
        if self.0.opened_at.is_none() || self.0.review.is_some() {
            let why = if self.0.review.is_some() { "it was reviewed" } else { "it was never opened" };
            return Err(Refusal::case_not_now(why));
        }
        let access = EmergencyAccess(Record {
            review: Some(outcome),
            review_note: Some(note),
            reviewed_by: asking.actor.officer_id().cloned(),
            reviewed_at: Some(asking.now),
            version: self.0.version.next(),
            ..self.0
        });
        let event = access.event(Kind::EmergencyReviewed, file);
        Ok(Change::new(access, rule, event))
    }

    /// How the actor stands to it.
    pub fn relations(&self, file: &CaseFile, trust: Trust, asking: &Asking<'_>) -> Relations {
        let (actor, record) = (asking.actor, &self.0);
        let own = record.agency == *actor.agency();
        let asked = own && actor.officer_id() == Some(&record.officer);
        let leads = !asked && file.relations(asking).contains(&Relation::Lead);
        [
            asked.then_some(Relation::Requester),
            (own && !asked && trust.holds()).then_some(Relation::Colleague),
            leads.then_some(Relation::Lead),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn event(&self, kind: Kind, file: &CaseFile) -> Event {
        let Record { id, agency, code, until, review, version, .. } = &self.0;
        let (lead, shielded) = file.audience();
        let recipients = [lead, agency].into_iter().cloned().chain(secretariat().filter(|_| !shielded)).collect();
        let data =
            EmergencyData { code: *code, agency: agency.clone(), until: *until, review: *review, version: *version };
        // The lead's supervisors have to review it; nobody else waits for that.
        let stakes = Stakes { asker: Some(lead.clone()), holder: Some(lead.clone()), ..Stakes::default() };
        Event::new(kind, Subject::Emergency(*id), recipients, data).with_stakes(stakes)
    }
}

impl Record {
    fn opened(self, file: &CaseFile, rule: Relation, asking: &Asking<'_>) -> Change<EmergencyAccess> {
        let grant = Grant::of_emergency(self.case, self.agency.clone(), self.officer.clone(), asking.now);
        let access = EmergencyAccess(Record { opened_at: Some(asking.now), until: grant.until, ..self });
        let event = access.event(Kind::EmergencyOpened, file);
        Change::new(access, rule, event).with_grants(vec![GrantChange::Give(grant)])
    }
}
