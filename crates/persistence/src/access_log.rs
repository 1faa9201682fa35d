//! The access log: who asked for what, and what they were shown. The only place that writes it.
//!
//! What is shown is recorded by the statement that reads it ([`recorded`]); a change is recorded by
//! the statement that saves it ([`change`]); a refusal by itself, after the rollback ([`refusal`]).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::RunQueryDsl;
use diesel::sql_types::{Jsonb, Text, Timestamptz};
use lindung_domain::actor::OVERSIGHT;
use lindung_domain::policy::{self, Act, Relation};
use lindung_domain::{Actor, AgencyCode, CaseId, ClientId, OfficerId, Refusal};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::{Call, Db, Read, Refused, Seen};
use crate::error::Error;
use crate::proofs;
use crate::sql::{Bind, Sql};
use crate::suspensions;

const INSERT: &str = "insert into access_log (id, at, request_id, client_id, agency, officer, roles, purpose, \
                      action, target, outcome, rule, case_ids, child_ids, sections, count) ";

/// `insert … select` as far as the call itself tells; the rest of the columns follow.
fn row<ST>(
    actor: Option<&Actor>,
    request_id: Uuid,
    action: &'static str,
    target: Option<String>,
    now: DateTime<Utc>,
) -> Sql<ST> {
    let of = |text: fn(&Actor) -> Option<String>| Bind::OptText(actor.and_then(text));
    Sql::new().with(INSERT, []).with(
        "select ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ",
        [
            Db::new_id().into(),
            now.into(),
            request_id.into(),
            of(|it| Some(it.client_id().to_string())),
            of(|it| Some(it.agency().to_string())),
            of(|it| it.officer_id().map(ToString::to_string)),
            actor.map_or(Vec::new(), roles).into(),
            of(|it| it.purpose().map(|it| it.to_string())),
            action.into(),
            target.into(),
        ],
    )
}

fn row_of_call<ST>(call: &Call) -> Sql<ST> {
    row(Some(&call.actor), call.request_id, call.action, call.target.clone(), call.now)
}

fn roles(actor: &Actor) -> Vec<String> {
    actor.roles().iter().map(ToString::to_string).collect()
}

/// Whether the client still may speak like this: one row, or none.
pub(crate) fn standing<ST>(actor: &Actor) -> Sql<ST> {
    Sql::new()
        .with(
            "select 1 from clients where id = ? and active and (agency = ? or ? = any(units)) and roles @> ? \
             and exists (select from agencies where code = ? and active) and ",
            [
                actor.client_id().as_str().into(),
                actor.agency().as_str().into(),
                actor.agency().as_str().into(),
                roles(actor).into(),
                actor.agency().as_str().into(),
            ],
        )
        .then(suspensions::none_of::<()>(actor))
}

/// Wraps a read and its access row into one statement: nothing comes out of it unrecorded.
pub(crate) fn recorded<ST>(call: &Call, read: Read<ST>) -> Sql<ST> {
    let shown = match read.seen {
        Seen::List => " from standing cross join shown",
        Seen::Feed => " from standing cross join shown where shown.count > 0",
        Seen::Open | Seen::One(_) => " from standing cross join shown where exists (select from seen)",
    };
    Sql::new()
        .with("with standing as materialized (", [])
        .then(standing::<()>(&call.actor))
        .with("), seen as materialized (", [])
        .then(read.query)
        .with(
            "), shown as (select count(item_id)::integer as count, coalesce(min(rule), 'own') as rule, \
             coalesce(array_agg(distinct case_id) filter (where case_id is not null), '{}') as case_ids, \
             coalesce((select array_agg(distinct it) from seen, unnest(child_ids) it where it is not null), '{}') as child_ids, \
             coalesce((select array_agg(distinct it) from seen, unnest(sections) it), '{}') as sections from seen), \
             logged as (",
            [],
        )
        .then(row_of_call::<()>(call))
        .with("'permitted', shown.rule, shown.case_ids, shown.child_ids, shown.sections, shown.count", [])
        .with(shown, [])
        .then(spent(call))
        .with(") select ", [])
        .with(read.columns, [])
        .with(" from seen cross join standing", [])
}

/// What a change touched.
pub(crate) struct Touched {
    pub(crate) rule: Relation,
    pub(crate) cases: Vec<CaseId>,
    pub(crate) children: Vec<Uuid>,
    pub(crate) sections: Vec<String>,
}

/// The access row of a change that is saved otherwise, in a statement of its own.
pub(crate) fn change(call: &Call, outcome: &'static str, touched: Touched) -> Sql {
    Sql::new().with("with logged as (", []).then(logged(call, outcome, touched)).with(") select", [])
}

/// The access row of a change, as part of the statement that saves it: inside of `with … as (…)`.
pub(crate) fn logged(call: &Call, outcome: &'static str, touched: Touched) -> Sql {
    let Touched { rule, cases, children, sections } = touched;
    let (children, sections) = (distinct(children), distinct(sections));
    let cases: Vec<Uuid> = cases.into_iter().map(|it| it.0).collect();
    row_of_call(call)
        .with(
            "?, ?, ?, ?, ?, 1",
            [outcome.into(), rule.as_str().into(), cases.into(), children.into(), sections.into()],
        )
        .then(spent(call))
}

/// Spends the call's proof beside its access row: if that fails, so does the whole statement.
fn spent(call: &Call) -> Sql {
    match &call.proof {
        None => Sql::new(),
        Some(proof) => Sql::new().with("), spent as (", []).then(proofs::spent::<()>(proof, call.request_id)),
    }
}

/// Each once, in their order: two sections of one child touch it once.
fn distinct<T: Ord + Clone>(mut items: Vec<T>) -> Vec<T> {
    let mut seen = BTreeSet::new();
    items.retain(|it| seen.insert(it.clone()));
    items
}

impl Touched {
    /// A case, or nothing about anybody.
    pub(crate) fn case(rule: Relation, case: Option<CaseId>) -> Self {
        Touched { rule, cases: case.into_iter().collect(), children: Vec::new(), sections: Vec::new() }
    }
}

/// The access row of something that was refused or not found, in a statement of its own. The case
/// is looked up, so that the attempt shows in the case's log whoever made it. It yields no row where
/// another request has spent the proof, which makes the attempt `unauthenticated`.
pub(crate) fn refusal(refused: &Refused) -> Sql {
    let Refused { actor, action, request_id, target, outcome, now, proof } = refused;
    let named = target.as_ref().and_then(|it| Uuid::parse_str(it.split('/').next().unwrap_or_default()).ok());
    let logged = row::<()>(actor.as_ref(), *request_id, action, target.clone(), *now);
    let rest = Sql::<()>::new().with(", null, policy.touches(?), '{}', '{}', 0", [named.into()]);
    let outcome = (*outcome).into();
    match proof {
        None => logged.with("?", [outcome]).then(rest),
        Some(proof) => Sql::new()
            .with("with spent as (", [])
            .then(proofs::spent_by::<()>(proof, *request_id))
            .with("), logged as (", [])
            .then(logged.with("case when exists (select from spent) then ? else 'unauthenticated' end", [outcome]))
            .then(rest)
            .with(") select from spent", []),
    }
}

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
