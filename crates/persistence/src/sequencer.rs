//! The sequencer: gives events and accesses their numbers, dense and without gaps, and accesses their leaves.
//!
//! Rows are inserted without any serial point, so neither an id nor a transaction's id tells what becomes visible when:
//! whoever reads on from the last one loses what commits later, and whoever waits for the oldest transaction stalls
//! behind one that idles. A tick takes instead whatever is visible now and was not in the snapshot of the tick before.
//! A row that follows from another, as an event of a case does from the one before it, is never visible without it.

mod leaves;

use std::ops::AddAssign;

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::sql_types::{BigInt, Bool, Jsonb, Nullable, Text};
use diesel::{OptionalExtension, RunQueryDsl};
use serde_json::Value;

use crate::access_log::Access;
use crate::db::Db;
use crate::error::Error;
use crate::sql::Sql;

/// How many accesses are looked at together.
const BATCH: usize = 1000;

/// What a tick did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sequenced {
    /// How many events have got their numbers.
    pub events: i64,
    /// How many accesses have got theirs, and their leaves.
    pub accesses: i64,
    /// How many leaves tell of erasures.
    pub erasures: i64,
    /// Whether the database came to be in another cluster, as when it was restored: everything without a number was
    /// then looked for.
    pub restored: bool,
}

/// A turn of whoever leads.
struct Turn {
    log: &'static str,
    next: i64,
    /// What saw everything that has its number; nothing where that is not known.
    seen: Option<String>,
    /// Taken before anything is looked for: what only comes in between is found again, and has its number.
    now: String,
    cluster: String,
    restored: bool,
}

impl Db {
    /// One tick: whatever was committed before it has its number after it, unless another leads.
    ///
    /// # Errors
    /// The database is not available or no primary, or the login may not do this.
    pub fn sequence(&self, now: DateTime<Utc>) -> Result<Sequenced, Error> {
        let mut sequenced = self.transaction_of_any_length(events)?;
        sequenced += self.transaction_of_any_length(|conn| accesses(conn, now))?;
        Ok(sequenced)
    }
}

impl Turn {
    /// Takes the turn, if nobody else has it.
    fn take(conn: &mut PgConnection, log: &'static str) -> Result<Option<Self>, Error> {
        let query = Sql::<(BigInt, Nullable<Text>, Text, Text, Bool)>::new().with(
            "select s.next, case when s.cluster = c.id then s.seen::text end, pg_current_snapshot()::text, c.id, \
             s.cluster <> c.id is true from sequencers s cross join (select system_identifier::text as id from pg_control_system()) c \
             where s.log = ? for update of s skip locked",
            [log.into()],
        );
        let row: Option<(i64, Option<String>, String, String, bool)> = query.get_result(conn).optional()?;
        Ok(row.map(|(next, seen, now, cluster, restored)| Turn { log, next, seen, now, cluster, restored }))
    }

    /// Gives the next numbers to so many rows; returns the first.
    fn number(&mut self, rows: usize) -> i64 {
        let first = self.next;
        self.next += i64::try_from(rows).unwrap_or(0);
        first
    }

    /// Ends the turn. Where nothing happened the row is written once a second, so that it shows that somebody works.
    fn end(self, conn: &mut PgConnection) -> Result<(), Error> {
        let query = Sql::<()>::new().with(
            "update sequencers set next = ?, seen = ?::text::pg_snapshot, cluster = ?, complete_at = transaction_timestamp() \
             where log = ? and (next <> ? or cluster is distinct from ? or complete_at < transaction_timestamp() - interval '1 second')",
            [
                self.next.into(),
                self.now.into(),
                self.cluster.clone().into(),
                self.log.into(),
                self.next.into(),
                self.cluster.into(),
            ],
        );
        query.execute(conn)?;
        Ok(())
    }
}

/// Events of one case keep its order, and every event comes when the last that it follows from has come. With its number
/// it is in the feed of those who are told of it.
fn events(conn: &mut PgConnection) -> Result<Sequenced, Error> {
    let Some(mut turn) = Turn::take(conn, "events")? else { return Ok(Sequenced::default()) };
    let query = Sql::<BigInt>::new()
        .with("with fresh as (select e.id, coalesce(e.case_id, e.subject_id) as about, e.case_version, e.recipients, e.xid from (", [])
        .then(unseen::<()>("select id, case_id, subject_id, case_version, recipients, xid from events", turn.seen.as_deref()))
        .with(
            ") e where not exists (select from event_numbers n where n.event_id = e.id)), moved as (select id, about, case_version, recipients, \
             max(xid) over (partition by about order by case_version) as moment from fresh), numbered as materialized ( \
             select ? + row_number() over (order by moment, about, case_version) - 1 as number, id, recipients from moved), \
             told as (insert into feed (agency, number, event_id) select it, number, id from numbered, unnest(recipients) it), \
             kept as (insert into event_numbers (number, event_id) select number, id from numbered returning 1) \
             select count(*) from kept",
            [turn.next.into()],
        );
    let events: i64 = query.get_result(conn)?;
    turn.next += events;
    let restored = turn.restored;
    turn.end(conn)?;
    Ok(Sequenced { events, restored, ..Sequenced::default() })
}

/// Accesses follow from nothing: they come in the order in which their transactions began to write.
fn accesses(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Sequenced, Error> {
    let Some(mut turn) = Turn::take(conn, "accesses")? else { return Ok(Sequenced::default()) };
    // A cursor has one snapshot for as long as it lives, and never more than a batch in memory.
    Sql::<()>::new()
        .with("declare fresh no scroll cursor for select to_jsonb(a) from (", [])
        .then(unseen::<()>("select * from access_log", turn.seen.as_deref()))
        .with(") a where not exists (select from access_leaves l where l.entry_id = a.id) order by a.xid, a.id", [])
        .execute(conn)?;
    let mut sequenced = Sequenced { restored: turn.restored, ..Sequenced::default() };
    loop {
        let rows: Vec<Value> = Sql::<Jsonb>::new().with("fetch 1000 from fresh", []).load(conn)?;
        let fetched = rows.len();
        let batch: Vec<Access> = rows.into_iter().map(serde_json::from_value).collect::<Result<_, _>>()?;
        sequenced.accesses += leaves::of_accesses(conn, &mut turn, batch)?;
        if fetched < BATCH {
            break;
        }
    }
    Sql::<()>::new().with("close fresh", []).execute(conn)?;
    sequenced.erasures = leaves::of_erasures(conn, &mut turn, now)?;
    turn.end(conn)?;
    Ok(sequenced)
}

/// The rows of a query over a table that a snapshot did not see: what began after it, and what ran when it was taken.
/// Both are looked up in the index, however long something else has been running. What seems to begin in the future came
/// from another cluster, and had its number when that was noticed.
fn unseen<ST>(query: &'static str, seen: Option<&str>) -> Sql<ST> {
    let all = Sql::new().with(query, []);
    match seen {
        None => all,
        Some(seen) => all
            .with(
                " where xid >= pg_snapshot_xmax(?::text::pg_snapshot) and xid < pg_snapshot_xmax(pg_current_snapshot()) union all ",
                [seen.into()],
            )
            .with(query, [])
            .with(" where xid = any(array(select pg_snapshot_xip(?::text::pg_snapshot)))", [seen.into()]),
    }
}

impl AddAssign for Sequenced {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.accesses += other.accesses;
        self.erasures += other.erasures;
        self.restored |= other.restored;
    }
}
