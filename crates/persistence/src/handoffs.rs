//! Handoffs, read and listed. What makes or changes one is `lindung_domain::handoff`.

use chrono::{DateTime, Utc};
use diesel::RunQueryDsl;
use diesel::pg::PgConnection;
use diesel::sql_types::{Jsonb, Nullable, Uuid as SqlUuid};
use lindung_domain::case::CaseFile;
use lindung_domain::handoff::{Handoff, HandoffStatus, Keeps, Manifest, Record};
use lindung_domain::policy::{self, Act};
use lindung_domain::referral::Referral;
use lindung_domain::{AgencyCode, CaseId, HandoffId, Refusal, Version};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::clocks::RunningClock;
use crate::db::{About, Call, Db, Read, Seen, Tx};
use crate::error::Error;
use crate::file;
use crate::referrals::ReferralRow;
use crate::sql::Sql;
use crate::visibility;

#[derive(Debug, Serialize, Deserialize)]
struct HandoffRow {
    id: HandoffId,
    case_id: CaseId,
    case_reference: String,
    status: HandoffStatus,
    from_agency: AgencyCode,
    to_agency: AgencyCode,
    keeps: Option<Keeps>,
    ask_reason: Option<String>,
    offer_reason: Option<String>,
    answer_reason: Option<String>,
    manifest: Option<Manifest>,
    version: Version,
    created_at: DateTime<Utc>,
    offered_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
}

impl HandoffRow {
    fn new(handoff: &Handoff) -> Self {
        let Record {
            id,
            case,
            case_reference,
            status,
            from,
            to,
            keeps,
            ask_reason,
            offer_reason,
            answer_reason,
            manifest,
            version,
            created_at,
            offered_at,
            ended_at,
        } = handoff.record().clone();
        HandoffRow {
            id,
            case_id: case,
            case_reference,
            status,
            from_agency: from,
            to_agency: to,
            keeps,
            ask_reason,
            offer_reason,
            answer_reason,
            manifest,
            version,
            created_at,
            offered_at,
            ended_at,
        }
    }

    fn into_handoff(self) -> Handoff {
        let HandoffRow {
            id,
            case_id,
            case_reference,
            status,
            from_agency,
            to_agency,
            keeps,
            ask_reason,
            offer_reason,
            answer_reason,
            manifest,
            version,
            created_at,
            offered_at,
            ended_at,
        } = self;
        Handoff::restore(Record {
            id,
            case: case_id,
            case_reference,
            status,
            from: from_agency,
            to: to_agency,
            keeps,
            ask_reason,
            offer_reason,
            answer_reason,
            manifest,
            version,
            created_at,
            offered_at,
            ended_at,
        })
    }
}

/// A handoff in a list: codes and times.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"))]
#[schema(rename_all = "camelCase")]
pub struct HandoffItem {
    /// Its id (UUIDv7).
    pub id: HandoffId,
    /// The case.
    pub case_id: CaseId,
    /// The reference of the case.
    #[schema(example = "LDG-2026-000123")]
    pub case_reference: String,
    /// Where it stands.
    pub status: HandoffStatus,
    /// The agency that leads, or led.
    #[serde(rename(deserialize = "from_agency"))]
    pub from: AgencyCode,
    /// The agency that is to lead.
    #[serde(rename(deserialize = "to_agency"))]
    pub to: AgencyCode,
    /// What the former lead keeps; null while it is only asked for.
    pub keeps: Option<Keeps>,
    /// Its version, as in its `ETag`.
    pub version: Version,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was offered, last.
    pub offered_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Which handoffs are wanted.
#[derive(Debug, Clone, Default)]
pub struct HandoffFilter {
    /// In this status; without one, those that wait for somebody.
    pub status: Option<HandoffStatus>,
    /// After this one.
    pub after: Option<Uuid>,
    /// At most so many.
    pub limit: i64,
}

/// Handoffs that are made or changed, as part of the statement that saves them.
pub(crate) fn saved(handoffs: &[&Handoff]) -> Sql {
    if handoffs.is_empty() {
        return Sql::new();
    }
    let rows: Vec<HandoffRow> = handoffs.iter().map(|it| HandoffRow::new(it)).collect();
    Sql::new().with(
        "), handed as (insert into handoffs select * from jsonb_populate_recordset(null::handoffs, ?) on conflict (id) do update set \
         status = excluded.status, from_agency = excluded.from_agency, keeps = excluded.keeps, offer_reason = excluded.offer_reason, \
         answer_reason = excluded.answer_reason, manifest = excluded.manifest, version = excluded.version, \
         offered_at = excluded.offered_at, ended_at = excluded.ended_at",
        [json!(rows).into()],
    )
}

/// One that expired, as part of the statement that tells of it.
pub(crate) fn expired(handoff: Option<&Handoff>) -> Sql {
    let Some(Record { id, status, version, ended_at, .. }) = handoff.map(Handoff::record) else { return Sql::new() };
    Sql::new().with(
        "), expired as (update handoffs set status = ?, version = ?, ended_at = ? where id = ?",
        [status.as_str().into(), version.0.into(), (*ended_at).into(), id.0.into()],
    )
}

/// The handoffs in a JSON array of rows.
pub(crate) fn restored(rows: Option<Value>) -> Result<Vec<Handoff>, Error> {
    let rows: Vec<HandoffRow> = rows.map_or(Ok(Vec::new()), serde_json::from_value)?;
    Ok(rows.into_iter().map(HandoffRow::into_handoff).collect())
}

/// A handoff, as far as row-level security shows it.
pub(crate) fn load(conn: &mut PgConnection, id: HandoffId) -> Result<Option<Handoff>, Error> {
    let query = Sql::<Nullable<Jsonb>>::new()
        .with("select (select jsonb_build_array(to_jsonb(h)) from handoffs h where h.id = ?)", [id.0.into()]);
    Ok(restored(query.get_result(conn)?)?.pop())
}

impl Tx<'_> {
    /// The case as it is now, for whoever leads it or is offered it.
    ///
    /// # Errors
    /// The database is not available.
    pub fn manifest(&mut self, case: CaseId) -> Result<Option<Manifest>, Error> {
        let query = Sql::<Nullable<Jsonb>>::new().with("select policy.manifest(?)", [case.0.into()]);
        let found: Option<Value> = query.get_result(self.conn)?;
        Ok(found.map(serde_json::from_value).transpose()?)
    }

    /// The referrals that the lead has open, for whoever is offered the case.
    ///
    /// # Errors
    /// The database is not available.
    pub fn open_referrals_of_lead(&mut self, case: CaseId) -> Result<Vec<Referral>, Error> {
        let query = Sql::<Nullable<Jsonb>>::new().with(
            "select (select jsonb_agg(to_jsonb(r) order by r.id) from policy.referrals_of_lead(?) r)",
            [case.0.into()],
        );
        let found: Option<Value> = query.get_result(self.conn)?;
        let rows: Vec<ReferralRow> = found.map_or(Ok(Vec::new()), serde_json::from_value)?;
        Ok(rows.into_iter().map(ReferralRow::into_referral).collect())
    }
}

impl Db {
    /// The case of a handoff that the actor may know of.
    ///
    /// # Errors
    /// There is none; the database is not available.
    pub fn case_of_handoff(&self, call: &Call, id: HandoffId) -> Result<CaseId, Error> {
        let query =
            Sql::<Nullable<SqlUuid>>::new().with("select (select case_id from handoffs where id = ?)", [id.0.into()]);
        self.case_found(call, query)
    }

    /// A handoff, with the case file by which it is known what the actor may do to it, and the clocks that run on it.
    ///
    /// # Errors
    /// It is not the actor's to see; the database is not available.
    pub fn handoff(&self, call: &Call, id: HandoffId) -> Result<(Handoff, CaseFile, Vec<RunningClock>), Error> {
        let query = Sql::<(Jsonb, Jsonb, Nullable<Jsonb>, Nullable<Jsonb>)>::new()
            .with("select c.id as case_id, null::uuid[] as child_ids, null::text[] as sections, ", [])
            .then(visibility::handoff_rule::<()>(call))
            .with(
                " as rule, h.id as item_id, jsonb_build_array(to_jsonb(h)) as handoff, to_jsonb(c) as case_row, \
                 (select jsonb_agg(g) from grants g where g.case_id = c.id and g.agency = ? and (g.until is null or g.until > ?)) as grants, \
                 (select jsonb_agg(w order by w.id) from clocks w where w.case_id = c.id and w.subject_id = h.id and w.ended_at is null) as clocks \
                 from handoffs h join cases c on c.id = h.case_id where h.id = ? and ",
                [call.actor.agency().as_str().into(), call.now.into(), id.0.into()],
            )
            .then(visibility::handoff_visible::<()>(call));
        let seen = Seen::One(About::Handoff(id));
        let rows: Vec<(Value, Value, Option<Value>, Option<Value>)> =
            self.read(call, Read { columns: "handoff, case_row, grants, clocks", query, seen })?;
        let (handoff, case, grants, clocks) = rows.into_iter().next().ok_or(Refusal::NotFound)?;
        let file = file::in_part(case, grants)?;
        let handoff = restored(Some(handoff))?.pop().ok_or(Refusal::NotFound)?;
        Ok((handoff, file, clocks.map_or(Ok(Vec::new()), serde_json::from_value)?))
    }

    /// The handoffs that the actor's agency asked for, was offered or offered; newest first.
    ///
    /// # Errors
    /// The actor is no officer; the database is not available.
    pub fn handoffs(&self, call: &Call, filter: &HandoffFilter) -> Result<Vec<HandoffItem>, Error> {
        policy::require_own(&call.actor, Act::ListHandoffs)?;
        let own = call.actor.agency().as_str();
        let query = Sql::<Jsonb>::new()
            .with(
                "select h.case_id, null::uuid[] as child_ids, null::text[] as sections, \
                 case when h.to_agency = ? then 'addressee' else 'offeror' end as rule, h.id as item_id, to_jsonb(h) as item \
                 from handoffs h join cases c on c.id = h.case_id where (h.to_agency = ? or h.from_agency = ?) and h.id < ? and ",
                [own.into(), own.into(), own.into(), filter.after.unwrap_or(Uuid::max()).into()],
            )
            .then(match filter.status {
                None => Sql::<()>::new().with("h.status in ('asked', 'offered')", []),
                Some(it) => Sql::new().with("h.status = ?", [it.as_str().into()]),
            })
            .with(" and ", [])
            .then(visibility::handoff_visible::<()>(call))
            .with(" order by h.id desc limit ?", [filter.limit.into()]);
        items(self.read(call, Read { columns: "item", query, seen: Seen::List })?)
    }

    /// The handoffs of a case that the actor may know of, oldest first, after `after`.
    ///
    /// # Errors
    /// The case is not the actor's to see; the database is not available.
    pub fn handoffs_of_case(
        &self,
        call: &Call,
        case: CaseId,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<HandoffItem>, Error> {
        let query = Sql::<Nullable<Jsonb>>::new()
            .with("select c.id as case_id, null::uuid[] as child_ids, null::text[] as sections, ", [])
            .then(visibility::case_rule::<()>(call, Act::ReadCase))
            .with(" as rule, h.id as item_id, to_jsonb(h) as item from cases c left join lateral (select * from handoffs h \
                   where h.case_id = c.id and h.id > ? and ", [after.unwrap_or(Uuid::nil()).into()])
            .then(visibility::handoff_visible::<()>(call))
            .with(" order by h.id limit ?) h on true where c.id = ? and ", [limit.into(), case.0.into()])
            .then(visibility::case_visible::<()>(call, Act::ReadCase));
        let seen = Seen::One(About::Case(case, Act::ReadCase));
        let rows: Vec<Option<Value>> = self.read(call, Read { columns: "item", query, seen })?;
        items(rows.into_iter().flatten().collect())
    }
}

fn items(rows: Vec<Value>) -> Result<Vec<HandoffItem>, Error> {
    rows.into_iter().map(|it| Ok(serde_json::from_value(it)?)).collect()
}
