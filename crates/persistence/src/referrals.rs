//! Referrals, read and listed. What changes one is `lindung_domain::referral`.

mod row;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use lindung_domain::case::CaseFile;
use lindung_domain::policy::{self, Act};
use lindung_domain::referral::{Referral, Status};
use lindung_domain::values::{Priority, ReferralKind};
use lindung_domain::{AgencyCode, CaseId, ReferralId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::clocks::RunningClock;
use crate::db::{About, Call, Db, Read, Seen};
use crate::error::Error;
use crate::file;
use crate::sql::Sql;
use crate::visibility;

pub(crate) use row::ReferralRow;

/// A referral in a list: codes and times, nothing that anybody wrote.
#[derive(Debug, Clone, Queryable, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"))]
#[schema(rename_all = "camelCase")]
pub struct ReferralItem {
    /// Its id.
    #[serde(rename(deserialize = "item_id"))]
    pub id: Uuid,
    /// The case it is about.
    pub case_id: Uuid,
    /// The reference of the case.
    #[schema(example = "LDG-2026-000123")]
    pub case_reference: String,
    /// What is asked.
    #[schema(value_type = ReferralKind)]
    pub kind: String,
    /// Where it stands.
    #[schema(value_type = Status)]
    pub status: String,
    /// How fast it has to move.
    #[schema(value_type = Priority)]
    pub priority: String,
    /// Who asks.
    #[schema(value_type = AgencyCode)]
    pub sender: String,
    /// Who is asked now; unset while it is a draft or open to several.
    #[schema(value_type = Option<AgencyCode>)]
    pub recipient: Option<String>,
    /// A question is unanswered.
    pub awaiting_information: bool,
    /// The sender asked to cancel.
    pub cancel_requested: bool,
    /// Its version, as in its `ETag`.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was sent.
    pub requested_at: Option<DateTime<Utc>>,
    /// When it came to whom it is with now.
    pub arrived_at: Option<DateTime<Utc>>,
    /// The date agreed at acceptance.
    pub due_at: Option<DateTime<Utc>>,
}

type ItemColumns = (
    SqlUuid,
    SqlUuid,
    Text,
    Text,
    Text,
    Text,
    Text,
    Nullable<Text>,
    Bool,
    Bool,
    BigInt,
    Timestamptz,
    Nullable<Timestamptz>,
    Nullable<Timestamptz>,
    Nullable<Timestamptz>,
);
const ITEM: &str = "item_id, case_id, case_reference, kind, status, priority, sender, recipient, awaiting_information, cancel_requested, \
                    version, created_at, requested_at, arrived_at, due_at";
const ITEM_OF_R: &str = "select r.id as item_id, r.case_id, r.case_reference, r.kind, r.status, r.priority, r.sender, r.recipient, \
                         r.awaiting_information, r.cancel_requested, r.version, r.created_at, r.requested_at, r.arrived_at, r.due_at";

/// A place in a list that is ordered by time, newest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TimePlace {
    /// The time of the last item before the place.
    pub at: DateTime<Utc>,
    /// Its id.
    pub id: Uuid,
}

impl TimePlace {
    /// Before everything.
    pub(crate) fn start() -> Self {
        TimePlace { at: DateTime::<Utc>::MAX_UTC.min(far_future()), id: Uuid::max() }
    }
}

/// Later than anything that happens, and within what PostgreSQL can hold.
fn far_future() -> DateTime<Utc> {
    DateTime::from_timestamp(253_402_300_799, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Which referrals of a box are wanted.
#[derive(Debug, Clone, Default)]
pub struct BoxFilter {
    /// In one of these statuses. Without any: of the inbox what is open, of the outbox all.
    pub statuses: Vec<Status>,
    /// With this priority.
    pub priority: Option<Priority>,
    /// Of this kind.
    pub kind: Option<ReferralKind>,
    /// After this place.
    pub after: Option<TimePlace>,
    /// At most so many.
    pub limit: i64,
}

impl BoxFilter {
    /// The conditions on `r`: what no shield hides, and those that are set; each shape is a statement of its own.
    fn conditions<ST>(&self, call: &Call) -> Sql<ST> {
        let mut sql = Sql::new().with(" and ", []).then(visibility::referral_unhidden::<()>(call));
        if let Some(priority) = self.priority {
            sql = sql.with(" and r.priority = ?", [priority.as_str().into()]);
        }
        if let Some(kind) = self.kind {
            sql = sql.with(" and r.kind = ?", [kind.as_str().into()]);
        }
        sql
    }

    fn in_statuses<ST>(&self, otherwise: &'static str) -> Sql<ST> {
        if self.statuses.is_empty() {
            return Sql::new().with(otherwise, []);
        }
        let statuses: Vec<String> = self.statuses.iter().map(ToString::to_string).collect();
        Sql::new().with(" and r.status = any(?)", [statuses.into()])
    }

    fn place(&self) -> TimePlace {
        self.after.clone().unwrap_or_else(TimePlace::start)
    }
}

/// Matches the index `referrals_inbox_open`.
const OPEN: &str = " and r.status in ('requested', 'received', 'accepted', 'in-progress', 'on-hold')";

impl Db {
    /// The referrals that are with the actor's agency, or that it may claim; newest arrival first.
    ///
    /// # Errors
    /// The actor is no officer; the database is not available.
    pub fn inbox(&self, call: &Call, filter: &BoxFilter) -> Result<Vec<ReferralItem>, Error> {
        policy::require_own(&call.actor, Act::ListReferrals)?;
        let (own, place, limit) = (call.actor.agency().as_str(), filter.place(), filter.limit);
        let query = Sql::<ItemColumns>::new()
            .with("select *, null::uuid[] as child_ids, null::text[] as sections from ((", [])
            .with(ITEM_OF_R, [])
            .with(", 'recipient' as rule from referrals r where r.recipient = ? and (r.arrived_at, r.id) < (?, ?)", [
                own.into(), place.at.into(), place.id.into(),
            ])
            .then(filter.in_statuses::<()>(OPEN))
            .then(filter.conditions::<()>(call))
            .with(" order by r.arrived_at desc, r.id desc limit ?) union all (", [limit.into()])
            .with(ITEM_OF_R, [])
            .with(
                ", 'listed' as rule from referral_listings l join referrals r on r.id = l.referral_id where l.agency = ? \
                 and (l.arrived_at, l.referral_id) < (?, ?)",
                [own.into(), place.at.into(), place.id.into()],
            )
            .then(filter.in_statuses::<()>(OPEN))
            .then(filter.conditions::<()>(call))
            .with(
                " order by l.arrived_at desc, l.referral_id desc limit ?)) found order by arrived_at desc, item_id desc limit ?",
                [limit.into(), limit.into()],
            );
        self.read(call, Read { columns: ITEM, query, seen: Seen::List })
    }

    /// The referrals that the actor's agency made, drafts too; newest first.
    ///
    /// # Errors
    /// The actor is no officer; the database is not available.
    pub fn outbox(&self, call: &Call, filter: &BoxFilter) -> Result<Vec<ReferralItem>, Error> {
        policy::require_own(&call.actor, Act::ListReferrals)?;
        let place = filter.place();
        let query = Sql::<ItemColumns>::new()
            .with(ITEM_OF_R, [])
            .with(
                ", null::uuid[] as child_ids, null::text[] as sections, 'sender' as rule from referrals r \
                 where r.sender = ? and (r.created_at, r.id) < (?, ?)",
                [call.actor.agency().as_str().into(), place.at.into(), place.id.into()],
            )
            .then(filter.in_statuses::<()>(""))
            .then(filter.conditions::<()>(call))
            .with(" order by r.created_at desc, r.id desc limit ?", [filter.limit.into()]);
        self.read(call, Read { columns: ITEM, query, seen: Seen::List })
    }

    /// The referrals of a case that the actor may read; oldest first, after `after`.
    ///
    /// # Errors
    /// The case is not the actor's to see; the database is not available.
    pub fn referrals_of_case(
        &self,
        call: &Call,
        case: CaseId,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<ReferralItem>, Error> {
        let query = Sql::<Nullable<Jsonb>>::new()
            .with("select c.id as case_id, null::uuid[] as child_ids, null::text[] as sections, ", [])
            .then(visibility::case_rule::<()>(call, Act::ReadCase))
            .with(" as rule, r.item_id, to_jsonb(r) as item from cases c left join lateral (", [])
            .with(ITEM_OF_R, [])
            .with(" from referrals r where r.case_id = c.id and r.id > ? and ", [after.unwrap_or(Uuid::nil()).into()])
            .then(visibility::referral_visible::<()>(call, Act::ReadReferral))
            .with(" order by r.id limit ?) r on true where c.id = ? and ", [limit.into(), case.0.into()])
            .then(visibility::case_visible::<()>(call, Act::ReadCase));
        let seen = Seen::One(About::Case(case, Act::ReadCase));
        let rows: Vec<Option<Value>> = self.read(call, Read { columns: "item", query, seen })?;
        rows.into_iter().flatten().map(|it| Ok(serde_json::from_value(it)?)).collect()
    }

    /// A referral, with the case file by which it is known what the actor may do to it, and the clocks that run on it.
    ///
    /// # Errors
    /// It is not the actor's to see; the database is not available.
    pub fn referral(&self, call: &Call, id: ReferralId) -> Result<(Referral, CaseFile, Vec<RunningClock>), Error> {
        type Columns = (Jsonb, Jsonb, Nullable<Jsonb>, Nullable<Jsonb>);
        let query = Sql::<Columns>::new()
            .with("select c.id as case_id, r.children as child_ids, null::text[] as sections, ", [])
            .then(visibility::referral_rule::<()>(call))
            .with(
                " as rule, r.id as item_id, to_jsonb(r) as referral, to_jsonb(c) as case_row, (select jsonb_agg(g) from grants g \
                 where g.case_id = c.id and g.agency = ? and (g.until is null or g.until > ?)) as grants, \
                 (select jsonb_agg(w order by w.id) from clocks w where w.case_id = c.id and w.subject_id = r.id and w.ended_at is null) as clocks \
                 from referrals r join cases c on c.id = r.case_id where r.id = ? and ",
                [call.actor.agency().as_str().into(), call.now.into(), id.0.into()],
            )
            .then(visibility::referral_visible::<()>(call, Act::ReadReferral));
        let seen = Seen::One(About::Referral(id, Act::ReadReferral));
        let rows: Vec<(Value, Value, Option<Value>, Option<Value>)> =
            self.read(call, Read { columns: "referral, case_row, grants, clocks", query, seen })?;
        let (referral, case, grants, clocks) = rows.into_iter().next().ok_or(lindung_domain::Refusal::NotFound)?;
        let file = file::in_part(case, grants)?;
        let clocks = clocks.map_or(Ok(Vec::new()), serde_json::from_value)?;
        Ok((serde_json::from_value::<ReferralRow>(referral)?.into_referral(), file, clocks))
    }
}
