//! The only way to a new or a changed referral.

use super::{Action, Command, Facts, Party, REDIRECT_LIMIT, Record, Referral, Route, Status, Terms, eligible};
use crate::actor::Actor;
use crate::case::{Asking, CaseFile};
use crate::event::{Change, Kind};
use crate::id::{AgencyCode, ReferralId, Version};
use crate::policy::{self, Act, Relation, Relations};
use crate::refusal::{Invalid, Refusal, future};

impl Referral {
    /// A new referral of a case, sent at once unless it is a draft.
    ///
    /// # Errors
    /// The actor is no officer of the lead or of an agency that may share onward; the case is
    /// closed; the terms cannot be met.
    pub fn make(
        id: ReferralId,
        terms: Terms,
        draft: bool,
        file: &CaseFile,
        asking: &Asking<'_>,
    ) -> Result<Change<Self>, Refusal> {
        let Asking { actor, now, .. } = *asking;
        let rule = file.decide(Act::Refer, asking)?.rule;
        asking.expected.require(file.case.record().version)?;
        file.require_open()?;
        let record = Record {
            id,
            case: file.case.record().id,
            case_reference: file.case.record().reference.clone(),
            sender: actor.agency().clone(),
            status: Status::Draft,
            terms,
            recipient: None,
            listed: Vec::new(),
            former: Vec::new(),
            redirects: 0,
            awaiting_information: false,
            cancel_requested: false,
            assignee: None,
            due_at: None,
            outcome: None,
            reason: None,
            suggested: None,
            chain: file.standing(asking).chain(),
            version: Version::FIRST,
            created_at: now,
            requested_at: None,
            arrived_at: None,
            updated_at: now,
        };
        record.terms.check(file, asking)?;
        let (lead, shielded) = file.audience();
        if draft {
            let referral = Referral(record);
            let event = referral.event(None, Kind::ReferralDrafted, lead, shielded);
            return Ok(Change::new(referral, rule, event));
        }
        let sent = record.clone().sent(file, asking)?;
        let grants = sent.moved_grants(&record, Action::Send, &file.bases, now);
        let overrides = sent.overrides(actor, lead, now)?;
        let referral = Referral(sent);
        let event = referral.event(None, Action::Send.told(), lead, shielded);
        Ok(Change::new(referral, rule, event).with_grants(grants).with_overrides(overrides))
    }

    /// Carries out `command` for the actor, or says why not. There is no other way to change a referral.
    ///
    /// # Errors
    /// In this order: not found, not theirs, stale, not in this state, a value that cannot be taken.
    pub fn apply(self, command: Command, file: &CaseFile, asking: &Asking<'_>) -> Result<Change<Self>, Refusal> {
        let action = command.action();
        let before = self.0;
        let rule = before.permit(action, file, asking)?;
        asking.expected.require(before.version)?;
        let Some(status) = before.status.after(action, before.facts(asking.actor)) else {
            let allowed = Referral(before).available_actions(file, asking);
            return Err(Refusal::NotNow { allowed: allowed.into_iter().map(Action::as_str).collect() });
        };
        let (message, after) = (command.message(), before.clone().carry_out(command, status, file, asking)?);
        let grants = after.moved_grants(&before, action, &file.bases, asking.now);
        let (lead, shielded) = file.audience();
        let sends = action == Action::Send;
        let overrides = if sends { after.overrides(asking.actor, lead, asking.now)? } else { Vec::new() };
        // The last decline is what rejects: nobody is left to answer.
        let rejects = action == Action::Decline && status == Status::Rejected;
        let kind = if rejects { Kind::ReferralRejected } else { action.told() };
        let referral = Referral(after);
        let event = referral.event(Some(&before), kind, lead, shielded);
        Ok(Change::new(referral, rule, event).with_grants(grants).with_message(message).with_overrides(overrides))
    }

    /// Permits reading it and names the relation that does.
    ///
    /// # Errors
    /// Not found, or not theirs.
    pub fn require_read(&self, act: Act, file: &CaseFile, asking: &Asking<'_>) -> Result<Relation, Refusal> {
        policy::require(asking.actor, act, &self.0.relations(file, asking))
    }

    /// What this actor may do to it now.
    pub fn available_actions(&self, file: &CaseFile, asking: &Asking<'_>) -> Vec<Action> {
        let facts = self.0.facts(asking.actor);
        let possible = |action: &Action| {
            self.0.status.after(*action, facts).is_some()
                && self.0.permit(*action, file, asking).is_ok()
                && (!action.is_on_draft() || file.require_open().is_ok())
        };
        Action::ALL.iter().copied().filter(possible).collect()
    }
}

impl Record {
    /// The act that the policy is asked about.
    fn act(&self, action: Action) -> Act {
        if action == Action::MarkEnteredInError && self.status.is_past_receipt() {
            Act::RetractLate
        } else {
            Act::Referral(action)
        }
    }

    /// Permits the action. A draft is worked on only by who may still make a referral of the case.
    fn permit(&self, action: Action, file: &CaseFile, asking: &Asking<'_>) -> Result<Relation, Refusal> {
        let rule = policy::require(asking.actor, self.act(action), &self.relations(file, asking))?;
        let refers = || policy::permits(asking.actor, Act::Refer, &file.relations(asking)).is_some();
        if action.is_on_draft() && !refers() { Err(Refusal::NotYours) } else { Ok(rule) }
    }

    fn relations(&self, file: &CaseFile, asking: &Asking<'_>) -> Relations {
        let agency = asking.actor.agency();
        let mut relations = Relations::new();
        if !file.admits(asking) {
            return relations;
        }
        if self.sender == *agency {
            relations.insert(Relation::Sender);
        }
        // A draft is its sender's alone, and so is what was never sent.
        if self.requested_at.is_some() {
            relations.extend(
                file.relations(asking).into_iter().filter(|it| matches!(it, Relation::Lead | Relation::Unshielded)),
            );
            relations.extend(
                [
                    (self.recipient.as_ref() == Some(agency)).then_some(Relation::Recipient),
                    self.listed.contains(agency).then_some(Relation::Listed),
                    self.former.contains(agency).then_some(Relation::FormerRecipient),
                ]
                .into_iter()
                .flatten(),
            );
        }
        relations
    }

    fn facts(&self, actor: &Actor) -> Facts {
        Facts {
            // Once claimed it has a recipient and is open to nobody else.
            open: self.terms.route.is_open() && self.recipient.is_none(),
            cancel_requested: self.cancel_requested,
            awaiting_information: self.awaiting_information,
            last_listed: self.listed.iter().all(|it| it == actor.agency()),
            redirects_spent: self.redirects >= REDIRECT_LIMIT,
        }
    }

    /// Sent, with what it rests on named.
    fn sent(self, file: &CaseFile, asking: &Asking<'_>) -> Result<Record, Refusal> {
        if !self.terms.route.is_complete() {
            return Err(
                Invalid::new("recipient", "required", "a referral is sent to a recipient or open to a list").into()
            );
        }
        let (recipient, listed) = match &self.terms.route {
            Route::Named { recipient, .. } => (recipient.clone(), Vec::new()),
            Route::Open(listed) => (None, listed.clone()),
        };
        let now = Some(asking.now);
        let terms = self.terms.grounded(&file.bases);
        Ok(Record { status: Status::Requested, terms, recipient, listed, requested_at: now, arrived_at: now, ..self })
    }

    fn carry_out(
        self,
        command: Command,
        status: Status,
        file: &CaseFile,
        asking: &Asking<'_>,
    ) -> Result<Record, Refusal> {
        let (Asking { actor, now, .. }, append) = (*asking, command.action().is_append());
        let version = if append { self.version } else { self.version.next() };
        // Nothing is awaited of what is over.
        let (awaiting_information, cancel_requested) =
            if status.is_terminal() { (false, false) } else { (self.awaiting_information, self.cancel_requested) };
        let after = Record { status, version, awaiting_information, cancel_requested, updated_at: now, ..self };
        let agency = actor.agency().clone();
        Ok(match command {
            Command::Amend(terms) => {
                file.require_open()?;
                terms.check(file, asking)?;
                Record { terms: *terms, ..after }
            }
            Command::Send => {
                file.require_open()?;
                after.terms.check(file, asking)?;
                after.sent(file, asking)?
            }
            Command::Claim => Record { recipient: Some(agency), listed: Vec::new(), ..after },
            Command::Decline(reason) => {
                let listed = after.listed.iter().filter(|it| **it != agency).cloned().collect();
                Record { listed, reason: Some(reason.code.to_owned()), ..after }
            }
            Command::Accept { assignee, due_at } => {
                if let Some(due_at) = due_at {
                    future("dueAt", due_at, now)?;
                }
                Record { assignee, due_at, ..after }
            }
            Command::Reject { reason, suggested } => {
                if let Some(code) = &suggested {
                    eligible("suggestedRecipient", code, &agency, &file.parties)?;
                }
                Record { reason: Some(reason.code.to_owned()), suggested, ..after }
            }
            Command::Redirect { to, .. } => after.redirected(to, &agency, &file.parties, asking)?,
            Command::Ask(_) => Record { awaiting_information: true, ..after },
            Command::Answer(_) => Record { awaiting_information: false, ..after },
            Command::Complete { outcome, .. } => Record { outcome: Some(outcome), ..after },
            Command::Fail(reason) => Record { reason: Some(reason.code.to_owned()), ..after },
            Command::Cancel(reason) => Record { reason: Some(reason.code.to_owned()), listed: Vec::new(), ..after },
            Command::RequestCancel(_) => Record { cancel_requested: true, ..after },
            Command::WithdrawCancel | Command::DeclineCancel(_) => Record { cancel_requested: false, ..after },
            Command::MarkEnteredInError(_) => Record { listed: Vec::new(), ..after },
            Command::ConfirmCancel(_)
            | Command::Receive
            | Command::Start
            | Command::Hold(_)
            | Command::Resume
            | Command::Note { .. }
            | Command::Remind(_)
            | Command::Escalate(_) => after,
        })
    }

    /// To a listed alternative, a unit of the recipient's own ministry, or anyone where `onward`.
    fn redirected(
        self,
        to: AgencyCode,
        by: &AgencyCode,
        parties: &[Party],
        asking: &Asking<'_>,
    ) -> Result<Record, Refusal> {
        eligible("to", &to, by, parties)?;
        let ministry_of = |code: &AgencyCode| parties.iter().find(|it| it.code == *code).map(|it| it.ministry.as_str());
        let alternative = match &self.terms.route {
            Route::Named { alternatives, .. } => alternatives.contains(&to),
            Route::Open(listed) => listed.contains(&to),
        };
        if to == self.sender {
            return Err(Invalid::new("to", "sender", "is the sender: reject instead").into());
        }
        if !(alternative || self.terms.onward || ministry_of(&to) == ministry_of(by)) {
            return Err(Invalid::new(
                "to",
                "not-an-alternative",
                "must be a listed alternative or of your own ministry",
            )
            .into());
        }
        let mut former = self.former;
        if !former.contains(by) {
            former.push(by.clone());
        }
        Ok(Record {
            recipient: Some(to),
            former,
            redirects: self.redirects + 1,
            awaiting_information: false,
            arrived_at: Some(asking.now),
            ..self
        })
    }
}
