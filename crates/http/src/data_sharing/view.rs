//! A data-sharing request as one of those entitled sees it.

use chrono::{DateTime, Utc};
use lindung_domain::case::Asking;
use lindung_domain::data_sharing::{
    DataSharing, DataSharingAction, DataSharingStatus, Demand, Record, RefusalGround, SharingPurpose,
};
use lindung_domain::{AgencyCode, DataSharingId, Version};
use lindung_persistence::{Answer, Error, RunningClock};
use serde::Serialize;
use utoipa::ToSchema;

use crate::respond::{Links, answer};

/// A data-sharing request as it was just made or changed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DataSharingAck {
    /// Its id.
    id: DataSharingId,
    /// Year and number.
    #[schema(example = "DSR-2026-000123")]
    reference: String,
    /// Where it stands.
    status: DataSharingStatus,
    /// Its version.
    version: Version,
    /// Where it is.
    links: Links,
}

impl DataSharingAck {
    pub(super) fn answer(status: u16, request: &DataSharing) -> Result<Answer, Error> {
        let Record { id, reference, status: stands, version, .. } = request.record();
        let links = Links::to(format!("/v1/data-sharing-requests/{id}"));
        let ack = DataSharingAck { id: *id, reference: reference.clone(), status: *stands, version: *version, links };
        answer(status, &ack)
    }
}

/// A data-sharing request. What was written is for its two sides, not for coordinators.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DataSharingView {
    /// Its id.
    id: DataSharingId,
    /// Year and number.
    #[schema(example = "DSR-2026-000123")]
    reference: String,
    /// Where it stands.
    status: DataSharingStatus,
    /// Who asks, and would receive the data.
    requester: AgencyCode,
    /// Who is asked.
    provider: AgencyCode,
    /// For which data.
    #[serde(skip_serializing_if = "Option::is_none")]
    data_requested: Option<String>,
    /// What for (Act 864 s.13).
    purpose: SharingPurpose,
    /// The same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose_text: Option<String>,
    /// How the requester will handle the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    handling: Option<String>,
    /// When it was deferred.
    #[serde(skip_serializing_if = "Option::is_none")]
    deferred_at: Option<DateTime<Utc>>,
    /// The new date for the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    deferred_until: Option<DateTime<Utc>>,
    /// Why it was deferred.
    #[serde(skip_serializing_if = "Option::is_none")]
    defer_reason: Option<String>,
    /// On which grounds it was refused (Act 864 s.15).
    grounds: Vec<RefusalGround>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    refuse_reason: Option<String>,
    /// On which conditions it was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    conditions: Option<String>,
    /// Until when data is shared, exclusively. What is shared, the cases themselves show.
    #[serde(skip_serializing_if = "Option::is_none")]
    shared_until: Option<DateTime<Utc>>,
    /// The clocks that run on it.
    clocks: Vec<RunningClock>,
    /// What you may do to it now.
    available_actions: Vec<DataSharingAction>,
    /// Its version, as in its `ETag`.
    version: Version,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it was granted, refused or withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<DateTime<Utc>>,
    /// Where it is.
    links: Links,
}

impl DataSharingView {
    /// What `asking` may see of it.
    pub(super) fn new(request: &DataSharing, clocks: Vec<RunningClock>, asking: &Asking<'_>) -> Self {
        let available_actions = request.available_actions(asking);
        let Record {
            id,
            reference,
            status,
            requester,
            demand,
            deferred_at,
            deferred_until,
            defer_reason,
            grounds,
            refuse_reason,
            conditions,
            shared_until,
            version,
            created_at,
            ended_at,
        } = request.record().clone();
        let Demand { data, purpose, purpose_text, provider, handling } = demand;
        let side = asking.actor.is_officer();
        DataSharingView {
            id,
            reference,
            status,
            requester,
            provider,
            data_requested: Some(data).filter(|_| side),
            purpose,
            purpose_text: Some(purpose_text).filter(|_| side),
            handling: Some(handling).filter(|_| side),
            deferred_at,
            deferred_until,
            defer_reason: defer_reason.filter(|_| side),
            grounds,
            refuse_reason: refuse_reason.filter(|_| side),
            conditions: conditions.filter(|_| side),
            shared_until,
            clocks,
            available_actions,
            version,
            created_at,
            ended_at,
            links: Links::to(format!("/v1/data-sharing-requests/{id}")),
        }
    }
}
