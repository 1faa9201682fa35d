//! What the disclosure of a section rests on, held to records: consents in force, a duty that a law states, or an override.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Record, Share, Terms};
use crate::actor::Actor;
use crate::consent::{Bases, Cover};
use crate::event::Event;
use crate::grant::Footing;
use crate::id::{AgencyCode, ChildId, ConsentId, OverrideId, Version};
use crate::overrides::{self, Override};
use crate::refusal::{Invalid, Refusal, future};
use crate::section::{Section, length};
use crate::values::{BasisKind, DUTIES};

/// What the disclosure of a section rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Basis {
    /// Consent, a duty, or an override.
    pub kind: BasisKind,
    /// Of a mandated duty: the provision, one of the code list `duty`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200, example = "Act 792 s.19")]
    pub provision: Option<String>,
    /// Of an override: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub reason: Option<String>,
    /// Of an override: its end, in the future.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// Of consent: the consents that it rests on, at most 50. Left out, those in force that cover the section, every
    /// agency asked, every purpose and every child concerned are found as the referral is sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 50)]
    pub consents: Vec<ConsentId>,
    /// Of an override: its record. Given by the service, never sent.
    #[serde(default, rename = "override", skip_serializing_if = "Option::is_none")]
    #[schema(read_only)]
    pub record: Option<OverrideId>,
}

/// A share of something for one agency: on what, of which children, until when.
pub(super) type Ground = (Footing, Option<Vec<ChildId>>, Option<DateTime<Utc>>);

impl Basis {
    /// Checks the basis by itself.
    pub(crate) fn check(&self, field: &str, now: DateTime<Utc>) -> Result<(), Invalid> {
        let (provision, reason, until) = (&self.provision, &self.reason, self.until);
        for (part, text, limit) in [("provision", provision, 200), ("reason", reason, 2000)] {
            if let Some(text) = text {
                length(format!("{field}.{part}"), text, limit)?;
            }
        }
        if let Some(until) = until {
            future(format!("{field}.until"), until, now)?;
        }
        if self.consents.len() > 50 {
            return Err(Invalid::new(format!("{field}.consents"), "length", "must have at most 50 items"));
        }
        let lacks = |part, why| Err(Invalid::new(format!("{field}.{part}"), "required", why));
        match (self.kind, provision) {
            (BasisKind::MandatedDuty, None) => lacks("provision", "a mandated duty names its provision"),
            (BasisKind::MandatedDuty, Some(it)) if !DUTIES.contains(&it.as_str()) => {
                let field = format!("{field}.provision");
                Err(Invalid::new(field, "unknown-code", "is no provision of the code list `duty`"))
            }
            (BasisKind::Override, _) if reason.is_none() => lacks("reason", "an override gives its reason"),
            (BasisKind::Override, _) if until.is_none() => lacks("until", "an override has an end"),
            (BasisKind::Consent | BasisKind::MandatedDuty | BasisKind::Override, _) => Ok(()),
        }
    }
}

impl Terms {
    /// The children that a section tells of: of a section of the case, all that there are.
    fn concerned<'a>(&'a self, section: Section, bases: &'a Bases) -> &'a [ChildId] {
        self.children.as_deref().filter(|_| section.is_of_child()).unwrap_or(&bases.children)
    }

    /// For each child concerned the consent that lasts longest of those in force that cover the section, every agency
    /// asked and every purpose; nothing where a child has none.
    fn consents(&self, section: Section, named: &[ConsentId], bases: &Bases) -> Option<Vec<ConsentId>> {
        let covers = |it: &&Cover| {
            (named.is_empty() || named.contains(&it.id))
                && it.sections.contains(&section)
                && self.purposes.iter().all(|purpose| it.purposes.contains(purpose))
                && self.route.agencies().all(|agency| it.recipients.contains(agency))
        };
        let lasts = |it: &&Cover| (it.expires_at.is_none(), it.expires_at, it.id);
        let of =
            |child: &ChildId| bases.consents.iter().filter(covers).filter(|it| it.child == *child).max_by_key(lasts);
        let in_force = named.iter().all(|id| bases.consents.iter().any(|it| it.id == *id));
        self.concerned(section, bases).iter().map(|it| Some(of(it)?.id)).collect::<Option<_>>().filter(|_| in_force)
    }

    /// Checks that what is shared by consent has consents to rest on.
    pub(super) fn check_consents(&self, field: &str, share: &Share, bases: &Bases) -> Result<(), Invalid> {
        let lacking = |it: &&super::Basis| {
            it.kind == BasisKind::Consent && self.consents(share.section, &it.consents, bases).is_none()
        };
        match share.basis.as_ref().filter(lacking) {
            None => Ok(()),
            Some(_) => Err(Invalid::new(
                format!("{field}.basis"),
                "no-consent",
                "no consent in force covers it for every agency asked, every purpose and every child concerned",
            )),
        }
    }

    /// The terms with the consents named on which they rest.
    pub(super) fn grounded(mut self, bases: &Bases) -> Self {
        for at in 0..self.shares.len() {
            let (section, basis) = (self.shares[at].section, self.shares[at].basis.clone());
            if let Some(basis) = basis.filter(|it| it.kind == BasisKind::Consent) {
                let consents = self.consents(section, &basis.consents, bases).unwrap_or_default();
                self.shares[at].basis = Some(Basis { consents, ..basis });
            }
        }
        self
    }

    /// On what the agency may be given the section now. A consent about one child gives what concerns that child; a
    /// section of the case takes the consents of all. What was withdrawn, or found not to be justified, gives nothing.
    pub(super) fn grounds(&self, section: Section, agency: &AgencyCode, bases: &Bases) -> Vec<Ground> {
        let children = || self.children.clone();
        let basis = self.shares.iter().find(|it| it.section == section).and_then(|it| it.basis.as_ref());
        let Some(Basis { kind, until, consents, record, .. }) = basis else {
            return vec![(Footing::Firm, children(), None)];
        };
        match (kind, record) {
            (BasisKind::MandatedDuty, _) | (BasisKind::Override, None) => vec![(Footing::Firm, children(), *until)],
            (BasisKind::Override, Some(id)) if bases.rejected.contains(id) => Vec::new(),
            (BasisKind::Override, Some(id)) => vec![(Footing::Override(*id), children(), *until)],
            (BasisKind::Consent, _) => {
                let covers = |it: &&Cover| it.covers(section, agency, &self.purposes);
                let in_force = |id: &ConsentId| bases.consents.iter().find(|it| it.id == *id).filter(|it| covers(it));
                let found: Vec<&Cover> = consents.iter().filter_map(in_force).collect();
                let earliest = |ends: &[&Cover]| ends.iter().filter_map(|it| it.expires_at).chain(*until).min();
                if section.is_of_child() {
                    let of_one = |it: &&Cover| (Footing::Consents(vec![it.id]), Some(vec![it.child]), earliest(&[*it]));
                    found.iter().map(of_one).collect()
                } else if found.len() == consents.len() && !found.is_empty() {
                    vec![(Footing::Consents(consents.clone()), children(), earliest(&found))]
                } else {
                    Vec::new()
                }
            }
        }
    }
}

impl Record {
    /// The records of what it shares without consent, as it is sent: one for each reason and end.
    pub(super) fn overrides(
        &self,
        actor: &Actor,
        lead: &AgencyCode,
        now: DateTime<Utc>,
    ) -> Result<Vec<(Override, Event)>, Refusal> {
        let mut made: Vec<overrides::Record> = Vec::new();
        for share in &self.terms.shares {
            let Some(Basis {
                kind: BasisKind::Override,
                reason: Some(reason),
                until: Some(until),
                record: Some(id),
                ..
            }) = &share.basis
            else {
                continue;
            };
            if let Some(known) = made.iter_mut().find(|it| it.id == *id) {
                known.sections.push(share.section);
                continue;
            }
            made.push(overrides::Record {
                id: *id,
                case: self.case,
                referral: self.id,
                sections: vec![share.section],
                reason: reason.clone(),
                until: *until,
                agency: self.sender.clone(),
                officer: actor.officer_id().cloned().ok_or(Refusal::NotYours)?,
                at: now,
                review: None,
                review_note: None,
                reviewed_by: None,
                reviewed_at: None,
                version: Version::FIRST,
            });
        }
        Ok(made.into_iter().map(|it| Override::made(it, lead)).collect())
    }
}
