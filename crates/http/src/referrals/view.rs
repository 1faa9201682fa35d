//! A referral as one of those entitled sees it.

use chrono::{DateTime, Utc};
use lindung_domain::case::{Asking, CaseFile};
use lindung_domain::referral::{Action, Record, Referral, Route, Share, Status, Terms};
use lindung_domain::values::{Outcome, Priority, ReferralKind};
use lindung_domain::{AgencyCode, CaseId, ChildId, OfficerId, Purpose, ReferralId, Section, Version};
use lindung_persistence::{Answer, Error, RunningClock};
use serde::Serialize;
use utoipa::ToSchema;

use crate::respond::{Links, answer};

/// A referral as it was just made or changed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReferralAck {
    /// Its id.
    id: ReferralId,
    /// The case it is about.
    case_id: CaseId,
    /// Where it stands.
    status: Status,
    /// Its version.
    version: Version,
    /// Where it is.
    links: Links,
}

impl ReferralAck {
    pub(super) fn answer(status: u16, referral: &Referral) -> Result<Answer, Error> {
        let Record { id, case, status: stands, version, .. } = referral.record();
        let links = Links::to(format!("/v1/referrals/{id}"));
        let ack = ReferralAck { id: *id, case_id: *case, status: *stands, version: *version, links };
        Ok(Answer { case: Some(*case), referral: Some(*id), ..answer(status, &ack)? })
    }
}

/// A referral. What was asked and shared in words and sections is for its parties, not for coordinators.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReferralView {
    /// Its id.
    id: ReferralId,
    /// The case it is about.
    case_id: CaseId,
    /// The reference of the case.
    #[schema(example = "LDG-2026-000123")]
    case_reference: String,
    /// Where it stands.
    status: Status,
    /// What is asked.
    kind: ReferralKind,
    /// How fast it has to move.
    priority: Priority,
    /// Who asks.
    sender: AgencyCode,
    /// Who is asked now; none while it is a draft without one, or open to several.
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient: Option<AgencyCode>,
    /// Those that may still claim it.
    open_to: Vec<AgencyCode>,
    /// Those that it may be redirected to.
    alternatives: Vec<AgencyCode>,
    /// Those that had it before it was redirected.
    former_recipients: Vec<AgencyCode>,
    /// How often it was redirected; at most 3.
    redirects: i16,
    /// What is asked, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    /// About which children; all of the case's when none are named.
    #[serde(skip_serializing_if = "Option::is_none")]
    children: Option<Vec<ChildId>>,
    /// What acceptance shares, besides the summary.
    #[serde(skip_serializing_if = "Option::is_none")]
    shares: Option<Vec<Share>>,
    /// Which shared sections the recipient may write.
    #[serde(skip_serializing_if = "Option::is_none")]
    contributes: Option<Vec<Section>>,
    /// What the recipient may use it for.
    purposes: Vec<Purpose>,
    /// Whether the recipient may share onward.
    onward: bool,
    /// For how many days after completion the recipient still sees what was shared.
    retention_days: i32,
    /// A question is unanswered.
    awaiting_information: bool,
    /// The sender asked to cancel work that had begun.
    cancel_requested: bool,
    /// Who works on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    assignee: Option<OfficerId>,
    /// The date agreed at acceptance.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<DateTime<Utc>>,
    /// How it was completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
    /// The coded reason of its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Whom a rejection suggested.
    #[serde(skip_serializing_if = "Option::is_none")]
    suggested_recipient: Option<AgencyCode>,
    /// The clocks that run on it.
    clocks: Vec<RunningClock>,
    /// What you may do to it now.
    available_actions: Vec<Action>,
    /// Its version, as in its `ETag`.
    version: Version,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    requested_at: Option<DateTime<Utc>>,
    /// When it came to whom it is with now.
    #[serde(skip_serializing_if = "Option::is_none")]
    arrived_at: Option<DateTime<Utc>>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    /// Where it is.
    links: Links,
}

impl ReferralView {
    /// What `asking` may see of it; a coordinator sees codes, never what somebody wrote.
    pub(super) fn new(referral: &Referral, file: &CaseFile, clocks: Vec<RunningClock>, asking: &Asking<'_>) -> Self {
        let available_actions = referral.available_actions(file, asking);
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
        let alternatives = match route {
            Route::Named { alternatives, .. } => alternatives,
            Route::Open(_) => Vec::new(),
        };
        let party = asking.actor.is_officer();
        ReferralView {
            id,
            case_id: case,
            case_reference,
            status,
            kind,
            priority,
            sender,
            recipient,
            open_to: listed,
            alternatives,
            former_recipients: former,
            redirects,
            request: party.then_some(request),
            children: children.filter(|_| party),
            shares: party.then_some(shares),
            contributes: party.then_some(contributes),
            purposes,
            onward,
            retention_days,
            awaiting_information,
            cancel_requested,
            assignee: assignee.filter(|_| party),
            due_at,
            outcome,
            reason,
            suggested_recipient: suggested,
            clocks,
            available_actions,
            version,
            created_at,
            requested_at,
            arrived_at,
            updated_at,
            links: Links::to(format!("/v1/referrals/{id}")),
        }
    }
}
