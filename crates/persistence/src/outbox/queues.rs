//! How much waits, and how attempts go: sums alone, for whoever operates the service.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::RunQueryDsl;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};

use crate::db::Db;
use crate::error::Error;
use crate::sql::Sql;

/// Over how long attempts are counted.
const LATELY: TimeDelta = TimeDelta::minutes(10);

/// What waits in a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// `fan-out`, `notify`, `webhook`, `email` or `parked`.
    pub name: String,
    /// How much, up to 10,000.
    pub depth: i64,
    /// Since when the oldest is due; nothing where nothing is.
    pub oldest: Option<DateTime<Utc>>,
}

/// Attempts of the last ten minutes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempts {
    /// By what channel.
    pub channel: String,
    /// How they ended.
    pub outcome: String,
    /// How many.
    pub count: i64,
}

impl Db {
    /// The queues, and how attempts went lately.
    ///
    /// # Errors
    /// The database is not available.
    pub fn queues(&self, now: DateTime<Utc>) -> Result<(Vec<Queue>, Vec<Attempts>), Error> {
        let conn = &mut *self.connection()?;
        let queues: Vec<(String, i64, Option<DateTime<Utc>>)> = Sql::<(Text, BigInt, Nullable<Timestamptz>)>::new()
            .with("select queue, depth, oldest from policy.queues()", [])
            .load(conn)?;
        let attempts: Vec<(String, String, i64)> = Sql::<(Text, Text, BigInt)>::new()
            .with("select channel, outcome, count from policy.attempts(?)", [(now - LATELY).into()])
            .load(conn)?;
        let queues = queues.into_iter().map(|(name, depth, oldest)| Queue { name, depth, oldest }).collect();
        let attempts =
            attempts.into_iter().map(|(channel, outcome, count)| Attempts { channel, outcome, count }).collect();
        Ok((queues, attempts))
    }
}
