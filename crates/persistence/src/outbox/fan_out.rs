//! From the feed to deliveries: each event once for each subscription that wants it.

use chrono::{DateTime, Utc};
use diesel::RunQueryDsl;
use diesel::pg::PgConnection;
use diesel::sql_types::{BigInt, Jsonb};
use lindung_domain::delivery;
use lindung_domain::event::{Event, Kind};
use lindung_domain::subscription::Channel;
use lindung_domain::values::Priority;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::db::Db;
use crate::error::Error;
use crate::outbox::settle::behind;
use crate::sql::Sql;

/// How many of an agency's events are looked at for one of its subscriptions in a turn.
const EVENTS: i64 = 500;
/// How many subscriptions have their turn together.
const SUBSCRIPTIONS: i64 = 50;

/// What a turn did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FannedOut {
    /// How many deliveries were made, or made due again.
    pub deliveries: usize,
    /// Whether there may be more at once.
    pub more: bool,
}

/// An event that a subscription wants.
#[derive(Deserialize)]
struct Wanted {
    subscription: Uuid,
    agency: String,
    channel: Channel,
    event: Uuid,
    number: i64,
    about: Uuid,
    kind: String,
    priority: Option<Priority>,
}

impl Db {
    /// One turn: deliveries of what has come to the feed, for the subscriptions that are active. Several at once do
    /// different subscriptions.
    ///
    /// # Errors
    /// The database is not available, or the login may not do this.
    pub fn fan_out(&self, now: DateTime<Utc>) -> Result<FannedOut, Error> {
        self.transaction_of_any_length(|conn| {
            let picked: Vec<(Value, i64)> = picked().load(conn)?;
            let ids: Vec<Uuid> =
                picked.iter().filter_map(|it| serde_json::from_value(it.0["id"].clone()).ok()).collect();
            if ids.is_empty() {
                return Ok(FannedOut::default());
            }
            let more = i64::try_from(ids.len()).is_ok_and(|it| it >= SUBSCRIPTIONS)
                || picked.iter().any(|(it, head)| it["until"].as_i64() != Some(*head));
            let deliveries = made(conn, &Value::Array(picked.into_iter().map(|it| it.0).collect()), now)?;
            Ok(FannedOut { deliveries, more })
        })
    }
}

/// The subscriptions that are behind the feed, locked, each with the number up to which it has its turn; and the head.
fn picked() -> Sql<(Jsonb, BigInt)> {
    Sql::new().with(
        "select jsonb_build_object('id', s.id, 'until', least(h.next, coalesce((select f.number + 1 from feed f \
         where f.agency = s.agency and f.number >= s.next_number order by f.number offset ? limit 1), h.next))), h.next \
         from subscriptions s cross join (select next from sequencers where log = 'events') h \
         where s.status = 'active' and s.next_number < h.next order by random() limit ? for update of s skip locked",
        [(EVENTS - 1).into(), SUBSCRIPTIONS.into()],
    )
}

fn made(conn: &mut PgConnection, turns: &Value, now: DateTime<Utc>) -> Result<usize, Error> {
    let wanted = Sql::<Jsonb>::new().with(
        "select jsonb_build_object('subscription', s.id, 'agency', s.agency, 'channel', s.channel, 'event', e.id, 'number', f.number, \
         'about', coalesce(e.case_id, e.subject_id), 'kind', e.kind, 'priority', coalesce(r.priority, c.priority)) \
         from jsonb_to_recordset(?) t (id uuid, until bigint) join subscriptions s on s.id = t.id \
         join feed f on f.agency = s.agency and f.number >= s.next_number and f.number < t.until join events e on e.id = f.event_id \
         left join referrals r on e.subject_type = 'referral' and r.id = e.subject_id left join cases c on c.id = e.case_id \
         where (s.types = '{}' or exists (select from unnest(s.types) it where e.kind = it or (right(it, 2) = '.*' and starts_with(e.kind, left(it, -1))))) \
         and (s.of_case is null or e.case_id = s.of_case) \
         and (s.of_referral is null or (e.subject_type = 'referral' and e.subject_id = s.of_referral)) order by f.number",
        [turns.clone().into()],
    );
    let rows: Vec<Value> = wanted.load(conn)?;
    let rows: Vec<Value> =
        rows.into_iter().map(|it| Ok(row(serde_json::from_value(it)?, now))).collect::<Result<_, Error>>()?;
    let mut count = 0;
    if !rows.is_empty() {
        // What is there already is there because it is replayed, or because a turn was not: then it stays as it is. What
        // comes behind a webhook that is tried again waits for as long.
        count = Sql::<()>::new()
            .with(
                "insert into deliveries (id, subscription_id, agency, kind, number, event_id, about, urgent, status, due_at, created_at) \
                 select n.id, n.subscription_id, n.agency, 'event', n.number, n.event_id, n.about, n.urgent, 'pending', \
                 greatest(n.due_at, (select p.due_at from deliveries p join subscriptions s on s.id = p.subscription_id where s.channel = 'webhook' \
                 and p.subscription_id = n.subscription_id and p.about = n.about and p.status = 'pending' and p.number < n.number \
                 order by p.number desc limit 1)), n.created_at from jsonb_populate_recordset(null::deliveries, ?) n on conflict (subscription_id, number) do update set status = 'pending', \
                 attempts = 0, again = true, due_at = excluded.due_at, leased_until = null, token = deliveries.token + 1, settled_at = null \
                 where deliveries.status <> 'pending' and deliveries.number < (select s.replaying from subscriptions s where s.id = deliveries.subscription_id)",
                [Value::Array(rows).into()],
            )
            .execute(conn)?;
        behind(replayed(turns.clone())).execute(conn)?;
    }
    Sql::<()>::new()
        .with(
            "update subscriptions s set next_number = t.until, replaying = case when s.replaying > t.until then s.replaying end \
             from jsonb_to_recordset(?) t (id uuid, until bigint) where s.id = t.id",
            [turns.clone().into()],
        )
        .execute(conn)?;
    Ok(count)
}

/// The deliveries that these turns made, or made due again, of those that are replayed.
fn replayed(turns: Value) -> Sql {
    Sql::new().with(
        "select d.* from jsonb_to_recordset(?) t (id uuid, until bigint) join subscriptions s on s.id = t.id and s.replaying is not null \
         join deliveries d on d.subscription_id = s.id and d.number >= s.next_number and d.number < t.until",
        [turns.into()],
    )
}

fn row(wanted: Wanted, now: DateTime<Utc>) -> Value {
    let Wanted { subscription, agency, channel, event, number, about, kind, priority } = wanted;
    let kind: Option<Kind> = kind.strip_prefix(Event::PREFIX).and_then(|it| it.parse().ok());
    let urgent = kind.is_none_or(|it| delivery::is_urgent(it, priority));
    let due_at = if channel == Channel::Email && !urgent { delivery::next_digest(now) } else { now };
    json!({
        "id": Db::new_id(), "subscription_id": subscription, "agency": agency, "number": number, "event_id": event,
        "about": about, "urgent": urgent, "due_at": due_at, "created_at": now,
    })
}
