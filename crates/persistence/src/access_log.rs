//! The access log: who asked for what, and what they were shown. The only place that writes it.
//!
//! What is shown is recorded by the statement that reads it ([`recorded`]); a change is recorded by
//! the statement that saves it ([`change`]); a refusal by itself, after the rollback ([`refusal`]).

mod reading;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use lindung_domain::policy::Relation;
use lindung_domain::{Actor, CaseId};
use serde_json::Value;
use uuid::Uuid;

use crate::db::{Call, Db, Read, Refused, Seen};
use crate::proofs;
use crate::sql::{Bind, Sql};
use crate::suspensions;

pub use reading::{Access, AccessFilter, AccessPage, Place};

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

/// The access rows of what is sent by itself, one for each subscription: `id`, `agency`, `target`, `case_ids`, `child_ids`,
/// `count`.
pub(crate) fn sent(action: &'static str, rows: Vec<Value>, now: DateTime<Utc>) -> Sql {
    Sql::new().with(INSERT, []).with(
        "select t.id, ?, ?, null, t.agency, null, '{}', null, ?, t.target, 'permitted', 'own', t.case_ids, t.child_ids, '{}', t.count \
         from jsonb_to_recordset(?) t (id uuid, agency text, target text, case_ids uuid[], child_ids uuid[], count integer)",
        [now.into(), Db::new_id().into(), action.into(), Value::Array(rows).into()],
    )
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
