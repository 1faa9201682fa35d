//! A case: one or more children, one lead agency at every instant, open or closed.
//!
//! [`Case::open`] makes one; what may happen to it then is decided on its [`CaseFile`].

mod file;
mod shielding;

use crate::actor::Actor;
use crate::consent::Bases;
use crate::event::data::CaseData;
use crate::event::{Change, Event, Kind, Subject, secretariat};
use crate::grant::{Grant, GrantChange};
use crate::handoff::Handoff;
use crate::id::{AgencyCode, CaseId, ChildId, ReferralId, Version};
use crate::message::Message;
use crate::policy::{self, Act};
use crate::referral::Party;
use crate::refusal::{Expected, Invalid, Refusal};
use crate::section::{Content, Section};
use crate::shield::Shield;
use crate::values::{Outcome, Priority, Technique, codes};
use chrono::{DateTime, Utc};

codes! {
    /// Where a case stands.
    pub enum CaseStatus {
        /// Worked on.
        Open,
        /// Done, with an outcome.
        Closed,
    }
}

/// The most children in one case.
pub const CHILD_LIMIT: usize = 50;

/// What describes a case to whoever may see its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// How fast it has to move.
    pub priority: Priority,
    /// Offence codes, as in `A792.15B`.
    pub offences: Vec<String>,
    /// Grounds of the Child Act 2001, s.17(1), as in `A611.17.1.a`.
    pub grounds: Vec<String>,
    /// Techniques seen.
    pub techniques: Vec<Technique>,
}

/// Everything that is kept of a case itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub id: CaseId,
    /// `LDG-2026-000123`: year and number.
    pub reference: String,
    /// Open or closed.
    pub status: CaseStatus,
    /// Priority and codes.
    pub header: Header,
    /// Who is responsible.
    pub lead: AgencyCode,
    /// How it was closed.
    pub outcome: Option<Outcome>,
    /// When it is visible only to those named: who they are.
    pub shield: Option<Shield>,
    /// The version of all this (not of its sections).
    pub version: Version,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
}

/// A case as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case(Record);

/// What is asked of a case.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Replace priority and codes.
    Amend(Header),
    /// Close it.
    Close {
        /// How it ended.
        outcome: Outcome,
        /// In words.
        summary: Option<Message>,
    },
    /// Open it again.
    Reopen {
        /// Why.
        reason: Message,
    },
}

/// Who asks, with which version in hand, and when.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// The version that they have.
    pub expected: Expected,
    /// Now.
    pub now: DateTime<Utc>,
}

/// A case with what decisions about it need.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseFile {
    /// The case.
    pub case: Case,
    /// All its grants that have not ended.
    pub grants: Vec<Grant>,
    /// Its children.
    pub children: Vec<ChildId>,
    /// Those of them that are shielded.
    pub shielded: Vec<(ChildId, Shield)>,
    /// Its referrals that are open.
    pub open_referrals: Vec<ReferralId>,
    /// Its handoffs that wait for somebody, as far as the actor may know of them.
    pub handoffs: Vec<Handoff>,
    /// The agencies that the command names, as far as they are registered.
    pub parties: Vec<Party>,
    /// What disclosures of the case can rest on.
    pub bases: Bases,
}

/// A case whose header was changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Headed {
    /// The case.
    pub case: Case,
    /// What asked for its lead and is moot, since it was closed.
    pub moot: Vec<Handoff>,
}

/// A case just opened, with its children and first sections.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// The case.
    pub case: Case,
    /// Its children.
    pub children: Vec<ChildId>,
    /// What is known already.
    pub sections: Vec<Written>,
}

/// A child added to a case.
#[derive(Debug, Clone, PartialEq)]
pub struct Added {
    /// The case, changed by it.
    pub case: Case,
    /// The child.
    pub child: ChildId,
    /// What is known of it already.
    pub sections: Vec<Written>,
}

/// A shield put up or lifted.
#[derive(Debug, Clone, PartialEq)]
pub struct Shielded {
    /// The case, changed by it.
    pub case: Case,
    /// The child that it is about; the case itself when unset.
    pub child: Option<ChildId>,
    /// Who is admitted now; everybody entitled when unset.
    pub shield: Option<Shield>,
}

/// A child that was erased: what was known of it can be opened no more. It stays a child of its case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// Of which case.
    pub case: CaseId,
    /// The child.
    pub child: ChildId,
}

/// A section as it was just written.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// Of which case.
    pub case: CaseId,
    /// Of which child.
    pub child: Option<ChildId>,
    /// Which section.
    pub section: Section,
    /// What it holds now.
    pub content: Content,
    /// Its new version.
    pub version: Version,
}

impl Case {
    /// A case as it was saved.
    pub fn restore(record: Record) -> Self {
        Case(record)
    }

    /// What is kept of it.
    pub fn record(&self) -> &Record {
        &self.0
    }

    /// Opens a case for the actor's agency, which leads it.
    ///
    /// # Errors
    /// The actor is no officer; there is no child.
    pub fn open(
        id: CaseId,
        reference: String,
        header: Header,
        children: Vec<ChildId>,
        sections: Vec<(Section, Option<ChildId>, Content)>,
        asking: &Asking<'_>,
    ) -> Result<Change<Opened>, Refusal> {
        let rule = policy::require_own(asking.actor, Act::OpenCase)?;
        if children.is_empty() || children.len() > CHILD_LIMIT {
            return Err(
                Invalid::new("children", "length", format!("a case concerns 1 to {CHILD_LIMIT} children")).into()
            );
        }
        let lead = asking.actor.agency().clone();
        let case = Case(Record {
            id,
            reference,
            status: CaseStatus::Open,
            header,
            lead: lead.clone(),
            outcome: None,
            shield: None,
            version: Version::FIRST,
            created_at: asking.now,
        });
        let sections = sections.into_iter().map(|(section, child, content)| Written {
            case: id,
            child,
            section,
            content,
            version: Version::FIRST,
        });
        let event = case.event(Kind::CaseOpened, [lead.clone()]);
        let opened = Opened { case, children, sections: sections.collect() };
        Ok(Change::new(opened, rule, event).with_grants(vec![GrantChange::Give(Grant::of_lead(id, lead, asking.now))]))
    }

    fn event(&self, kind: Kind, parties: impl IntoIterator<Item = AgencyCode>) -> Event {
        let Record { header, status, lead, outcome, version, shield, .. } = &self.0;
        let recipients = parties.into_iter().chain(secretariat().filter(|_| shield.is_none())).collect();
        let data = CaseData {
            status: *status,
            priority: header.priority,
            lead: lead.clone(),
            outcome: *outcome,
            version: *version,
        };
        Event::new(kind, Subject::Case(self.0.id), recipients, data)
    }
}
