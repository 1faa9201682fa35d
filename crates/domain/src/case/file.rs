//! What may happen to a case: the decisions, on the file that they need.

use super::{Added, Asking, CHILD_LIMIT, Case, CaseFile, CaseStatus, Command, Erased, Headed, Record, Written};
use crate::actor::Role;
use crate::event::data::{ErasureData, SectionData};
use crate::event::{Change, Event, Kind, Subject};
use crate::grant::{Grant, Standing};
use crate::handoff;
use crate::id::{AgencyCode, ChildId, Version};
use crate::policy::{self, Act, Permit, Relation, Relations};
use crate::refusal::Refusal;
use crate::section::{Content, Section};
use crate::shield::Shield;
use chrono::{DateTime, Utc};

impl CaseFile {
    /// What the actor's agency holds.
    pub fn standing(&self, asking: &Asking<'_>) -> Standing<'_> {
        Standing::of(asking.actor, &self.grants, asking.now)
    }

    /// Whether a shield of the case, if there is one, lets the actor through. An emergency access that two
    /// officers agreed on does too.
    pub(crate) fn admits(&self, asking: &Asking<'_>) -> bool {
        self.lets_through(self.case.0.shield.as_ref(), asking)
    }

    /// The same of a child.
    pub(crate) fn admits_to(&self, child: ChildId, asking: &Asking<'_>) -> bool {
        self.lets_through(self.shielded.iter().find(|it| it.0 == child).map(|it| &it.1), asking)
    }

    /// Whether an event of the case, of which the actor's agency was told, is hidden from the actor by nothing: that it was
    /// told stands as it was written, and no grant is asked for.
    pub fn tells(&self, child: Option<ChildId>, asking: &Asking<'_>) -> bool {
        self.admits(asking) && child.is_none_or(|it| self.admits_to(it, asking))
    }

    /// Whether the actor may know of the child: a grant reaches it, or they coordinate, and no shield hides it.
    fn knows(&self, child: ChildId, asking: &Asking<'_>) -> bool {
        let coordinates = asking.actor.is(Role::Coordinator);
        (self.standing(asking).reaches(child) || coordinates) && self.admits_to(child, asking)
    }

    fn lets_through(&self, shield: Option<&Shield>, asking: &Asking<'_>) -> bool {
        shield.is_none_or(|it| it.admits(asking.actor)) || self.standing(asking).is_emergency()
    }

    /// How the actor stands to the case as a whole.
    pub fn relations(&self, asking: &Asking<'_>) -> Relations {
        if !self.admits(asking) {
            return Relations::new();
        }
        let (standing, record) = (self.standing(asking), &self.case.0);
        let (fits, emergency) = (standing.fits_purpose(), standing.is_emergency());
        let works = fits && !emergency;
        [
            (works && record.lead == *asking.actor.agency()).then_some(Relation::Lead),
            works.then_some(Relation::Shown),
            standing.is_onward().then_some(Relation::Onward),
            emergency.then_some(Relation::Emergency),
            standing.is_party().then_some(Relation::Party),
            record.shield.is_none().then_some(Relation::Unshielded),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Decides on an act about the case as a whole.
    ///
    /// # Errors
    /// Not found, or not theirs.
    pub fn decide(&self, act: Act, asking: &Asking<'_>) -> Result<Permit, Refusal> {
        policy::decide(asking.actor, act, &self.relations(asking), self.standing(asking).sections())
    }

    /// How the actor stands to the case as far as it is about one child.
    pub fn relations_to_child(&self, child: ChildId, asking: &Asking<'_>) -> Relations {
        if self.knows(child, asking) { self.relations(asking) } else { Relations::new() }
    }

    /// How the actor stands to one section.
    pub fn relations_to(&self, section: Section, child: Option<ChildId>, asking: &Asking<'_>) -> Relations {
        let standing = self.standing(asking);
        let mut relations = match child {
            None => self.relations(asking),
            Some(child) => self.relations_to_child(child, asking),
        };
        if relations.is_empty() {
            return relations;
        }
        let shown = if relations.contains(&Relation::Emergency) { Relation::Emergency } else { Relation::Shown };
        relations.retain(|it| matches!(it, Relation::Lead | Relation::Party | Relation::Unshielded));
        relations.extend(standing.reads(section, child).then_some(shown));
        relations.extend(standing.writes(section, child).then_some(Relation::Contributor));
        relations
    }

    /// The case under another lead.
    pub(crate) fn led_by(&self, lead: AgencyCode) -> Case {
        let record = self.case.0.clone();
        Case(Record { lead, version: record.version.next(), ..record })
    }

    /// Whether no shield of the case, or of a child of it, keeps all of the agency out.
    pub(crate) fn lets_in(&self, agency: &AgencyCode) -> bool {
        let shields = self.case.0.shield.iter().chain(self.shielded.iter().map(|it| &it.1));
        shields.into_iter().all(|it| it.names_some_of(agency))
    }

    /// Who is told of everything about the header: the lead, and whether coordinators are not.
    pub(crate) fn audience(&self) -> (&AgencyCode, bool) {
        (&self.case.0.lead, self.case.0.shield.is_some())
    }

    pub(crate) fn parties_now(&self, now: DateTime<Utc>) -> impl Iterator<Item = AgencyCode> + '_ {
        self.grants.iter().filter(move |it| it.is_live(now)).map(|it| it.agency.clone())
    }

    pub(crate) fn require_open(&self) -> Result<(), Refusal> {
        match self.case.0.status {
            CaseStatus::Open => Ok(()),
            CaseStatus::Closed => Err(Refusal::case_not_now("the case is closed")),
        }
    }

    /// Carries out `command` on the case, or says why not.
    ///
    /// # Errors
    /// In this order: not found, not theirs, stale, not in this state.
    pub fn apply(&self, command: Command, asking: &Asking<'_>) -> Result<Change<Headed>, Refusal> {
        let act = match command {
            Command::Amend(_) => Act::AmendCase,
            Command::Close { .. } | Command::Reopen { .. } => Act::CloseCase,
        };
        let rule = self.decide(act, asking)?.rule;
        let before = self.case.0.clone();
        asking.expected.require(before.version)?;
        let next = Record { version: before.version.next(), ..before };
        let (kind, after, message) = match command {
            Command::Amend(header) => {
                self.require_open()?;
                (Kind::CaseAmended, Record { header, ..next }, None)
            }
            Command::Close { outcome, summary } => {
                self.require_open()?;
                if !self.open_referrals.is_empty() {
                    let (referrals, handoffs) = (self.open_referrals.clone(), Vec::new());
                    return Err(Refusal::CaseNotNow { why: "referrals of the case are open", referrals, handoffs });
                }
                if let Some(it) = self.handoffs.iter().find(|it| it.record().status == handoff::HandoffStatus::Offered)
                {
                    return Err(Refusal::pending_handoff("the case is offered to another agency", it.record().id));
                }
                (Kind::CaseClosed, Record { status: CaseStatus::Closed, outcome: Some(outcome), ..next }, summary)
            }
            Command::Reopen { reason } => {
                if next.status == CaseStatus::Open {
                    return Err(Refusal::case_not_now("the case is open"));
                }
                (Kind::CaseReopened, Record { status: CaseStatus::Open, outcome: None, ..next }, Some(reason))
            }
        };
        let case = Case(after);
        let mut events = vec![case.event(kind, self.parties_now(asking.now))];
        let mut moot = Vec::new();
        if case.0.status == CaseStatus::Closed {
            let asks = self.handoffs.iter().cloned().map(|it| it.moot(self, asking));
            let (withdrawn, told): (Vec<_>, Vec<Event>) = asks.unzip();
            moot.extend(withdrawn);
            events.extend(told);
        }
        Ok(Change::of_events(Headed { case, moot }, rule, events).with_message(message))
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
        let rule = self.decide(Act::AmendCase, asking)?.rule;
        asking.expected.require(self.case.0.version)?;
        self.require_open()?;
        if self.children.len() >= CHILD_LIMIT {
            return Err(Refusal::case_not_now("the case has as many children as a case can have"));
        }
        let case = Case(Record { version: self.case.0.version.next(), ..self.case.0.clone() });
        // Who was shown certain children only is not told of another.
        let all = self.grants.iter().filter(|it| it.is_live(asking.now) && it.children.is_none());
        let told = all.map(|it| it.agency.clone());
        let event = Event { subject: Subject::Child(child), ..case.event(Kind::ChildAdded, told) };
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

    /// A child erased for good, by whoever decided that with somebody else: nothing that is known of it can be
    /// read any more, nor anything be added. That it was erased before is found when it is saved.
    pub(crate) fn erased(&self, child: ChildId, asking: &Asking<'_>) -> (Erased, Event) {
        let case = self.case.0.id;
        let shown = |grant: &&Grant| grant.is_live(asking.now) && grant.covers(Some(child));
        let recipients = self.grants.iter().filter(shown).map(|it| it.agency.clone()).collect();
        let data = ErasureData { by: asking.actor.agency().clone() };
        let event = Event::new(Kind::ChildErased, Subject::Child(child), recipients, data);
        (Erased { case, child }, event)
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
        let subject = child.map_or(Subject::Case(case), Subject::Child);
        let recipients = self.grants.iter().filter(shown).map(|it| it.agency.clone()).collect();
        let data = SectionData { section, by: asking.actor.agency().clone(), version };
        let event = Event::new(Kind::SectionWritten, subject, recipients, data);
        Ok(Change::new(Written { case, child, section, content, version }, rule, event))
    }
}
