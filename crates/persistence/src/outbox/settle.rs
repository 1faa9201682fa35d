//! How attempts ended.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::RunQueryDsl;
use diesel::pg::PgConnection;
use diesel::sql_types::{BigInt, Integer, Nullable, Timestamptz, Uuid as SqlUuid};
use lindung_domain::delivery::{self, AttemptOutcome, DeliveryStatus};
use lindung_domain::subscription::DisabledReason;
use lindung_domain::{DeliveryId, SubscriptionId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::db::Db;
use crate::error::Error;
use crate::sql::Sql;

/// How an attempt ended, as far as the receiver is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It has it.
    Delivered,
    /// It does not, and may have it later, not before so long where it said so.
    Failed(Option<TimeDelta>),
    /// It will not take this one, however often it is sent.
    Refused,
    /// It is there no more.
    Gone(DisabledReason),
}

/// One attempt, and how it ended.
#[derive(Debug, Clone)]
pub struct Tried {
    /// To which subscription.
    pub subscription: SubscriptionId,
    /// Of which delivery.
    pub delivery: DeliveryId,
    /// The token of the lease under which it was made.
    pub token: i64,
    /// Which attempt it was, from 1.
    pub attempt: i32,
    /// When it began.
    pub at: DateTime<Utc>,
    /// How long it took.
    pub took: TimeDelta,
    /// How it ended.
    pub ended: Ended,
    /// What was answered: an HTTP status or a mail server's reply code.
    pub code: Option<i32>,
    /// What went wrong, as a code.
    pub problem: Option<&'static str>,
    /// What makes the wait before the next attempt longer, in [0, 1).
    pub chance: f64,
}

/// What became of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// How many were written; of the others somebody else has the lease by now.
    pub written: i64,
    /// The subscriptions that were disabled by it.
    pub disabled: Vec<(SubscriptionId, DisabledReason)>,
}

impl Db {
    /// Writes how attempts ended, where their leases are still the newest, and disables what has failed for too long.
    ///
    /// # Errors
    /// The database is not available, or the login may not do this: then the leases end, and it is sent again.
    pub fn settle(&self, tried: &[Tried], now: DateTime<Utc>) -> Result<Settled, Error> {
        let rows = Value::Array(tried.iter().map(|it| row(it, now)).collect());
        self.transaction_on_queue(|conn| {
            let query = Sql::<BigInt>::new()
                .with(
                    "with tried as materialized (select * from jsonb_to_recordset(?) t (delivery uuid, token bigint, at timestamptz, took_ms integer, \
                     outcome text, code integer, problem text, status text, due_at timestamptz)), settled as (update deliveries d set status = t.status, \
                     due_at = coalesce(t.due_at, d.due_at), leased_until = null, settled_at = case when t.status <> 'pending' then ?::timestamptz end \
                     from tried t where d.id = t.delivery and d.token = t.token and d.status = 'pending' returning d.id), \
                     kept as (insert into delivery_attempts (delivery_id, number, at, took_ms, outcome, code, problem) \
                     select t.delivery, 1 + coalesce((select max(a.number) from delivery_attempts a where a.delivery_id = t.delivery), 0), t.at, t.took_ms, \
                     t.outcome, t.code, t.problem from tried t join settled s on s.id = t.delivery returning 1) select count(*) from kept",
                    [rows.clone().into(), now.into()],
                );
            let written = query.get_result(conn)?;
            if tried.iter().any(|it| it.ended != Ended::Delivered) {
                held_up(rows).execute(conn)?;
            }
            Ok(Settled { written, disabled: reckoned(conn, tried, now)? })
        })
    }

    /// Keeps what was claimed, where the leases are still the newest, until then, for whoever is present under this number.
    ///
    /// # Errors
    /// The database is not available: then the leases end by themselves.
    pub fn keep(&self, claimed: &[(DeliveryId, i64)], until: DateTime<Utc>, by: i32) -> Result<usize, Error> {
        let rows = claimed.iter().map(|it| json!({ "id": it.0, "token": it.1 })).collect();
        let query = Sql::<()>::new().with(
            "update deliveries d set leased_until = ?, leased_by = ? from jsonb_to_recordset(?) t (id uuid, token bigint) \
             where d.id = t.id and d.token = t.token and d.status = 'pending'",
            [until.into(), by.into(), Value::Array(rows).into()],
        );
        Ok(query.execute(&mut *self.connection()?)?)
    }
}

/// What stands behind a webhook that is tried again waits for as long: claims do not look at it until then.
fn held_up(tried: Value) -> Sql {
    behind(Sql::new().with(
        "select d.* from jsonb_to_recordset(?) t (delivery uuid, token bigint) join deliveries d on d.id = t.delivery and d.token = t.token",
        [tried.into()],
    ))
}

/// What stands behind these deliveries, webhooks that are pending, is due no earlier than they are. A claim looks at a queue's
/// front alone, and has to find there what it can send.
pub(crate) fn behind(deliveries: Sql) -> Sql {
    Sql::new()
        .with(
            "with again as (select d.subscription_id, d.about, min(d.number) as number, max(d.due_at) as due_at from (",
            [],
        )
        .then(deliveries)
        .with(
            ") d join subscriptions s on s.id = d.subscription_id and s.channel = 'webhook' where d.status = 'pending' \
             group by d.subscription_id, d.about) update deliveries d set due_at = a.due_at from again a \
             where d.subscription_id = a.subscription_id and d.about = a.about \
             and d.status = 'pending' and d.number > a.number and d.due_at < a.due_at",
            [],
        )
}

fn row(tried: &Tried, now: DateTime<Utc>) -> Value {
    let Tried { subscription: _, delivery, token, attempt, at, took, ended, code, problem, chance } = tried;
    let (status, due_at) = match ended {
        Ended::Delivered => (DeliveryStatus::Delivered, None),
        Ended::Refused => (DeliveryStatus::Parked, None),
        // Its subscription is disabled: it waits until that is resumed.
        Ended::Gone(_) => (DeliveryStatus::Pending, Some(now)),
        Ended::Failed(asked) => match delivery::next_attempt(*attempt, *chance, *asked, now) {
            Some(at) => (DeliveryStatus::Pending, Some(at)),
            None => (DeliveryStatus::Parked, None),
        },
    };
    let outcome = if *ended == Ended::Delivered { AttemptOutcome::Delivered } else { AttemptOutcome::Failed };
    json!({
        "delivery": delivery, "token": token, "at": at, "took_ms": took.num_milliseconds(), "outcome": outcome, "code": code,
        "problem": problem, "status": status, "due_at": due_at,
    })
}

/// Counts failures of subscriptions, and ends that where something arrived.
fn reckoned(
    conn: &mut PgConnection,
    tried: &[Tried],
    now: DateTime<Utc>,
) -> Result<Vec<(SubscriptionId, DisabledReason)>, Error> {
    let arrived: BTreeSet<SubscriptionId> =
        tried.iter().filter(|it| it.ended == Ended::Delivered).map(|it| it.subscription).collect();
    if !arrived.is_empty() {
        let ids: Vec<Uuid> = arrived.iter().map(|it| it.0).collect();
        let healthy = "update subscriptions set failing_since = null, failures = 0 where id = any(?) and failing_since is not null";
        Sql::<()>::new().with(healthy, [ids.into()]).execute(conn)?;
    }
    let all: BTreeSet<SubscriptionId> = tried.iter().map(|it| it.subscription).collect();
    let mut disabled = Vec::new();
    for id in all {
        let own = || tried.iter().filter(|it| it.subscription == id);
        let gone = own().find_map(|it| match it.ended {
            Ended::Gone(reason) => Some(reason),
            Ended::Delivered | Ended::Failed(_) | Ended::Refused => None,
        });
        // Whoever says that nobody is there any more is believed, whatever arrived before.
        if gone.is_none() && arrived.contains(&id) {
            continue;
        }
        let failed = i32::try_from(own().count()).unwrap_or(i32::MAX);
        let query = Sql::<(SqlUuid, Nullable<Timestamptz>, Integer)>::new().with(
            "update subscriptions set failing_since = coalesce(failing_since, ?), failures = failures + ? where id = ? and status = 'active' \
             returning id, failing_since, failures",
            [now.into(), failed.into(), id.0.into()],
        );
        let counted: Vec<(Uuid, Option<DateTime<Utc>>, i32)> = query.load(conn)?;
        let Some((_, Some(since), failures)) = counted.first() else { continue };
        let Some(reason) = gone.or_else(|| delivery::given_up(*since, *failures, now)) else { continue };
        Sql::<()>::new()
            .with(
                "update subscriptions set status = 'disabled', reason = ?, version = version + 1, updated_at = ?, told_at = null where id = ?",
                [reason.as_str().into(), now.into(), id.0.into()],
            )
            .execute(conn)?;
        disabled.push((id, reason));
    }
    Ok(disabled)
}
