//! What disclosures of a case can rest on: to decide by, and never told.

use chrono::{DateTime, Utc};

use crate::actor::Purpose;
use crate::id::{AgencyCode, ChildId, ConsentId, OverrideId};
use crate::section::Section;

/// What disclosures of a case can rest on, now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bases {
    /// Every child of the case, those too that a shield hides from the actor: what concerns all needs the consents of all.
    pub children: Vec<ChildId>,
    /// The consents that are in force.
    pub consents: Vec<Cover>,
    /// The overrides that were found not to be justified.
    pub rejected: Vec<OverrideId>,
}

/// What a consent in force covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover {
    /// Which consent.
    pub id: ConsentId,
    /// Of which child.
    pub child: ChildId,
    /// Which sections.
    pub sections: Vec<Section>,
    /// To whom.
    pub recipients: Vec<AgencyCode>,
    /// For what.
    pub purposes: Vec<Purpose>,
    /// Until when, exclusively.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Cover {
    /// Whether it lets the section be given to the agency, for all the purposes.
    pub fn covers(&self, section: Section, agency: &AgencyCode, purposes: &[Purpose]) -> bool {
        self.sections.contains(&section)
            && self.recipients.contains(agency)
            && purposes.iter().all(|it| self.purposes.contains(it))
    }
}
