//! A database of a stated size, for measuring: invented cases, played through the domain and loaded
//! by `COPY`.
//!
//! Every case is opened, referred, answered and closed by the domain itself, under the policy, so
//! that its grants, events, versions and recipients are what they would have become. Only the way
//! into the tables is another: `COPY` writes here what `save.rs` writes in the service, and that
//! includes `events` and `access_log`, into which nothing else but `events.rs` and `access_log.rs`
//! writes. The access log holds a sample, two or three entries for a case.
//!
//! # Ids
//! Ids follow from the case's index, which counts from 1, so that a benchmark can compute them:
//! `01900000-0000-7kkk-8000-` and twelve hexadecimal digits. Of a case (`kkk` = `000`) those are
//! its index. Of what belongs to a case they are ten digits of the case's index and two digits that
//! count from `00` within the case: `001` child, `002` referral, `003` grant, `004` event, `005`
//! message, `006` access, `007` request, `008` causation. In SQL:
//! ```sql
//! select ('01900000-0000-7000-8000-' || lpad(to_hex(:index), 12, '0'))::uuid;          -- a case
//! select ('01900000-0000-7002-8000-' || lpad(to_hex(:index), 10, '0') || '00')::uuid;  -- its first referral
//! ```
//! Every case has a child `00` and a referral `00`. Each fourth case (the index is a multiple of 4)
//! stays open and is led by [`SCHOOL`], where that is registered; [`POLICE`] gets a third of all
//! referrals.
//!
//! Filling again goes on behind the largest index that is there; after an interruption there may be
//! gaps before it, and indexes missing until the next filling. Meant for a database that nobody else
//! uses meanwhile.

mod cast;
mod copy;
mod course;
mod dice;
mod indexes;
#[expect(non_camel_case_types, reason = "where `row!` makes a type, the type of a column is named like the column")]
mod story;

use std::iter;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;

use chrono::{DateTime, Duration, Utc};
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::sql_types::{BigInt, Bool, Uuid as SqlUuid};
use diesel::{OptionalExtension, RunQueryDsl};
use uuid::Uuid;

use crate::db::Db;
use crate::error::Error;
use crate::sql::Sql;
use cast::Cast;
use copy::{Rows, Table};
use indexes::shared;
use story::Opening;

/// Leads every fourth case, where it is registered.
pub const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";
/// Gets a third of all referrals, where it is registered.
pub const POLICE: &str = "KDN.PDRM.D11.KL";

/// Cases in one transaction.
const CHUNK: u64 = 2_000;
/// How many write at once, each with a connection: enough to keep two cores busy.
const WRITERS: usize = 3;
/// From how many cases on indexes are dropped and built anew.
const LARGE: u64 = 20_000;
/// Over how long before now the cases were opened.
const PERIOD: Duration = Duration::days(730);

/// What a database was filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filled {
    /// The index of the first new case.
    pub first: u64,
    /// The index of the last one.
    pub last: u64,
    /// How many rows were written, in all tables.
    pub rows: u64,
}

/// Of what an id is; its number stands in the id.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Case,
    Child,
    Referral,
    Grant,
    Event,
    Message,
    Access,
    Request,
    Causation,
}

/// The id of the `n`th thing of a kind in a case.
fn id(kind: Kind, index: u64, n: u64) -> Uuid {
    let low = match kind {
        Kind::Case => index,
        _ => index << 8 | n,
    };
    Uuid::from_u64_pair(0x0190_0000_0000_7000 | kind as u64, 0x8000 << 48 | low)
}

impl Db {
    /// Adds `cases` invented cases, opened in the two years before `now`, and analyses the tables.
    /// `progress` is told after each transaction how many cases there are so far.
    ///
    /// # Errors
    /// Fewer than five agencies are registered that can be parties; the database is not available.
    /// The cases of the transactions before stay.
    pub fn fill(&self, cases: u64, now: DateTime<Utc>, progress: &mut dyn FnMut(u64)) -> Result<Filled, Error> {
        let (filling, filled) = self.transaction(|conn| {
            let (cast, first) = (Cast::load(conn, self.vault.clone())?, last_index(conn)? + 1);
            let (number, unchecked) = (reserve_numbers(conn, cases)?, may_skip_checks(conn)?);
            let filled = Filled { first, last: first + cases - 1, rows: 0 };
            Ok((Filling { cases, first, number, now, cast, unchecked }, filled))
        })?;
        let connections = self.free_connections()?;
        // To build an index anew takes longer than to add a little to it.
        if cases >= LARGE.max(filled.first / 2) {
            self.drop_indexes()?;
        }
        let loaded =
            self.load(&filling, connections, progress).and_then(|rows| self.analyse(connections).map(|()| rows));
        let built = self.build_indexes(connections);
        let rows = loaded?;
        built?;
        Ok(Filled { rows, ..filled })
    }

    /// Writes the cases and tells how many rows that made.
    fn load(&self, filling: &Filling, connections: NonZeroUsize, progress: &mut dyn FnMut(u64)) -> Result<u64, Error> {
        let next = AtomicU64::new(0);
        // Writers take chunk after chunk: while one invents, PostgreSQL works for the others.
        let write = |copied: Sender<(u64, Result<u64, Error>)>| {
            loop {
                let start = next.fetch_add(CHUNK, Ordering::Relaxed);
                let end = filling.cases.min(start + CHUNK);
                let rows = || self.copy(&filling.invent(start..end)?, filling.unchecked);
                // Nobody listens any more where another writer has failed.
                if start >= filling.cases || copied.send((end - start, rows())).is_err() {
                    return;
                }
            }
        };
        thread::scope(|scope| {
            let (sender, copied) = mpsc::channel();
            for sender in vec![sender; connections.get()] {
                scope.spawn(|| write(sender));
            }
            let (mut done, mut all) = (0, 0);
            for (cases, rows) in copied {
                all += rows?;
                done += cases;
                progress(done);
            }
            Ok(all)
        })
    }

    fn copy(&self, rows: &Rows, unchecked: bool) -> Result<u64, Error> {
        self.transaction(|conn| {
            conn.batch_execute("set local statement_timeout = 0; set local synchronous_commit = off")?;
            if unchecked {
                conn.batch_execute("set local session_replication_role = replica")?;
            }
            rows.copy(conn)
        })
    }

    /// How many connections the pool gives at once, up to [`WRITERS`].
    fn free_connections(&self) -> Result<NonZeroUsize, Error> {
        let first = self.connection()?;
        let others = iter::repeat_with(|| self.connection().ok()).take(WRITERS - 1);
        let held: Vec<_> = iter::once(first).chain(others.map_while(|it| it)).collect();
        Ok(NonZeroUsize::new(held.len()).unwrap_or(NonZeroUsize::MIN))
    }

    /// As autovacuum would have left them: visible to index-only scans, with statistics.
    fn analyse(&self, connections: NonZeroUsize) -> Result<(), Error> {
        shared(connections, Table::ALL, |table| {
            let conn = &mut *self.connection()?;
            let limit: String =
                diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>("current_setting('statement_timeout')"))
                    .get_result(conn)?;
            conn.batch_execute("set statement_timeout = 0")?;
            let vacuumed = conn.batch_execute(&format!("vacuum analyze {}", table.name()));
            conn.batch_execute(&format!("set statement_timeout = '{limit}'"))?;
            Ok(vacuumed?)
        })
    }
}

/// What is to be written.
struct Filling {
    cases: u64,
    /// The index of the first case.
    first: u64,
    /// The number of the first case.
    number: u64,
    now: DateTime<Utc>,
    cast: Cast,
    /// Without the checks of foreign keys, which cost a third of it all: they hold by construction.
    unchecked: bool,
}

impl Filling {
    /// The rows of the cases at these places.
    fn invent(&self, places: Range<u64>) -> Result<Rows, Error> {
        let mut rows = Rows::default();
        for k in places {
            let at = opened_at(k, self.cases, self.now);
            let opening = Opening { index: self.first + k, number: self.number + k, at };
            story::play(opening, self.now, &self.cast, &mut rows)?;
        }
        Ok(rows)
    }
}

/// Evenly over the period, the last one just before now.
fn opened_at(k: u64, cases: u64, now: DateTime<Utc>) -> DateTime<Utc> {
    let period = PERIOD.num_minutes().unsigned_abs();
    let before = u128::from(period) * 60_000_000 * u128::from(cases - k) / u128::from(cases);
    let micros = now.timestamp_micros() - i64::try_from(before).unwrap_or(0);
    DateTime::from_timestamp_micros(micros).unwrap_or(now)
}

/// The largest index of a case that is there, or 0.
fn last_index(conn: &mut PgConnection) -> Result<u64, Error> {
    let query = Sql::<SqlUuid>::new().with(
        "select id from cases where id between ? and ? order by id desc limit 1",
        [id(Kind::Case, 0, 0).into(), id(Kind::Case, 0xffff_ffff_ffff, 0).into()],
    );
    let last: Option<Uuid> = query.get_result(conn).optional()?;
    Ok(last.map_or(0, |it| it.as_u64_pair().1 & 0xffff_ffff_ffff))
}

/// The first of so many case numbers, which the sequence will not give to anybody else.
fn reserve_numbers(conn: &mut PgConnection, cases: u64) -> Result<u64, Error> {
    let cases = i64::try_from(cases).map_err(|_| Error::Fault("so many cases have no numbers".to_owned()))?;
    let query = Sql::<BigInt>::new()
        .with("select setval('case_numbers', nextval('case_numbers') + ?) - ?", [cases.into(), cases.into()]);
    let first: i64 = query.get_result(conn)?;
    Ok(first.unsigned_abs())
}

/// Whether the role may switch off triggers for a transaction: of those only foreign keys have any.
fn may_skip_checks(conn: &mut PgConnection) -> Result<bool, Error> {
    let query = Sql::<Bool>::new().with("select has_parameter_privilege('session_replication_role', 'set')", []);
    Ok(query.get_result(conn)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_as_documented() {
        assert_eq!(id(Kind::Case, 0xabc, 0).to_string(), "01900000-0000-7000-8000-000000000abc");
        assert_eq!(id(Kind::Referral, 0xabc, 1).to_string(), "01900000-0000-7002-8000-0000000abc01");
        assert_eq!(id(Kind::Case, 1, 0).get_version_num(), 7);
    }
}
