//! What a referral asks, of whom, and what it shares.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Basis;
use crate::actor::Purpose;
use crate::case::{Asking, CaseFile};
use crate::grant::Standing;
use crate::id::{AgencyCode, ChildId};
use crate::refusal::Invalid;
use crate::section::{Section, length};
use crate::values::{Priority, ReferralKind};

/// An agency as a possible party to a referral.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// Its code.
    pub code: AgencyCode,
    /// Its ministry.
    pub ministry: String,
    /// Whether it can be a party: active, and no heading.
    pub eligible: bool,
}

/// Whom a referral is sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// To one agency, with alternatives it may be redirected to. A draft may have no recipient yet.
    Named {
        /// The recipient.
        recipient: Option<AgencyCode>,
        /// Others that it may pass the referral on to.
        alternatives: Vec<AgencyCode>,
    },
    /// To several, one of which claims it.
    Open(Vec<AgencyCode>),
}

/// A section that a referral shares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Share {
    /// Which section. `summary` is always shared and needs no entry.
    pub section: Section,
    /// What the disclosure rests on; every section but `summary` needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    /// Whether a pending recipient sees it too, to decide: it is in the packet.
    #[serde(default)]
    pub triage: bool,
}

/// What is asked and shared. Fixed once sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// What is asked.
    pub kind: ReferralKind,
    /// How fast.
    pub priority: Priority,
    /// Of whom.
    pub route: Route,
    /// In words.
    pub request: String,
    /// About which children; all of the case's when none are named.
    pub children: Option<Vec<ChildId>>,
    /// What the recipient will see.
    pub shares: Vec<Share>,
    /// The sections that the recipient may write once it accepted.
    pub contributes: Vec<Section>,
    /// What the recipient may use it for.
    pub purposes: Vec<Purpose>,
    /// Whether the recipient may share onward.
    pub onward: bool,
    /// For how many days after completion the recipient still sees what was shared.
    pub retention_days: i32,
}

impl Route {
    /// Everyone named in it.
    pub fn agencies(&self) -> impl Iterator<Item = &AgencyCode> {
        match self {
            Route::Named { recipient, alternatives } => recipient.iter().chain(alternatives.iter()),
            Route::Open(listed) => None.iter().chain(listed.iter()),
        }
    }

    /// Whether several are asked, one of which claims it.
    pub fn is_open(&self) -> bool {
        matches!(self, Route::Open(_))
    }

    /// Whether it can be sent.
    pub(super) fn is_complete(&self) -> bool {
        match self {
            Route::Named { recipient, .. } => recipient.is_some(),
            Route::Open(listed) => !listed.is_empty(),
        }
    }

    fn check(&self, sender: &AgencyCode, parties: &[Party]) -> Result<(), Invalid> {
        let (listed, field): (&[AgencyCode], _) = match self {
            Route::Named { recipient, alternatives } => {
                if let Some(recipient) = recipient {
                    eligible("recipient", recipient, sender, parties)?;
                }
                (alternatives, "alternatives")
            }
            Route::Open(listed) => (listed, "openTo"),
        };
        for (at, code) in listed.iter().enumerate() {
            eligible(&format!("{field}[{at}]"), code, sender, parties)?;
            if listed[..at].contains(code) {
                return Err(Invalid::new(format!("{field}[{at}]"), "duplicate", "stands twice in the list"));
            }
        }
        Ok(())
    }
}

/// Checks that an agency can be asked.
pub(crate) fn eligible(field: &str, code: &AgencyCode, asker: &AgencyCode, parties: &[Party]) -> Result<(), Invalid> {
    if code == asker {
        return Err(Invalid::new(field, "own-agency", "must be another agency than your own"));
    }
    match parties.iter().find(|it| it.code == *code) {
        None => Err(Invalid::new(field, "unknown-agency", "is no agency or unit that is registered")),
        Some(party) if !party.eligible => {
            Err(Invalid::new(field, "not-a-party", "is a heading or inactive: name a unit under it"))
        }
        Some(_) => Ok(()),
    }
}

/// What is shared onward is never more than what the sender has.
fn not_yours(field: String) -> Invalid {
    Invalid::new(field, "not-yours-to-share", "is more than you may share")
}

impl Terms {
    /// Checks that the actor, for the sender, can ask and share this.
    pub(super) fn check(&self, file: &CaseFile, asking: &Asking<'_>) -> Result<(), Invalid> {
        let (standing, children) = (&file.standing(asking), file.known_children(asking));
        self.route.check(asking.actor.agency(), &file.parties)?;
        length("request", &self.request, crate::message::MESSAGE_LIMIT)?;
        if self.children.is_none() && !standing.shares_child(None) {
            return Err(Invalid::new("children", "required", "name the children, of those that you may share"));
        }
        for (at, child) in self.children.iter().flatten().enumerate() {
            if !children.contains(child) || !standing.shares_child(Some(*child)) {
                return Err(Invalid::new(format!("children[{at}]"), "unknown-child", "is no child of this case"));
            }
        }
        for (at, share) in self.shares.iter().enumerate() {
            self.check_share(at, share, standing, (file, asking))?;
        }
        for (at, section) in self.contributes.iter().enumerate() {
            if !self.sections().any(|it| it == *section) {
                return Err(Invalid::new(
                    format!("contributes[{at}]"),
                    "not-shared",
                    "only a shared section can be contributed to",
                ));
            }
            if !standing.shares_writing(*section, self.children.as_deref()) {
                return Err(not_yours(format!("contributes[{at}]")));
            }
        }
        for (at, purpose) in self.purposes.iter().enumerate() {
            if !Purpose::OF_WORK.contains(purpose) {
                return Err(Invalid::new(
                    format!("purposes[{at}]"),
                    "not-of-work",
                    "is not a purpose of work on a case",
                ));
            }
            if !standing.shares_for(*purpose) {
                return Err(not_yours(format!("purposes[{at}]")));
            }
        }
        Ok(())
    }

    fn check_share(
        &self,
        at: usize,
        share: &Share,
        standing: &Standing<'_>,
        (file, asking): (&CaseFile, &Asking<'_>),
    ) -> Result<(), Invalid> {
        let field = format!("shares[{at}]");
        if self.shares[..at].iter().any(|it| it.section == share.section) {
            return Err(Invalid::new(format!("{field}.section"), "duplicate", "stands twice in the list"));
        }
        if !standing.shares(share.section, self.children.as_deref()) {
            return Err(not_yours(format!("{field}.section")));
        }
        match &share.basis {
            Some(basis) => {
                basis.check(&format!("{field}.basis"), asking.now)?;
                self.check_consents(&field, share, &file.bases)
            }
            None if share.section == Section::Summary => Ok(()),
            None => {
                Err(Invalid::new(format!("{field}.basis"), "required", "every section but the summary names its basis"))
            }
        }
    }

    /// Every section that acceptance shares.
    pub fn sections(&self) -> impl Iterator<Item = Section> {
        let named = self.shares.iter().map(|it| it.section).filter(|it| *it != Section::Summary);
        std::iter::once(Section::Summary).chain(named)
    }

    /// Every section that a pending recipient sees.
    pub fn packet(&self) -> impl Iterator<Item = Section> {
        let marked =
            self.shares.iter().filter(|it| it.triage).map(|it| it.section).filter(|it| *it != Section::Summary);
        std::iter::once(Section::Summary).chain(marked)
    }
}
