//! A case: one or more children, one lead agency at every instant, open or closed.

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::actor::Actor;
use crate::event::{Change, Event, Subject, secretariat};
use crate::grant::{Grant, GrantChange, Standing};
use crate::id::{AgencyCode, CaseId, ChildId, ReferralId, Version};
use crate::message::Message;
use crate::policy::{self, Act, Relation, Relations};
use crate::referral::Party;
use crate::refusal::{Expected, Invalid, Refusal};
use crate::section::{Content, Section};
use crate::values::{Outcome, Priority, Technique, codes};

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
    /// Visible only to those named.
    pub shielded: bool,
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
    /// Its referrals that are open.
    pub open_referrals: Vec<ReferralId>,
    /// The agencies that the command names, as far as they are registered.
    pub parties: Vec<Party>,
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
            shielded: false,
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
        let event = case.event("case.opened", [lead.clone()]);
        let opened = Opened { case, children, sections: sections.collect() };
        Ok(Change::new(opened, rule, event).with_grants(vec![GrantChange::Give(Grant::of_lead(id, lead, asking.now))]))
    }

    fn event(&self, kind: &str, parties: impl IntoIterator<Item = AgencyCode>) -> Event {
        let Record { header, status, lead, outcome, version, shielded, .. } = &self.0;
        Event {
            kind: kind.to_owned(),
            subject: Subject::Case(self.0.id),
            recipients: parties.into_iter().chain(secretariat().filter(|_| !shielded)).collect(),
            data: json!({ "status": status, "priority": header.priority, "lead": lead, "outcome": outcome, "version": version }),
        }
    }
}

impl CaseFile {
    /// What the actor's agency holds.
    pub fn standing(&self, asking: &Asking<'_>) -> Standing<'_> {
        Standing::of(asking.actor, &self.grants, asking.now)
    }

    /// How the actor stands to the case as a whole.
    pub fn relations(&self, asking: &Asking<'_>) -> Relations {
        let (standing, record) = (self.standing(asking), &self.case.0);
        let fits = standing.fits_purpose();
        [
            (fits && record.lead == *asking.actor.agency()).then_some(Relation::Lead),
            fits.then_some(Relation::Shown),
            standing.is_onward().then_some(Relation::Onward),
            standing.is_party().then_some(Relation::Party),
            (!record.shielded).then_some(Relation::Unshielded),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// How the actor stands to one section.
    pub fn relations_to(&self, section: Section, child: Option<ChildId>, asking: &Asking<'_>) -> Relations {
        let standing = self.standing(asking);
        let mut relations = self.relations(asking);
        relations.retain(|it| matches!(it, Relation::Lead | Relation::Party | Relation::Unshielded));
        relations.extend(standing.reads(section, child).then_some(Relation::Shown));
        relations.extend(standing.writes(section, child).then_some(Relation::Contributor));
        relations
    }

    /// Who is told of everything about the header: the lead, and whether coordinators are not.
    pub(crate) fn audience(&self) -> (&AgencyCode, bool) {
        (&self.case.0.lead, self.case.0.shielded)
    }

    fn parties_now(&self, now: DateTime<Utc>) -> impl Iterator<Item = AgencyCode> + '_ {
        self.grants.iter().filter(move |it| it.is_live(now)).map(|it| it.agency.clone())
    }

    pub(crate) fn require_open(&self) -> Result<(), Refusal> {
        match self.case.0.status {
            CaseStatus::Open => Ok(()),
            CaseStatus::Closed => Err(Refusal::CaseNotNow { why: "the case is closed", referrals: Vec::new() }),
        }
    }

    /// Carries out `command` on the case, or says why not.
    ///
    /// # Errors
    /// In this order: not found, not theirs, stale, not in this state.
    pub fn apply(&self, command: Command, asking: &Asking<'_>) -> Result<Change<Case>, Refusal> {
        let act = match command {
            Command::Amend(_) => Act::AmendCase,
            Command::Close { .. } | Command::Reopen { .. } => Act::CloseCase,
        };
        let rule = policy::require(asking.actor, act, &self.relations(asking))?;
        let before = self.case.0.clone();
        asking.expected.require(before.version)?;
        let next = Record { version: before.version.next(), ..before };
        let (past, after, message) = match command {
            Command::Amend(header) => {
                self.require_open()?;
                ("case.amended", Record { header, ..next }, None)
            }
            Command::Close { outcome, summary } => {
                self.require_open()?;
                if !self.open_referrals.is_empty() {
                    let referrals = self.open_referrals.clone();
                    return Err(Refusal::CaseNotNow { why: "referrals of the case are open", referrals });
                }
                ("case.closed", Record { status: CaseStatus::Closed, outcome: Some(outcome), ..next }, summary)
            }
            Command::Reopen { reason } => {
                if next.status == CaseStatus::Open {
                    return Err(Refusal::CaseNotNow { why: "the case is open", referrals: Vec::new() });
                }
                ("case.reopened", Record { status: CaseStatus::Open, outcome: None, ..next }, Some(reason))
            }
        };
        let case = Case(after);
        let event = case.event(past, self.parties_now(asking.now));
        Ok(Change::new(case, rule, event).with_message(message))
    }

    /// Adds a child to the case.
    ///
    /// # Errors
    /// Not found, not theirs, closed, or too many children.
    pub fn add_child(
        &self,
        child: ChildId,
        sections: Vec<(Section, Content)>,
        asking: &Asking<'_>,
    ) -> Result<Change<Added>, Refusal> {
        let rule = policy::require(asking.actor, Act::AmendCase, &self.relations(asking))?;
        asking.expected.require(self.case.0.version)?;
        self.require_open()?;
        if self.children.len() >= CHILD_LIMIT {
            return Err(Refusal::CaseNotNow {
                why: "the case has as many children as a case can have",
                referrals: Vec::new(),
            });
        }
        let case = Case(Record { version: self.case.0.version.next(), ..self.case.0.clone() });
        // Who was shown certain children only is not told of another.
        let all = self.grants.iter().filter(|it| it.is_live(asking.now) && it.children.is_none());
        let told = all.map(|it| it.agency.clone());
        let event =
            Event { kind: "child.added".to_owned(), subject: Subject::Child(child), ..case.event("child.added", told) };
        let written = |(section, content)| Written {
            case: case.0.id,
            child: Some(child),
            section,
            content,
            version: Version::FIRST,
        };
        let sections = sections.into_iter().map(written).collect();
        Ok(Change::new(Added { case, child, sections }, rule, event))
    }

    /// Writes a section whose present version is `current` (0 when nobody has written it yet).
    ///
    /// # Errors
    /// Not found, not theirs, stale, or the case is closed.
    pub fn write_section(
        &self,
        section: Section,
        child: Option<ChildId>,
        content: Content,
        current: Version,
        asking: &Asking<'_>,
    ) -> Result<Change<Written>, Refusal> {
        let rule = policy::require(asking.actor, Act::WriteSection, &self.relations_to(section, child, asking))?;
        if child.is_some_and(|it| !self.children.contains(&it)) {
            return Err(Refusal::NotFound);
        }
        asking.expected.require(current)?;
        self.require_open()?;
        let version = current.next();
        let case = self.case.0.id;
        let shown = |grant: &&Grant| {
            grant.is_live(asking.now)
                && grant.sections.contains(&section)
                && child.is_none_or(|it| grant.children.as_ref().is_none_or(|children| children.contains(&it)))
        };
        let event = Event {
            kind: "section.written".to_owned(),
            subject: child.map_or(Subject::Case(case), Subject::Child),
            recipients: self.grants.iter().filter(shown).map(|it| it.agency.clone()).collect(),
            data: json!({ "section": section, "by": asking.actor.agency(), "version": version }),
        };
        Ok(Change::new(Written { case, child, section, content, version }, rule, event))
    }
}
