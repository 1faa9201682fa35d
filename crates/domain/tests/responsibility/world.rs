//! One case with everything that can be tried on it, in memory.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use lindung_domain::case::{self, Asking, Case, CaseFile, Header};
use lindung_domain::consent::{Agreed, Bases, Capacity, Consent, Cover};
use lindung_domain::event::{Data, Event, Kind};
use lindung_domain::grant::{self, Grant, GrantChange};
use lindung_domain::handoff::{self, Handoff, Keeps, Manifest};
use lindung_domain::message::{Message, MessageKind};

use lindung_domain::referral::{Basis, Coded, Command, Party, Referral, Route, Share, Terms};
use lindung_domain::refusal::Expected;
use lindung_domain::values::{BasisKind, CancelReason, Outcome, Priority, ReferralKind, RejectReason};
use lindung_domain::{
    Actor, AgencyCode, CaseId, Change, ChildId, ConsentId, GrantId, HandoffId, Purpose, ReferralId, Role, Section,
};
use uuid::Uuid;

const AGENCIES: [&str; 4] = ["KPM.SEKOLAH.WBA0001", "KPWKM.JKM", "KDN.PDRM.D11", "KKM.OSCC.HKL"];

/// One try: what, by whom, with whom, about which of the things that there are, after how many minutes.
pub type Step = (u8, usize, usize, usize, i64);

pub struct World {
    pub file: CaseFile,
    pub people: Vec<Actor>,
    pub handoffs: Vec<Handoff>,
    pub referrals: Vec<Referral>,
    pub consents: Vec<Consent>,
    /// Who was given something by hand.
    pub by_hand: BTreeSet<AgencyCode>,
    /// Who led, by the events alone.
    pub led: Vec<AgencyCode>,
    pub now: DateTime<Utc>,
    ids: u128,
}

fn message() -> Message {
    Message { kind: MessageKind::Reason, code: None, text: "So it is.".to_owned() }
}

fn person(agency: &str) -> Actor {
    let (client, agency, officer) = ("client".parse().unwrap(), agency.parse().unwrap(), "sup".parse().unwrap());
    Actor::officer(client, agency, officer, &[Role::Supervisor], Some(Purpose::Protection)).unwrap()
}

impl World {
    pub fn new() -> World {
        let now: DateTime<Utc> = "2026-11-24T01:00:00Z".parse().unwrap();
        let people: Vec<Actor> = AGENCIES.iter().map(|it| person(it)).collect();
        let children = vec![ChildId(Uuid::from_u128(1)), ChildId(Uuid::from_u128(2))];
        let header = Header { priority: Priority::Urgent, offences: vec![], grounds: vec![], techniques: vec![] };
        let asking = Asking { actor: &people[0], expected: Expected::Any, now };
        let id = CaseId(Uuid::from_u128(3));
        let opened = Case::open(id, "LDG-2026-000001".into(), header, children.clone(), vec![], &asking).unwrap();
        let party = |it: &&str| Party { code: it.parse().unwrap(), ministry: it[..3].to_owned(), eligible: true };
        let file = CaseFile {
            case: opened.entity().case.clone(),
            grants: Vec::new(),
            children: children.clone(),
            shielded: Vec::new(),
            open_referrals: Vec::new(),
            handoffs: Vec::new(),
            parties: AGENCIES.iter().map(party).collect(),
            bases: Bases { children, ..Bases::default() },
        };
        let (handoffs, referrals, consents) = (Vec::new(), Vec::new(), Vec::new());
        let (by_hand, led) = (BTreeSet::new(), Vec::new());
        let mut world = World { file, people, handoffs, referrals, consents, by_hand, led, now, ids: 100 };
        world.happened(&opened);
        // Both children's mother agrees at first.
        [0, 1].into_iter().for_each(|it| world.step((18, 0, 0, it, 1)));
        world
    }

    fn id(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.ids)
    }

    /// What a change brings along, as it is saved.
    fn happened<T>(&mut self, change: &Change<T>) {
        for moved in change.grants() {
            match moved {
                GrantChange::Give(grant) => self.file.grants.push(grant.clone()),
                GrantChange::End { which, at } => {
                    let ends = |it: &&mut Grant| which.names(it) && it.until.is_none_or(|until| until > *at);
                    self.file.grants.iter_mut().filter(ends).for_each(|it| it.until = Some(*at));
                }
            }
        }
        change.events().iter().for_each(|it| self.told(it));
    }

    /// A handover is by whoever led, and nothing else tells of another lead.
    fn told(&mut self, event: &Event) {
        match (&event.kind, &event.data) {
            (Kind::CaseOpened, Data::Case(data)) => self.led.push(data.lead.clone()),
            (Kind::HandoffAccepted, Data::Handoff(data)) => {
                assert_eq!(self.led.last(), Some(&data.from), "handed over by whoever led");
                self.led.push(data.to.clone());
            }
            (kind, Data::Case(data)) => {
                assert_eq!(self.led.last(), Some(&data.lead), "{kind} names another lead")
            }
            _ => {}
        }
    }

    fn keep(&mut self, handoff: &Handoff) {
        self.handoffs.retain(|it| it.record().id != handoff.record().id);
        self.handoffs.push(handoff.clone());
        self.file.handoffs = self.handoffs.iter().filter(|it| it.record().status.is_live()).cloned().collect();
    }

    fn put(&mut self, referral: &Referral) {
        self.referrals.retain(|it| it.record().id != referral.record().id);
        self.referrals.push(referral.clone());
        let open = self.referrals.iter().filter(|it| it.record().status.is_open());
        self.file.open_referrals = open.map(|it| it.record().id).collect();
    }

    fn agreed(&mut self, consent: &Consent) {
        self.consents.retain(|it| it.record().id != consent.record().id);
        self.consents.push(consent.clone());
        let cover = |it: &Consent| {
            let Agreed { sections, recipients, purposes, expires_at, .. } = it.record().agreed.clone();
            Cover { id: it.record().id, child: it.record().child, sections, recipients, purposes, expires_at }
        };
        let given = self.consents.iter().filter(|it| it.record().withdrawal.is_none());
        self.file.bases.consents = given.map(cover).collect();
    }

    fn manifest(&self) -> Option<Manifest> {
        let version = format!("{:?}{:?}", self.file.case.record().version, self.file.open_referrals);
        Some(Manifest { version, items: Vec::new() })
    }

    fn terms(to: &AgencyCode, onward: bool, consent: bool) -> Terms {
        let (kind, provision) = if consent {
            (BasisKind::Consent, None)
        } else {
            (BasisKind::MandatedDuty, Some("Act 611 s.29".to_owned()))
        };
        let basis = Basis { kind, provision, reason: None, until: None, consents: Vec::new(), record: None };
        Terms {
            kind: ReferralKind::Counselling,
            priority: Priority::Urgent,
            route: Route::Named { recipient: Some(to.clone()), alternatives: Vec::new() },
            request: "Please.".into(),
            children: None,
            shares: vec![Share { section: Section::Risk, basis: Some(basis), triage: false }],
            contributes: Vec::new(),
            purposes: vec![Purpose::Protection],
            onward,
            retention_days: 0,
        }
    }

    /// Tries one thing; many are refused, and then nothing happened.
    pub fn step(&mut self, (what, who, with, which, minutes): Step) {
        self.now += TimeDelta::minutes(minutes);
        let (mut actor, to) = (self.people[who].clone(), self.people[with].agency().clone());
        // Half of the answers come from whom they are expected.
        let asked =
            self.referrals.get(which / 7 % self.referrals.len().max(1)).and_then(|it| it.record().recipient.clone());
        if let Some(asked) = asked.filter(|_| (12..=16).contains(&what) && minutes % 2 == 0) {
            actor = person(asked.as_str());
        }
        let file = self.file.clone();
        let asking = Asking { actor: &actor, expected: Expected::Any, now: self.now };
        match what {
            0..=8 => self.hand(what, to, which, &file, &asking),
            9..=16 => self.refer(what, to, which, &file, &asking),
            17 => {
                let (sections, purposes, reason) = (vec![Section::Summary], vec![Purpose::Protection], "x".into());
                let (children, until, basis) = (None, None, None);
                let terms = grant::Terms { agency: to.clone(), sections, children, purposes, until, basis, reason };
                if let Ok(change) = file.give(GrantId(self.id()), terms, &asking) {
                    self.happened(&change);
                    self.by_hand.insert(to);
                }
            }
            18 | 19 => {
                let others = self.people.iter().map(|it| it.agency().clone()).filter(|it| it != actor.agency());
                let agreed = Agreed {
                    capacity: Capacity::Guardian,
                    given_by: "mother".parse().unwrap(),
                    sections: vec![Section::Risk],
                    recipients: others.collect(),
                    purposes: vec![Purpose::Protection],
                    evidence: "file 1".into(),
                    given_at: self.now,
                    expires_at: None,
                };
                let child = file.children[which % 2];
                if let Ok(change) = Consent::give(ConsentId(self.id()), child, agreed, &file, &asking) {
                    self.happened(&change);
                    self.agreed(change.entity());
                }
            }
            20 => {
                let consent = self.consents.get(which % self.consents.len().max(1)).cloned();
                if let Some(Ok(change)) = consent.map(|it| it.withdraw(None, None, &file, &asking)) {
                    self.happened(&change);
                    self.agreed(change.entity());
                }
            }
            _ => {
                let close = case::Command::Close { outcome: Outcome::Other, summary: None };
                let command = if which.is_multiple_of(2) { close } else { case::Command::Reopen { reason: message() } };
                if let Ok(change) = file.apply(command, &asking) {
                    self.happened(&change);
                    self.file.case = change.entity().case.clone();
                    change.entity().moot.iter().for_each(|it| self.keep(it));
                }
            }
        }
    }

    fn hand(&mut self, what: u8, to: AgencyCode, which: usize, file: &CaseFile, asking: &Asking<'_>) {
        let pending = self.file.handoffs.get(which % self.file.handoffs.len().max(1)).cloned();
        let keeps = if which.is_multiple_of(2) { Keeps::OutcomeOnly } else { Keeps::ReadOnly };
        let (id, manifest) = (HandoffId(self.id()), self.manifest());
        let command = match which % 4 {
            0 => handoff::Command::Decline("x".into()),
            1 => handoff::Command::Refuse("x".into()),
            2 => handoff::Command::Withdraw,
            _ => handoff::Command::Offer { keeps, reason: "x".into() },
        };
        let change = match what {
            0..=2 => Some(Handoff::offer(id, to, (keeps, "x".into()), manifest, file, asking)),
            3 => Some(Handoff::ask(id, "x".into(), file, asking)),
            4 | 5 => pending.map(|it| it.apply(command, manifest, file, asking)),
            6 => pending.filter(|_| which.is_multiple_of(3)).map(|it| it.expire(false, asking.now)),
            _ => return self.accept(pending, file, asking),
        };
        if let Some(Ok(change)) = change {
            self.happened(&change);
            self.keep(change.entity());
        }
    }

    fn accept(&mut self, pending: Option<Handoff>, file: &CaseFile, asking: &Asking<'_>) {
        let moves = |it: &&Referral| {
            let (record, lead) = (it.record(), &file.case.record().lead);
            record.status.is_open()
                && (record.sender == *lead || record.recipient.as_ref() == Some(asking.actor.agency()))
        };
        let open: Vec<Referral> = self.referrals.iter().filter(moves).cloned().collect();
        if let Some(Ok(change)) = pending.map(|it| it.accept(None, self.manifest(), open, file, asking)) {
            self.happened(&change);
            let entity = change.into_entity();
            self.file.case = entity.case;
            self.keep(&entity.handoff);
            entity.moot.iter().for_each(|it| self.keep(it));
            entity.referrals.iter().for_each(|it| self.put(it));
        }
    }

    fn refer(&mut self, what: u8, to: AgencyCode, which: usize, file: &CaseFile, asking: &Asking<'_>) {
        let referral = self.referrals.get(which / 7 % self.referrals.len().max(1)).cloned();
        let command = match which % 7 {
            0 | 1 => Command::Accept { assignee: None, due_at: None },
            2 => Command::Reject { reason: Coded::reject(RejectReason::NoCapacity, None).unwrap(), suggested: None },
            3 => Command::Redirect { to: to.clone(), reason: message() },
            4 => Command::Complete { outcome: Outcome::ServiceProvided, summary: message() },
            5 => Command::Cancel(Coded::cancel(CancelReason::ChildMoved, None).unwrap()),
            _ => Command::MarkEnteredInError(message()),
        };
        let id = ReferralId(self.id());
        let change = match what {
            9..=11 => Some(Referral::make(
                id,
                Self::terms(&to, which.is_multiple_of(2), which.is_multiple_of(3)),
                false,
                file,
                asking,
            )),
            _ => referral.map(|it| it.apply(command, file, asking)),
        };
        if let Some(Ok(change)) = change {
            self.happened(&change);
            self.put(change.entity());
        }
    }
}
