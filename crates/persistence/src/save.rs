//! Saving a change: its rows, events, grants, access row and answer, in one statement.

use diesel::RunQueryDsl;
use diesel::pg::PgConnection;
use lindung_domain::case::{Added, Case, Erased, Opened, Written};
use lindung_domain::grant::GrantChange;
use lindung_domain::message::Message;
use lindung_domain::referral::Referral;
use lindung_domain::{CaseId, Change, ChildId, ReferralId};
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

/// What an entity's change writes besides what every change writes.
pub trait Saved {
    /// The case it belongs to.
    fn case(&self) -> CaseId;
    /// The case itself, where the change makes or changes it.
    #[doc(hidden)]
    fn header(&self) -> Header<'_> {
        Header::Untouched
    }
    /// The children it makes.
    #[doc(hidden)]
    fn children(&self) -> Vec<Uuid> {
        Vec::new()
    }
    /// The sections it writes.
    #[doc(hidden)]
    fn sections(&self) -> Vec<&Written> {
        Vec::new()
    }
    /// The child that it erases: its key is destroyed.
    #[doc(hidden)]
    fn erases(&self) -> Option<ChildId> {
        None
    }
    /// The referral it makes or changes.
    #[doc(hidden)]
    fn referral(&self) -> Option<&Referral> {
        None
    }
}

/// What becomes of the case's own row.
#[doc(hidden)]
#[derive(Debug)]
pub enum Header<'a> {
    New(&'a Case),
    Changed(&'a Case),
    Untouched,
}

impl Saved for Opened {
    fn case(&self) -> CaseId {
        self.case.record().id
    }
    fn header(&self) -> Header<'_> {
        Header::New(&self.case)
    }
    fn children(&self) -> Vec<Uuid> {
        self.children.iter().map(|it| it.0).collect()
    }
    fn sections(&self) -> Vec<&Written> {
        self.sections.iter().collect()
    }
}

impl Saved for Case {
    fn case(&self) -> CaseId {
        self.record().id
    }
    fn header(&self) -> Header<'_> {
        Header::Changed(self)
    }
}

impl Saved for Added {
    fn case(&self) -> CaseId {
        self.case.record().id
    }
    fn header(&self) -> Header<'_> {
        Header::Changed(&self.case)
    }
    fn children(&self) -> Vec<Uuid> {
        vec![self.child.0]
    }
    fn sections(&self) -> Vec<&Written> {
        self.sections.iter().collect()
    }
}

impl Saved for Written {
    fn case(&self) -> CaseId {
        self.case
    }
    fn sections(&self) -> Vec<&Written> {
        vec![self]
    }
}

impl Saved for Erased {
    fn case(&self) -> CaseId {
        self.case
    }
    fn erases(&self) -> Option<ChildId> {
        Some(self.child)
    }
}

impl Saved for Referral {
    fn case(&self) -> CaseId {
        self.record().case
    }
    fn referral(&self) -> Option<&Referral> {
        Some(self)
    }
}

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
        case: Some(case),
        children: entity
            .children()
            .into_iter()
            .chain(entity.sections().iter().filter_map(|it| it.child).chain(entity.erases()).map(|it| it.0))
            .collect(),
        sections: entity.sections().iter().map(|it| it.section.to_string()).collect(),
    };
    let statement = Sql::<()>::new()
        .with("with header as (", [])
        .then(header(entity.header(), case, now_counted))
        .then(new_children(call, case, entity.children()))
        .then(sealed::written(conn, vault, call, &entity.children(), entity.sections())?)
        .then(sealed::erased(conn, call, case, entity.erases())?)
        .then(referral(entity.referral()))
        .then(grants(case, change.grants()))
        .then(message(call, case, entity.referral().map(|it| it.record().id), change.message()))
        .with("), happened as (", [])
        .then(events::inserted(call, case, event_count, change.events()))
        .with(
            "), moved_up as (insert into case_parties (agency, case_id, activity_at) select distinct unnest(?::text[]), ?::uuid, ?::timestamptz \
             on conflict (agency, case_id) do update set activity_at = excluded.activity_at), logged as (",
            [told.into(), case.0.into(), call.now.into()],
        )
        .then(access_log::change(call, "permitted", touched))
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

fn header(header: Header<'_>, case: CaseId, event_count: i64) -> Sql {
    match header {
        Header::New(it) => Sql::new().with(
            "insert into cases select * from jsonb_populate_record(null::cases, ?)",
            [json!(CaseRow::new(it, event_count)).into()],
        ),
        Header::Changed(it) => Sql::new().with(
            "update cases c set status = n.status, priority = n.priority, lead_agency = n.lead_agency, offences = n.offences, \
             grounds = n.grounds, techniques = n.techniques, outcome = n.outcome, shielded = n.shielded, version = n.version, \
             event_count = n.event_count from jsonb_populate_record(null::cases, ?) n where c.id = n.id",
            [json!(CaseRow::new(it, event_count)).into()],
        ),
        Header::Untouched => {
            Sql::new().with("update cases set event_count = ? where id = ?", [event_count.into(), case.0.into()])
        }
    }
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

const REFERRAL_UPSERT: &str = "), asked as (insert into referrals select * from jsonb_populate_record(null::referrals, ?) \
    on conflict (id) do update set status = excluded.status, kind = excluded.kind, priority = excluded.priority, \
    request = excluded.request, named = excluded.named, alternatives = excluded.alternatives, open_to = excluded.open_to, \
    children = excluded.children, shares = excluded.shares, contributes = excluded.contributes, purposes = excluded.purposes, \
    onward = excluded.onward, retention_days = excluded.retention_days, recipient = excluded.recipient, listed = excluded.listed, \
    former = excluded.former, redirects = excluded.redirects, awaiting_information = excluded.awaiting_information, \
    cancel_requested = excluded.cancel_requested, assignee = excluded.assignee, due_at = excluded.due_at, \
    outcome = excluded.outcome, reason = excluded.reason, suggested = excluded.suggested, version = excluded.version, \
    requested_at = excluded.requested_at, arrived_at = excluded.arrived_at, updated_at = excluded.updated_at";

fn referral(referral: Option<&Referral>) -> Sql {
    let Some(referral) = referral else { return Sql::new() };
    let record = referral.record();
    let sql = Sql::new().with(REFERRAL_UPSERT, [json!(ReferralRow::new(referral)).into()]);
    if !record.terms.route.is_open() {
        return sql;
    }
    // Who may still claim it has it in the inbox, and nobody else.
    let listed: Vec<String> = record.listed.iter().map(ToString::to_string).collect();
    sql.with("), unlisted as (delete from referral_listings where referral_id = ? and agency <> all(?)", [
        record.id.0.into(),
        listed.clone().into(),
    ])
    .with(
        "), listed as (insert into referral_listings (agency, referral_id, arrived_at) select unnest(?::text[]), ?, ? on conflict do nothing",
        [listed.into(), record.id.0.into(), record.arrived_at.unwrap_or(record.created_at).into()],
    )
}

fn grants(case: CaseId, changes: &[GrantChange]) -> Sql {
    let (mut given, mut sql) = (Vec::new(), Sql::new());
    let mut ended: Vec<Value> = Vec::new();
    for change in changes {
        match change {
            GrantChange::Give(grant) => given.push(GrantRow::new(Db::new_id(), grant.clone())),
            GrantChange::End { referral, agency, at } => {
                ended.push(json!({ "referral_id": referral, "agency": agency, "until": at }));
            }
        }
    }
    if !ended.is_empty() {
        // A grant that ends earlier anyway keeps its end.
        sql = sql.with(
            "), ended as (update grants g set until = e.until from jsonb_populate_recordset(null::grants, ?) e \
             where g.case_id = ? and g.referral_id = e.referral_id \
             and (e.agency is null or g.agency = e.agency) and (g.until is null or g.until > e.until)",
            [Value::Array(ended).into(), case.0.into()],
        );
    }
    if !given.is_empty() {
        sql = sql.with(
            "), given as (insert into grants select * from jsonb_populate_recordset(null::grants, ?)",
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
