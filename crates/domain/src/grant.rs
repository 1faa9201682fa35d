//! Grants: who may see what of a case, and until when. Access is the union of the live ones.

mod by_hand;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use crate::actor::{Actor, Purpose};
use crate::id::{
    AgencyCode, CaseId, ChildId, ConsentId, DataSharingId, GrantId, HandoffId, OfficerId, OverrideId, ReferralId,
};
use crate::referral::Basis;
use crate::section::Section;
use crate::values::codes;

pub use by_hand::{ByHand, EndedByHand, Terms};

codes! {
    /// What a grant comes from.
    pub enum Source {
        /// Being the lead agency.
        Lead,
        /// A referral, pending or accepted.
        Referral,
        /// A handoff: what the former lead keeps.
        Handoff,
        /// An emergency access (break-glass).
        BreakGlass,
        /// A supervisor of the lead.
        ByHand,
        /// A data-sharing request that was granted.
        DataSharing,
    }
}

/// What a grant rests on, and with which it ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Footing {
    /// On nothing that can be withdrawn by itself.
    #[default]
    Firm,
    /// On all of these consents: with any of them it ends.
    Consents(Vec<ConsentId>),
    /// On an override, until its review finds that it was not justified.
    Override(OverrideId),
}

/// How long an emergency access lasts.
pub const EMERGENCY_LASTS: TimeDelta = TimeDelta::hours(4);

/// Gives one agency (and no other, neither above nor below it) sight of sections of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its id, once it is saved or where somebody has to know it before.
    pub id: Option<GrantId>,
    /// Of which case.
    pub case: CaseId,
    /// To which agency.
    pub agency: AgencyCode,
    /// Where it comes from.
    pub source: Source,
    /// The referral that gave it.
    pub referral: Option<ReferralId>,
    /// The handoff that gave it.
    pub handoff: Option<HandoffId>,
    /// The data-sharing request that gave it.
    pub request: Option<DataSharingId>,
    /// The one officer of the agency whom it is for; all of them when unset.
    pub officer: Option<OfficerId>,
    /// The referrals through which it came, the lead's first and the one that gave it last.
    pub chain: Vec<ReferralId>,
    /// Why it was given by hand, in words.
    pub reason: Option<String>,
    /// What it rests on, where it was given by hand.
    pub ground: Option<Basis>,
    /// The sections that may be read.
    pub sections: Vec<Section>,
    /// The sections, among those, that may be written.
    pub contributes: Vec<Section>,
    /// The children that sections of a child may be read of; all of the case's when none are named.
    pub children: Option<Vec<ChildId>>,
    /// The purposes that it may be used for.
    pub purposes: Vec<Purpose>,
    /// What it rests on.
    pub footing: Footing,
    /// Whether the agency may share onward what it sees.
    pub onward: bool,
    /// From when.
    pub since: DateTime<Utc>,
    /// Until when, exclusively; open-ended when unset.
    pub until: Option<DateTime<Utc>>,
}

impl Grant {
    /// Everything, for the lead.
    pub(crate) fn of_lead(case: CaseId, agency: AgencyCode, now: DateTime<Utc>) -> Grant {
        Grant {
            id: None,
            case,
            agency,
            source: Source::Lead,
            referral: None,
            handoff: None,
            request: None,
            officer: None,
            chain: Vec::new(),
            reason: None,
            ground: None,
            sections: Section::ALL.to_vec(),
            contributes: Section::ALL.to_vec(),
            children: None,
            purposes: Purpose::OF_WORK.to_vec(),
            footing: Footing::Firm,
            onward: true,
            since: now,
            until: None,
        }
    }

    /// Everything to read, for one officer and the purpose `emergency`.
    pub(crate) fn of_emergency(case: CaseId, agency: AgencyCode, officer: OfficerId, now: DateTime<Utc>) -> Grant {
        Grant {
            source: Source::BreakGlass,
            officer: Some(officer),
            contributes: Vec::new(),
            purposes: vec![Purpose::Emergency],
            onward: false,
            until: Some(now + EMERGENCY_LASTS),
            ..Grant::of_lead(case, agency, now)
        }
    }

    /// Whether it is for the actor: of its agency, and for nobody else in it.
    fn is_for(&self, actor: &Actor) -> bool {
        self.agency == *actor.agency() && (self.officer.is_none() || self.officer.as_ref() == actor.officer_id())
    }

    /// Whether it holds at `now`.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.since <= now && self.until.is_none_or(|until| now < until)
    }

    /// Whether it reaches a child, or every child that there is and will be.
    pub(crate) fn covers(&self, child: Option<ChildId>) -> bool {
        match (child, &self.children) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(child), Some(children)) => children.contains(&child),
        }
    }

    fn reaches(&self, section: Section, child: Option<ChildId>) -> bool {
        self.sections.contains(&section)
            && match (child, &self.children) {
                (Some(child), Some(children)) => children.contains(&child),
                _ => true,
            }
    }
}

/// How the grants of a case move.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "most of them are given")]
pub enum GrantChange {
    /// A new grant.
    Give(Grant),
    /// Live grants end.
    End {
        /// Which of them.
        which: Ending,
        /// From when on they give nothing.
        at: DateTime<Utc>,
    },
}

/// Which live grants of a case end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Those that a referral gave: to one agency, or to all.
    Referral {
        /// Whose referral.
        referral: ReferralId,
        /// Of this agency only.
        agency: Option<AgencyCode>,
    },
    /// Those that rest on a consent.
    Consent(ConsentId),
    /// Those that rest on an override.
    Override(OverrideId),
    /// The lead's.
    Lead,
}

impl Ending {
    /// Whether it is about this grant.
    pub fn names(&self, grant: &Grant) -> bool {
        match self {
            Ending::Referral { referral, agency } => {
                grant.referral == Some(*referral) && agency.as_ref().is_none_or(|it| grant.agency == *it)
            }
            Ending::Consent(id) => matches!(&grant.footing, Footing::Consents(consents) if consents.contains(id)),
            Ending::Override(id) => grant.footing == Footing::Override(*id),
            Ending::Lead => grant.source == Source::Lead,
        }
    }
}

/// The live grants of an actor's agency on one case.
#[derive(Debug, Clone)]
pub struct Standing<'a> {
    grants: Vec<&'a Grant>,
    purpose: Option<Purpose>,
}

impl<'a> Standing<'a> {
    /// What `grants` give to the actor at `now`.
    pub fn of(actor: &Actor, grants: &'a [Grant], now: DateTime<Utc>) -> Self {
        let grants = grants.iter().filter(|it| it.is_for(actor) && it.is_live(now)).collect();
        Standing { grants, purpose: actor.purpose() }
    }

    /// Whether the agency is a party at all, for whatever purpose.
    pub fn is_party(&self) -> bool {
        !self.grants.is_empty()
    }

    /// Whether any grant reaches the child, for whatever purpose.
    pub fn reaches(&self, child: ChildId) -> bool {
        self.grants.iter().any(|it| it.covers(Some(child)))
    }

    fn usable(&self) -> impl Iterator<Item = &&'a Grant> {
        self.grants.iter().filter(|it| self.purpose.is_some_and(|purpose| it.purposes.contains(&purpose)))
    }

    /// Whether an emergency access is open, and asked for as one.
    pub fn is_emergency(&self) -> bool {
        self.usable().any(|it| it.source == Source::BreakGlass)
    }

    /// What the actor may read of whichever child.
    pub fn sections(&self) -> BTreeSet<Section> {
        self.usable().flat_map(|it| it.sections.iter().copied()).collect()
    }

    /// Whether any grant serves the actor's purpose.
    pub fn fits_purpose(&self) -> bool {
        self.usable().next().is_some()
    }

    /// Whether the actor may read the section.
    pub fn reads(&self, section: Section, child: Option<ChildId>) -> bool {
        self.usable().any(|it| it.reaches(section, child))
    }

    /// Whether the actor may write the section.
    pub fn writes(&self, section: Section, child: Option<ChildId>) -> bool {
        self.usable().any(|it| it.contributes.contains(&section) && it.reaches(section, child))
    }

    /// Whether the actor may share the section onward: of these children, or, when none are named, of
    /// every child that there is and will be.
    pub fn shares(&self, section: Section, children: Option<&[ChildId]>) -> bool {
        self.gives(section, children, |it| &it.sections)
    }

    /// Whether the actor may let others write the section: it writes it itself.
    pub fn shares_writing(&self, section: Section, children: Option<&[ChildId]>) -> bool {
        self.gives(section, children, |it| &it.contributes)
    }

    fn gives(&self, section: Section, children: Option<&[ChildId]>, of: fn(&Grant) -> &[Section]) -> bool {
        let gives = |child| {
            let holds = |it: &&&Grant| it.onward && of(it).contains(&section);
            self.usable().filter(holds).any(|it| !section.is_of_child() || it.covers(child))
        };
        match children {
            Some(named) if section.is_of_child() => named.iter().all(|it| gives(Some(*it))),
            _ => gives(None),
        }
    }

    /// Whether the actor may make others aware of the child, or of every child that there is and will be.
    pub fn shares_child(&self, child: Option<ChildId>) -> bool {
        self.usable().any(|it| it.onward && it.covers(child))
    }

    /// Whether what the actor's agency may share onward may be used for the purpose.
    pub fn shares_for(&self, purpose: Purpose) -> bool {
        self.grants.iter().any(|it| it.onward && it.purposes.contains(&purpose))
    }

    /// The referrals through which the actor's agency came to what it may share onward: of the longest way. The lead's
    /// own has none.
    pub fn chain(&self) -> Vec<ReferralId> {
        let shares: Vec<_> = self.usable().filter(|it| it.onward).collect();
        if shares.iter().any(|it| it.source == Source::Lead) {
            return Vec::new();
        }
        shares.into_iter().map(|it| it.chain.clone()).max_by_key(Vec::len).unwrap_or_default()
    }

    /// Whether the actor may share anything onward.
    pub fn is_onward(&self) -> bool {
        self.usable().any(|it| it.onward)
    }
}
