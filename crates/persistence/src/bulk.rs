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
//! gaps before it. Meant for a database that nobody else uses meanwhile.

mod cast;
mod copy;
mod course;
mod dice;
mod story;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;

use chrono::{DateTime, Duration, Utc};
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::sql_types::{BigInt, Uuid as SqlUuid};
use diesel::{OptionalExtension, RunQueryDsl};
use uuid::Uuid;

use crate::db::Db;
use crate::error::Error;
use crate::sql::Sql;
use cast::Cast;
use copy::{Rows, Table};
use story::Opening;

/// Leads every fourth case, where it is registered.
pub const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";
/// Gets a third of all referrals, where it is registered.
pub const POLICE: &str = "KDN.PDRM.D11.KL";

/// Cases in one transaction.
const CHUNK: u64 = 2_000;
/// How many write at once, each with a connection: enough to keep two cores busy.
const WRITERS: usize = 3;
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
    /// Fewer than five agencies are registered that can be parties; the pool has fewer than three
    /// connections to give; the database is not available.
    /// The cases of the transactions before stay.
    pub fn fill(&self, cases: u64, now: DateTime<Utc>, progress: &mut dyn FnMut(u64)) -> Result<Filled, Error> {
        let (cast, first, number) = self.transaction(|conn| {
            let cast = Cast::load(conn)?;
            Ok((cast, last_index(conn)? + 1, reserve_numbers(conn, cases)?))
        })?;
        let mut filled = Filled { first, last: first + cases - 1, rows: 0 };
        let next = AtomicU64::new(0);
        // Writers take chunk after chunk: while one invents, PostgreSQL works for the others.
        let write = |copied: Sender<(u64, Result<u64, Error>)>| {
            loop {
                let start = next.fetch_add(CHUNK, Ordering::Relaxed);
                let end = cases.min(start + CHUNK);
                let opening = |k| Opening { index: first + k, number: number + k, at: opened_at(k, cases, now) };
                let rows = || self.copy(&invent((start..end).map(opening), now, &cast)?);
                // Nobody listens any more where another writer has failed.
                if start >= cases || copied.send((end - start, rows())).is_err() {
                    return;
                }
            }
        };
        thread::scope(|scope| {
            let (sender, copied) = mpsc::channel();
            for sender in vec![sender; WRITERS] {
                scope.spawn(|| write(sender));
            }
            let mut done = 0;
            for (cases, rows) in copied {
                filled.rows += rows?;
                done += cases;
                progress(done);
            }
            Ok::<(), Error>(())
        })?;
        self.analyse()?;
        Ok(filled)
    }

    fn copy(&self, rows: &Rows) -> Result<u64, Error> {
        self.transaction(|conn| {
            conn.batch_execute("set local statement_timeout = 0")?;
            rows.copy(conn)
        })
    }

    /// As autovacuum would have left them: visible to index-only scans, with statistics.
    fn analyse(&self) -> Result<(), Error> {
        let conn = &mut *self.connection()?;
        let limit: String =
            diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>("current_setting('statement_timeout')"))
                .get_result(conn)?;
        conn.batch_execute("set statement_timeout = 0")?;
        let tables: Vec<&str> = Table::ALL.iter().map(|it| it.name()).collect();
        let vacuumed = conn.batch_execute(&format!("vacuum analyze {}", tables.join(", ")));
        conn.batch_execute(&format!("set statement_timeout = '{limit}'"))?;
        Ok(vacuumed?)
    }
}

/// Evenly over the period, the last one just before now.
fn opened_at(k: u64, cases: u64, now: DateTime<Utc>) -> DateTime<Utc> {
    let period = PERIOD.num_minutes().unsigned_abs();
    let before = u128::from(period) * 60_000_000 * u128::from(cases - k) / u128::from(cases);
    let micros = now.timestamp_micros() - i64::try_from(before).unwrap_or(0);
    DateTime::from_timestamp_micros(micros).unwrap_or(now)
}

fn invent(openings: impl Iterator<Item = Opening>, now: DateTime<Utc>, cast: &Cast) -> Result<Rows, Error> {
    let mut rows = Rows::default();
    for opening in openings {
        story::play(opening, now, cast, &mut rows)?;
    }
    Ok(rows)
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
