//! Clocks, as they are kept, shown and counted. How they move is `lindung_domain::clock`; that a limit passes is found
//! in [`crate::work`].

use chrono::{DateTime, Duration, Utc};
use diesel::Queryable;
use diesel::sql_types::{BigInt, Double, Jsonb, Nullable, Text};
use lindung_domain::clock::{self, Clock, ClockChange, ClockState, Ended, Running};
use lindung_domain::event::Subject;
use lindung_domain::policy::{self, Act};
use lindung_domain::values::Priority;
use lindung_domain::{
    AgencyCode, CaseId, ChildId, ClockId, DataSharingId, EmergencyId, HandoffId, ProposalId, ReferralId, Role,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::{Call, Db, Read, Seen};
use crate::error::Error;
use crate::events;
use crate::sql::Sql;
use crate::visibility;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ClockRow {
    id: ClockId,
    code: String,
    pub(crate) case_id: Option<CaseId>,
    subject_type: String,
    pub(crate) subject_id: Uuid,
    asker: Option<AgencyCode>,
    holder: Option<AgencyCode>,
    priority: Option<Priority>,
    started_at: DateTime<Utc>,
    due_at: Option<DateTime<Utc>>,
    escalate_at: Option<DateTime<Utc>>,
    paused_at: Option<DateTime<Utc>>,
    paused_for: i64,
    overdue_at: Option<DateTime<Utc>>,
    escalated_at: Option<DateTime<Utc>>,
    ended: Option<Ended>,
    ended_at: Option<DateTime<Utc>>,
}

impl ClockRow {
    fn new(id: ClockId, case: Option<CaseId>, clock: &Clock) -> Self {
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
        let subject = match subject_type.as_str() {
            "case" => Subject::Case(CaseId(subject_id)),
            "child" => Subject::Child(ChildId(subject_id)),
            "referral" => Subject::Referral(ReferralId(subject_id)),
            "emergency-access" => Subject::Emergency(EmergencyId(subject_id)),
            "proposal" => Subject::Proposal(ProposalId(subject_id)),
            "handoff" => Subject::Handoff(HandoffId(subject_id)),
            "data-sharing-request" => Subject::DataSharing(DataSharingId(subject_id)),
            _ => return Err(Error::Fault("a clock runs on what nobody knows".to_owned())),
        };
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

/// The clocks in a JSON array of rows.
pub(crate) fn running(rows: Option<Value>) -> Result<Vec<Running>, Error> {
    let rows: Vec<ClockRow> = rows.map_or(Ok(Vec::new()), serde_json::from_value)?;
    rows.into_iter().map(ClockRow::into_running).collect()
}

/// Clocks that start and move, as part of the statement that saves the change.
pub(crate) fn saved(case: Option<CaseId>, changes: &[ClockChange]) -> Sql {
    let (mut started, mut changed, mut sql) = (Vec::new(), Vec::new(), Sql::new());
    for change in changes {
        match change {
            ClockChange::Start(clock) => started.push(ClockRow::new(ClockId(Db::new_id()), case, clock)),
            ClockChange::Set(Running { id, clock }) => changed.push(ClockRow::new(*id, case, clock)),
        }
    }
    if !started.is_empty() {
        sql = sql.with(
            "), ticking as (insert into clocks select * from jsonb_populate_recordset(null::clocks, ?)",
            [json!(started).into()],
        );
    }
    if !changed.is_empty() {
        sql = sql.with(
            "), ticked as (update clocks w set asker = n.asker, holder = n.holder, due_at = n.due_at, escalate_at = n.escalate_at, \
             paused_at = n.paused_at, paused_for = n.paused_for, ended = n.ended, ended_at = n.ended_at \
             from jsonb_populate_recordset(null::clocks, ?) n where w.id = n.id and w.ended_at is null",
            [json!(changed).into()],
        );
    }
    sql
}

/// A clock that has not ended.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"), from = "ClockRow")]
#[schema(rename_all = "camelCase")]
pub struct RunningClock {
    /// Which clock.
    #[schema(example = "referral-acknowledge")]
    pub code: String,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// Its limit; null where no date was agreed.
    pub due_at: Option<DateTime<Utc>>,
    /// When its being overdue goes to the supervisors.
    pub escalate_at: Option<DateTime<Utc>>,
    /// Where it stands.
    pub state: ClockState,
    /// The law that sets the limit, or `setting`: the task force's own.
    #[schema(example = "Act 611 s.18(3)")]
    pub basis: String,
    /// How sure that is: `H`, `M`, `L` (unconfirmed), or `setting`.
    #[schema(example = "H")]
    pub confidence: String,
}

impl From<ClockRow> for RunningClock {
    fn from(row: ClockRow) -> Self {
        let state = match (row.overdue_at, row.paused_at) {
            (Some(_), _) => ClockState::Overdue,
            (None, Some(_)) => ClockState::Paused,
            (None, None) => ClockState::Running,
        };
        let text =
            |of: fn(&clock::Rule) -> &String| clock::rule(&row.code).map_or_else(String::new, |it| of(it).clone());
        RunningClock {
            state,
            basis: text(|it| &it.basis),
            confidence: text(|it| &it.confidence),
            started_at: row.started_at,
            due_at: row.due_at,
            escalate_at: row.escalate_at,
            code: row.code,
        }
    }
}

/// A clock in a list, with what it runs on and who is concerned.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"), from = "ClockRow")]
#[schema(rename_all = "camelCase")]
pub struct ClockItem {
    /// Its id (UUIDv7).
    pub id: ClockId,
    /// The case; null where it is about none.
    pub case_id: Option<CaseId>,
    /// What it runs on: `child`, `referral` or `emergency-access`.
    pub subject_type: String,
    /// The id of that.
    pub subject_id: Uuid,
    /// Who waits.
    pub asker: Option<AgencyCode>,
    /// Who has to act; null while it is open to several.
    pub holder: Option<AgencyCode>,
    /// How fast it has to move.
    pub priority: Option<Priority>,
    #[serde(flatten)]
    clock: RunningClock,
}

impl From<ClockRow> for ClockItem {
    fn from(row: ClockRow) -> Self {
        ClockItem {
            id: row.id,
            case_id: row.case_id,
            subject_type: row.subject_type.clone(),
            subject_id: row.subject_id,
            asker: row.asker.clone(),
            holder: row.holder.clone(),
            priority: row.priority,
            clock: row.into(),
        }
    }
}

impl ClockItem {
    /// Its place in the list; a clock without a limit is in none.
    pub fn place(&self) -> Option<DuePlace> {
        self.clock.due_at.map(|at| DuePlace { at, id: self.id })
    }
}

/// Which clocks are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Those whose limit has passed.
    Overdue,
    /// Those that run or pause, and whose limit passes within this time.
    DueWithin(Duration),
    /// All that run or pause.
    Running,
}

/// A place in a list of clocks, soonest first.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct DuePlace {
    /// The limit of the last clock before the place.
    pub at: DateTime<Utc>,
    /// Its id.
    pub id: ClockId,
}

/// Which clocks are wanted.
#[derive(Debug, Clone)]
pub struct ClockFilter {
    /// By where they stand.
    pub wanted: Wanted,
    /// Of this name.
    pub code: Option<String>,
    /// With this priority.
    pub priority: Option<Priority>,
    /// After this place.
    pub after: Option<DuePlace>,
    /// At most so many.
    pub limit: i64,
}

impl ClockFilter {
    /// `select …` of clocks that fit, as far as `whose` says; each shape is a statement of its own.
    fn fitting(&self, call: &Call, rule: &'static str, whose: Sql) -> Sql {
        let place = self.after.unwrap_or(DuePlace { at: DateTime::UNIX_EPOCH, id: ClockId(Uuid::nil()) });
        let mut sql = Sql::new()
            .with("(select w.case_id, null::uuid[] as child_ids, null::text[] as sections, '", [])
            .with(rule, [])
            .with("' as rule, w.id as item_id, w.due_at, to_jsonb(w) as item from clocks w left join cases c on c.id = w.case_id where ", [])
            .then(whose)
            .with(" and w.ended_at is null and (w.due_at, w.id) > (?, ?) and ", [place.at.into(), place.id.0.into()])
            .then(visibility::clock_visible::<()>(call));
        sql = match self.wanted {
            Wanted::Overdue => sql.with(" and w.overdue_at is not null", []),
            Wanted::DueWithin(time) => {
                sql.with(" and w.overdue_at is null and w.due_at <= ?", [(call.now + time).into()])
            }
            Wanted::Running => sql.with(" and w.overdue_at is null", []),
        };
        for (condition, value) in
            [(" and w.code = ?", self.code.clone()), (" and w.priority = ?", self.priority.map(|it| it.to_string()))]
        {
            if let Some(value) = value {
                sql = sql.with(condition, [value.into()]);
            }
        }
        sql.with(" order by w.due_at, w.id limit ?)", [self.limit.into()])
    }
}

/// How fast one agency answered another.
#[derive(Debug, Clone, Queryable, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResponseTime {
    /// Which clock: `referral-acknowledge`, `referral-decide` or `referral-complete`.
    pub clock: String,
    /// Who waited.
    #[schema(value_type = AgencyCode)]
    pub asker: String,
    /// Who had to act.
    #[schema(value_type = AgencyCode)]
    pub holder: String,
    /// How fast it had to move.
    #[schema(value_type = Option<Priority>)]
    pub priority: Option<String>,
    /// How many were met.
    pub count: i64,
    /// Half of them within so many seconds, pauses left out.
    pub median_seconds: f64,
    /// Nine of ten within so many seconds.
    pub p90_seconds: f64,
    /// How many were late.
    pub late: i64,
}

impl Db {
    /// The clocks with a limit that concern the actor's agency, or for coordinators all that are not shielded; what is
    /// due first comes first.
    ///
    /// # Errors
    /// The actor has no role for it; the database is not available.
    pub fn clocks(&self, call: &Call, filter: &ClockFilter) -> Result<Vec<ClockItem>, Error> {
        policy::require_own(&call.actor, Act::ListClocks)?;
        let own = || call.actor.agency().as_str().into();
        let found = if call.actor.is(Role::Coordinator) {
            filter.fitting(call, "unshielded", Sql::new().with("true", []))
        } else {
            let asked = Sql::new().with("w.asker = ? and (w.holder is null or w.holder <> ?)", [own(), own()]);
            filter
                .fitting(call, "own", Sql::new().with("w.holder = ?", [own()]))
                .with(" union all ", [])
                .then(filter.fitting(call, "own", asked))
        };
        let query = Sql::<Jsonb>::new()
            .with("select * from (", [])
            .then(found)
            .with(") found order by due_at, item_id limit ?", [filter.limit.into()]);
        let rows: Vec<Value> = self.read(call, Read { columns: "item", query, seen: Seen::List })?;
        rows.into_iter().map(|it| Ok(serde_json::from_value(it)?)).collect()
    }

    /// How fast referrals that began in the period were acknowledged, decided and completed: between the actor's agency
    /// and others, for coordinators between all.
    ///
    /// # Errors
    /// The actor has no role for it; the database is not available.
    pub fn response_times(
        &self,
        call: &Call,
        (from, until): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Vec<ResponseTime>, Error> {
        policy::require_own(&call.actor, Act::ReadStatistics)?;
        let codes = ["referral-acknowledge", "referral-decide", "referral-complete"].map(str::to_owned).to_vec();
        let query = Sql::<(Text, Text, Text, Nullable<Text>, BigInt, Double, Double, BigInt)>::new().with(
            "select null::uuid as case_id, null::uuid[] as child_ids, null::text[] as sections, 'own' as rule, null::uuid as item_id, s.* \
             from policy.response_times(?, ?, ?) s order by s.asker, s.holder, s.code, s.priority",
            [from.into(), until.into(), codes.into()],
        );
        self.read(
            call,
            Read { columns: "code, asker, holder, priority, count, median, p90, late", query, seen: Seen::List },
        )
    }
}
