//! Data-sharing requests as they are in the database, in a list, and in the register.

use chrono::{DateTime, Utc};
use lindung_domain::data_sharing::{DataSharing, DataSharingStatus, Demand, Record, RefusalGround, SharingPurpose};
use lindung_domain::{AgencyCode, DataSharingId, Version};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RequestRow {
    id: DataSharingId,
    reference: String,
    status: DataSharingStatus,
    requester: AgencyCode,
    provider: AgencyCode,
    data: String,
    purpose: SharingPurpose,
    purpose_text: String,
    handling: String,
    deferred_at: Option<DateTime<Utc>>,
    deferred_until: Option<DateTime<Utc>>,
    defer_reason: Option<String>,
    grounds: Vec<RefusalGround>,
    refuse_reason: Option<String>,
    conditions: Option<String>,
    shared_until: Option<DateTime<Utc>>,
    version: Version,
    pub(super) event_count: i64,
    created_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

impl RequestRow {
    pub(super) fn new(request: &DataSharing, event_count: i64) -> Self {
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
        RequestRow {
            id,
            reference,
            status,
            requester,
            provider,
            data,
            purpose,
            purpose_text,
            handling,
            deferred_at,
            deferred_until,
            defer_reason,
            grounds,
            refuse_reason,
            conditions,
            shared_until,
            version,
            event_count,
            created_at,
            ended_at,
        }
    }

    pub(super) fn into_request(self) -> DataSharing {
        let RequestRow {
            id,
            reference,
            status,
            requester,
            provider,
            data,
            purpose,
            purpose_text,
            handling,
            deferred_at,
            deferred_until,
            defer_reason,
            grounds,
            refuse_reason,
            conditions,
            shared_until,
            version,
            event_count: _,
            created_at,
            ended_at,
        } = self;
        let demand = Demand { data, purpose, purpose_text, provider, handling };
        DataSharing::restore(Record {
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
        })
    }
}

/// A data-sharing request in a list: codes and times.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"))]
#[schema(rename_all = "camelCase")]
pub struct DataSharingItem {
    /// Its id (UUIDv7).
    pub id: DataSharingId,
    /// Year and number.
    #[schema(example = "DSR-2026-000123")]
    pub reference: String,
    /// Where it stands.
    pub status: DataSharingStatus,
    /// Who asks.
    pub requester: AgencyCode,
    /// Who is asked.
    pub provider: AgencyCode,
    /// What for (Act 864 s.13).
    pub purpose: SharingPurpose,
    /// The new date for the answer, where it was deferred.
    pub deferred_until: Option<DateTime<Utc>>,
    /// On which grounds it was refused (s.15).
    pub grounds: Vec<RefusalGround>,
    /// Until when data is shared, exclusively, where it was granted.
    pub shared_until: Option<DateTime<Utc>>,
    /// Its version, as in its `ETag`.
    pub version: Version,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was granted, refused or withdrawn.
    pub ended_at: Option<DateTime<Utc>>,
}

/// A line of the register: a request, and how it was answered (Act 864 s.21).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"))]
#[schema(rename_all = "camelCase")]
pub struct RegisterItem {
    /// Year and number.
    #[schema(example = "DSR-2026-000123")]
    pub reference: String,
    /// Who asked.
    pub requester: AgencyCode,
    /// Who was asked.
    pub provider: AgencyCode,
    /// When.
    pub created_at: DateTime<Utc>,
    /// For which data, in words.
    #[serde(rename(serialize = "dataRequested"))]
    #[schema(rename = "dataRequested")]
    pub data: String,
    /// What for.
    pub purpose: SharingPurpose,
    /// The same in words.
    pub purpose_text: String,
    /// How the data was to be handled, in words.
    pub handling: String,
    /// How it stands.
    pub status: DataSharingStatus,
    /// When it was deferred.
    pub deferred_at: Option<DateTime<Utc>>,
    /// Until when.
    pub deferred_until: Option<DateTime<Utc>>,
    /// Why, in words.
    pub defer_reason: Option<String>,
    /// When it was granted, refused or withdrawn.
    pub ended_at: Option<DateTime<Utc>>,
    /// Until when data is shared, exclusively, where it was granted.
    pub shared_until: Option<DateTime<Utc>>,
    /// On which conditions, in words.
    pub conditions: Option<String>,
    /// On which grounds it was refused.
    pub grounds: Vec<RefusalGround>,
    /// Why it was refused, in words.
    pub refuse_reason: Option<String>,
}
