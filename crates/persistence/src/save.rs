//! Saving a change: its rows, events, grants, access row and answer, in one statement.

mod saved;

use diesel::RunQueryDsl;
use diesel::pg::PgConnection;
use lindung_domain::case::{Case, Shielded};
use lindung_domain::grant::{Ending, GrantChange, Source};
use lindung_domain::message::Message;
use lindung_domain::referral::Referral;
use lindung_domain::{CaseId, Change, ReferralId};
use lindung_vault::Vault;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::access_log::{self, Touched};
use crate::db::{Call, Db, Writing};
use crate::error::Error;
use crate::events;
use crate::file::{CaseRow, GrantRow};
use crate::idempotency::{self, Answer};
use crate::referrals::ReferralRow;
use crate::sealed;
use crate::sql::Sql;
use crate::{
    accesses, clocks, consents, emergencies, grants, handoffs, occurrences, overrides, proposals, releases,
    status_checks,
};

use saved::Header;
pub use saved::Saved;

/// Saves a change and everything that belongs to it. Each part appears in the statement only where
/// there is something for it, so that the common changes stay small.
pub(crate) fn save<T: Saved>(
    conn: &mut PgConnection,
    vault: &Vault,
    writing: &Writing<'_>,
    change: &Change<T>,
    answer: &Answer,
    event_count: i64,
) -> Result<(), Error> {
    let (call, entity) = (writing.call, change.entity());
    let case = entity.case();
    let now_counted = event_count + i64::try_from(change.events().len()).unwrap_or(i64::MAX);
    let told: Vec<String> = change.events().iter().flat_map(|it| &it.recipients).map(ToString::to_string).collect();
    let touched = Touched {
        rule: change.rule(),
        cases: vec![case],
        children: entity
            .children()
            .into_iter()
            .chain(entity.sections().iter().filter_map(|it| it.child).chain(entity.erases()).map(|it| it.0))
            .chain(entity.shielded().and_then(|it| it.child).map(|it| it.0))
            .chain(entity.proposal().and_then(|it| it.record().child).map(|it| it.0))
            .chain(entity.release().map(|it| it.child.0))
            .chain(entity.occurrence().map(|it| it.child.0))
            .chain(entity.consent().map(|it| it.record().child.0))
            .chain(entity.checked().map(|it| it.child.0))
            .collect(),
        sections: entity.sections().iter().map(|it| it.section.to_string()).collect(),
    };
    // Row-level security looks at the case as it was before the statement: a new one has to be there already.
    let head = match entity.header() {
        Header::New(it) => {
            new_case(it, now_counted).execute(conn)?;
            Sql::new().with("select 1", [])
        }
        Header::Changed(it) => changed_case(it, now_counted),
        Header::Moved(it) => {
            changed_case(it, now_counted).execute(conn)?;
            Sql::new().with("select 1", [])
        }
        Header::Untouched => {
            Sql::new().with("update cases set event_count = ? where id = ?", [now_counted.into(), case.0.into()])
        }
    };
    if let Some(Shielded { child: None, shield, .. }) = entity.shielded() {
        Sql::<()>::new().with("select policy.veil(?, ?)", [case.0.into(), shield.is_some().into()]).execute(conn)?;
    }
    let statement = Sql::<()>::new()
        .with("with header as (", [])
        .then(head)
        .then(new_children(call, case, entity.children()))
        .then(sealed::written(conn, vault, call, &entity.children(), entity.sections())?)
        .then(sealed::erased(conn, call, case, entity.erases())?)
        .then(referrals(case, &entity.referrals()))
        .then(handoffs::saved(&entity.handoffs()))
        .then(hidden_child(entity.shielded()))
        .then(emergencies::saved(entity.emergency()))
        .then(proposals::saved(entity.proposal()))
        .then(consents::saved(entity.consent()))
        .then(overrides::made(change.overrides()))
        .then(overrides::reviewed(entity.reviewed()))
        .then(accesses::withheld(entity.withheld()))
        .then(releases::saved(entity.release()))
        .then(status_checks::saved(call, entity.checked()))
        .then(occurrences::saved(entity.occurrence()))
        .then(moved_grants(case, change.grants()))
        .then(clocks::saved(Some(case), change.clocks()))
        .then(grants::ended_by_hand(call, entity.ended_grant()))
        .then(message(call, case, entity.referrals().first().map(|it| it.record().id), change.message()))
        .with("), happened as (", [])
        .then(events::inserted(call, case, event_count, change.events()))
        .with(
            "), moved_up as (insert into case_parties (agency, case_id, activity_at) select distinct unnest(?::text[]), ?::uuid, ?::timestamptz \
             on conflict (agency, case_id) do update set activity_at = excluded.activity_at), logged as (",
            [told.into(), case.0.into(), call.now.into()],
        )
        .then(access_log::logged(call, "permitted", touched))
        .with(")", []);
    let statement = match writing.repeat {
        Some(repeat) => statement
            .with(", kept as (", [])
            .then(idempotency::kept(call, repeat, answer))
            .with(") select from kept", []),
        None => statement.with(" select", []),
    };
    let kept = statement.execute(conn)?;
    if kept == 0 { Err(Error::KeyBusy) } else { Ok(()) }
}

fn new_case(case: &Case, event_count: i64) -> Sql {
    Sql::new().with(
        "insert into cases select * from jsonb_populate_record(null::cases, ?)",
        [json!(CaseRow::new(case, event_count)).into()],
    )
}

fn changed_case(case: &Case, event_count: i64) -> Sql {
    Sql::new().with(
        "update cases c set status = n.status, priority = n.priority, lead_agency = n.lead_agency, offences = n.offences, \
         grounds = n.grounds, techniques = n.techniques, outcome = n.outcome, shield = n.shield, version = n.version, \
         event_count = n.event_count from jsonb_populate_record(null::cases, ?) n where c.id = n.id",
        [json!(CaseRow::new(case, event_count)).into()],
    )
}

fn new_children(call: &Call, case: CaseId, children: Vec<Uuid>) -> Sql {
    if children.is_empty() {
        return Sql::new();
    }
    Sql::new().with(
        "), new_children as (insert into children (id, case_id, created_at) select unnest(?::uuid[]), ?, ?",
        [children.into(), case.0.into(), call.now.into()],
    )
}

/// The shield of a child; that of a case is in its own row.
fn hidden_child(shielded: Option<&Shielded>) -> Sql {
    let Some(Shielded { child: Some(child), shield, .. }) = shielded else { return Sql::new() };
    let names = shield.as_ref().map(|it| it.names().iter().map(ToString::to_string).collect::<Vec<_>>());
    Sql::new().with("), hidden as (update children set shield = ? where id = ?", [names.into(), child.0.into()])
}

const REFERRAL_UPSERT: &str = "), asked as (insert into referrals select r.* from cases c, \
    jsonb_array_elements(?) it, jsonb_populate_record(null::referrals, it || jsonb_build_object('shielded', c.shield is not null)) r \
    where c.id = ? \
    on conflict (id) do update set status = excluded.status, kind = excluded.kind, priority = excluded.priority, \
    request = excluded.request, named = excluded.named, alternatives = excluded.alternatives, open_to = excluded.open_to, \
    children = excluded.children, shares = excluded.shares, contributes = excluded.contributes, purposes = excluded.purposes, \
    onward = excluded.onward, retention_days = excluded.retention_days, recipient = excluded.recipient, listed = excluded.listed, \
    former = excluded.former, redirects = excluded.redirects, awaiting_information = excluded.awaiting_information, \
    cancel_requested = excluded.cancel_requested, assignee = excluded.assignee, due_at = excluded.due_at, \
    outcome = excluded.outcome, reason = excluded.reason, suggested = excluded.suggested, sender = excluded.sender, version = excluded.version, \
    requested_at = excluded.requested_at, arrived_at = excluded.arrived_at, updated_at = excluded.updated_at";

fn referrals(case: CaseId, referrals: &[&Referral]) -> Sql {
    if referrals.is_empty() {
        return Sql::new();
    }
    let rows: Vec<ReferralRow> = referrals.iter().map(|it| ReferralRow::new(it)).collect();
    let sql = Sql::new().with(REFERRAL_UPSERT, [json!(rows).into(), case.0.into()]);
    let open = referrals.iter().map(|it| it.record()).filter(|it| it.terms.route.is_open());
    let lists: Vec<Value> = open
        .map(|it| json!({ "id": it.id, "listed": it.listed, "arrived_at": it.arrived_at.unwrap_or(it.created_at) }))
        .collect();
    if lists.is_empty() {
        return sql;
    }
    // Who may still claim it has it in the inbox, and nobody else.
    sql.with(
        "), unlisted as (delete from referral_listings l using jsonb_to_recordset(?) o (id uuid, listed text[]) \
         where l.referral_id = o.id and l.agency <> all(o.listed)",
        [json!(lists).into()],
    )
    .with(
        "), listed as (insert into referral_listings (agency, referral_id, case_id, arrived_at) select unnest(o.listed), o.id, ?, o.arrived_at \
         from jsonb_to_recordset(?) o (id uuid, listed text[], arrived_at timestamptz) on conflict do nothing",
        [case.0.into(), json!(lists).into()],
    )
}

pub(crate) fn moved_grants(case: CaseId, changes: &[GrantChange]) -> Sql {
    let (mut given, mut sql) = (Vec::new(), Sql::new());
    let mut ended: Vec<Value> = Vec::new();
    for change in changes {
        match change {
            GrantChange::Give(grant) => given.push(GrantRow::new(Db::new_id(), grant.clone())),
            GrantChange::End { which, at } => {
                let mut row = match which {
                    Ending::Referral { referral, agency } => json!({ "referral_id": referral, "agency": agency }),
                    Ending::Consent(consent) => json!({ "consents": [consent] }),
                    Ending::Override(overridden) => json!({ "override_id": overridden }),
                    Ending::Lead => json!({ "source": Source::Lead }),
                };
                row["until"] = json!(at);
                ended.push(row);
            }
        }
    }
    if !ended.is_empty() {
        // A grant that ends earlier anyway keeps its end.
        sql = sql.with(
            "), ended as (update grants g set until = e.until from jsonb_populate_recordset(null::grants, ?) e \
             where g.case_id = ? and (e.referral_id is null or g.referral_id = e.referral_id) and (e.agency is null or g.agency = e.agency) \
             and (e.consents is null or g.consents && e.consents) and (e.override_id is null or g.override_id = e.override_id) \
             and (e.source is null or g.source = e.source) and (g.until is null or g.until > e.until)",
            [Value::Array(ended).into(), case.0.into()],
        );
    }
    if !given.is_empty() {
        sql = sql.with(
            "), given as (insert into grants (id, case_id, agency, source, referral_id, handoff_id, request_id, officer, chain, reason, ground, \
             sections, contributes, children, purposes, consents, override_id, onward, since, until) select id, case_id, agency, source, \
             referral_id, handoff_id, request_id, officer, chain, reason, ground, sections, contributes, children, purposes, consents, override_id, \
             onward, since, until \
             from jsonb_populate_recordset(null::grants, ?)",
            [json!(given).into()],
        );
    }
    sql
}

fn message(call: &Call, case: CaseId, referral: Option<ReferralId>, message: Option<&Message>) -> Sql {
    let Some(Message { kind, code, text }) = message else { return Sql::new() };
    Sql::new().with(
        "), said as (insert into messages (id, case_id, referral_id, kind, code, text, agency, officer, at) \
         values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            Db::new_id().into(),
            case.0.into(),
            referral.map(|it| it.0).into(),
            kind.as_str().into(),
            code.map(str::to_owned).into(),
            text.as_str().into(),
            call.actor.agency().as_str().into(),
            call.actor.officer_id().map(ToString::to_string).into(),
            call.now.into(),
        ],
    )
}
