//! Acceptance: the lead moves, and with it grants, open referrals and whatever asks for the same.

use super::{Handoff, HandoffAction, Keeps, Manifest, Record};
use crate::case::{Asking, Case, CaseFile};
use crate::event::{Change, Event};
use crate::grant::{Ending, Grant, GrantChange, Source};
use crate::referral::Referral;
use crate::refusal::Refusal;
use crate::section::Section;

/// A handoff that was accepted, with everything that moved.
#[derive(Debug, Clone, PartialEq)]
pub struct HandedOver {
    /// The handoff.
    pub handoff: Handoff,
    /// The case, under its new lead.
    pub case: Case,
    /// The former lead's open referrals: the new lead's now, or completed where they were to the new lead.
    pub referrals: Vec<Referral>,
    /// What asked for the same, and is moot.
    pub moot: Vec<Handoff>,
}

impl Handoff {
    /// Takes the lead, of the case as it is `now_there`, if that is what was offered or what `named` names.
    ///
    /// `open` are the referrals that the former lead has open.
    ///
    /// # Errors
    /// In this order: not found, not theirs, stale, not in this state; the case has changed.
    pub fn accept(
        self,
        named: Option<&str>,
        now_there: Option<Manifest>,
        open: Vec<Referral>,
        file: &CaseFile,
        asking: &Asking<'_>,
    ) -> Result<Change<HandedOver>, Refusal> {
        let (rule, status) = self.step(HandoffAction::Accept, file, asking)?;
        file.require_open()?;
        let (Some(offered), Some(now_there)) = (&self.0.manifest, now_there) else { return Err(Refusal::NotFound) };
        if now_there.version != named.unwrap_or(&offered.version) {
            return Err(Refusal::Changed { changes: offered.changes(&now_there), manifest: now_there.version });
        }
        if !file.lets_in(&self.0.to) {
            return Err(Refusal::case_not_now("a shield keeps your agency out: the lead must name it first"));
        }
        let (from, to) = (self.0.from.clone(), self.0.to.clone());
        let keeps = self.0.keeps.unwrap_or(Keeps::OutcomeOnly);
        let handoff = Handoff(Record {
            status,
            manifest: Some(now_there),
            version: self.0.version.next(),
            ended_at: Some(asking.now),
            ..self.0
        });
        let case = file.led_by(to.clone());

        let mut grants = vec![
            GrantChange::End { which: Ending::Lead, at: asking.now },
            GrantChange::Give(Grant::of_lead(handoff.0.case, to.clone(), asking.now)),
            GrantChange::Give(handoff.kept(keeps, asking)),
        ];
        // The parties learn who leads now.
        let mut accepted = handoff.event(file.audience().1, HandoffAction::Accept);
        accepted.recipients.extend(file.parties_now(asking.now));
        let mut events = vec![accepted];
        let mut referrals = Vec::new();
        for it in open {
            let moved = it.handed_over(&from, &to, file, asking);
            grants.extend(moved.grants);
            events.extend(moved.event);
            referrals.push(moved.referral);
        }
        let asks = file.handoffs.iter().filter(|it| it.0.id != handoff.0.id && it.0.to == to).cloned();
        let (moot, withdrawn): (Vec<Handoff>, Vec<Event>) = asks.map(|it| it.moot(file, asking)).unzip();
        events.extend(withdrawn);
        let entity = HandedOver { handoff, case, referrals, moot };
        Ok(Change::of_events(entity, rule, events).with_grants(grants))
    }

    /// What the former lead keeps: to read, and never to share.
    fn kept(&self, keeps: Keeps, asking: &Asking<'_>) -> Grant {
        let sections = match keeps {
            Keeps::OutcomeOnly => Vec::new(),
            Keeps::ReadOnly => Section::ALL.to_vec(),
        };
        Grant {
            source: Source::Handoff,
            handoff: Some(self.0.id),
            sections,
            contributes: Vec::new(),
            onward: false,
            ..Grant::of_lead(self.0.case, self.0.from.clone(), asking.now)
        }
    }
}
