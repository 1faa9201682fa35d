//! Rows of clocks, as they are in the database.

use chrono::{DateTime, Utc};
use lindung_domain::clock::{Clock, Ended, Running};
use lindung_domain::values::Priority;
use lindung_domain::{AgencyCode, CaseId, ClockId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Error;
use crate::events;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ClockRow {
    pub(super) id: ClockId,
    pub(super) code: String,
    pub(crate) case_id: Option<CaseId>,
    pub(super) subject_type: String,
    pub(crate) subject_id: Uuid,
    pub(super) asker: Option<AgencyCode>,
    pub(super) holder: Option<AgencyCode>,
    pub(super) priority: Option<Priority>,
    pub(super) started_at: DateTime<Utc>,
    pub(super) due_at: Option<DateTime<Utc>>,
    pub(super) escalate_at: Option<DateTime<Utc>>,
    pub(super) paused_at: Option<DateTime<Utc>>,
    paused_for: i64,
    pub(super) overdue_at: Option<DateTime<Utc>>,
    escalated_at: Option<DateTime<Utc>>,
    ended: Option<Ended>,
    ended_at: Option<DateTime<Utc>>,
}

impl ClockRow {
    pub(super) fn new(id: ClockId, case: Option<CaseId>, clock: &Clock) -> Self {
        let Clock {
            code,
            subject,
            asker,
            holder,
            priority,
            started_at,
            due_at,
            escalate_at,
            paused_at,
            paused_for,
            overdue_at,
            escalated_at,
            ended,
        } = clock.clone();
        let (subject_type, subject_id) = events::named(&subject);
        ClockRow {
            id,
            code,
            case_id: case,
            subject_type: subject_type.to_owned(),
            subject_id,
            asker,
            holder,
            priority,
            started_at,
            due_at,
            escalate_at,
            paused_at,
            paused_for,
            overdue_at,
            escalated_at,
            ended: ended.map(|it| it.0),
            ended_at: ended.map(|it| it.1),
        }
    }

    pub(crate) fn into_running(self) -> Result<Running, Error> {
        let ClockRow {
            id,
            code,
            case_id: _,
            subject_type,
            subject_id,
            asker,
            holder,
            priority,
            started_at,
            due_at,
            escalate_at,
            paused_at,
            paused_for,
            overdue_at,
            escalated_at,
            ended,
            ended_at,
        } = self;
        let subject = events::subject(&subject_type, subject_id)
            .ok_or_else(|| Error::Fault("a clock runs on what nobody knows".to_owned()))?;
        let clock = Clock {
            code,
            subject,
            asker,
            holder,
            priority,
            started_at,
            due_at,
            escalate_at,
            paused_at,
            paused_for,
            overdue_at,
            escalated_at,
            ended: ended.zip(ended_at),
        };
        Ok(Running { id, clock })
    }
}
