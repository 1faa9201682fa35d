//! A handoff as one of those entitled sees it.

use chrono::{DateTime, Utc};
use lindung_domain::case::{Asking, CaseFile};
use lindung_domain::handoff::{Handoff, HandoffAction, HandoffStatus, Keeps, Manifest, Record};
use lindung_domain::values::{Priority, Technique};
use lindung_domain::{AgencyCode, CaseId, HandoffId, Version};
use lindung_persistence::{Answer, Error, RunningClock};
use serde::Serialize;
use utoipa::ToSchema;

use crate::respond::{Links, answer};

/// A handoff as it was just made or changed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct HandoffAck {
    /// Its id.
    id: HandoffId,
    /// The case.
    case_id: CaseId,
    /// Where it stands.
    status: HandoffStatus,
    /// The version of its manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<String>,
    /// Its version.
    version: Version,
    /// Where it is.
    links: Links,
}

impl HandoffAck {
    pub(super) fn answer(status: u16, handoff: &Handoff) -> Result<Answer, Error> {
        let Record { id, case, status: stands, manifest, version, .. } = handoff.record();
        let ack = HandoffAck {
            id: *id,
            case_id: *case,
            status: *stands,
            manifest: manifest.as_ref().map(|it| it.version.clone()),
            version: *version,
            links: Links::to(format!("/v1/handoffs/{id}")),
        };
        Ok(Answer { case: Some(*case), ..answer(status, &ack)? })
    }
}

/// A handoff. What was written, and what is in the case, is for its two sides, not for coordinators.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct HandoffView {
    /// Its id.
    id: HandoffId,
    /// The case.
    case_id: CaseId,
    /// The reference of the case.
    #[schema(example = "LDG-2026-000123")]
    case_reference: String,
    /// How fast the case has to move.
    priority: Priority,
    /// Offence codes of the case; not for coordinators.
    #[serde(skip_serializing_if = "Option::is_none")]
    offences: Option<Vec<String>>,
    /// Grounds of the Child Act 2001, s.17(1), of the case; not for coordinators.
    #[serde(skip_serializing_if = "Option::is_none")]
    grounds: Option<Vec<String>>,
    /// Techniques seen in the case; not for coordinators.
    #[serde(skip_serializing_if = "Option::is_none")]
    techniques: Option<Vec<Technique>>,
    /// Where it stands.
    status: HandoffStatus,
    /// The agency that leads, or led.
    from: AgencyCode,
    /// The agency that is to lead.
    to: AgencyCode,
    /// What the former lead keeps.
    #[serde(skip_serializing_if = "Option::is_none")]
    keeps: Option<Keeps>,
    /// Why it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    ask_reason: Option<String>,
    /// Why it was offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    offer_reason: Option<String>,
    /// Why it was refused or declined.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer_reason: Option<String>,
    /// What is in the case, as it was offered; as it was accepted, once it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<Manifest>,
    /// The clocks that run on it.
    clocks: Vec<RunningClock>,
    /// What you may do to it now.
    available_actions: Vec<HandoffAction>,
    /// Its version, as in its `ETag`.
    version: Version,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it was offered, last.
    #[serde(skip_serializing_if = "Option::is_none")]
    offered_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<DateTime<Utc>>,
    /// Where it is.
    links: Links,
}

impl HandoffView {
    /// What `asking` may see of it.
    pub(super) fn new(handoff: &Handoff, file: &CaseFile, clocks: Vec<RunningClock>, asking: &Asking<'_>) -> Self {
        let available_actions = handoff.available_actions(file, asking);
        let Record {
            id,
            case,
            case_reference,
            status,
            from,
            to,
            keeps,
            ask_reason,
            offer_reason,
            answer_reason,
            manifest,
            version,
            created_at,
            offered_at,
            ended_at,
        } = handoff.record().clone();
        let side = asking.actor.is_officer();
        // Once it is over, one that did not get the case is told nothing new of it.
        let header = Some(&file.case.record().header)
            .filter(|_| side && (status.is_live() || status == HandoffStatus::Accepted));
        HandoffView {
            id,
            case_id: case,
            case_reference,
            priority: file.case.record().header.priority,
            offences: header.map(|it| it.offences.clone()),
            grounds: header.map(|it| it.grounds.clone()),
            techniques: header.map(|it| it.techniques.clone()),
            status,
            from,
            to,
            keeps,
            ask_reason: ask_reason.filter(|_| side),
            offer_reason: offer_reason.filter(|_| side),
            answer_reason: answer_reason.filter(|_| side),
            manifest: manifest.filter(|_| side),
            clocks,
            available_actions,
            version,
            created_at,
            offered_at,
            ended_at,
            links: Links::to(format!("/v1/handoffs/{id}")),
        }
    }
}
