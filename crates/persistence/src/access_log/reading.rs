//! The access log as auditors read it.

use chrono::{DateTime, Utc};
use diesel::RunQueryDsl;
use diesel::sql_types::{Jsonb, Text, Timestamptz};
use lindung_domain::actor::OVERSIGHT;
use lindung_domain::policy::{self, Act, Relation};
use lindung_domain::{AgencyCode, CaseId, ClientId, OfficerId, Refusal};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::{Call, Db, Read, Seen};
use crate::error::Error;
use crate::sql::Sql;

/// One access, as an auditor sees it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"))]
#[schema(rename_all = "camelCase")]
pub struct Access {
    /// Of this entry (UUIDv7).
    pub id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// The request that it answers; the `X-Request-Id` of the response.
    pub request_id: Uuid,
    /// The system that asked.
    pub client_id: Option<String>,
    /// For which agency.
    pub agency: Option<String>,
    /// For which officer.
    pub officer: Option<String>,
    /// In which roles.
    pub roles: Vec<String>,
    /// For which purpose.
    pub purpose: Option<String>,
    /// What was asked: the operationId.
    pub action: String,
    /// `permitted`, `replayed`, `not-found`, `denied`, `unauthenticated`, `stale`, `conflict`, `precondition-required`, `invalid`, `throttled` or `failed`.
    pub outcome: String,
    /// The relation that permitted it.
    pub rule: Option<String>,
    /// What the request named, whether it exists or not.
    pub target: Option<String>,
    /// The cases that were shown, changed or named.
    pub case_ids: Vec<Uuid>,
    /// The children that were shown or changed.
    pub child_ids: Vec<Uuid>,
    /// The sections that were shown or changed.
    pub sections: Vec<String>,
    /// How many items were shown.
    pub count: i32,
    /// Its number in the transparency log, from 0; none until it has one, within seconds.
    pub number: Option<i64>,
}

/// Which entries an auditor asks for; unset takes all.
#[derive(Debug, Clone, Default)]
pub struct AccessFilter {
    /// That touch this case.
    pub case: Option<CaseId>,
    /// By this agency.
    pub agency: Option<AgencyCode>,
    /// By this officer.
    pub officer: Option<OfficerId>,
    /// By this client.
    pub client: Option<ClientId>,
    /// Of this operation.
    pub action: Option<String>,
    /// With this outcome.
    pub outcome: Option<String>,
    /// From then on, inclusively.
    pub from: Option<DateTime<Utc>>,
    /// Until then, exclusively.
    pub until: Option<DateTime<Utc>>,
    /// After this place.
    pub after: Option<Place>,
    /// At most so many.
    pub limit: i64,
}

/// A place in the log: the transaction that wrote an entry, and the entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The transaction's id (an unsigned 64-bit number).
    pub xid: u64,
    /// The entry's.
    pub id: Uuid,
}

impl Place {
    /// Before every entry.
    pub(crate) fn start() -> Self {
        Place { xid: 0, id: Uuid::nil() }
    }

    /// Of an entry, by its transaction's id as text.
    pub(crate) fn of(xid: &str, id: Uuid) -> Result<Self, Error> {
        let xid = xid.parse().map_err(|_| Error::Fault("a transaction id is no number".to_owned()))?;
        Ok(Place { xid, id })
    }
}

/// A page of the log, in the order in which transactions began to write.
#[derive(Debug, Clone)]
pub struct AccessPage {
    /// The entries, each with its place.
    pub items: Vec<(Access, Place)>,
    /// The log is complete for transactions begun before this moment, by the database's clock.
    pub up_to: DateTime<Utc>,
}

type AccessRow = (Jsonb, Text);

impl Db {
    /// A page of the access log, for an auditor: of two oversight offices all of it, of another
    /// agency the accesses made in its name.
    ///
    /// A page ends before the oldest transaction that is still running, so that no entry ever
    /// appears behind a cursor.
    ///
    /// # Errors
    /// The actor is no auditor; the database is not available.
    pub fn access_log(&self, call: &Call, filter: AccessFilter) -> Result<AccessPage, Error> {
        policy::require_own(&call.actor, Act::ReadAccessLog)?;
        let own = call.actor.agency().as_str();
        let all = OVERSIGHT.contains(&own);
        let agency = match filter.agency {
            Some(agency) if !all && agency.as_str() != own => return Err(Refusal::NotYours.into()),
            Some(agency) => Some(agency.to_string()),
            None if all => None,
            None => Some(own.to_owned()),
        };
        let rule = if all { Relation::Oversight } else { Relation::Own };
        let up_to = self.log_complete_up_to()?;
        // A plain condition per filter that is set: each shape is a statement of its own, prepared
        // once, and each can use its index.
        let after = filter.after.unwrap_or_else(Place::start);
        let mut query = Sql::<AccessRow>::new().with(
            "select null::uuid as case_id, null::uuid[] as child_ids, null::text[] as sections, ? as rule, e.id as item_id, \
             to_jsonb(e) || jsonb_build_object('number', (select l.number from access_leaves l where l.entry_id = e.id)) || case when ? or e.outcome in ('permitted', 'replayed', 'denied', 'stale', 'conflict') then '{}'::jsonb \
             else jsonb_build_object('case_ids', '{}'::uuid[]) end as item, e.xid::text as xid from (select * from ",
            [rule.as_str().into(), all.into()],
        );
        query = match filter.case {
            Some(case) => query.with("policy.accesses_of(?) a", [case.0.into()]),
            None => query.with("access_log a", []),
        };
        query = query.with(
            // What seems to be of the future came with a database that was restored.
            " where (a.xid < pg_snapshot_xmin(pg_current_snapshot()) or a.xid >= pg_snapshot_xmax(pg_current_snapshot())) \
             and (a.xid, a.id) > (?::xid8, ?)",
            [after.xid.to_string().into(), after.id.into()],
        );
        for (condition, value) in [
            (" and a.agency = ?", agency),
            (" and a.officer = ?", filter.officer.map(String::from)),
            (" and a.client_id = ?", filter.client.map(String::from)),
            (" and a.action = ?", filter.action),
            (" and a.outcome = ?", filter.outcome),
        ] {
            if let Some(value) = value {
                query = query.with(condition, [value.into()]);
            }
        }
        for (condition, value) in [(" and a.at >= ?", filter.from), (" and a.at < ?", filter.until)] {
            if let Some(value) = value {
                query = query.with(condition, [value.into()]);
            }
        }
        let query = query.with(" order by a.xid, a.id limit ?) e", [filter.limit.into()]);
        let read = Read { columns: "item, xid", query, seen: Seen::List };
        let rows: Vec<(serde_json::Value, String)> = self.read(call, read)?;
        let mut items = Vec::with_capacity(rows.len());
        for (item, xid) in rows {
            let access: Access = serde_json::from_value(item)?;
            let place = Place::of(&xid, access.id)?;
            items.push((access, place));
        }
        Ok(AccessPage { items, up_to })
    }

    /// Before when every transaction has ended. Asked before the page is read: a transaction that ends
    /// between the two is then in the page, and never taken for one that has been in it.
    pub(crate) fn log_complete_up_to(&self) -> Result<DateTime<Utc>, Error> {
        let query = Sql::<Timestamptz>::new().with("select policy.log_complete_until()", []);
        Ok(query.get_result(&mut *self.connection()?)?)
    }
}
