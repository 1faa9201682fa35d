//! Claims: what is due, for whoever sends it now.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::RunQueryDsl;
use diesel::sql_types::{Jsonb, Uuid as SqlUuid};
use lindung_domain::delivery::DeliveryKind;
use lindung_domain::subscription::{Channel, MailLanguage};
use lindung_domain::{DeliveryId, SubscriptionId};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::access_log;
use crate::cloud_event::{CloudEvent, Told};
use crate::db::Db;
use crate::error::Error;
use crate::outbox::presence::present;
use crate::outbox::settle::behind;
use crate::sql::Sql;

/// How many deliveries to a subscription that are due are looked at: those behind one that is under way cannot be claimed, and
/// may be many where a receiver is slow.
const LOOKED_AT: i64 = 500;

/// How long what this version cannot tell of waits.
const UNCLEAR: TimeDelta = TimeDelta::minutes(1);

/// How much may be claimed.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// In all.
    pub whole: i64,
    /// For so many subscriptions.
    pub receivers: i64,
    /// Of one subscription, counting what others have claimed.
    pub each: i64,
    /// The same where nothing but failure was seen lately.
    pub failing: i64,
}

/// For how long something is claimed, and by whom.
#[derive(Debug, Clone, Copy)]
pub struct Lease {
    /// From now on.
    pub from: DateTime<Utc>,
    /// For so long.
    pub length: TimeDelta,
    /// By whom: it ends earlier where that one is not present any more.
    pub by: Option<i32>,
}

/// Where a claimed delivery goes.
#[derive(Debug, Clone)]
pub enum Reach {
    /// To this URL, signed with the secret of this generation, and with the one before it.
    Webhook {
        /// The URL.
        url: String,
        /// Of the secret.
        generation: i32,
        /// Whether the secret before it signs too.
        former: bool,
    },
    /// To this address, in this language.
    Email {
        /// The address.
        address: String,
        /// The language.
        language: MailLanguage,
    },
}

/// A delivery that nobody else sends until its lease ends.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Its id.
    pub id: DeliveryId,
    /// Of the lease.
    pub token: i64,
    /// Which attempt it is since it was last made due by hand, from 1.
    pub attempt: i32,
    /// Whether it was sent before, and then again by hand.
    pub again: bool,
    /// The event's id, which is the `webhook-id`.
    pub event_id: Uuid,
    /// What is told; of a test nothing that happened.
    pub event: Option<CloudEvent>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// What was claimed for one subscription.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The subscription.
    pub subscription: SubscriptionId,
    /// Whose it is.
    pub agency: String,
    /// Where it goes.
    pub reach: Reach,
    /// What goes there.
    pub deliveries: Vec<Claimed>,
}

/// What a claim came to.
#[derive(Debug, Default)]
pub struct Claims {
    /// What was claimed, by subscription.
    pub claims: Vec<Claim>,
    /// Why something else could not be: it waits, and what is behind it in its case.
    pub failure: Option<Error>,
}

/// A row of what was claimed.
#[derive(Deserialize)]
struct Row {
    id: DeliveryId,
    token: i64,
    attempts: i32,
    again: bool,
    kind: DeliveryKind,
    event_id: Uuid,
    created_at: DateTime<Utc>,
    subscription: SubscriptionId,
    agency: String,
    url: Option<String>,
    address: Option<String>,
    language: Option<MailLanguage>,
    generation: i32,
    rotated_at: Option<DateTime<Utc>>,
    told: Option<Told>,
}

impl Db {
    /// Claims what is due on a channel, for so long, to be told by the service with this URL. What a shield, an erasure or
    /// the agency's end hides by now is withheld. Each subscription's share is an access, recorded before anything leaves.
    ///
    /// Order is kept: within a case nothing is claimed while something earlier is still on its way.
    ///
    /// # Errors
    /// The database is not available, or the login may not do this; whoever claims is not known to be present.
    pub fn claim(&self, channel: Channel, room: Room, lease: Lease, issuer: &str) -> Result<Claims, Error> {
        let now = lease.from;
        if room.whole <= 0 || room.receivers <= 0 {
            return Ok(Claims::default());
        }
        self.transaction_on_queue(|conn| {
            let held = Held { now, present: present().load(conn)? };
            let ready: Vec<Uuid> = ready(channel, room, &held).load(conn)?;
            if ready.is_empty() {
                return Ok(Claims::default());
            }
            // Once more, now that nobody else can claim: whoever came and claimed in between is no dead one.
            let held = Held { now, present: present().load(conn)? };
            if lease.by.is_some_and(|it| !held.present.contains(&it)) {
                // Its leases would be anybody's at once.
                return Err(Error::Unavailable("the session that makes us known has ended".to_owned()));
            }
            let rows: Vec<Value> = leased(ready, channel, room, &held, lease).load(conn)?;
            let mut claims: Vec<Claim> = Vec::new();
            let (mut unclear, mut failure) = (Vec::new(), None);
            // Of whom each claim tells: its cases and its children.
            let mut told: Vec<[BTreeSet<Uuid>; 2]> = Vec::new();
            for row in rows {
                let row: Row = serde_json::from_value(row)?;
                let of_whom = row.told.as_ref().map(|it| [it.case(), it.child()]).unwrap_or_default();
                let (id, subscription, agency) = (row.id, row.subscription, row.agency.clone());
                let (reach, delivery) = match reach(&row, now).and_then(|it| Ok((it, claimed(row, issuer)?))) {
                    Ok(both) => both,
                    Err(error) => {
                        unclear.push(id.0);
                        failure = Some(error);
                        continue;
                    }
                };
                if claims.last().is_none_or(|it| it.subscription != subscription) {
                    claims.push(Claim { subscription, agency, reach, deliveries: Vec::new() });
                    told.push(Default::default());
                }
                if let (Some(claim), Some(told)) = (claims.last_mut(), told.last_mut()) {
                    claim.deliveries.push(delivery);
                    told.iter_mut().zip(of_whom).for_each(|(all, it)| all.extend(it));
                }
            }
            if !unclear.is_empty() {
                put_off(&unclear, now + UNCLEAR).execute(conn)?;
                behind(Sql::new().with("select d.* from deliveries d where d.id = any(?)", [unclear.into()]))
                    .execute(conn)?;
            }
            if !claims.is_empty() {
                let action = match channel {
                    Channel::Webhook => "deliver_events",
                    Channel::Email => "mail_events",
                };
                let told = claims.iter().zip(told).filter(|it| it.0.deliveries.iter().any(|it| it.event.is_some()));
                let told = told.map(|(claim, [cases, children])| {
                    let count = claim.deliveries.iter().filter(|it| it.event.is_some()).count();
                    json!({
                        "id": Db::new_id(), "agency": claim.agency, "target": claim.subscription, "case_ids": cases,
                        "child_ids": children, "count": count,
                    })
                });
                access_log::sent(action, told.collect(), now).execute(conn)?;
            }
            Ok(Claims { claims, failure })
        })
    }
}

/// Gives back what this version cannot tell of: another may have written it, that knows more.
fn put_off(deliveries: &[Uuid], until: DateTime<Utc>) -> Sql {
    Sql::new().with(
        "update deliveries set leased_until = null, attempts = attempts - 1, due_at = ? where id = any(?)",
        [until.into(), deliveries.to_vec().into()],
    )
}

/// The subscriptions that have room, and to which something is due, locked: two who claim at once take different ones. It is
/// a statement of its own, so that the next one sees what whoever had the lock before has claimed.
fn ready(channel: Channel, room: Room, held: &Held) -> Sql<SqlUuid> {
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
struct Held {
    now: DateTime<Utc>,
    /// Those who deliver now.
    present: Vec<i32>,
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
fn leased(ready: Vec<Uuid>, channel: Channel, room: Room, held: &Held, lease: Lease) -> Sql<Jsonb> {
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

fn reach(row: &Row, now: DateTime<Utc>) -> Result<Reach, Error> {
    match (&row.url, &row.address, row.language) {
        (Some(url), None, None) => {
            let former = row.rotated_at.is_some_and(|it| it + lindung_domain::subscription::GRACE > now);
            Ok(Reach::Webhook { url: url.clone(), generation: row.generation, former })
        }
        (None, Some(address), Some(language)) => Ok(Reach::Email { address: address.clone(), language }),
        _ => Err(Error::Fault("a subscription goes nowhere".to_owned())),
    }
}

fn claimed(row: Row, issuer: &str) -> Result<Claimed, Error> {
    let Row { id, token, attempts, again, kind, event_id, created_at, told, .. } = row;
    let event = match (kind, told) {
        (DeliveryKind::Test, _) => None,
        (DeliveryKind::Event, Some(told)) => Some(told.by(issuer)?),
        (DeliveryKind::Event, None) => return Err(Error::Fault("an event of a delivery is gone".to_owned())),
    };
    Ok(Claimed { id, token, attempt: attempts, again, event_id, event, created_at })
}
