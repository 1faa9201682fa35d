//! Consents: who agreed that which sections of a child's may be given to whom, for what and until when.
//!
//! A consent is never edited. Its withdrawal is an event with a date of its own, and final: what rested on it ends at once,
//! and whoever was given something on its strength is told and confirms.

mod bases;

pub use bases::{Bases, Cover};
use chrono::{DateTime, Utc};

use crate::actor::Purpose;
use crate::case::{Asking, CaseFile};
use crate::event::data::ConsentData;
use crate::event::{Change, Event, Kind, Subject};
use crate::grant::{Ending, GrantChange};
use crate::id::{AgencyCode, CaseId, ChildId, ConsentId, GiverRef, OfficerId, Version};
use crate::policy::{self, Act, Relation, Relations};
use crate::referral::eligible;
use crate::refusal::{Invalid, Refusal, future, past};
use crate::section::{Section, length};
use crate::values::codes;

codes! {
    /// In which capacity somebody consents.
    pub enum Capacity {
        /// The child itself.
        Child,
        /// A parent.
        Parent,
        /// A guardian.
        Guardian,
        /// A court, in the place of either.
        Court,
    }

    /// Where a consent stands.
    pub enum ConsentStatus {
        /// In force.
        Given,
        /// Past its end.
        Expired,
        /// Withdrawn, for good.
        Withdrawn,
    }

    /// What may be done to a consent.
    pub enum ConsentAction {
        /// Record that it was withdrawn.
        Withdraw,
        /// Confirm that one acts upon the withdrawal.
        Confirm,
    }
}

impl ConsentStatus {
    /// The status after `action`, or nothing where the action is not possible. The whole lifecycle is this table, but
    /// for the end that comes by itself; a test prints it.
    pub fn after(self, action: ConsentAction) -> Option<ConsentStatus> {
        use ConsentAction::{Confirm, Withdraw};
        use ConsentStatus::{Expired, Given, Withdrawn};
        match (action, self) {
            (Withdraw, Given | Expired) | (Confirm, Withdrawn) => Some(Withdrawn),
            (Withdraw, Withdrawn) | (Confirm, Given | Expired) => None,
        }
    }
}

/// The most code points of a reference to a document.
pub const EVIDENCE_LIMIT: usize = 200;

/// What somebody agreed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// In which capacity.
    pub capacity: Capacity,
    /// Who, as the recording agency's own system names them.
    pub given_by: GiverRef,
    /// That these sections may be given,
    pub sections: Vec<Section>,
    /// to these agencies,
    pub recipients: Vec<AgencyCode>,
    /// for these purposes.
    pub purposes: Vec<Purpose>,
    /// A reference to the document in the recording agency's own files, without anything of its content.
    pub evidence: String,
    /// When it was given.
    pub given_at: DateTime<Utc>,
    /// Until when, exclusively; open-ended when unset.
    pub expires_at: Option<DateTime<Utc>>,
}

/// That a consent was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// When it was withdrawn.
    pub at: DateTime<Utc>,
    /// Why, if a reason was given.
    pub reason: Option<String>,
    /// Whose record of it that is.
    pub agency: AgencyCode,
    /// Which officer's.
    pub officer: OfficerId,
    /// When it was recorded: from then on nothing rests on the consent.
    pub recorded_at: DateTime<Utc>,
    /// The agencies that held something on its strength, once or then: they are told.
    pub told: Vec<AgencyCode>,
}

/// That an agency acts upon a withdrawal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// Which agency.
    pub agency: AgencyCode,
    /// Which officer says so.
    pub officer: OfficerId,
    /// When.
    pub at: DateTime<Utc>,
}

/// Everything that is kept of a consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub id: ConsentId,
    /// The case.
    pub case: CaseId,
    /// The child whom it is about.
    pub child: ChildId,
    /// To what.
    pub agreed: Agreed,
    /// The agency that recorded it.
    pub agency: AgencyCode,
    /// The officer who did.
    pub officer: OfficerId,
    /// When.
    pub recorded_at: DateTime<Utc>,
    /// That it was withdrawn.
    pub withdrawal: Option<Withdrawal>,
    /// Who has confirmed that.
    pub confirmations: Vec<Confirmation>,
    /// Who was ever given something on its strength.
    pub holders: Vec<AgencyCode>,
    /// Its version.
    pub version: Version,
}

/// A consent as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent(Record);

impl Agreed {
    fn check(&self, file: &CaseFile, asking: &Asking<'_>) -> Result<(), Invalid> {
        for (at, code) in self.recipients.iter().enumerate() {
            eligible(&format!("recipients[{at}]"), code, asking.actor.agency(), &file.parties)?;
        }
        if let Some(at) = self.purposes.iter().position(|it| !Purpose::OF_WORK.contains(it)) {
            return Err(Invalid::new(format!("purposes[{at}]"), "not-of-work", "is not a purpose of work on a case"));
        }
        length("evidence", &self.evidence, EVIDENCE_LIMIT)?;
        past("givenAt", self.given_at, asking.now)?;
        self.expires_at.map_or(Ok(()), |it| future("expiresAt", it, asking.now))
    }
}

impl Consent {
    /// As it was saved.
    pub fn restore(record: Record) -> Self {
        Consent(record)
    }

    /// What is kept of it.
    pub fn record(&self) -> &Record {
        &self.0
    }

    /// Records a consent on a child.
    ///
    /// # Errors
    /// Not found, not theirs, the case is closed, or a value that cannot be taken.
    pub fn give(
        id: ConsentId,
        child: ChildId,
        agreed: Agreed,
        file: &CaseFile,
        asking: &Asking<'_>,
    ) -> Result<Change<Self>, Refusal> {
        let rule = policy::require(asking.actor, Act::RecordConsent, &file.relations_by_consent(child, asking))?;
        file.require_child(Some(child), asking)?;
        file.require_open()?;
        agreed.check(file, asking)?;
        let consent = Consent(Record {
            id,
            case: file.case.record().id,
            child,
            agreed,
            agency: asking.actor.agency().clone(),
            officer: asking.actor.officer_id().cloned().ok_or(Refusal::NotYours)?,
            recorded_at: asking.now,
            withdrawal: None,
            confirmations: Vec::new(),
            holders: Vec::new(),
            version: Version::FIRST,
        });
        let event = consent.event(Kind::ConsentRecorded, file, asking, &[]);
        Ok(Change::new(consent, rule, event))
    }

    /// Records that it was withdrawn, at `at` or now: whatever rests on it ends.
    ///
    /// # Errors
    /// Not found, not theirs, withdrawn already, or a time before it was given or yet to come.
    pub fn withdraw(
        self,
        at: Option<DateTime<Utc>>,
        reason: Option<String>,
        file: &CaseFile,
        asking: &Asking<'_>,
    ) -> Result<Change<Self>, Refusal> {
        let rule = policy::require(asking.actor, Act::WithdrawConsent, &self.relations(file, asking))?;
        self.require(ConsentAction::Withdraw, "it is withdrawn", asking)?;
        let at = at.unwrap_or(asking.now);
        past("withdrawnAt", at, asking.now)?;
        if at < self.0.agreed.given_at {
            return Err(Invalid::new("withdrawnAt", "before-given", "must not lie before the consent was given").into());
        }
        let told = self.0.holders.clone();
        let withdrawal = Withdrawal {
            at,
            reason,
            agency: asking.actor.agency().clone(),
            officer: asking.actor.officer_id().cloned().ok_or(Refusal::NotYours)?,
            recorded_at: asking.now,
            told: told.clone(),
        };
        let consent = Consent(Record { withdrawal: Some(withdrawal), version: self.0.version.next(), ..self.0 });
        let event = consent.event(Kind::ConsentWithdrawn, file, asking, &told);
        let ended = GrantChange::End { which: Ending::Consent(consent.0.id), at: asking.now };
        Ok(Change::new(consent, rule, event).with_grants(vec![ended]))
    }

    /// Confirms, for an agency that was told, that it acts upon the withdrawal.
    ///
    /// # Errors
    /// Not found, not theirs, or confirmed already.
    pub fn confirm(self, file: &CaseFile, asking: &Asking<'_>) -> Result<Change<Self>, Refusal> {
        let rule = policy::require(asking.actor, Act::ConfirmWithdrawal, &self.relations(file, asking))?;
        self.require(ConsentAction::Confirm, "it is not withdrawn", asking)?;
        let agency = asking.actor.agency().clone();
        if self.0.confirmations.iter().any(|it| it.agency == agency) {
            return Err(Refusal::case_not_now("your agency has confirmed it"));
        }
        let officer = asking.actor.officer_id().cloned().ok_or(Refusal::NotYours)?;
        let mut record = self.0;
        record.confirmations.push(Confirmation { agency: agency.clone(), officer, at: asking.now });
        record.version = record.version.next();
        let consent = Consent(record);
        let event = consent.event(Kind::ConsentWithdrawalConfirmed, file, asking, &[agency]);
        Ok(Change::new(consent, rule, event))
    }

    /// Permits reading it and names the relation that does.
    ///
    /// # Errors
    /// Not found, or not theirs.
    pub fn require_read(&self, file: &CaseFile, asking: &Asking<'_>) -> Result<Relation, Refusal> {
        policy::require(asking.actor, Act::ReadConsent, &self.relations(file, asking))
    }

    /// How the actor stands to it.
    pub fn relations(&self, file: &CaseFile, asking: &Asking<'_>) -> Relations {
        let Record { child, agency, withdrawal, .. } = &self.0;
        // Whoever recorded it or was told stays so when no grant reaches the child any more; a shield hides it.
        if !file.admits(asking) || !file.admits_to(*child, asking) {
            return Relations::new();
        }
        let mut relations = file.relations_by_consent(*child, asking);
        relations.extend((agency == asking.actor.agency()).then_some(Relation::Maker));
        relations
            .extend(withdrawal.as_ref().filter(|it| it.told.contains(asking.actor.agency())).map(|_| Relation::Told));
        relations
    }

    /// Where it stands.
    pub fn status(&self, now: DateTime<Utc>) -> ConsentStatus {
        match (&self.0.withdrawal, self.0.agreed.expires_at) {
            (Some(_), _) => ConsentStatus::Withdrawn,
            (None, Some(at)) if at <= now => ConsentStatus::Expired,
            (None, _) => ConsentStatus::Given,
        }
    }

    fn require(&self, action: ConsentAction, why: &'static str, asking: &Asking<'_>) -> Result<(), Refusal> {
        let after = self.status(asking.now).after(action);
        after.map(|_| ()).ok_or(Refusal::case_not_now(why))
    }

    /// Told to the lead, to whoever recorded it, and to `others`.
    fn event(&self, kind: Kind, file: &CaseFile, asking: &Asking<'_>, others: &[AgencyCode]) -> Event {
        let Record { id, agency, version, .. } = &self.0;
        let (lead, _) = file.audience();
        let recipients = [lead, agency].into_iter().chain(others).cloned().collect();
        let by = asking.actor.agency().clone();
        let data = ConsentData { status: self.status(asking.now), by, version: *version };
        Event::new(kind, Subject::Consent(*id), recipients, data)
    }
}

impl CaseFile {
    /// How the actor stands to the consents of a child: they are for the lead, and for whoever may share onward what
    /// concerns the child.
    pub fn relations_by_consent(&self, child: ChildId, asking: &Asking<'_>) -> Relations {
        let shares = self.standing(asking).shares_child(Some(child));
        let mut relations = self.relations_to_child(child, asking);
        relations.retain(|it| match it {
            Relation::Onward => shares,
            Relation::Lead | Relation::Party => true,
            _ => false,
        });
        relations
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    #[test]
    fn the_lifecycle() {
        let mut table = String::new();
        for action in ConsentAction::ALL {
            for status in ConsentStatus::ALL {
                if let Some(after) = status.after(*action) {
                    writeln!(table, "{:<10} {:<10} {after}", action.as_str(), status.as_str()).unwrap();
                }
            }
        }
        insta::assert_snapshot!(table);
    }
}
