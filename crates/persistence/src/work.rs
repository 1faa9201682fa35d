//! What runs by itself: clocks whose limit has passed are marked, and those concerned are told.
//!
//! One leader at a time, in batches. Each clock is a transaction of its own, under the lock of its case: it is read
//! again, and event and mark are written together. So a crash neither misses one nor tells of it twice.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::sql_types::{Array, BigInt, Bool, Jsonb, Text, Uuid as SqlUuid};
use diesel::{OptionalExtension, RunQueryDsl};
use lindung_domain::clock::{self, Ended, OnLimit, Passed};
use lindung_domain::event::Subject;
use lindung_domain::{AgencyCode, ClockId, Refusal};
use serde_json::Value;
use uuid::Uuid;

use crate::clocks::ClockRow;
use crate::db::Db;
use crate::error::Error;
use crate::events;
use crate::handoffs;
use crate::sql::Sql;

/// Which lock makes the leader: any number, as long as nothing else takes it.
const LEADER: i64 = 0x6c69_6e64_756e_6701;

/// The most clocks of one tick.
const BATCH: i64 = 200;

/// What a tick did.
#[derive(Debug, Default)]
pub struct Worked {
    /// How many clocks passed a limit.
    pub passed: usize,
    /// Why others could not be told of: they are tried again.
    pub failures: Vec<Error>,
    /// Whether there may be more at once.
    pub more: bool,
}

impl Db {
    /// One tick: tells of every clock that has passed a limit by `now`, up to a batch; nothing while another leads.
    ///
    /// # Errors
    /// The database is not available, or the login may not do this.
    pub fn work(&self, now: DateTime<Utc>) -> Result<Worked, Error> {
        self.transaction(|leading| {
            let lead = Sql::<Bool>::new().with("select pg_try_advisory_xact_lock(?)", [LEADER.into()]);
            if !lead.get_result::<bool>(leading)? {
                return Ok(Worked::default());
            }
            let due: Vec<Uuid> = Sql::<SqlUuid>::new()
                .with(
                    "(select id from clocks where ended_at is null and overdue_at is null and paused_at is null and due_at <= ? \
                     order by due_at, id limit ?) union all (select id from clocks where ended_at is null and overdue_at is not null \
                     and escalated_at is null and paused_at is null and escalate_at <= ? order by escalate_at, id limit ?)",
                    [now.into(), BATCH.into(), now.into(), BATCH.into()],
                )
                .load(leading)?;
            let mut worked = Worked::default();
            for id in &due {
                match self.transaction(|conn| pass(conn, ClockId(*id), now)) {
                    Ok(true) => worked.passed += 1,
                    Ok(false) => {}
                    Err(error) => worked.failures.push(error),
                }
            }
            worked.more = worked.passed > 0 && i64::try_from(due.len()).is_ok_and(|it| it >= BATCH);
            Ok(worked)
        })
    }
}

/// Marks a clock and tells of it, if that is still to be done.
fn pass(conn: &mut PgConnection, id: ClockId, now: DateTime<Utc>) -> Result<bool, Error> {
    // Always the case first, and then, with a fresh snapshot, what has to do with it.
    let case = Sql::<SqlUuid>::new().with(
        "select id from cases where id = (select case_id from clocks where id = ?) for no key update",
        [id.0.into()],
    );
    let _locked: Option<Uuid> = case.get_result(conn).optional()?;
    let request = Sql::<SqlUuid>::new().with(
        "select id from data_sharing_requests where id = (select subject_id from clocks where id = ? and case_id is null) for no key update",
        [id.0.into()],
    );
    let _locked: Option<Uuid> = request.get_result(conn).optional()?;
    let query = Sql::<(Jsonb, Bool, BigInt, Array<Text>)>::new().with(
        "select to_jsonb(w), c.shield is not null, coalesce(c.event_count, d.event_count, 0), \
         array_remove(array[r.sender, r.recipient, case when r.id is not null then c.lead_agency end] || r.listed || r.former, null) \
         from clocks w left join cases c on c.id = w.case_id \
         left join referrals r on w.subject_type = 'referral' and r.id = w.subject_id \
         left join data_sharing_requests d on w.case_id is null and d.id = w.subject_id where w.id = ? for update of w",
        [id.0.into()],
    );
    let (row, shielded, event_count, entitled): (Value, bool, i64, Vec<String>) = query.get_result(conn)?;
    let row: ClockRow = serde_json::from_value(row)?;
    let (case, subject, running) = (row.case_id, row.subject_id, row.into_running()?);
    let entitled: BTreeSet<AgencyCode> = entitled.into_iter().filter_map(|it| it.parse().ok()).collect();
    let Some(Passed { mut running, mut events }) = clock::passed(&running, entitled, shielded, now) else {
        return Ok(false);
    };
    let mut expired = Vec::new();
    match clock::rule(&running.clock.code).and_then(|it| it.on_limit) {
        Some(OnLimit::HandoffExpired) => {
            let Subject::Handoff(id) = running.clock.subject else { return Ok(false) };
            let change = handoffs::load(conn, id)?.ok_or(Refusal::NotFound)?.expire(shielded, now)?;
            events.extend(change.events().iter().cloned());
            running.clock.ended = Some((Ended::Void, now));
            expired.push(change.into_entity());
        }
        None => {}
    }
    let counted = event_count + i64::try_from(events.len()).unwrap_or(i64::MAX);
    Sql::<()>::new()
        .with(
            "with marked as (update clocks set overdue_at = ?, escalated_at = ?, ended = ?, ended_at = ? where id = ?",
            [
                running.clock.overdue_at.into(),
                running.clock.escalated_at.into(),
                running.clock.ended.map(|it| it.0.to_string()).into(),
                running.clock.ended.map(|it| it.1).into(),
                id.0.into(),
            ],
        )
        .then(handoffs::expired(expired.first()))
        .with("), counted as (", [])
        .with(
            "update cases set event_count = ? where id = ?), counted_itself as (update data_sharing_requests set event_count = ? \
             where id = ? and ?::uuid is null), happened as (",
            [counted.into(), case.map(|it| it.0).into(), counted.into(), subject.into(), case.map(|it| it.0).into()],
        )
        .then(events::happened(now, case, event_count, &events))
        .with(") select", [])
        .execute(conn)?;
    Ok(true)
}
