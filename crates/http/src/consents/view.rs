//! A consent as one of those entitled sees it.

use chrono::{DateTime, Utc};
use lindung_domain::consent::{Agreed, Capacity, Consent, ConsentStatus, Record};
use lindung_domain::{AgencyCode, CaseId, ChildId, ConsentId, GiverRef, OfficerId, Purpose, Section, Version};
use serde::Serialize;
use utoipa::ToSchema;

use crate::respond::Links;

/// An agency that was told that a consent is withdrawn.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ConfirmationView {
    /// Which agency.
    agency: AgencyCode,
    /// The officer who confirmed that it acts upon it; left out until one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    officer: Option<OfficerId>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_at: Option<DateTime<Utc>>,
}

/// A consent. Who gave it, the reference to the document and why it was withdrawn are not for an agency that was merely
/// given something on its strength; of the confirmations that agency sees its own.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConsentView {
    /// Its id.
    id: ConsentId,
    /// The case.
    case_id: CaseId,
    /// The child whom it is about.
    child_id: ChildId,
    /// Where it stands.
    status: ConsentStatus,
    /// In which capacity it was given.
    capacity: Capacity,
    /// By whom, as the system of the agency that recorded it names them.
    #[serde(skip_serializing_if = "Option::is_none")]
    given_by: Option<GiverRef>,
    /// Which sections may be given.
    sections: Vec<Section>,
    /// To which agencies; of an agency that was told, itself alone.
    recipients: Vec<AgencyCode>,
    /// For which purposes.
    purposes: Vec<Purpose>,
    /// A reference to the document in the files of the agency that recorded it.
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<String>,
    /// When it was given.
    given_at: DateTime<Utc>,
    /// Until when, exclusively.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
    /// The agency that recorded it.
    agency: AgencyCode,
    /// The officer who did.
    #[serde(skip_serializing_if = "Option::is_none")]
    officer: Option<OfficerId>,
    /// When.
    recorded_at: DateTime<Utc>,
    /// When it was withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawn_at: Option<DateTime<Utc>>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawal_reason: Option<String>,
    /// When the withdrawal was recorded: from then on nothing rests on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawal_recorded_at: Option<DateTime<Utc>>,
    /// The agencies that were told of the withdrawal, and which of them have confirmed it.
    confirmations: Vec<ConfirmationView>,
    /// Its version, as in its `ETag`.
    pub(super) version: Version,
    /// Where it is.
    links: Links,
}

impl ConsentView {
    /// What an officer of `reader` sees of it, who keeps it or (else) was merely told of its withdrawal.
    pub(super) fn new(consent: &Consent, keeps: bool, reader: &AgencyCode, now: DateTime<Utc>) -> Self {
        let status = consent.status(now);
        let Record {
            id,
            case,
            child,
            agreed,
            agency,
            officer,
            recorded_at,
            withdrawal,
            confirmations,
            holders: _,
            version,
        } = consent.record().clone();
        let Agreed { capacity, given_by, sections, recipients, purposes, evidence, given_at, expires_at } = agreed;
        let shown = |it: &AgencyCode| keeps || it == reader;
        let told = |it: AgencyCode| {
            let confirmed = confirmations.iter().find(|confirmed| confirmed.agency == it);
            ConfirmationView {
                officer: confirmed.map(|it| it.officer.clone()),
                confirmed_at: confirmed.map(|it| it.at),
                agency: it,
            }
        };
        let (withdrawn_at, recorded) =
            (withdrawal.as_ref().map(|it| it.at), withdrawal.as_ref().map(|it| it.recorded_at));
        let reason = withdrawal.as_ref().and_then(|it| it.reason.clone());
        ConsentView {
            id,
            case_id: case,
            child_id: child,
            status,
            capacity,
            given_by: keeps.then_some(given_by),
            sections,
            recipients: recipients.into_iter().filter(shown).collect(),
            purposes,
            evidence: keeps.then_some(evidence),
            given_at,
            expires_at,
            agency,
            officer: keeps.then_some(officer),
            recorded_at,
            withdrawn_at,
            withdrawal_reason: reason.filter(|_| keeps),
            withdrawal_recorded_at: recorded,
            confirmations: withdrawal.map(|it| it.told).into_iter().flatten().filter(shown).map(told).collect(),
            version,
            links: Links::to(format!("/v1/consents/{id}")),
        }
    }
}
