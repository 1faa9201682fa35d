//! What people are notified of: their inbox, and how they mark what is in it. Row-level security shows each what is for
//! their roles or for them, as long as nothing hides it.

mod item;
mod marks;
mod notify;
mod rules;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Jsonb, Nullable, Timestamptz, Uuid as SqlUuid};
use lindung_domain::notification;
use lindung_domain::policy::{self, Act};
use lindung_domain::values::Priority;
use lindung_domain::{Actor, CaseId, NotificationId, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::agencies::ABOUT_NOBODY;
use crate::db::{Call, Db, Read, Seen};
use crate::error::Error;
use crate::sql::{Bind, Sql};

pub use item::NotificationItem;
pub use notify::Notified;
pub use rules::KeptRules;

/// How many notifications one request checks for the actor's marks: what they have not read is found by checking each.
const LOOKED_AT: i64 = 2000;
/// For how long those of which note was taken are kept.
pub(crate) const NOTED_KEPT: TimeDelta = TimeDelta::days(90);
/// For how long all are kept: what nobody wanted to know of by then is in the feed and on the timeline.
pub(crate) const KEPT: TimeDelta = TimeDelta::days(366);

/// Which notifications are wanted; unset takes all.
#[derive(Debug, Clone, Default)]
pub struct NotificationFilter {
    /// Whether the actor has read it.
    pub read: Option<bool>,
    /// Whether somebody took note.
    pub acknowledged: Option<bool>,
    /// Whether it is for the actor by name.
    pub mine: Option<bool>,
    /// Of these types.
    pub types: Option<Vec<String>>,
    /// About this case.
    pub case: Option<CaseId>,
    /// With this priority.
    pub priority: Option<Priority>,
    /// After this place in the list.
    pub after: Option<(DateTime<Utc>, Uuid)>,
    /// At most so many.
    pub limit: i64,
}

/// A page of notifications.
#[derive(Debug, Clone)]
pub struct NotificationPage {
    /// The notifications.
    pub items: Vec<NotificationItem>,
    /// The place after which the next page begins; none where there are no more.
    pub next: Option<(DateTime<Utc>, Uuid)>,
}

/// How many notifications there are of some kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Counted {
    /// All of them.
    pub total: i64,
    /// Those of the priority `immediate`.
    pub immediate: i64,
    /// Those of the priority `urgent`.
    pub urgent: i64,
    /// Those of the priority `routine`.
    pub routine: i64,
}

/// How many notifications wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotificationCounts {
    /// Which you have not read.
    pub unread: Counted,
    /// Of which nobody has taken note.
    pub unacknowledged: Counted,
    /// Whether there may be more: only the newest two thousand, and of those without note taken, are looked at.
    pub more: bool,
}

impl NotificationFilter {
    /// What says which are looked at: all but whether they were read.
    fn wanted(&self, actor: &Actor) -> Sql {
        let mut sql = Sql::new();
        if let Some(acknowledged) = self.acknowledged {
            let noted = if acknowledged { " and acknowledged_at is not null" } else { " and acknowledged_at is null" };
            sql = sql.with(noted, []);
        }
        if let Some(mine) = self.mine {
            let [officer, _] = own(actor);
            sql = sql.with(if mine { " and officer = ?" } else { " and officer is distinct from ?" }, [officer]);
        }
        if let Some(types) = &self.types {
            sql = sql.with(" and kind = any(?)", [types.clone().into()]);
        }
        if let Some(case) = self.case {
            sql = sql.with(" and case_id = ?", [case.0.into()]);
        }
        if let Some(priority) = self.priority {
            sql = sql.with(" and priority = ?", [priority.as_str().into()]);
        }
        if let Some((at, id)) = self.after {
            sql = sql.with(" and (told_at, id) < (?, ?)", [at.into(), id.into()]);
        }
        sql
    }

    fn read(&self) -> &'static str {
        match self.read {
            Some(true) => " and m.read_at is not null",
            Some(false) => " and m.read_at is null",
            None => "",
        }
    }

    fn looked_at(&self) -> i64 {
        if self.read.is_some() { LOOKED_AT } else { self.limit }
    }
}

/// The item of notification `n`, with its mark `m` and its label.
const ITEM: &str = "to_jsonb(n) || jsonb_build_object('read_at', m.read_at) || coalesce((select jsonb_build_object('label_ms', c.label_ms, \
    'label_en', c.label_en) from codes c where c.list = 'event-type' and c.code = n.kind order by c.valid_from desc limit 1), '{}')";
/// The newest first.
const NEWEST: &str = " order by n.told_at desc, n.id desc";

/// What is selected from, as `n` with the actor's mark `m`.
fn marked(actor: &Actor) -> Sql {
    let [officer, _] = own(actor);
    Sql::new()
        .with(" n left join notification_marks m on m.notification_id = n.id and m.officer = ? where true", [officer])
}

/// At most so many of what the actor hears of, the newest first, as a statement.
fn heard(actor: &Actor, wanted: Sql, at_most: i64) -> Sql {
    let [_, agency] = own(actor);
    // Who hears of no events need not search past them.
    let kept = if notification::hears_of_events(actor.roles()) { "" } else { " and event_id is null" };
    Sql::new()
        .with("select n.* from notifications n where agency = ?", [agency])
        .with(kept, [])
        .then(wanted)
        .with(NEWEST, [])
        .with(" limit ?", [at_most.into()])
}

fn own(actor: &Actor) -> [Bind; 2] {
    [actor.officer_id().map_or("", |it| it.as_str()).into(), actor.agency().as_str().into()]
}

impl Db {
    /// What the actor is notified of, newest first. A page of what was read, or was not, may be short, and there is more.
    ///
    /// # Errors
    /// The actor is a client alone; the database is not available.
    pub fn notifications(&self, call: &Call, filter: &NotificationFilter) -> Result<NotificationPage, Error> {
        let rule = policy::require_own(&call.actor, Act::ReadNotifications)?;
        let looked_at = filter.looked_at();
        // The log names no children: a page is about every child of its cases. The last row is the place of the last one
        // that was looked at, where there may be more.
        let query = Sql::<(Nullable<Jsonb>, Timestamptz, SqlUuid)>::new()
            .with("with looked as materialized (", [])
            .then(heard(&call.actor, filter.wanted(&call.actor), looked_at))
            .with(
                ") (select n.id as item_id, n.case_id, null::uuid[] as child_ids, null::text[] as sections, ? as rule, ",
                [rule.as_str().into()],
            )
            .with(ITEM, [])
            .with(" as item, n.told_at, n.id from looked", [])
            .then(marked(&call.actor))
            .with(filter.read(), [])
            .with(NEWEST, [])
            .with(
                " limit ?) union all (select null, null, null, null, null, null, n.told_at, n.id from looked n",
                [filter.limit.into()],
            )
            .with(NEWEST, [])
            .with(" offset ? limit 1)", [(looked_at - 1).into()]);
        let rows: Vec<(Option<Value>, DateTime<Utc>, Uuid)> =
            self.read(call, Read { columns: "item, told_at, id", query, seen: Seen::List })?;
        let (mut items, mut last) = (Vec::new(), None);
        for (item, told_at, id) in rows {
            match item {
                Some(item) => items.push(serde_json::from_value::<NotificationItem>(item)?),
                None => last = Some((told_at, id)),
            }
        }
        let full = i64::try_from(items.len()).is_ok_and(|it| it >= filter.limit);
        let next = if full { items.last().map(NotificationItem::place) } else { last };
        Ok(NotificationPage { items, next })
    }

    /// One of them.
    ///
    /// # Errors
    /// There is none; the actor is a client alone; the database is not available.
    pub fn notification(&self, call: &Call, id: NotificationId) -> Result<NotificationItem, Error> {
        let rule = policy::require_own(&call.actor, Act::ReadNotifications)?;
        let query = Sql::<Jsonb>::new()
            .with(
                "select n.id as item_id, n.case_id, case when n.subject_type = 'child' then array[n.subject_id] end as child_ids, \
                 null::text[] as sections, ? as rule, ",
                [rule.as_str().into()],
            )
            .with(ITEM, [])
            .with(" as item", [])
            .then(one(&call.actor, id));
        let rows: Vec<Value> = self.read(call, Read { columns: "item", query, seen: Seen::Open })?;
        Ok(serde_json::from_value(rows.into_iter().next().ok_or(Refusal::NotFound)?)?)
    }

    /// How many wait for the actor.
    ///
    /// # Errors
    /// The actor is a client alone; the database is not available.
    pub fn notification_counts(&self, call: &Call) -> Result<NotificationCounts, Error> {
        policy::require_own(&call.actor, Act::ReadNotifications)?;
        let query = Sql::<Nullable<Jsonb>>::new()
            .with(ABOUT_NOBODY, [])
            .with(
                "null::uuid as item_id, item from (select jsonb_build_object('unread', m.read_at is null, 'priority', n.priority, \
                 'count', count(*)) as item from (",
                [],
            )
            .then(heard(&call.actor, Sql::new(), LOOKED_AT))
            .with(")", [])
            .then(marked(&call.actor))
            .with(
                " group by m.read_at is null, n.priority union all select jsonb_build_object('priority', n.priority, 'count', count(*)) from (",
                [],
            )
            .then(heard(&call.actor, Sql::new().with(" and acknowledged_at is null", []), LOOKED_AT))
            .with(") n group by n.priority) counted", []);
        let rows: Vec<Option<Value>> = self.read(call, Read { columns: "item", query, seen: Seen::List })?;
        let mut counts = NotificationCounts::default();
        let (mut looked_at, mut open) = (0, 0);
        for row in rows.into_iter().flatten() {
            let Waiting { unread, priority, count } = serde_json::from_value(row)?;
            match unread {
                Some(unread) => {
                    looked_at += count;
                    counts.unread.add(priority, if unread { count } else { 0 });
                }
                None => {
                    open += count;
                    counts.unacknowledged.add(priority, count);
                }
            }
        }
        Ok(NotificationCounts { more: looked_at.max(open) >= LOOKED_AT, ..counts })
    }
}

/// From where one comes, if the actor hears of it.
fn one(actor: &Actor, id: NotificationId) -> Sql {
    let [_, agency] = own(actor);
    Sql::new()
        .with(" from notifications", [])
        .then(marked(actor))
        .with(" and n.agency = ? and n.id = ?", [agency, id.0.into()])
}

/// How many of one kind wait.
#[derive(Deserialize)]
struct Waiting {
    /// Nothing of those without note taken, which are counted whether they were read or not.
    unread: Option<bool>,
    priority: Option<Priority>,
    count: i64,
}

impl Counted {
    fn add(&mut self, priority: Option<Priority>, count: i64) {
        self.total += count;
        match priority {
            Some(Priority::Immediate) => self.immediate += count,
            Some(Priority::Urgent) => self.urgent += count,
            Some(Priority::Routine) => self.routine += count,
            None => {}
        }
    }
}
