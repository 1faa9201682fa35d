//! Grants that a supervisor of the lead gives or ends by hand.

use super::{Footing, Grant, GrantChange, Source};
use crate::actor::Purpose;
use crate::case::{Asking, CaseFile};
use crate::consent::Cover;
use crate::event::data::GrantData;
use crate::event::{Change, Event, Kind, Subject};
use crate::id::{AgencyCode, CaseId, ChildId, ConsentId, GrantId, OfficerId};
use crate::policy::Act;
use crate::referral::{Basis, eligible};
use crate::refusal::{Invalid, Refusal, future};
use crate::section::Section;
use crate::values::BasisKind;
use chrono::{DateTime, Utc};

/// What is to be given.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// To whom.
    pub agency: AgencyCode,
    /// Which sections.
    pub sections: Vec<Section>,
    /// Of which children; of all when unset.
    pub children: Option<Vec<ChildId>>,
    /// For which purposes.
    pub purposes: Vec<Purpose>,
    /// Until when.
    pub until: Option<DateTime<Utc>>,
    /// What it rests on; whatever is more than the summary needs it.
    pub basis: Option<Basis>,
    /// Why.
    pub reason: String,
}

/// A grant that was given by hand.
#[derive(Debug, Clone, PartialEq)]
pub struct ByHand {
    /// Its id.
    pub id: GrantId,
    /// The grant.
    pub grant: Grant,
}

/// A grant that was ended by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedByHand {
    /// Of which case.
    pub case: CaseId,
    /// Which.
    pub id: GrantId,
    /// Why, in words.
    pub reason: String,
    /// Who ended it: an officer of the lead.
    pub by: OfficerId,
}

impl CaseFile {
    /// Lets an agency see something of the case.
    ///
    /// # Errors
    /// Not found, not theirs; the case is closed; the terms cannot be met.
    pub fn give(&self, id: GrantId, terms: Terms, asking: &Asking<'_>) -> Result<Change<ByHand>, Refusal> {
        let rule = self.decide(Act::GiveGrant, asking)?.rule;
        self.require_open()?;
        let Terms { agency, sections, children, purposes, until, basis, reason } = terms;
        eligible("agency", &agency, asking.actor.agency(), &self.parties)?;
        let known = self.known_children(asking);
        if let Some(at) = children.iter().flatten().position(|it| !known.contains(it)) {
            return Err(Invalid::new(format!("children[{at}]"), "unknown-child", "is no child of this case").into());
        }
        if let Some(at) = purposes.iter().position(|it| !Purpose::OF_WORK.contains(it)) {
            let field = format!("purposes[{at}]");
            return Err(Invalid::new(field, "not-of-work", "is not a purpose of work on a case").into());
        }
        if let Some(until) = until {
            future("until", until, asking.now)?;
        }
        let footing = match &basis {
            Some(it) => {
                it.check("basis", asking.now)?;
                self.footing(it, &agency, (&sections, children.as_deref(), &purposes))?
            }
            None if sections.iter().all(|it| *it == Section::Summary) => Footing::Firm,
            None => return Err(Invalid::new("basis", "required", "more than the summary names its basis").into()),
        };
        let expiry = |id: &ConsentId| self.bases.consents.iter().find(|it| it.id == *id).and_then(|it| it.expires_at);
        let expires = match &footing {
            Footing::Consents(consents) => consents.iter().filter_map(expiry).min(),
            Footing::Firm | Footing::Override(_) => None,
        };
        let ends = [until, expires, basis.as_ref().and_then(|it| it.until)];
        let grant = Grant {
            id: Some(id),
            source: Source::ByHand,
            sections,
            contributes: Vec::new(),
            children,
            purposes,
            footing,
            onward: false,
            reason: Some(reason),
            ground: basis,
            until: ends.into_iter().flatten().min(),
            ..Grant::of_lead(self.case.record().id, agency.clone(), asking.now)
        };
        let event = self.grant_event(id, Kind::GrantGiven, &agency, grant.until);
        let given = GrantChange::Give(grant.clone());
        Ok(Change::new(ByHand { id, grant }, rule, event).with_grants(vec![given]))
    }

    /// On what the grant rests: a duty, or consents in force that cover all of it for each child concerned.
    fn footing(
        &self,
        basis: &Basis,
        agency: &AgencyCode,
        (sections, children, purposes): (&[Section], Option<&[ChildId]>, &[Purpose]),
    ) -> Result<Footing, Invalid> {
        match basis.kind {
            BasisKind::MandatedDuty => Ok(Footing::Firm),
            BasisKind::Override => {
                Err(Invalid::new("basis.kind", "not-by-hand", "an override is made, and reviewed, with a referral"))
            }
            BasisKind::Consent => {
                let of_case = sections.iter().any(|it| !it.is_of_child() && *it != Section::Summary);
                let concerned = children.filter(|_| !of_case).unwrap_or(&self.bases.children);
                let covers = |it: &&Cover| {
                    let needed = sections.iter().filter(|it| **it != Section::Summary);
                    (basis.consents.is_empty() || basis.consents.contains(&it.id))
                        && needed.into_iter().all(|section| it.covers(*section, agency, purposes))
                };
                let of = |child: &ChildId| self.bases.consents.iter().filter(covers).find(|it| it.child == *child);
                let found: Option<Vec<ConsentId>> = concerned.iter().map(|it| Some(of(it)?.id)).collect();
                let lacking =
                    || Invalid::new("basis", "no-consent", "no consent in force covers it for every child concerned");
                found.map(Footing::Consents).ok_or_else(lacking)
            }
        }
    }

    /// Ends the grant `id` of `agency`, which came from `source`: from now on it gives nothing.
    ///
    /// # Errors
    /// Not found, not theirs; it is the lead's own, or has ended.
    pub fn end_grant(
        &self,
        id: GrantId,
        (agency, source, live): (&AgencyCode, Source, bool),
        reason: String,
        asking: &Asking<'_>,
    ) -> Result<Change<EndedByHand>, Refusal> {
        let rule = self.decide(Act::EndGrant, asking)?.rule;
        let by = asking.actor.officer_id().cloned().ok_or(Refusal::NotYours)?;
        if source == Source::Lead {
            return Err(Refusal::case_not_now("somebody has to lead: hand the case over instead"));
        }
        if !live {
            return Err(Refusal::case_not_now("it has ended"));
        }
        let event = self.grant_event(id, Kind::GrantEnded, agency, Some(asking.now));
        let entity = EndedByHand { case: self.case.record().id, id, reason, by };
        Ok(Change::new(entity, rule, event))
    }

    fn grant_event(&self, id: GrantId, kind: Kind, agency: &AgencyCode, until: Option<DateTime<Utc>>) -> Event {
        let recipients = [self.audience().0.clone(), agency.clone()].into();
        let data = GrantData { agency: agency.clone(), until, request: None };
        Event::new(kind, Subject::Grant(id), recipients, data)
    }
}
