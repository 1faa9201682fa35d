//! One invented case from its opening on, as far as it got: played through the domain.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Duration, Utc};
use lindung_domain::case::{self, Asking, Case, CaseFile, Header, Opened, Written};
use lindung_domain::consent::Bases;
use lindung_domain::grant::{Grant, GrantChange};
use lindung_domain::message::{Message, MessageKind};
use lindung_domain::referral::Referral;
use lindung_domain::refusal::Expected;
use lindung_domain::section::{Content, Identifier, Identity, Prose};
use lindung_domain::values::{Outcome, Priority, Technique};
use lindung_domain::{Actor, AgencyCode, CaseId, Change, ChildId, Event, Section};
use lindung_vault::{Token, Wrapped};
use uuid::Uuid;

use super::cast::{Cast, Member};
use super::copy::{Rows, Table, row};
use super::course;
use super::dice::Dice;
use super::{Kind, id};
use crate::error::Error;
use crate::events;
use crate::file::{CaseRow, GrantRow};
use crate::referrals::ReferralRow;
use crate::{sealed, sql};

/// Which case, and when it was opened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opening {
    pub(super) index: u64,
    pub(super) number: u64,
    pub(super) at: DateTime<Utc>,
}

/// A case on its way.
pub(super) struct Story<'a> {
    pub(super) cast: &'a Cast,
    pub(super) dice: Dice,
    pub(super) file: CaseFile,
    pub(super) lead: &'a Member,
    /// The time in the story.
    pub(super) at: DateTime<Utc>,
    rows: &'a mut Rows,
    index: u64,
    told: BTreeMap<AgencyCode, DateTime<Utc>>,
    events: u64,
    messages: u64,
    accesses: u64,
    until: DateTime<Utc>,
}

/// Plays a case until it is done, or stuck, or the present is reached.
pub(super) fn play(opening: Opening, until: DateTime<Utc>, cast: &Cast, rows: &mut Rows) -> Result<(), Error> {
    let stays_open = opening.index.is_multiple_of(4);
    let mut dice = Dice::new(opening.index);
    let lead = if stays_open { cast.school() } else { cast.lead(&mut dice) };
    let mut story = open(opening, until, cast, lead, dice, rows)?;
    let referrals = 1 + story.dice.below(3);
    for n in 0..referrals {
        if n > 0 && !story.wait() {
            break;
        }
        course::refer(&mut story, n)?;
    }
    if !stays_open && story.file.open_referrals.is_empty() && story.dice.chance(60) && story.wait() {
        story.close()?;
    }
    story.finish()
}

fn open<'a>(
    opening: Opening,
    until: DateTime<Utc>,
    cast: &'a Cast,
    lead: &'a Member,
    mut dice: Dice,
    rows: &'a mut Rows,
) -> Result<Story<'a>, Error> {
    let Opening { index, number, at } = opening;
    let officer = dice.pick(&lead.officers);
    let children: Vec<ChildId> = (0..1 + dice.below(10) / 7).map(|n| ChildId(id(Kind::Child, index, n))).collect();
    let header = Header {
        priority: *dice.pick(&[Priority::Immediate, Priority::Urgent, Priority::Routine, Priority::Routine]),
        offences: vec![(*dice.pick(&["A792.5", "A792.12", "A792.15", "A792.15B"])).to_owned()],
        grounds: vec![(*dice.pick(&["A611.17.1.a", "A611.17.1.b", "A611.17.1.c"])).to_owned()],
        techniques: vec![*dice.pick(Technique::ALL)],
    };
    let prose = |text| Content::Prose(Prose { text });
    let mut sections =
        vec![(Section::Summary, None, prose(dice.sentences(2))), (Section::Narrative, None, prose(dice.sentences(5)))];
    for (n, child) in children.iter().enumerate() {
        let identifiers = vec![Identifier { system: "school-id".to_owned(), value: format!("X{index}-{n}") }];
        let identity = Identity { names: vec![dice.name()], identifiers, birth_date: None };
        sections.push((Section::Identity, Some(*child), Content::Identity(identity)));
        if dice.chance(40) {
            sections.push((Section::Risk, Some(*child), prose(dice.sentences(2))));
        }
    }
    let asking = Asking { actor: officer, expected: Expected::Any, now: at };
    let reference = format!("LDG-{}-{number:06}", at.year());
    let change = Case::open(CaseId(id(Kind::Case, index, 0)), reference, header, children.clone(), sections, &asking)?;
    let mut story = Story {
        cast,
        dice,
        file: CaseFile {
            case: change.entity().case.clone(),
            grants: Vec::new(),
            children,
            shielded: Vec::new(),
            open_referrals: Vec::new(),
            handoffs: Vec::new(),
            parties: cast.parties.clone(),
            bases: Bases::default(),
        },
        lead,
        at,
        rows,
        index,
        told: BTreeMap::new(),
        events: 0,
        messages: 0,
        accesses: 0,
        until,
    };
    let opened = story.happened(officer, None, change)?;
    story.keep_sections(&opened)?;
    let sections: Vec<Section> = opened.sections.iter().map(|it| it.section).collect();
    story.accessed(officer, "create_case", "permitted", Some("own"), &sections)?;
    Ok(story)
}

impl Story<'_> {
    /// The id of the `n`th thing of a kind.
    pub(super) fn id(&self, kind: Kind, n: u64) -> Uuid {
        id(kind, self.index, n)
    }

    /// Lets up to three days pass; false when that would lead beyond the present.
    pub(super) fn wait(&mut self) -> bool {
        let minutes = i64::try_from(10 + self.dice.below(3 * 24 * 60)).unwrap_or(10);
        let later = self.at + Duration::minutes(minutes);
        let past = later < self.until;
        if past {
            self.at = later;
        }
        past
    }

    pub(super) fn asking<'b>(&self, actor: &'b Actor) -> Asking<'b> {
        Asking { actor, expected: Expected::Any, now: self.at }
    }

    pub(super) fn said(&mut self, kind: MessageKind) -> Message {
        Message { kind, code: None, text: self.dice.sentences(1) }
    }

    /// Takes what a change brings along, as `save.rs` does, and gives the entity.
    pub(super) fn happened<T>(&mut self, actor: &Actor, referral: Option<Uuid>, change: Change<T>) -> Result<T, Error> {
        let (case, at) = (id(Kind::Case, self.index, 0), self.at);
        for Event { kind, subject, recipients, data, stakes: _ } in change.events() {
            let (subject_type, subject_id) = events::named(subject);
            let row = row! {
                id: self.id(Kind::Event, self.events), kind: format!("{}{kind}", Event::PREFIX), case_id: case,
                case_version: self.events + 1, subject_type, subject_id,
                causation_id: self.id(Kind::Causation, self.events), at, agency: actor.agency(),
                client_id: actor.client_id(), data, recipients,
            };
            self.rows.put(Table::Events, &row)?;
            self.events += 1;
            self.told.extend(recipients.iter().map(|it| (it.clone(), at)));
        }
        for moved in change.grants() {
            match moved {
                GrantChange::Give(grant) => self.file.grants.push(grant.clone()),
                GrantChange::End { which, at } => {
                    let ends = |it: &&mut Grant| which.names(it) && it.until.is_none_or(|until| until > *at);
                    self.file.grants.iter_mut().filter(ends).for_each(|it| it.until = Some(*at));
                }
            }
        }
        if let Some(Message { kind, code, text }) = change.message() {
            let row = row! {
                id: self.id(Kind::Message, self.messages), case_id: case, referral_id: referral, kind,
                code, text, agency: actor.agency(), officer: actor.officer_id(), at,
            };
            self.rows.put(Table::Messages, &row)?;
            self.messages += 1;
        }
        Ok(change.into_entity())
    }

    /// Keeps the sections, those of a child sealed with a key of its own.
    fn keep_sections(&mut self, opened: &Opened) -> Result<(), Error> {
        let (vault, agency, updated_at) = (&self.cast.vault, &self.lead.code, self.at);
        let mut keys = BTreeMap::new();
        for child in &opened.children {
            let case_id = opened.case.record().id;
            let (key, Wrapped { version, bytes }) = vault.new_key(&sealed::key_place(case_id, *child))?;
            let row =
                row! { child_id: child, case_id, wrapped: sql::hex(&bytes), kek_version: version, created_at: self.at };
            self.rows.put(Table::Keys, &row)?;
            keys.insert(child, key);
        }
        for it in &opened.sections {
            let Written { case: case_id, child: child_id, section, content, version } = it;
            let sealed = match child_id.as_ref().and_then(|child| keys.get(child).map(|key| (child, key))) {
                Some((child, key)) => Some(sql::hex(&sealed::seal(key, *child, it)?)),
                None => None,
            };
            for Token { version, bytes } in sealed::tokens(vault, content)? {
                let row = row! { child_id, case_id, token: sql::hex(&bytes), index_version: version };
                self.rows.put(Table::Indexes, &row)?;
            }
            if *section == Section::Identity {
                let row = row! { child_id, case_id, sealed, version, agency, updated_at };
                self.rows.put(Table::Identities, &row)?;
            } else {
                let content = sealed.is_none().then_some(content);
                let row = row! { case_id, child_id, section, content, sealed, version, agency, updated_at };
                self.rows.put(Table::Sections, &row)?;
            }
        }
        Ok(())
    }

    /// Keeps a referral as it ended up.
    pub(super) fn keep(&mut self, referral: &Referral) -> Result<(), Error> {
        let record = referral.record();
        self.rows.put(Table::Referrals, &ReferralRow::new(referral))?;
        for agency in &record.listed {
            let arrived_at = record.arrived_at.unwrap_or(record.created_at);
            let row = row! { agency, referral_id: record.id, arrived_at, case_id: record.case };
            self.rows.put(Table::Listings, &row)?;
        }
        if record.requested_at.is_some() && !record.status.is_terminal() {
            self.file.open_referrals.push(record.id);
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Error> {
        let (supervisor, summary) = (&self.lead.supervisor, self.said(MessageKind::Summary));
        let outcome = *self.dice.pick(&[Outcome::ServiceProvided, Outcome::Charged, Outcome::ProtectionOrder]);
        let command = case::Command::Close { outcome, summary: Some(summary) };
        let change = self.file.apply(command, &self.asking(supervisor))?;
        self.file.case = self.happened(supervisor, None, change)?.case;
        Ok(())
    }

    /// Writes what is known only at the end.
    fn finish(mut self) -> Result<(), Error> {
        let reader = self.dice.pick(&self.lead.officers);
        self.accessed(reader, "get_case", "permitted", Some("lead"), &[])?;
        if self.dice.chance(6) {
            let outsider = self.cast.recipient(&mut self.dice, &self.told.keys().collect::<Vec<_>>());
            self.accessed(&outsider.supervisor, "get_case", "not-found", None, &[])?;
        }
        let case = self.id(Kind::Case, 0);
        let count = i64::try_from(self.events).unwrap_or(i64::MAX);
        self.rows.put(Table::Cases, &CaseRow::new(&self.file.case, count))?;
        let created_at = self.file.case.record().created_at;
        for child in &self.file.children {
            self.rows.put(Table::Children, &row! { id: child, case_id: case, created_at })?;
        }
        for (n, grant) in (0..).zip(std::mem::take(&mut self.file.grants)) {
            self.rows.put(Table::Grants, &GrantRow::new(self.id(Kind::Grant, n), grant))?;
        }
        for (agency, activity_at) in &self.told {
            let row = row! { agency, case_id: case, activity_at };
            self.rows.put(Table::Parties, &row)?;
        }
        Ok(())
    }

    fn accessed(
        &mut self,
        actor: &Actor,
        action: &str,
        outcome: &str,
        rule: Option<&str>,
        sections: &[Section],
    ) -> Result<(), Error> {
        let case = self.id(Kind::Case, 0);
        let (children, count) = match rule {
            Some(_) => (self.file.children.as_slice(), 1),
            None => (&[][..], 0),
        };
        let row = row! {
            id: self.id(Kind::Access, self.accesses), at: self.at, request_id: self.id(Kind::Request, self.accesses),
            client_id: actor.client_id(), agency: actor.agency(), officer: actor.officer_id(), roles: actor.roles(),
            purpose: actor.purpose(), action, target: (action != "create_case").then_some(case),
            outcome, rule, case_ids: [case], child_ids: children, sections, count,
        };
        self.accesses += 1;
        self.rows.put(Table::Accesses, &row)
    }
}
