//! What a referral discloses, and to whom: its grants and the recipients of its events.

use std::collections::{BTreeMap, BTreeSet};

use super::basis::Ground;
use super::{Action, Record, Referral, Status, Terms};
use crate::consent::Bases;
use crate::event::data::ReferralData;
use crate::event::{Event, Kind, Stakes, Subject, secretariat};
use crate::grant::{Ending, Grant, GrantChange, Source};
use crate::id::AgencyCode;
use crate::section::Section;
use chrono::{DateTime, Duration, Utc};

impl Record {
    pub(super) fn end(&self, agency: Option<&AgencyCode>, at: DateTime<Utc>) -> GrantChange {
        GrantChange::End { which: Ending::Referral { referral: self.id, agency: agency.cloned() }, at }
    }

    /// Those who may decide now: they hold the packet.
    fn pending(&self) -> impl Iterator<Item = &AgencyCode> {
        self.recipient.iter().chain(self.listed.iter())
    }

    /// What each of them may see while it decides.
    fn packets(&self, bases: &Bases, now: DateTime<Utc>) -> Vec<GrantChange> {
        let packet = |it| self.by_ground(it, self.terms.packet().collect(), (&[], false), bases, now);
        self.pending().flat_map(packet).collect()
    }

    /// How the grants move from `before` to `self` by `action`.
    pub(super) fn moved_grants(
        &self,
        before: &Record,
        action: Action,
        bases: &Bases,
        now: DateTime<Utc>,
    ) -> Vec<GrantChange> {
        match action {
            Action::Send => self.packets(bases, now),
            Action::Accept => std::iter::once(self.end(None, now)).chain(self.shared(bases, now)).collect(),
            Action::Redirect => std::iter::once(self.end(None, now)).chain(self.packets(bases, now)).collect(),
            Action::Claim => before
                .listed
                .iter()
                .filter(|it| Some(*it) != self.recipient.as_ref())
                .map(|it| self.end(Some(it), now))
                .collect(),
            Action::Decline => {
                before.listed.iter().filter(|it| !self.listed.contains(it)).map(|it| self.end(Some(it), now)).collect()
            }
            Action::Complete => std::iter::once(self.end(None, now)).chain(self.retained(bases, now)).collect(),
            _ if self.status.is_terminal() => vec![self.end(None, now)],
            _ => Vec::new(),
        }
    }

    /// What the recipient may see once it accepted.
    fn shared(&self, bases: &Bases, now: DateTime<Utc>) -> Vec<GrantChange> {
        let Terms { contributes, onward, .. } = &self.terms;
        let grants = |it| self.by_ground(it, self.terms.sections().collect(), (contributes, *onward), bases, now);
        self.recipient.iter().flat_map(grants).collect()
    }

    /// What the recipient still sees after completion, to read only: it neither writes nor shares any more.
    fn retained(&self, bases: &Bases, now: DateTime<Utc>) -> Vec<GrantChange> {
        let last = now + Duration::days(self.terms.retention_days.into());
        if last == now {
            return Vec::new();
        }
        let grants = |it| self.by_ground(it, self.terms.sections().collect(), (&[], false), bases, now);
        let until_last = |change| match change {
            GrantChange::Give(it) => {
                GrantChange::Give(Grant { until: Some(it.until.map_or(last, |at| at.min(last))), ..it })
            }
            end @ GrantChange::End { .. } => end,
        };
        self.recipient.iter().flat_map(grants).map(until_last).collect()
    }

    /// One grant for all that rests on the same, so that what is withdrawn, or ends on its day, ends alone.
    fn by_ground(
        &self,
        agency: &AgencyCode,
        sections: Vec<Section>,
        (contributes, onward): (&[Section], bool),
        bases: &Bases,
        now: DateTime<Utc>,
    ) -> Vec<GrantChange> {
        let mut found: BTreeMap<Ground, Vec<Section>> = BTreeMap::new();
        for section in sections {
            for ground in self.terms.grounds(section, agency, bases) {
                found.entry(ground).or_default().push(section);
            }
        }
        let grant = |((footing, children, until), sections): (Ground, Vec<Section>)| {
            GrantChange::Give(Grant {
                id: None,
                case: self.case,
                agency: agency.clone(),
                source: Source::Referral,
                referral: Some(self.id),
                handoff: None,
                request: None,
                officer: None,
                chain: self.chain.iter().copied().chain([self.id]).collect(),
                reason: None,
                ground: None,
                contributes: contributes.iter().copied().filter(|it| sections.contains(it)).collect(),
                sections,
                children,
                purposes: self.terms.purposes.clone(),
                footing,
                onward,
                since: now,
                until,
            })
        };
        found.into_iter().filter(|it| it.0.2.is_none_or(|until| until > now)).map(grant).collect()
    }

    /// Who may read the record now: the sender, whoever has been its recipient, those who may
    /// claim it, and, once sent, the case's lead and the secretariat's coordinators.
    fn entitled(&self, lead: &AgencyCode, shielded: bool) -> BTreeSet<AgencyCode> {
        let mut entitled = BTreeSet::from([self.sender.clone()]);
        if self.status != Status::Draft {
            entitled.extend(self.pending().chain(self.former.iter()).cloned());
            entitled.insert(lead.clone());
            entitled.extend(secretariat().filter(|_| !shielded));
        }
        entitled
    }
}

impl Referral {
    /// The event of an action that led from `before` (none for a new referral) to this one.
    pub(super) fn event(&self, before: Option<&Record>, kind: Kind, lead: &AgencyCode, shielded: bool) -> Event {
        let after = self.record();
        let mut recipients = after.entitled(lead, shielded);
        // A draft that is cancelled was never anybody else's.
        if before.is_some_and(|it| it.requested_at.is_none()) && after.requested_at.is_none() {
            recipients = BTreeSet::from([after.sender.clone()]);
        } else if let Some(before) = before {
            recipients.extend(before.entitled(lead, shielded));
        }
        let data = ReferralData {
            kind: after.terms.kind,
            status: after.status,
            priority: after.terms.priority,
            sender: after.sender.clone(),
            recipient: after.recipient.clone(),
            open_to: after.listed.clone(),
            awaiting_information: after.awaiting_information,
            cancel_requested: after.cancel_requested,
            outcome: after.outcome,
            reason: after.reason.clone(),
            version: after.version,
        };
        let stakes = Stakes {
            asker: Some(after.sender.clone()),
            holder: after.recipient.clone(),
            priority: Some(after.terms.priority),
            agreed: after.due_at,
            over: after.status.is_terminal(),
            ..Stakes::default()
        };
        Event::new(kind, Subject::Referral(after.id), recipients, data).with_stakes(stakes)
    }
}
