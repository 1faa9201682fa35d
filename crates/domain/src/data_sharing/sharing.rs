//! Granting: which sections of which cases answer a request, and the grants that let the requester read them.

use std::collections::BTreeSet;

use super::{DataSharing, DataSharingAction, DataSharingStatus, Record};
use crate::actor::Purpose;
use crate::case::{Asking, CaseFile};
use crate::event::data::GrantData;
use crate::event::{Change, Event, Kind, Subject};
use crate::grant::{Grant, GrantChange, Source};
use crate::id::{AgencyCode, CaseId, ChildId, GrantId};
use crate::policy::Relation;
use crate::refusal::{Invalid, Refusal, future};
use crate::section::Section;
use chrono::{DateTime, Utc};

/// The most cases that one request is answered with.
pub const SHARE_LIMIT: usize = 50;

/// What is shared of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The id of its grant.
    pub grant: GrantId,
    /// Of which case.
    pub case: CaseId,
    /// Which sections.
    pub sections: Vec<Section>,
    /// Of which children; of all when unset.
    pub children: Option<Vec<ChildId>>,
}

/// What is shared, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sharing {
    /// Of which cases.
    pub shares: Vec<Share>,
    /// For which purposes of work.
    pub purposes: Vec<Purpose>,
    /// Until when, exclusively.
    pub until: DateTime<Utc>,
    /// On which conditions, in words.
    pub conditions: Option<String>,
}

/// What was shared of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// Of which case.
    pub case: CaseId,
    /// Which sections.
    pub sections: Vec<Section>,
    /// Of which children; of all when unset.
    pub children: Option<Vec<ChildId>>,
}

/// A request that was granted, with what was shared of each case.
#[derive(Debug, Clone, PartialEq)]
pub struct Granted {
    /// The request.
    pub request: Change<DataSharing>,
    /// What was shared, case by case.
    pub shared: Vec<Change<Shared>>,
}

impl DataSharing {
    /// Shares sections of cases that the provider leads, among `files`, with the requester: to read, and not onward.
    ///
    /// # Errors
    /// In this order: not found, not theirs, stale, not in this state; what cannot be shared, by field. A case that
    /// does not exist is answered as one that they do not lead.
    pub fn grant(self, sharing: Sharing, files: &[CaseFile], asking: &Asking<'_>) -> Result<Granted, Refusal> {
        let (rule, status) = self.step(DataSharingAction::Grant, asking)?;
        let Sharing { shares, purposes, until, conditions } = sharing;
        future("until", until, asking.now)?;
        if let Some(at) = purposes.iter().position(|it| !Purpose::OF_WORK.contains(it)) {
            let field = format!("purposes[{at}]");
            return Err(Invalid::new(field, "not-of-work", "is not a purpose of work on a case").into());
        }
        let invalid: Vec<Invalid> =
            shares.iter().enumerate().filter_map(|(at, it)| self.unsharable(at, it, &shares, files, asking)).collect();
        if !invalid.is_empty() {
            return Err(Refusal::Invalid(invalid));
        }
        let (id, requester) = (self.0.id, self.0.requester.clone());
        let given = |Share { grant, case, sections, children }: Share| {
            let grant = Grant {
                id: Some(grant),
                source: Source::DataSharing,
                request: Some(id),
                sections: sections.clone(),
                contributes: Vec::new(),
                children: children.clone(),
                purposes: purposes.clone(),
                onward: false,
                until: Some(until),
                ..Grant::of_lead(case, requester.clone(), asking.now)
            };
            let event = given_event(&grant, asking.actor.agency());
            let shared = Shared { case, sections, children };
            Change::new(shared, Relation::Lead, event).with_grants(vec![GrantChange::Give(grant)])
        };
        let shared = shares.into_iter().map(given).collect();
        let status = if conditions.is_some() { DataSharingStatus::GrantedWithConditions } else { status };
        let (version, shared_until, ended_at) = (self.0.version.next(), Some(until), Some(asking.now));
        let request = DataSharing(Record { status, conditions, shared_until, version, ended_at, ..self.0 });
        let event = request.event(DataSharingAction::Grant);
        Ok(Granted { request: Change::new(request, rule, event), shared })
    }

    /// Why the share at this place cannot be.
    fn unsharable(
        &self,
        at: usize,
        share: &Share,
        all: &[Share],
        files: &[CaseFile],
        asking: &Asking<'_>,
    ) -> Option<Invalid> {
        let wrong = |field: String, code, why: &str| Some(Invalid::new(format!("shares[{at}].{field}"), code, why));
        if all[..at].iter().any(|it| it.case == share.case) {
            return wrong("case".to_owned(), "duplicate", "stands twice");
        }
        let led = |it: &&CaseFile| it.case.record().id == share.case && it.relations(asking).contains(&Relation::Lead);
        let Some(file) = files.iter().find(led) else {
            return wrong("case".to_owned(), "not-led", "is no case that your agency leads");
        };
        let requester = &self.0.requester;
        if !file.case.record().shield.as_ref().is_none_or(|it| it.names_some_of(requester)) {
            return wrong("case".to_owned(), "shielded", "is kept from the requester by a shield");
        }
        let known = file.known_children(asking);
        let hidden: BTreeSet<ChildId> =
            file.shielded.iter().filter(|it| !it.1.names_some_of(requester)).map(|it| it.0).collect();
        match &share.children {
            None if known.iter().any(|it| hidden.contains(it)) => {
                wrong("children".to_owned(), "shielded", "must name children that no shield keeps from the requester")
            }
            None => None,
            Some(named) => named.iter().enumerate().find_map(|(n, it)| {
                if !known.contains(it) {
                    wrong(format!("children[{n}]"), "unknown-child", "is no child of this case")
                } else if hidden.contains(it) {
                    wrong(format!("children[{n}]"), "shielded", "is kept from the requester by a shield")
                } else {
                    None
                }
            }),
        }
    }
}

/// The case's own event: its timeline tells that somebody sees something of it.
fn given_event(grant: &Grant, lead: &AgencyCode) -> Event {
    let subject = grant.id.map_or(Subject::Case(grant.case), Subject::Grant);
    let recipients = [lead.clone(), grant.agency.clone()].into();
    let data = GrantData { agency: grant.agency.clone(), until: grant.until, request: grant.request };
    Event::new(Kind::GrantGiven, subject, recipients, data)
}
