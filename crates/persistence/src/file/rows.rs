//! Rows of cases and grants, as they are in the database.

use chrono::{DateTime, Utc};
use lindung_domain::case::{self, Case, Header};
use lindung_domain::grant::Grant;
use lindung_domain::referral::Basis;
use lindung_domain::shield::{Admitted, Shield};
use lindung_domain::{CaseId, ChildId, DataSharingId, GrantId, HandoffId, ReferralId, Version};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

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
            onward,
            since,
            until,
        } = grant;
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
            onward,
            since,
            until,
        } = self;
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
            onward,
            since,
            until,
        }
    }
}
