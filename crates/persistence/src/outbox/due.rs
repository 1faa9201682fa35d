//! The statements of a claim: what is due to whom, free, and within the room that is left.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Jsonb, Uuid as SqlUuid};
use lindung_domain::subscription::Channel;
use uuid::Uuid;

use super::claim::{Lease, Room};
use crate::sql::Sql;

/// How many deliveries to a subscription that are due are looked at: those behind one that is under way cannot be claimed, and
/// may be many where a receiver is slow.
const LOOKED_AT: i64 = 500;

/// Gives back what this version cannot tell of: another may have written it, that knows more.
pub(super) fn put_off(deliveries: &[Uuid], until: DateTime<Utc>) -> Sql {
    Sql::new().with(
        "update deliveries set leased_until = null, attempts = attempts - 1, due_at = ? where id = any(?)",
        [until.into(), deliveries.to_vec().into()],
    )
}

/// The subscriptions that have room, and to which something is due, locked: two who claim at once take different ones. It is
/// a statement of its own, so that the next one sees what whoever had the lock before has claimed.
pub(super) fn ready(channel: Channel, room: Room, held: &Held) -> Sql<SqlUuid> {
    Sql::new()
        .with("select s.id from subscriptions s where s.status = 'active' and s.channel = ? and ", [channel.as_str().into()])
        .then(held.room_left(room))
        .with(
            " > 0 and (select true from deliveries d where d.subscription_id = s.id and d.status = 'pending' and d.due_at <= ? and ",
            [held.now.into()],
        )
        .then(held.is_free())
        // One is enough: a limit that is never joined with all that waits.
        .with(" limit 1) limit ? for update of s skip locked", [room.receivers.into()])
}

/// By what leases are judged.
pub(super) struct Held {
    pub(super) now: DateTime<Utc>,
    /// Those who deliver now.
    pub(super) present: Vec<i32>,
}

impl Held {
    /// A condition that holds where nobody is sending delivery `d`.
    fn is_free(&self) -> Sql {
        Sql::new().with(
            "(d.leased_until is null or d.leased_until <= ? or (d.leased_by is not null and d.leased_by <> all(?)))",
            [self.now.into(), self.present.clone().into()],
        )
    }

    /// How many more may be under way to subscription `s`.
    fn room_left(&self, room: Room) -> Sql {
        Sql::new().with(
            "(case when s.failing_since is null then ? else ? end - (select count(*) from deliveries d where d.subscription_id = s.id \
             and d.status = 'pending' and d.leased_until > ? and (d.leased_by is null or d.leased_by = any(?))))",
            [room.each.into(), room.failing.into(), self.now.into(), self.present.clone().into()],
        )
    }
}

/// What is due to subscription `r`, and free: of webhooks the first of each case, if nothing earlier of it is under way or
/// waits. Only so many are looked at, in the order in which they are due.
fn free(channel: Channel, held: &Held) -> Sql {
    let due = Sql::new()
        .with("select d.* from deliveries d where d.subscription_id = r.id and d.status = 'pending' and d.due_at <= ? and ", [held.now.into()])
        .then(held.is_free())
        .with(" order by d.due_at, d.number limit ?", [LOOKED_AT.into()]);
    match channel {
        Channel::Email => due,
        Channel::Webhook => Sql::new().with("select d.* from (select distinct on (d.about) d.* from (", []).then(due).with(
            ") d order by d.about, d.number) d where d.number is null or d.number = (select p.number from deliveries p \
             where p.subscription_id = d.subscription_id and p.about = d.about and p.status = 'pending' order by p.number limit 1)",
            [],
        ),
    }
}

/// Takes a lease on what is due and free, and returns it, the deliveries of each subscription together and in their order.
pub(super) fn leased(ready: Vec<Uuid>, channel: Channel, room: Room, held: &Held, lease: Lease) -> Sql<Jsonb> {
    let now = held.now;
    Sql::new()
        .with("with ready as materialized (select s.*, ", [])
        .then(held.room_left(room))
        .with(" as room from subscriptions s where s.id = any(?)), ", [ready.into()])
        .with(
            "due as materialized (select d.id, d.agency, e.id as event, (d.kind = 'test' or policy.tells_agency(d.agency, e.kind, e.case_id, \
             e.subject_type, e.subject_id)) as tells from (select d.* from ready r cross join lateral (select d.*, \
             row_number() over (order by d.due_at, d.number) as turn from (",
            [],
        )
        .then(free(channel, held))
        .with(
            ") d order by turn limit greatest(r.room, 0)) d order by d.turn limit ?) d left join events e on e.id = d.event_id), ",
            [room.whole.into()],
        )
        .with(
            "withheld as (update deliveries d set status = 'withheld', settled_at = ? from due where d.id = due.id and due.tells is not true), \
             leased as (update deliveries d set leased_until = ?, leased_by = ?, token = d.token + 1, attempts = d.attempts + 1 from due \
             where d.id = due.id and due.tells returning d.*) ",
            [now.into(), (now + lease.length).into(), lease.by.into()],
        )
        .with(
            "select jsonb_build_object('id', l.id, 'token', l.token, 'attempts', l.attempts, 'again', l.again, 'kind', l.kind, 'event_id', l.event_id, \
             'created_at', l.created_at, 'subscription', l.subscription_id, 'agency', l.agency, 'url', s.url, 'address', s.address, \
             'language', s.language, 'generation', s.generation, 'rotated_at', s.rotated_at, \
             'told', case when e.id is not null then to_jsonb(e) || jsonb_build_object('number', l.number) end) \
             from leased l join subscriptions s on s.id = l.subscription_id left join events e on e.id = l.event_id \
             order by l.subscription_id, l.number, l.id",
            [],
        )
}
