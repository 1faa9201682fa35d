//! Deliveries as administrators see them, and what they have sent again. How they are made and sent is in `outbox`.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Jsonb, Nullable, Text};
use diesel::{OptionalExtension, RunQueryDsl};
use lindung_domain::delivery::{AttemptOutcome, DeliveryKind, DeliveryStatus};
use lindung_domain::policy::{self, Act};
use lindung_domain::subscription::SubscriptionAction;
use lindung_domain::{DeliveryId, Refusal, SubscriptionId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::agencies::ABOUT_NOBODY;
use crate::db::{Call, Db, Read, Seen, Writing};
use crate::error::Error;
use crate::idempotency::Answer;
use crate::outbox::behind;
use crate::sql::Sql;
use crate::subscriptions::locked_for;

/// How many of the latest attempts are told.
const ATTEMPTS: i64 = 20;

/// An event on its way to a subscription, or there.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"))]
#[schema(rename_all = "camelCase")]
pub struct DeliveryItem {
    /// Its id (UUIDv7).
    pub id: DeliveryId,
    /// What it is of.
    pub kind: DeliveryKind,
    /// The event's number in the feed; null for a test.
    pub number: Option<i64>,
    /// The event's id, which is the `webhook-id`.
    pub event_id: Uuid,
    /// The event's type; null for a test, and where the event is hidden from whoever asks.
    pub event_type: Option<String>,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// Whether it was sent before, and then again by hand.
    pub again: bool,
    /// When it was, or will be, tried next; null where it will not.
    pub due_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it came to its end.
    pub settled_at: Option<DateTime<Utc>>,
    /// The latest twenty attempts, in their order.
    pub attempts: Vec<Attempt>,
}

/// One attempt.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"))]
#[schema(rename_all = "camelCase")]
pub struct Attempt {
    /// Which one, from 1.
    pub number: i32,
    /// When it began.
    pub at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub took_ms: i32,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// What the receiver answered: the HTTP status, or the mail server's reply code.
    pub code: Option<i32>,
    /// What went wrong: `timeout`, `refused`, `dns`, `tls`, `forbidden-address`, `redirect`, `status` and the like.
    #[schema(example = "timeout")]
    pub problem: Option<String>,
}

/// What makes an item of delivery `d`; its event as far as row-level security shows it.
const ITEM: &str = "d.id as item_id, to_jsonb(d) || jsonb_build_object('event_type', (select e.kind from events e where e.id = d.event_id), \
    'due_at', case when d.status = 'pending' then to_jsonb(d.due_at) else 'null' end, 'attempts', coalesce((select jsonb_agg(a order by a.number) \
    from (select * from delivery_attempts where delivery_id = d.id order by number desc limit ?) a), '[]')) as item from deliveries d";

impl Db {
    /// The deliveries of a subscription, newest first, before `before`; of one status where that is set.
    ///
    /// # Errors
    /// There is no such subscription; the actor is no administrator; the database is not available.
    pub fn deliveries(
        &self,
        call: &Call,
        of: SubscriptionId,
        status: Option<DeliveryStatus>,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<DeliveryItem>, Error> {
        policy::require_own(&call.actor, Act::KeepSubscriptions)?;
        let mut query = Sql::<Nullable<Jsonb>>::new()
            .with(ABOUT_NOBODY, [])
            .with("f.item_id, f.item from subscriptions s left join lateral (select ", [])
            .with(ITEM, [ATTEMPTS.into()])
            .with(" where d.subscription_id = s.id and d.id < ?", [before.unwrap_or(Uuid::max()).into()]);
        if let Some(status) = status {
            query = query.with(" and d.status = ?", [status.as_str().into()]);
        }
        let query = query.with(
            " order by d.id desc limit ?) f on true where s.id = ? and s.agency = ?",
            [limit.into(), of.0.into(), call.actor.agency().as_str().into()],
        );
        let rows: Vec<Option<Value>> = self.read(call, Read { columns: "item", query, seen: Seen::Open })?;
        rows.into_iter().flatten().map(|it| Ok(serde_json::from_value(it)?)).collect()
    }

    /// One delivery of a subscription.
    ///
    /// # Errors
    /// There is none; the actor is no administrator; the database is not available.
    pub fn delivery(&self, call: &Call, of: SubscriptionId, id: DeliveryId) -> Result<DeliveryItem, Error> {
        policy::require_own(&call.actor, Act::KeepSubscriptions)?;
        let query = Sql::<Nullable<Jsonb>>::new().with(ABOUT_NOBODY, []).with(ITEM, [ATTEMPTS.into()]).with(
            " where d.id = ? and d.subscription_id = ? and d.agency = ?",
            [id.0.into(), of.0.into(), call.actor.agency().as_str().into()],
        );
        let rows: Vec<Option<Value>> = self.read(call, Read { columns: "item", query, seen: Seen::Open })?;
        let found = rows.into_iter().flatten().next().ok_or(Refusal::NotFound)?;
        Ok(serde_json::from_value(found)?)
    }

    /// Delivers a test to a subscription.
    ///
    /// # Errors
    /// Not the actor's to keep; there is none, or it is not active; the database is not available.
    pub fn test_subscription(
        &self,
        writing: Writing<'_>,
        (of, id): (SubscriptionId, DeliveryId),
        answer: impl FnOnce() -> Result<Answer, Error>,
    ) -> Result<Answer, Error> {
        let call = writing.call;
        self.write_reference(writing, |_| Ok(policy::require_own(&call.actor, Act::KeepSubscriptions)?), |conn| {
            locked_for(conn, of, SubscriptionAction::Test)?;
            Sql::<()>::new()
                .with(
                    "insert into deliveries (id, subscription_id, agency, kind, event_id, urgent, status, due_at, created_at) \
                     values (?, ?, ?, 'test', ?, true, 'pending', ?, ?)",
                    [
                        id.0.into(),
                        of.0.into(),
                        call.actor.agency().as_str().into(),
                        Db::new_id().into(),
                        call.now.into(),
                        call.now.into(),
                    ],
                )
                .execute(conn)?;
            answer()
        })
    }

    /// Delivers one again, under the same `webhook-id`.
    ///
    /// # Errors
    /// Not the actor's to keep; there is none, or it is still on its way; the database is not available.
    pub fn redeliver(
        &self,
        writing: Writing<'_>,
        (of, id): (SubscriptionId, DeliveryId),
        answer: impl FnOnce() -> Result<Answer, Error>,
    ) -> Result<Answer, Error> {
        let call = writing.call;
        self.write_reference(writing, |_| Ok(policy::require_own(&call.actor, Act::KeepSubscriptions)?), |conn| {
            locked_for(conn, of, SubscriptionAction::Redeliver)?;
            let query = Sql::<Text>::new().with(
                "select status from deliveries where id = ? and subscription_id = ? for update",
                [id.0.into(), of.0.into()],
            );
            let status: Option<String> = query.get_result(conn).optional()?;
            if status.ok_or(Refusal::NotFound)? == DeliveryStatus::Pending.as_str() {
                return Err(Refusal::case_not_now("it is still on its way").into());
            }
            Sql::<()>::new()
                .with(
                    "update deliveries set status = 'pending', attempts = 0, again = true, urgent = true, due_at = ?, leased_until = null, \
                     token = token + 1, settled_at = null where id = ?",
                    [call.now.into(), id.0.into()],
                )
                .execute(conn)?;
            behind(Sql::new().with("select d.* from deliveries d where d.id = ?", [id.0.into()])).execute(conn)?;
            answer()
        })
    }
}
