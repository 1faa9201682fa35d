//! The row of a referral.

use chrono::{DateTime, Utc};
use lindung_domain::referral::{Record, Referral, Route, Share, Status, Terms};
use lindung_domain::values::{Outcome, Priority, ReferralKind};
use lindung_domain::{AgencyCode, CaseId, ChildId, OfficerId, Purpose, ReferralId, Section, Version};
use serde::{Deserialize, Serialize};

/// Every column, as JSON has it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ReferralRow {
    id: ReferralId,
    case_id: CaseId,
    case_reference: String,
    sender: AgencyCode,
    status: Status,
    kind: ReferralKind,
    priority: Priority,
    request: String,
    named: Option<AgencyCode>,
    alternatives: Vec<AgencyCode>,
    open_to: Option<Vec<AgencyCode>>,
    children: Option<Vec<ChildId>>,
    shares: Vec<Share>,
    contributes: Vec<Section>,
    purposes: Vec<Purpose>,
    onward: bool,
    retention_days: i32,
    recipient: Option<AgencyCode>,
    listed: Vec<AgencyCode>,
    former: Vec<AgencyCode>,
    redirects: i16,
    awaiting_information: bool,
    cancel_requested: bool,
    assignee: Option<OfficerId>,
    due_at: Option<DateTime<Utc>>,
    outcome: Option<Outcome>,
    reason: Option<String>,
    suggested: Option<AgencyCode>,
    version: Version,
    created_at: DateTime<Utc>,
    requested_at: Option<DateTime<Utc>>,
    arrived_at: Option<DateTime<Utc>>,
    updated_at: DateTime<Utc>,
}

impl ReferralRow {
    pub(crate) fn new(referral: &Referral) -> Self {
        let Record {
            id,
            case,
            case_reference,
            sender,
            status,
            terms,
            recipient,
            listed,
            former,
            redirects,
            awaiting_information,
            cancel_requested,
            assignee,
            due_at,
            outcome,
            reason,
            suggested,
            version,
            created_at,
            requested_at,
            arrived_at,
            updated_at,
        } = referral.record().clone();
        let Terms { kind, priority, route, request, children, shares, contributes, purposes, onward, retention_days } =
            terms;
        let (named, alternatives, open_to) = match route {
            Route::Named { recipient, alternatives } => (recipient, alternatives, None),
            Route::Open(listed) => (None, Vec::new(), Some(listed)),
        };
        ReferralRow {
            id,
            case_id: case,
            case_reference,
            sender,
            status,
            kind,
            priority,
            request,
            named,
            alternatives,
            open_to,
            children,
            shares,
            contributes,
            purposes,
            onward,
            retention_days,
            recipient,
            listed,
            former,
            redirects,
            awaiting_information,
            cancel_requested,
            assignee,
            due_at,
            outcome,
            reason,
            suggested,
            version,
            created_at,
            requested_at,
            arrived_at,
            updated_at,
        }
    }

    pub(crate) fn into_referral(self) -> Referral {
        let ReferralRow {
            id,
            case_id,
            case_reference,
            sender,
            status,
            kind,
            priority,
            request,
            named,
            alternatives,
            open_to,
            children,
            shares,
            contributes,
            purposes,
            onward,
            retention_days,
            recipient,
            listed,
            former,
            redirects,
            awaiting_information,
            cancel_requested,
            assignee,
            due_at,
            outcome,
            reason,
            suggested,
            version,
            created_at,
            requested_at,
            arrived_at,
            updated_at,
        } = self;
        let route = match open_to {
            Some(listed) => Route::Open(listed),
            None => Route::Named { recipient: named, alternatives },
        };
        let terms =
            Terms { kind, priority, route, request, children, shares, contributes, purposes, onward, retention_days };
        Referral::restore(Record {
            id,
            case: case_id,
            case_reference,
            sender,
            status,
            terms,
            recipient,
            listed,
            former,
            redirects,
            awaiting_information,
            cancel_requested,
            assignee,
            due_at,
            outcome,
            reason,
            suggested,
            version,
            created_at,
            requested_at,
            arrived_at,
            updated_at,
        })
    }
}
