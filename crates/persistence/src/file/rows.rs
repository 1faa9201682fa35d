//! Rows of cases and grants, as they are in the database.

use chrono::{DateTime, Utc};
use lindung_domain::case::{self, Case, Header};
use lindung_domain::grant::{Footing, Grant};
use lindung_domain::referral::{Basis, Party};
use lindung_domain::shield::{Admitted, Shield};
use lindung_domain::{CaseId, ChildId, ConsentId, DataSharingId, GrantId, HandoffId, OverrideId, ReferralId, Version};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::error::Error;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CaseRow {
    pub(crate) id: CaseId,
    pub(crate) reference: String,
    pub(crate) status: case::CaseStatus,
    pub(crate) priority: lindung_domain::values::Priority,
    pub(crate) lead_agency: lindung_domain::AgencyCode,
    pub(crate) offences: Vec<String>,
    pub(crate) grounds: Vec<String>,
    pub(crate) techniques: Vec<lindung_domain::values::Technique>,
    pub(crate) outcome: Option<lindung_domain::values::Outcome>,
    pub(crate) shield: Option<Vec<Admitted>>,
    pub(crate) version: Version,
    pub(crate) event_count: i64,
    pub(crate) created_at: DateTime<Utc>,
}

impl CaseRow {
    pub(crate) fn new(case: &Case, event_count: i64) -> Self {
        let case::Record { id, reference, status, header, lead, outcome, shield, version, created_at } =
            case.record().clone();
        let Header { priority, offences, grounds, techniques } = header;
        CaseRow {
            id,
            reference,
            status,
            priority,
            lead_agency: lead,
            offences,
            grounds,
            techniques,
            outcome,
            shield: shield.map(|it| it.names().to_vec()),
            version,
            event_count,
            created_at,
        }
    }

    pub(crate) fn into_case(self) -> Case {
        let CaseRow {
            id,
            reference,
            status,
            priority,
            lead_agency,
            offences,
            grounds,
            techniques,
            outcome,
            shield,
            version,
            event_count: _,
            created_at,
        } = self;
        let header = Header { priority, offences, grounds, techniques };
        let shield = shield.map(Shield::restore);
        let record =
            case::Record { id, reference, status, header, lead: lead_agency, outcome, shield, version, created_at };
        Case::restore(record)
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct GrantRow {
    id: Option<GrantId>,
    case_id: CaseId,
    agency: lindung_domain::AgencyCode,
    source: lindung_domain::grant::Source,
    referral_id: Option<ReferralId>,
    handoff_id: Option<HandoffId>,
    request_id: Option<DataSharingId>,
    officer: Option<lindung_domain::OfficerId>,
    chain: Vec<ReferralId>,
    reason: Option<String>,
    ground: Option<Basis>,
    sections: Vec<lindung_domain::Section>,
    contributes: Vec<lindung_domain::Section>,
    children: Option<Vec<ChildId>>,
    purposes: Vec<lindung_domain::Purpose>,
    consents: Vec<ConsentId>,
    override_id: Option<OverrideId>,
    onward: bool,
    since: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
}

impl GrantRow {
    pub(crate) fn new(fresh: Uuid, grant: Grant) -> Self {
        let Grant {
            id,
            case,
            agency,
            source,
            referral,
            handoff,
            request,
            officer,
            chain,
            reason,
            ground,
            sections,
            contributes,
            children,
            purposes,
            footing,
            onward,
            since,
            until,
        } = grant;
        let (consents, override_id) = match footing {
            Footing::Firm => (Vec::new(), None),
            Footing::Consents(consents) => (consents, None),
            Footing::Override(id) => (Vec::new(), Some(id)),
        };
        GrantRow {
            id: Some(id.unwrap_or(GrantId(fresh))),
            case_id: case,
            agency,
            source,
            referral_id: referral,
            handoff_id: handoff,
            request_id: request,
            officer,
            chain,
            reason,
            ground,
            sections,
            contributes,
            children,
            purposes,
            consents,
            override_id,
            onward,
            since,
            until,
        }
    }

    pub(crate) fn into_grant(self) -> Grant {
        let GrantRow {
            id,
            case_id,
            agency,
            source,
            referral_id,
            handoff_id,
            request_id,
            officer,
            chain,
            reason,
            ground,
            sections,
            contributes,
            children,
            purposes,
            consents,
            override_id,
            onward,
            since,
            until,
        } = self;
        let footing = match override_id {
            Some(id) => Footing::Override(id),
            None if consents.is_empty() => Footing::Firm,
            None => Footing::Consents(consents),
        };
        Grant {
            id,
            case: case_id,
            agency,
            source,
            referral: referral_id,
            handoff: handoff_id,
            request: request_id,
            officer,
            chain,
            reason,
            ground,
            sections,
            contributes,
            children,
            purposes,
            footing,
            onward,
            since,
            until,
        }
    }
}

#[derive(Debug, Deserialize)]
struct PartyRow {
    code: lindung_domain::AgencyCode,
    ministry: String,
    eligible: bool,
}

/// The shields of children, in a JSON array of ids with their names.
pub(super) fn shields_of(rows: Option<Value>) -> Result<Vec<(ChildId, Shield)>, Error> {
    let rows: Vec<(ChildId, Vec<Admitted>)> = rows.map_or(Ok(Vec::new()), serde_json::from_value)?;
    Ok(rows.into_iter().map(|(child, admits)| (child, Shield::restore(admits))).collect())
}

/// The agencies in a JSON array of rows.
pub(super) fn parties_of(rows: Option<Value>) -> Result<Vec<Party>, Error> {
    let rows: Vec<PartyRow> = rows.map_or(Ok(Vec::new()), serde_json::from_value)?;
    Ok(rows.into_iter().map(|PartyRow { code, ministry, eligible }| Party { code, ministry, eligible }).collect())
}
