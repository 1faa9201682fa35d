//! Proofs of possession (RFC 9449) that were used: each is good once.
//!
//! A proof is spent by the statement that writes the access row. `spent_proofs` is a ring of
//! partitions by the time at which proofs were made; one that takes none any more is emptied whole.

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use uuid::Uuid;

use crate::db::Db;
use crate::error::Error;
use crate::sql::Sql;

/// How long, in seconds, one partition takes proofs. Whoever judges proofs takes none that was made
/// longer ago than that, or is further ahead.
pub const PROOF_PERIOD: i64 = 300;

/// How many partitions there are: three that may take proofs now, and three that rest.
const SLOTS: i64 = 6;

/// How many periods lie between now and those whose proofs nobody takes any more, whoever's clock is
/// some minutes behind.
const PAST: i64 = 3;

/// Which of the coming periods have slots that rest now.
const RESTING: RangeInclusive<i64> = 2..=3;

/// A proof that was found good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Thumbprint (RFC 7638) of the key that signed it.
    pub jkt: String,
    /// Its own id.
    pub jti: String,
    /// When it was made, in seconds since 1970.
    pub made: i64,
}

fn period(seconds: i64) -> i64 {
    seconds.div_euclid(PROOF_PERIOD)
}

/// Below [`SLOTS`], so that it fits.
fn slot(period: i64) -> i16 {
    i16::try_from(period.rem_euclid(SLOTS)).unwrap_or_default()
}

/// Spends a proof, or fails: it was spent before.
pub(crate) fn spent<ST>(proof: &Proof, request_id: Uuid) -> Sql<ST> {
    let Proof { jkt, jti, made } = proof;
    let period = period(*made);
    Sql::new().with(
        "insert into spent_proofs (slot, period, jkt, jti, request_id) values (?, ?, ?, ?, ?)",
        [slot(period).into(), period.into(), jkt.as_str().into(), jti.as_str().into(), request_id.into()],
    )
}

/// The same after the request's rollback: one row, unless another request spent the proof.
pub(crate) fn spent_by<ST>(proof: &Proof, request_id: Uuid) -> Sql<ST> {
    spent::<ST>(proof, request_id).with(
        " on conflict (slot, period, jkt, jti) do update set request_id = excluded.request_id \
         where spent_proofs.request_id = excluded.request_id returning 1",
        [],
    )
}

impl Db {
    /// Spends the proof of a request that leaves no access row.
    ///
    /// # Errors
    /// It was spent before; the database is not available.
    pub fn spend_proof(&self, proof: &Proof, request_id: Uuid) -> Result<(), Error> {
        spent::<()>(proof, request_id).execute(&mut *self.connection()?)?;
        Ok(())
    }
}

/// Empties the slots that rest. The lock and the look under it make sure that nothing goes which
/// might still be needed, however late this comes and whatever the clock says.
pub(crate) fn forget(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<(), Error> {
    let now = period(now.timestamp());
    let past = now - PAST;
    for table in RESTING.map(|ahead| format!("spent_proofs_{}", slot(now + ahead))) {
        conn.batch_execute(&format!(
            "do $$ begin lock table {table} in access exclusive mode; \
             if exists (select from {table}) and not exists (select from {table} where period > {past}) \
             then truncate {table}; end if; end $$"
        ))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever takes proofs of up to a period ago, and up to one ahead, finds none of them in a slot that rests.
    #[test]
    fn no_slot_rests_that_can_take_proofs() {
        for now in [0, 1, PROOF_PERIOD - 1, PROOF_PERIOD, 1_795_485_600, 1_795_485_899, 1_795_485_900] {
            let resting: Vec<i16> = RESTING.map(|ahead| slot(period(now) + ahead)).collect();
            for made in [now - PROOF_PERIOD, now, now + PROOF_PERIOD] {
                assert!(!resting.contains(&slot(period(made))), "{made} at {now}");
                assert!(period(made) > period(now) - PAST);
            }
        }
    }

    #[test]
    fn every_slot_rests_before_it_is_used_again() {
        for ahead in 0..SLOTS {
            let used = period(1_795_485_600) + ahead;
            let rests = (1..SLOTS).any(|later| {
                let now = used + later;
                RESTING.clone().any(|it| slot(now + it) == slot(used)) && used <= now - PAST
            });
            assert!(rests, "{used}");
        }
    }
}
