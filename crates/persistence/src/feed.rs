//! The feed: all events that an agency is told of, in their order, to be read on from anywhere.

use diesel::RunQueryDsl;
use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, Text};
use lindung_domain::policy::{self, Act};
use lindung_domain::refusal::Invalid;
use lindung_domain::{CaseId, ReferralId, Refusal};
use serde_json::Value;

use crate::cloud_event::{CloudEvent, Told};
use crate::db::{Call, Db, Read, Seen};
use crate::error::Error;
use crate::sql::{Bind, Sql};

/// How many of an agency's events are looked at for one page, whatever is filtered.
const LOOKED_AT: i64 = 2000;

/// Which events are wanted; unset takes all.
#[derive(Debug, Clone, Default)]
pub struct FeedFilter {
    /// Of these types.
    pub types: Option<Vec<String>>,
    /// Of this case.
    pub case: Option<CaseId>,
    /// Of this referral.
    pub referral: Option<ReferralId>,
    /// From this number on; from the end where unset.
    pub from: Option<i64>,
    /// At most so many.
    pub limit: i64,
}

/// A page of the feed.
#[derive(Debug, Clone)]
pub struct FeedPage {
    /// The events, each with its number.
    pub items: Vec<(CloudEvent, i64)>,
    /// Everything before this number was looked at.
    pub next: i64,
    /// Whether there was more to look at than one page does.
    pub more: bool,
}

/// What happened lately.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    /// The number of the next event.
    pub head: i64,
    /// The agencies that were told of something.
    pub agencies: Vec<String>,
}

impl FeedFilter {
    /// Conditions on `e` by operators that row-level security lets go first; each shape is a statement of its own.
    fn conditions(&self) -> Sql {
        let mut sql = Sql::new();
        if let Some(types) = &self.types {
            sql = sql.with(" and e.kind = any(?)", [types.clone().into()]);
        }
        if let Some(case) = self.case {
            sql = sql.with(" and e.case_id = ?", [case.0.into()]);
        }
        if let Some(referral) = self.referral {
            sql = sql.with(" and e.subject_id = ? and e.subject_type = 'referral'", [referral.0.into()]);
        }
        sql
    }
}

impl Db {
    /// A page of the feed of the actor's agency, told by the service with this URL. Recipients stand as they were
    /// written; what a shield or an erasure hides is left out. Where it tells something, that is an access.
    ///
    /// # Errors
    /// The actor is no client alone; the place is one that the feed has not come to; the database is not available.
    pub fn feed(&self, call: &Call, filter: &FeedFilter, issuer: &str) -> Result<FeedPage, Error> {
        let rule = policy::require_own(&call.actor, Act::ReadFeed)?;
        let own = || Bind::from(call.actor.agency().as_str());
        // From the end there is nothing to look at.
        let from = filter.from.unwrap_or(i64::MAX);
        // One snapshot: whatever is before the head is there. The last row tells up to where was looked.
        let query = Sql::<(Nullable<Jsonb>, BigInt, BigInt)>::new()
            .with(
                "select t.id as item_id, t.case_id, case when t.subject_type = 'child' then array[t.subject_id] end as child_ids, null::text[] as sections, ? as rule, \
                 to_jsonb(t) as item, t.number as place, 0::bigint as head from (select e.id, e.kind, e.case_id, e.case_version, \
                 e.subject_type, e.subject_id, e.causation_id, e.at, e.agency, e.data, f.number from (select event_id, number \
                 from feed where agency = ? and number >= ? order by number limit ?) f join events e on e.id = f.event_id where true",
                [rule.as_str().into(), own(), from.into(), LOOKED_AT.into()],
            )
            .then(filter.conditions())
            .with(
                " order by f.number limit ?) t union all select null, null, null, null, null, null, coalesce((select number + 1 from feed \
                 where agency = ? and number >= ? order by number offset ? limit 1), s.next), s.next \
                 from sequencers s where s.log = 'events'",
                [filter.limit.into(), own(), from.into(), (LOOKED_AT - 1).into()],
            );
        let read = Read { columns: "item, place, head", query, seen: Seen::Feed };
        let (mut items, mut place, mut head) = (Vec::new(), 0, 0);
        for (item, number, next) in self.read(call, read)? as Vec<(Option<Value>, i64, i64)> {
            match item {
                Some(item) => items.push((serde_json::from_value::<Told>(item)?.by(issuer)?, number)),
                None => (place, head) = (number, next),
            }
        }
        if filter.from.is_some_and(|it| it > head) {
            let why = "is ahead of the feed, which was set back: begin again from an earlier one";
            return Err(Refusal::from(Invalid::new("after", "ahead", why)).into());
        }
        items.sort_by_key(|it| it.1);
        let full = i64::try_from(items.len()).is_ok_and(|it| it >= filter.limit);
        let last = items.last().filter(|_| full).map(|it| it.1 + 1);
        Ok(FeedPage { next: last.unwrap_or(place), more: last.is_some() || place < head, items })
    }

    /// The number of the next event, and which agencies were told of those from `known` on.
    ///
    /// # Errors
    /// The database is not available.
    pub fn heard_since(&self, known: i64) -> Result<Heard, Error> {
        let query =
            Sql::<(BigInt, Array<Text>)>::new().with("select head, agencies from policy.told_since(?)", [known.into()]);
        let (head, agencies) = query.get_result(&mut *self.connection()?)?;
        Ok(Heard { head, agencies })
    }
}
