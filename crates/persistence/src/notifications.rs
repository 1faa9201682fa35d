//! What people are notified of: their inbox, and how they mark what is in it. Row-level security shows each what is for
//! their roles or for them, as long as nothing hides it.

mod item;
mod marks;
mod notify;
mod rules;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Jsonb, Nullable};
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

/// How many notifications are counted, or marked at once.
const AT_ONCE: i64 = 1000;
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
    /// Whether there are more: only the newest thousand that are either are counted.
    pub more: bool,
}

impl NotificationFilter {
    fn conditions(&self, own: &str) -> Sql {
        let mut sql = Sql::new();
        let either = |it, yes, no| if it { yes } else { no };
        if let Some(read) = self.read {
            sql = sql.with(either(read, " and m.read_at is not null", " and m.read_at is null"), []);
        }
        if let Some(acknowledged) = self.acknowledged {
            sql = sql
                .with(either(acknowledged, " and n.acknowledged_at is not null", " and n.acknowledged_at is null"), []);
        }
        if let Some(mine) = self.mine {
            sql = sql.with(either(mine, " and n.officer = ?", " and n.officer is distinct from ?"), [own.into()]);
        }
        if let Some(types) = &self.types {
            sql = sql.with(" and n.kind = any(?)", [types.clone().into()]);
        }
        if let Some(case) = self.case {
            sql = sql.with(" and n.case_id = ?", [case.0.into()]);
        }
        if let Some(priority) = self.priority {
            sql = sql.with(" and n.priority = ?", [priority.as_str().into()]);
        }
        if let Some((at, id)) = self.after {
            sql = sql.with(" and (n.told_at, n.id) < (?, ?)", [at.into(), id.into()]);
        }
        sql
    }
}

/// The item of notification `n`, with its mark `m` and its label.
const ITEM: &str = "to_jsonb(n) || jsonb_build_object('read_at', m.read_at) || coalesce((select jsonb_build_object('label_ms', c.label_ms, \
    'label_en', c.label_en) from codes c where c.list = 'event-type' and c.code = n.kind order by c.valid_from desc limit 1), '{}')";
/// From where; the actor's officer and agency are to be bound.
const FROM: &str = " from notifications n left join notification_marks m on m.notification_id = n.id and m.officer = ? where n.agency = ?";

fn own(actor: &Actor) -> [Bind; 2] {
    [actor.officer_id().map_or("", |it| it.as_str()).into(), actor.agency().as_str().into()]
}

impl Db {
    /// What the actor is notified of, newest first.
    ///
    /// # Errors
    /// The actor is a client alone; the database is not available.
    pub fn notifications(&self, call: &Call, filter: &NotificationFilter) -> Result<Vec<NotificationItem>, Error> {
        let conditions = filter.conditions(call.actor.officer_id().map_or("", |it| it.as_str()));
        let rest = conditions.with(" order by n.told_at desc, n.id desc limit ?", [filter.limit.into()]);
        self.notified(call, rest, Seen::List)
    }

    /// One of them.
    ///
    /// # Errors
    /// There is none; the actor is a client alone; the database is not available.
    pub fn notification(&self, call: &Call, id: NotificationId) -> Result<NotificationItem, Error> {
        let found = self.notified(call, Sql::new().with(" and n.id = ?", [id.0.into()]), Seen::Open)?;
        found.into_iter().next().ok_or_else(|| Refusal::NotFound.into())
    }

    fn notified(&self, call: &Call, rest: Sql, seen: Seen) -> Result<Vec<NotificationItem>, Error> {
        let rule = policy::require_own(&call.actor, Act::ReadNotifications)?;
        let query = Sql::<Nullable<Jsonb>>::new()
            .with(
                "select n.id as item_id, n.case_id, case when n.subject_type = 'child' then array[n.subject_id] end as child_ids, \
                 null::text[] as sections, ? as rule, ",
                [rule.as_str().into()],
            )
            .with(ITEM, [])
            .with(" as item", [])
            .with(FROM, own(&call.actor))
            .then(rest);
        let rows: Vec<Option<Value>> = self.read(call, Read { columns: "item", query, seen })?;
        rows.into_iter().flatten().map(|it| Ok(serde_json::from_value(it)?)).collect()
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
                "null::uuid as item_id, jsonb_build_object('unread', unread, 'unacknowledged', unacknowledged, 'priority', priority, \
                 'count', count(*)) as item from (select m.read_at is null as unread, n.acknowledged_at is null as unacknowledged, n.priority",
                [],
            )
            .with(FROM, own(&call.actor))
            .with(
                " and (m.read_at is null or n.acknowledged_at is null) order by n.told_at desc, n.id desc limit ?) waiting \
                 group by unread, unacknowledged, priority",
                [AT_ONCE.into()],
            );
        let rows: Vec<Option<Value>> = self.read(call, Read { columns: "item", query, seen: Seen::List })?;
        let mut counts = NotificationCounts::default();
        let mut all = 0;
        for row in rows.into_iter().flatten() {
            let Waiting { unread, unacknowledged, priority, count } = serde_json::from_value(row)?;
            all += count;
            for counted in [unread.then_some(&mut counts.unread), unacknowledged.then_some(&mut counts.unacknowledged)]
            {
                counted.into_iter().for_each(|it| it.add(priority, count));
            }
        }
        Ok(NotificationCounts { more: all >= AT_ONCE, ..counts })
    }
}

/// How many of one kind wait.
#[derive(Deserialize)]
struct Waiting {
    unread: bool,
    unacknowledged: bool,
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
