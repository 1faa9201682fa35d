//! Claims: what is due, for whoever sends it now.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::RunQueryDsl;
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
use crate::outbox::due::{Held, leased, put_off, ready};
use crate::outbox::presence::present;
use crate::outbox::settle::behind;
use crate::sql::Sql;

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
