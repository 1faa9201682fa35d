//! From the feed to notifications: each event once for each agency whose rules want it told to somebody.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::sql_types::{BigInt, Jsonb, Text, Uuid as SqlUuid};
use diesel::{OptionalExtension, RunQueryDsl};
use lindung_domain::event::{Event, Kind};
use lindung_domain::notification::{Happening, NotificationRules, SUBSCRIPTION_DISABLED};
use lindung_domain::values::Priority;
use lindung_domain::{AgencyCode, OfficerId, Role};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::rules;
use crate::db::Db;
use crate::error::Error;
use crate::sql::Sql;

/// How many events have their turn together.
const EVENTS: i64 = 500;
/// How many subscriptions.
const SUBSCRIPTIONS: i64 = 100;

/// What a turn did.
#[derive(Debug, Default)]
pub struct Notified {
    /// How many notifications were made.
    pub notifications: usize,
    /// Why the turn ended before an event, which is tried again: nobody is told of those behind it before.
    pub failure: Option<Error>,
    /// Whether there is more at once.
    pub more: bool,
}

/// What an agency is told.
#[derive(Deserialize)]
struct Told {
    told: AgencyCode,
    number: i64,
    event_id: Uuid,
    kind: String,
    case_id: Option<Uuid>,
    subject_type: String,
    subject_id: Uuid,
    at: DateTime<Utc>,
    done_by: Option<AgencyCode>,
    priority: Option<Priority>,
    concerned: Option<OfficerId>,
}

impl Db {
    /// One turn: notifications of what has come to the feed, and of subscriptions that were disabled; nothing while
    /// another makes them.
    ///
    /// # Errors
    /// The database is not available, or the login may not do this.
    pub fn notify(&self, now: DateTime<Utc>) -> Result<Notified, Error> {
        self.transaction_of_any_length(|conn| {
            let turn = Sql::<(BigInt, BigInt)>::new().with(
                "select n.next, h.next from notifier n cross join (select next from sequencers where log = 'events') h \
                 for update of n skip locked",
                [],
            );
            let Some((from, head)) = turn.get_result::<(i64, i64)>(conn).optional()? else {
                return Ok(Notified::default());
            };
            let until = head.min(from + EVENTS);
            let Made { mut rows, until, failure } = of_events(conn, (from, until), now)?;
            rows.extend(of_subscriptions(conn, now)?);
            let notifications = rows.len();
            if !rows.is_empty() {
                Sql::<()>::new()
                    .with(
                        "insert into notifications select * from jsonb_populate_recordset(null::notifications, ?)",
                        [Value::Array(rows).into()],
                    )
                    .execute(conn)?;
            }
            if from < until {
                Sql::<()>::new().with("update notifier set next = ?", [until.into()]).execute(conn)?;
            }
            Ok(Notified { notifications, more: until < head && failure.is_none(), failure })
        })
    }
}

/// What was made of events.
struct Made {
    rows: Vec<Value>,
    /// Of those before this number.
    until: i64,
    failure: Option<Error>,
}

/// What is made of the events with these numbers; of those before one that another version wrote, and this does not know.
fn of_events(conn: &mut PgConnection, (from, until): (i64, i64), now: DateTime<Utc>) -> Result<Made, Error> {
    let mut made = Made { rows: Vec::new(), until, failure: None };
    if from >= until {
        return Ok(made);
    }
    // Whoever asks for an emergency access is told of that, and not of the case: it may be hidden from them until a
    // colleague agrees.
    let told = Sql::<Jsonb>::new().with(
        "select jsonb_build_object('told', f.agency, 'number', f.number, 'event_id', e.id, 'kind', e.kind, 'case_id', c.id, 'subject_type', e.subject_type, \
         'subject_id', e.subject_id, 'at', e.at, 'done_by', e.agency, 'priority', coalesce(r.priority, c.priority), \
         'concerned', case e.subject_type \
         when 'referral' then case when r.recipient = f.agency then r.assignee end \
         when 'emergency-access' then a.officer \
         when 'proposal' then (select p.proposed_by from proposals p where p.id = e.subject_id and p.agency = f.agency) end) \
         from feed f join events e on e.id = f.event_id \
         left join emergency_accesses a on e.subject_type = 'emergency-access' and a.id = e.subject_id and a.agency = f.agency \
         left join cases c on c.id = e.case_id and (a.id is null or a.agency = c.lead_agency) \
         left join referrals r on e.subject_type = 'referral' and r.id = e.subject_id \
         where f.number >= ? and f.number < ? order by f.number, f.agency",
        [from.into(), until.into()],
    );
    let told: Vec<Value> = told.load(conn)?;
    let mut kept: HashMap<AgencyCode, NotificationRules> = HashMap::new();
    for (agency, rules) in own_rules(conn)? {
        kept.insert(agency, rules);
    }
    for row in told {
        let told: Told = serde_json::from_value(row)?;
        let Some(kind) = told.kind.strip_prefix(Event::PREFIX).and_then(|it| it.parse().ok()) else {
            made.failure = Some(Error::fault(format!("this version knows no events of the type {}", told.kind)));
            made.until = told.number;
            break;
        };
        let rules = kept.entry(told.told.clone()).or_insert_with_key(NotificationRules::defaults);
        made.rows.extend(notification(told, kind, rules, now));
    }
    Ok(made)
}

/// The row of a notification, if somebody hears of it.
fn notification(told: Told, known: Kind, rules: &NotificationRules, now: DateTime<Utc>) -> Option<Value> {
    let Told {
        told: agency,
        number,
        event_id,
        kind,
        case_id,
        subject_type,
        subject_id,
        at,
        done_by,
        priority,
        concerned,
    } = told;
    let own = done_by.as_ref() == Some(&agency);
    let audience = rules.audience(&Happening { kind: known, own, priority, concerned })?;
    Some(json!({
        "id": Db::new_id(), "agency": agency, "number": number, "event_id": event_id, "kind": kind, "case_id": case_id,
        "subject_type": subject_type, "subject_id": subject_id, "priority": priority, "done_by": done_by, "at": at,
        "roles": audience.roles, "officer": audience.officer, "told_at": rules.told_at(audience.urgent, now),
    }))
}

/// The rules of the agencies that have their own.
fn own_rules(conn: &mut PgConnection) -> Result<Vec<(AgencyCode, NotificationRules)>, Error> {
    let query = Sql::<(Text, Jsonb)>::new().with(
        "select agency, jsonb_build_object('rules', rules, 'quietHours', quiet_hours) from notification_rules where rules is not null",
        [],
    );
    let rows: Vec<(String, Value)> = query.load(conn)?;
    Ok(rows.into_iter().filter_map(|(agency, kept)| Some((agency.parse().ok()?, rules::read(kept)?))).collect())
}

/// What is made of subscriptions that were disabled: their administrators have not been told yet.
fn of_subscriptions(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Vec<Value>, Error> {
    let disabled = Sql::<(SqlUuid, Text)>::new().with(
        "update subscriptions s set told_at = ? from (select id from subscriptions where status = 'disabled' and told_at is null \
         order by id limit ? for update skip locked) d where s.id = d.id returning s.id, s.agency",
        [now.into(), SUBSCRIPTIONS.into()],
    );
    let disabled: Vec<(Uuid, String)> = disabled.load(conn)?;
    let row = |(id, agency)| {
        json!({
            "id": Db::new_id(), "agency": agency, "kind": SUBSCRIPTION_DISABLED, "subject_type": "subscription", "subject_id": id,
            "at": now, "roles": [Role::Administrator], "told_at": now,
        })
    };
    Ok(disabled.into_iter().map(row).collect())
}
