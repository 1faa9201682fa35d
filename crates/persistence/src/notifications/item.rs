//! A notification as it is shown.

use chrono::{DateTime, Utc};
use lindung_domain::values::Priority;
use lindung_domain::{AgencyCode, CaseId, EventId, NotificationId, OfficerId, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::cloud_event::place;

/// What somebody is notified of.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"), try_from = "NotificationRow")]
#[schema(rename_all = "camelCase")]
pub struct NotificationItem {
    /// Its id (UUIDv7).
    pub id: NotificationId,
    /// What happened: the event's type, or `my.gov.lindung.subscription.disabled`.
    #[serde(rename = "type")]
    #[schema(example = "my.gov.lindung.referral.accepted")]
    pub kind: String,
    /// To what: what it is, and its id.
    #[schema(example = "referrals/0193b5f4-7a00-7c3e-9d55-0d8f6c2b1a01")]
    pub subject: String,
    /// The case, where it is about one.
    pub case_id: Option<CaseId>,
    /// How fast what it is about had to move then.
    pub priority: Option<Priority>,
    /// Which agency did it; null where it happened by itself.
    pub agency: Option<AgencyCode>,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// When it came into the inbox: later than it happened where that was in quiet hours.
    pub told_at: DateTime<Utc>,
    /// The event, as in the feed.
    pub event_id: Option<EventId>,
    /// Whoever of the agency has one of these roles hears of it.
    pub roles: Vec<Role>,
    /// And this officer, whom it concerns.
    pub officer: Option<OfficerId>,
    /// When you read it.
    pub read_at: Option<DateTime<Utc>>,
    /// Who was the first to take note, for all who hear of it.
    pub acknowledged_by: Option<OfficerId>,
    /// When that was.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// Where more is to be read of its subject.
    #[serde(skip)]
    pub link: String,
    /// What its type is called, in Malay and in English.
    #[serde(skip)]
    pub labels: (String, String),
}

#[derive(Deserialize)]
struct NotificationRow {
    id: NotificationId,
    kind: String,
    case_id: Option<CaseId>,
    subject_type: String,
    subject_id: Uuid,
    priority: Option<Priority>,
    done_by: Option<AgencyCode>,
    at: DateTime<Utc>,
    told_at: DateTime<Utc>,
    event_id: Option<EventId>,
    roles: Vec<Role>,
    officer: Option<OfficerId>,
    read_at: Option<DateTime<Utc>>,
    acknowledged_by: Option<OfficerId>,
    acknowledged_at: Option<DateTime<Utc>>,
    label_ms: Option<String>,
    label_en: Option<String>,
}

impl TryFrom<NotificationRow> for NotificationItem {
    type Error = String;

    fn try_from(row: NotificationRow) -> Result<Self, String> {
        let (subject, link) = place(&row.subject_type, row.subject_id, row.case_id.map(|it| it.0))
            .ok_or_else(|| format!("a notification is about a {}, which has no path", row.subject_type))?;
        let label = |it: Option<String>| it.unwrap_or_else(|| row.kind.clone());
        Ok(NotificationItem {
            id: row.id,
            labels: (label(row.label_ms), label(row.label_en)),
            kind: row.kind,
            subject,
            link,
            case_id: row.case_id,
            priority: row.priority,
            agency: row.done_by,
            at: row.at,
            told_at: row.told_at,
            event_id: row.event_id,
            roles: row.roles,
            officer: row.officer,
            read_at: row.read_at,
            acknowledged_by: row.acknowledged_by,
            acknowledged_at: row.acknowledged_at,
        })
    }
}

impl NotificationItem {
    /// Where it stands in the list.
    pub fn place(&self) -> (DateTime<Utc>, Uuid) {
        (self.told_at, self.id.0)
    }
}
