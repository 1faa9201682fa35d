//! The list of cases, and how it is filtered: what may not be read may not be found out by filtering either.
//!
//! A page costs the same whatever the filters: it looks at so many cases and no more, and where few of them were
//! wanted it is short and leads on.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Jsonb, Nullable, Timestamptz, Uuid as SqlUuid};
use lindung_domain::AgencyCode;
use lindung_domain::Refusal;
use lindung_domain::case::CaseStatus;
use lindung_domain::policy::{self, Act};
use lindung_domain::refusal::Invalid;
use lindung_domain::values::{Priority, Technique};
use serde_json::Value;
use uuid::Uuid;

use super::{CaseItem, item_of_c};
use crate::db::{Call, Db, Read, Seen};
use crate::error::Error;
use crate::referrals::TimePlace;
use crate::sql::Sql;
use crate::visibility::{self, Sight};

/// How many cases one page looks at.
const LOOKED_AT: i64 = 2000;

/// Which cases are wanted; unset takes all.
#[derive(Debug, Clone, Default)]
pub struct CaseFilter {
    /// Open or closed.
    pub status: Option<CaseStatus>,
    /// With this priority.
    pub priority: Option<Priority>,
    /// Led by this agency.
    pub lead: Option<AgencyCode>,
    /// This agency has a live grant of it, or a referral of it came to it. For a coordinator; of others' cases only the lead
    /// knows that.
    pub party: Option<AgencyCode>,
    /// With this technique.
    pub technique: Option<Technique>,
    /// With this offence.
    pub offence: Option<String>,
    /// With this ground.
    pub ground: Option<String>,
    /// With this reference.
    pub reference: Option<String>,
    /// Opened from then on, inclusively.
    pub opened_from: Option<DateTime<Utc>>,
    /// Opened until then, exclusively.
    pub opened_until: Option<DateTime<Utc>>,
    /// After this place.
    pub after: Option<TimePlace>,
    /// At most so many.
    pub limit: i64,
}

/// A page of cases.
#[derive(Debug, Clone)]
pub struct CasePage {
    /// The cases that were found, newest activity first.
    pub items: Vec<CaseItem>,
    /// Where the next page begins, if this may not be all.
    pub next: Option<TimePlace>,
}

impl CaseFilter {
    /// Refuses filters by what the actor does not see.
    fn require_readable(&self, sight: Sight) -> Result<(), Refusal> {
        let hidden = [
            ("technique", self.technique.is_some()),
            ("offence", self.offence.is_some()),
            ("ground", self.ground.is_some()),
        ];
        match hidden.into_iter().find(|it| it.1 && sight == Sight::Headers) {
            Some((field, _)) => Err(Invalid::new(field, "not-readable", "is not shown to you").into()),
            None => Ok(()),
        }
    }

    /// The conditions on `c` that are set; each shape is a statement of its own.
    fn conditions(&self, call: &Call, sight: Sight) -> Sql {
        let mut sql = Sql::new();
        for (condition, value) in [
            (" and c.status = ?", self.status.map(|it| it.to_string())),
            (" and c.priority = ?", self.priority.map(|it| it.to_string())),
            (" and c.lead_agency = ?", self.lead.as_ref().map(|it| it.to_string())),
            (" and ? = any(c.techniques)", self.technique.map(|it| it.to_string())),
            (" and ? = any(c.offences)", self.offence.clone()),
            (" and ? = any(c.grounds)", self.ground.clone()),
        ] {
            if let Some(value) = value {
                sql = sql.with(condition, [value.into()]);
            }
        }
        for (condition, value) in
            [(" and c.created_at >= ?", self.opened_from), (" and c.created_at < ?", self.opened_until)]
        {
            if let Some(value) = value {
                sql = sql.with(condition, [value.into()]);
            }
        }
        let Some(party) = &self.party else { return sql };
        if sight != Sight::Headers {
            sql = sql.with(" and c.lead_agency = ?", [call.actor.agency().as_str().into()]);
        }
        let party = || party.as_str().into();
        sql.with(
            " and (exists (select from grants h where h.case_id = c.id and h.agency = ? and h.since <= ? \
             and (h.until is null or h.until > ?)) or exists (select from referrals r where r.case_id = c.id \
             and r.requested_at is not null and (r.recipient = ? or ? = any(r.listed))))",
            [party(), call.now.into(), call.now.into(), party(), party()],
        )
    }

    /// The cases `p` to look at, from the place on: those of a reference, or so many of the agency's.
    fn looked_at(&self, call: &Call) -> Sql {
        let (own, place) = (call.actor.agency().as_str(), self.place());
        match &self.reference {
            Some(reference) => Sql::new().with(
                "cases c join case_parties p on p.case_id = c.id and p.agency = ? and (p.activity_at, p.case_id) < (?, ?) \
                 where c.reference = ? and ",
                [own.into(), place.at.into(), place.id.into(), reference.as_str().into()],
            ),
            None => Sql::new()
                .with("(", [])
                .then(own_cases(call, &place))
                .with(" limit ?) p join cases c on c.id = p.case_id where ", [LOOKED_AT.into()]),
        }
    }

    fn place(&self) -> TimePlace {
        self.after.clone().unwrap_or_else(TimePlace::start)
    }
}

fn own_cases(call: &Call, place: &TimePlace) -> Sql {
    Sql::new().with(
        "select activity_at, case_id from case_parties where agency = ? and (activity_at, case_id) < (?, ?) \
         order by activity_at desc, case_id desc",
        [call.actor.agency().as_str().into(), place.at.into(), place.id.into()],
    )
}

impl Db {
    /// The cases that the actor may see, newest activity first.
    ///
    /// # Errors
    /// The actor has no role that lists cases; a filter is by what is not theirs to read; the database is not available.
    pub fn cases(&self, call: &Call, filter: &CaseFilter) -> Result<CasePage, Error> {
        policy::require_own(&call.actor, Act::ListCases)?;
        let sight = visibility::sight(&call.actor, Act::ReadCase);
        filter.require_readable(sight)?;
        // The place behind the last case that was looked at comes last, and only where the page is not full:
        // what comes after a limit that is reached is not asked for.
        let query = Sql::<(Nullable<Jsonb>, Timestamptz, SqlUuid)>::new()
            .with(
                "select f.item_id, f.case_id, f.rule, null::uuid[] as child_ids, null::text[] as sections, f.item, f.activity_at, f.place_id \
                 from ((select i.item_id, i.case_id, i.rule, to_jsonb(i) as item, i.activity_at, i.case_id as place_id from (select ",
                [],
            )
            .then(item_of_c::<()>(sight))
            .then(visibility::case_rule::<()>(call, Act::ReadCase))
            .with(" as rule, p.activity_at from ", [])
            .then(filter.looked_at(call))
            .then(visibility::case_visible::<()>(call, Act::ReadCase))
            .then(filter.conditions(call, sight))
            .with(" order by p.activity_at desc, p.case_id desc limit ?) i)", [filter.limit.into()]);
        let query = match filter.reference {
            Some(_) => query,
            None => query
                .with(" union all (select null, null, null, null, l.activity_at, l.case_id from (", [])
                .then(own_cases(call, &filter.place()))
                .with(" offset ? limit 1) l)", [(LOOKED_AT - 1).into()]),
        };
        let query = query.with(") f limit ?", [filter.limit.into()]);
        let columns = "item, activity_at, place_id";
        let rows: Vec<(Option<Value>, DateTime<Utc>, Uuid)> =
            self.read(call, Read { columns, query, seen: Seen::List })?;
        let is_full = i64::try_from(rows.len()).is_ok_and(|it| it >= filter.limit);
        let leads_on = |it: &&(Option<Value>, DateTime<Utc>, Uuid)| is_full || it.0.is_none();
        let next = rows.last().filter(leads_on).map(|(_, at, id)| TimePlace { at: *at, id: *id });
        let items = rows.into_iter().filter_map(|it| it.0).map(serde_json::from_value).collect::<Result<_, _>>()?;
        Ok(CasePage { items, next })
    }
}
