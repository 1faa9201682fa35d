//! A handoff: the lead of a case is asked for, offered, and accepted; until then nothing moves.
//!
//! [`HandoffStatus::after`] is its whole lifecycle; [`Handoff::apply`], [`Handoff::accept`] and [`Handoff::expire`] are the
//! only ways to a changed one. Acceptance moves everything that goes with the lead, so that exactly one agency is
//! responsible at every instant.

mod accept;
mod lifecycle;
mod manifest;
mod offer;

pub use accept::HandedOver;
use chrono::{DateTime, Utc};
pub use lifecycle::{HandoffAction, HandoffStatus};
pub use manifest::{ChangeKind, Manifest, ManifestChange, ManifestItem};

use crate::case::{Asking, CaseFile};
use crate::event::data::HandoffData;
use crate::event::{Change, Event, Stakes, Subject, secretariat};
use crate::id::{AgencyCode, CaseId, HandoffId, Version};
use crate::policy::{self, Act, Relation, Relations};
use crate::refusal::Refusal;
use crate::values::codes;

codes! {
    /// What the former lead keeps when a handoff is accepted.
    pub enum Keeps {
        /// The header of the case, and so its outcome.
        OutcomeOnly,
        /// Every section, to read.
        ReadOnly,
    }
}

/// Everything that is kept of a handoff.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its id.
    pub id: HandoffId,
    /// Of which case.
    pub case: CaseId,
    /// The reference of the case.
    pub case_reference: String,
    /// Where it stands.
    pub status: HandoffStatus,
    /// The agency that leads, or led.
    pub from: AgencyCode,
    /// The agency that is to lead.
    pub to: AgencyCode,
    /// What the former lead keeps; unset while it is only asked for.
    pub keeps: Option<Keeps>,
    /// Why it was asked for, in words.
    pub ask_reason: Option<String>,
    /// Why it was offered, in words.
    pub offer_reason: Option<String>,
    /// Why it was refused or declined, in words.
    pub answer_reason: Option<String>,
    /// The case as it was offered; as it was accepted, once it is.
    pub manifest: Option<Manifest>,
    /// Its version.
    pub version: Version,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was offered, last.
    pub offered_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// A handoff as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Handoff(Record);

/// What is asked of a handoff that is there, but for its acceptance.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Offer it, or offer it again as the case is now.
    Offer {
        /// What the lead wants to keep.
        keeps: Keeps,
        /// Why.
        reason: String,
    },
    /// The addressee does not take it.
    Decline(String),
    /// The lead does not give it.
    Refuse(String),
    /// Whoever made it takes it back.
    Withdraw,
}

impl Command {
    fn action(&self) -> HandoffAction {
        match self {
            Command::Offer { .. } => HandoffAction::Offer,
            Command::Decline(_) => HandoffAction::Decline,
            Command::Refuse(_) => HandoffAction::Refuse,
            Command::Withdraw => HandoffAction::Withdraw,
        }
    }
}

impl Handoff {
    /// As it was saved.
    pub fn restore(record: Record) -> Self {
        Handoff(record)
    }

    /// What is kept of it.
    pub fn record(&self) -> &Record {
        &self.0
    }

    /// Asks the lead to hand the case over to the actor's agency.
    ///
    /// # Errors
    /// Not found, not theirs; the case is closed; they have asked, or are offered it, already.
    pub fn ask(id: HandoffId, reason: String, file: &CaseFile, asking: &Asking<'_>) -> Result<Change<Self>, Refusal> {
        let relations = file.relations(asking);
        let rule = policy::require(asking.actor, Act::AskHandoff, &relations)?;
        if relations.contains(&Relation::Lead) {
            return Err(Refusal::case_not_now("your agency leads the case"));
        }
        file.require_open()?;
        let own = asking.actor.agency();
        if let Some(it) = file.handoffs.iter().find(|it| it.0.to == *own) {
            return Err(Refusal::pending_handoff("it is asked for, or offered to you, already", it.0.id));
        }
        let handoff = Handoff(Record {
            ask_reason: Some(reason),
            ..Record::new(id, HandoffStatus::Asked, (file.case.record().lead.clone(), own.clone()), file, asking)
        });
        let event = handoff.event(file.audience().1, HandoffAction::Ask);
        Ok(Change::new(handoff, rule, event))
    }

    /// Offers the case to another agency.
    ///
    /// # Errors
    /// Not found, not theirs; the case is closed, or offered already; the addressee cannot lead it.
    pub fn offer(
        id: HandoffId,
        to: AgencyCode,
        (keeps, reason): (Keeps, String),
        manifest: Option<Manifest>,
        file: &CaseFile,
        asking: &Asking<'_>,
    ) -> Result<Change<Self>, Refusal> {
        let rule = file.decide(Act::OfferHandoff, asking)?.rule;
        file.require_open()?;
        crate::referral::eligible("to", &to, asking.actor.agency(), &file.parties)?;
        let blank = Record::new(id, HandoffStatus::Offered, (asking.actor.agency().clone(), to), file, asking);
        let handoff = blank.offered(keeps, reason, manifest, file, asking)?;
        let event = handoff.event(file.audience().1, HandoffAction::Offer);
        Ok(Change::new(handoff, rule, event))
    }

    /// Carries out `command` for the actor, or says why not.
    ///
    /// # Errors
    /// In this order: not found, not theirs, stale, not in this state.
    pub fn apply(
        self,
        command: Command,
        manifest: Option<Manifest>,
        file: &CaseFile,
        asking: &Asking<'_>,
    ) -> Result<Change<Self>, Refusal> {
        let action = command.action();
        let (rule, status) = self.step(action, file, asking)?;
        let record = Record { status, version: self.0.version.next(), ..self.0 };
        let ended = Record { ended_at: Some(asking.now), ..record.clone() };
        let handoff = match command {
            Command::Offer { keeps, reason } => {
                file.require_open()?;
                // The lead may have changed since it was asked for.
                let record = Record { from: asking.actor.agency().clone(), ..record };
                record.offered(keeps, reason, manifest, file, asking)?
            }
            Command::Decline(reason) | Command::Refuse(reason) => {
                Handoff(Record { answer_reason: Some(reason), ..ended })
            }
            Command::Withdraw => Handoff(ended),
        };
        let event = handoff.event(file.audience().1, action);
        Ok(Change::new(handoff, rule, event))
    }

    /// Ends one whose answer was not given in time, of a case that is shielded or not. By the clock: nobody asks for it.
    ///
    /// # Errors
    /// It has ended already.
    pub fn expire(self, shielded: bool, now: DateTime<Utc>) -> Result<Change<Self>, Refusal> {
        let Some(status) = HandoffStatus::after(Some(self.0.status), HandoffAction::Expire) else {
            return Err(Refusal::NotNow { allowed: Vec::new() });
        };
        let handoff = Handoff(Record { status, version: self.0.version.next(), ended_at: Some(now), ..self.0 });
        let event = handoff.event(shielded, HandoffAction::Expire);
        Ok(Change::new(handoff, Relation::Own, event))
    }

    /// One that is taken back by something else: its case is closed, or handed over.
    pub(crate) fn moot(self, file: &CaseFile, asking: &Asking<'_>) -> (Self, Event) {
        let record = self.0;
        let (version, ended_at) = (record.version.next(), Some(asking.now));
        let handoff = Handoff(Record { status: HandoffStatus::Withdrawn, version, ended_at, ..record });
        let event = handoff.event(file.audience().1, HandoffAction::Withdraw);
        (handoff, event)
    }

    /// Permits reading it and names the relation that does.
    ///
    /// # Errors
    /// Not found, or not theirs.
    pub fn require_read(&self, file: &CaseFile, asking: &Asking<'_>) -> Result<Relation, Refusal> {
        policy::require(asking.actor, Act::ReadHandoff, &self.relations(file, asking))
    }

    /// What this actor may do to it now.
    pub fn available_actions(&self, file: &CaseFile, asking: &Asking<'_>) -> Vec<HandoffAction> {
        let possible = |action: &HandoffAction| {
            let permitted =
                self.act(*action).map(|it| policy::require(asking.actor, it, &self.relations(file, asking)));
            HandoffStatus::after(Some(self.0.status), *action).is_some() && matches!(permitted, Some(Ok(_)))
        };
        HandoffAction::ALL.iter().copied().filter(possible).collect()
    }

    /// Permits the action, in the order of answers, and says where it leads.
    fn step(
        &self,
        action: HandoffAction,
        file: &CaseFile,
        asking: &Asking<'_>,
    ) -> Result<(Relation, HandoffStatus), Refusal> {
        let act = self.act(action).ok_or(Refusal::NotFound)?;
        let rule = policy::require(asking.actor, act, &self.relations(file, asking))?;
        asking.expected.require(self.0.version)?;
        let status = HandoffStatus::after(Some(self.0.status), action).ok_or_else(|| {
            let allowed = self.available_actions(file, asking).into_iter().map(HandoffAction::as_str).collect();
            Refusal::NotNow { allowed }
        })?;
        Ok((rule, status))
    }

    /// The act that the policy is asked about; what the clock does, nobody is asked.
    fn act(&self, action: HandoffAction) -> Option<Act> {
        Some(match action {
            HandoffAction::Ask => Act::AskHandoff,
            HandoffAction::Offer => Act::OfferHandoff,
            HandoffAction::Accept => Act::AcceptHandoff,
            HandoffAction::Decline => Act::DeclineHandoff,
            HandoffAction::Refuse => Act::RefuseHandoff,
            HandoffAction::Withdraw if self.0.offered_at.is_none() => Act::WithdrawAsk,
            HandoffAction::Withdraw => Act::WithdrawOffer,
            HandoffAction::Expire => return None,
        })
    }

    /// How the actor stands to it.
    pub fn relations(&self, file: &CaseFile, asking: &Asking<'_>) -> Relations {
        if !file.admits(asking) {
            return Relations::new();
        }
        let own = asking.actor.agency();
        let of_case = file.relations(asking).into_iter();
        let mut relations: Relations =
            of_case.filter(|it| matches!(it, Relation::Lead | Relation::Unshielded)).collect();
        relations.extend((self.0.to == *own).then_some(Relation::Addressee));
        relations.extend((self.0.from == *own).then_some(Relation::Offeror));
        relations
    }

    fn event(&self, shielded: bool, action: HandoffAction) -> Event {
        let Record { id, status, from, to, keeps, version, manifest, .. } = &self.0;
        // What was asked waits for the lead, what was offered for the addressee.
        let (asker, holder) = if *status == HandoffStatus::Asked { (to, from) } else { (from, to) };
        let stakes = Stakes {
            asker: Some(asker.clone()),
            holder: Some(holder.clone()),
            over: !status.is_live(),
            heir: (*status == HandoffStatus::Accepted).then(|| (from.clone(), to.clone())),
            ..Stakes::default()
        };
        let recipients = [from, to].into_iter().cloned().chain(secretariat().filter(|_| !shielded)).collect();
        let data = HandoffData {
            status: *status,
            from: from.clone(),
            to: to.clone(),
            keeps: *keeps,
            manifest: manifest.as_ref().map(|it| it.version.clone()),
            version: *version,
        };
        Event::new(action.told(), Subject::Handoff(*id), recipients, data).with_stakes(stakes)
    }
}
