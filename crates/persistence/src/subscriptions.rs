//! Subscriptions: where an agency is told of its events beside the feed. Row-level security keeps agencies apart.

mod row;

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::sql_types::{BigInt, Jsonb, Nullable};
use diesel::{OptionalExtension, RunQueryDsl};
use lindung_domain::policy::{self, Act};
use lindung_domain::refusal::{Expected, Invalid};
use lindung_domain::subscription::{self, Destination, Filter, Subscription, SubscriptionAction, SubscriptionStatus};
use lindung_domain::{Refusal, SubscriptionId, Version};
use serde_json::Value;
use uuid::Uuid;

use crate::agencies::ABOUT_NOBODY;
use crate::db::{Call, Db, Read, Seen, Writing};
use crate::error::Error;
use crate::idempotency::Answer;
use crate::sql::Sql;
use row::SubscriptionRow;

/// How many subscriptions an agency can have that have not ended.
const LIMIT: i64 = 20;

/// From which event on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// From the next one on.
    Now,
    /// From this number on.
    Number(i64),
    /// From the first one of the agency's that happened then or later.
    Time(DateTime<Utc>),
}

/// A subscription to be made.
#[derive(Debug, Clone)]
pub struct NewSubscription {
    /// Its id.
    pub id: SubscriptionId,
    /// Where it goes.
    pub destination: Destination,
    /// What it wants.
    pub filter: Filter,
    /// From which event on.
    pub from: Beginning,
}

/// What an administrator wants of a subscription.
#[derive(Debug, Clone)]
pub enum Wish {
    /// A command that needs nothing but the subscription.
    Does(subscription::Command),
    /// Other filters, or another destination.
    Change(Destination, Filter),
    /// That events are delivered again from there on.
    Replay(Beginning),
}

impl Db {
    /// Makes a subscription for the actor's agency.
    ///
    /// # Errors
    /// Not the actor's to keep; too many; the beginning is ahead of the feed; the database is not available.
    pub fn subscribe(
        &self,
        writing: Writing<'_>,
        new: &NewSubscription,
        answer: impl FnOnce(&Subscription) -> Result<Answer, Error>,
    ) -> Result<Answer, Error> {
        let call = writing.call;
        self.write_reference(
            writing,
            |_| Ok(policy::require_own(&call.actor, Act::KeepSubscriptions)?),
            |conn| {
                let agency = call.actor.agency();
                // Two at once are one after the other, so that the limit holds.
                Sql::<()>::new()
                    .with("select pg_advisory_xact_lock(hashtext(?))", [agency.as_str().into()])
                    .execute(conn)?;
                let there = Sql::<BigInt>::new().with(
                    "select count(*) from subscriptions where agency = ? and status <> 'ended'",
                    [agency.as_str().into()],
                );
                if there.get_result::<i64>(conn)? >= LIMIT {
                    return Err(
                        Refusal::case_not_now("your agency has as many subscriptions as it can have: end one").into()
                    );
                }
                let subscription = Subscription::restore(subscription::Record {
                    id: new.id,
                    agency: agency.clone(),
                    destination: new.destination.clone(),
                    filter: new.filter.clone(),
                    status: SubscriptionStatus::Active,
                    reason: None,
                    generation: 1,
                    rotated_at: None,
                    next_number: number(conn, call, new.from)?,
                    replaying: None,
                    failing_since: None,
                    failures: 0,
                    version: Version::FIRST,
                    created_at: call.now,
                });
                row::inserted(subscription.record(), call.now).execute(conn)?;
                answer(&subscription)
            },
        )
    }

    /// Does to a subscription what an administrator wants.
    ///
    /// # Errors
    /// Not the actor's to keep; there is none; stale; not in this state; the database is not available.
    pub fn change_subscription(
        &self,
        writing: Writing<'_>,
        id: SubscriptionId,
        wish: &Wish,
        answer: impl FnOnce(&Subscription) -> Result<Answer, Error>,
    ) -> Result<Answer, Error> {
        let (call, expected) = (writing.call, writing.expected);
        self.write_reference(writing, |_| Ok(policy::require_own(&call.actor, Act::KeepSubscriptions)?), |conn| {
            let before = locked(conn, id, expected)?;
            let command = match wish {
                Wish::Does(command) => command.clone(),
                Wish::Change(destination, filter) => {
                    if destination.channel() != before.record().destination.channel() {
                        return Err(Refusal::from(Invalid::new("channel", "fixed", "stays as it is: make another")).into());
                    }
                    subscription::Command::Change(destination.clone(), filter.clone())
                }
                Wish::Replay(from) => subscription::Command::Replay(number(conn, call, *from)?),
            };
            let resumes = command == subscription::Command::Resume;
            let after = before.apply(command, call.now)?;
            row::updated(after.record(), call.now).execute(conn)?;
            if resumes {
                let due = "update deliveries set due_at = ? where subscription_id = ? and status = 'pending' and due_at > ?";
                Sql::<()>::new().with(due, [call.now.into(), id.0.into(), call.now.into()]).execute(conn)?;
            }
            answer(&after)
        })
    }

    /// The subscriptions of the actor's agency, newest first, before `before`.
    ///
    /// # Errors
    /// The actor is no administrator; the database is not available.
    pub fn subscriptions(&self, call: &Call, before: Option<Uuid>, limit: i64) -> Result<Vec<Subscription>, Error> {
        policy::require_own(&call.actor, Act::KeepSubscriptions)?;
        let query = Sql::<Nullable<Jsonb>>::new().with(ABOUT_NOBODY, []).with(
            "s.id as item_id, to_jsonb(s) as item from subscriptions s where s.agency = ? and s.id < ? order by s.id desc limit ?",
            [call.actor.agency().as_str().into(), before.unwrap_or(Uuid::max()).into(), limit.into()],
        );
        let rows: Vec<Option<Value>> = self.read(call, Read { columns: "item", query, seen: Seen::List })?;
        rows.into_iter().flatten().map(restored).collect()
    }

    /// One subscription of the actor's agency.
    ///
    /// # Errors
    /// There is none; the actor is no administrator; the database is not available.
    pub fn subscription(&self, call: &Call, id: SubscriptionId) -> Result<Subscription, Error> {
        policy::require_own(&call.actor, Act::KeepSubscriptions)?;
        let query = Sql::<Nullable<Jsonb>>::new().with(ABOUT_NOBODY, []).with(
            "s.id as item_id, to_jsonb(s) as item from subscriptions s where s.agency = ? and s.id = ?",
            [call.actor.agency().as_str().into(), id.0.into()],
        );
        let rows: Vec<Option<Value>> = self.read(call, Read { columns: "item", query, seen: Seen::Open })?;
        rows.into_iter().flatten().next().map_or_else(|| Err(Refusal::NotFound.into()), restored)
    }
}

/// A subscription of the actor's agency, locked, in the version that the caller has.
pub(crate) fn locked(conn: &mut PgConnection, id: SubscriptionId, expected: Expected) -> Result<Subscription, Error> {
    let query =
        Sql::<Jsonb>::new().with("select to_jsonb(s) from subscriptions s where s.id = ? for update", [id.0.into()]);
    let row: Option<Value> = query.get_result(conn).optional()?;
    let found = restored(row.ok_or(Refusal::NotFound)?)?;
    expected.require(found.record().version)?;
    Ok(found)
}

/// The same where something is done that does not change it.
pub(crate) fn locked_for(
    conn: &mut PgConnection,
    id: SubscriptionId,
    action: SubscriptionAction,
) -> Result<Subscription, Error> {
    let found = locked(conn, id, Expected::Any)?;
    found.require(action)?;
    Ok(found)
}

fn restored(row: Value) -> Result<Subscription, Error> {
    Ok(Subscription::restore(serde_json::from_value::<SubscriptionRow>(row)?.try_into()?))
}

/// The number of the event to begin with.
fn number(conn: &mut PgConnection, call: &Call, from: Beginning) -> Result<i64, Error> {
    let head: i64 =
        Sql::<BigInt>::new().with("select next from sequencers where log = 'events'", []).get_result(conn)?;
    match from {
        Beginning::Now => Ok(head),
        Beginning::Number(number) if number > head => {
            Err(Refusal::from(Invalid::new("fromNumber", "ahead", "is ahead of the feed")).into())
        }
        Beginning::Number(number) => Ok(number),
        Beginning::Time(time) => {
            let query = Sql::<Nullable<BigInt>>::new().with(
                "select min(f.number) from feed f join events e on e.id = f.event_id where f.agency = ? and e.at >= ?",
                [call.actor.agency().as_str().into(), time.into()],
            );
            Ok(query.get_result::<Option<i64>>(conn)?.unwrap_or(head))
        }
    }
}
