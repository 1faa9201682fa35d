//! Overrides, read and listed. What makes or judges one is `lindung_domain::overrides`.

use chrono::{DateTime, Utc};
use diesel::RunQueryDsl;
use diesel::pg::PgConnection;
use diesel::sql_types::{Jsonb, Nullable, Uuid as SqlUuid};
use lindung_domain::emergency::ReviewOutcome;
use lindung_domain::overrides::{Override, Record};
use lindung_domain::policy::Act;
use lindung_domain::{AgencyCode, CaseId, OfficerId, OverrideId, ReferralId, Section, Version};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::{About, Call, Db, Read, Seen};
use crate::error::Error;
use crate::sql::Sql;
use crate::visibility;

/// What a referral disclosed without consent, as its sender and the lead see it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"))]
#[schema(rename_all = "camelCase")]
pub struct OverrideItem {
    /// Its id (UUIDv7).
    pub id: OverrideId,
    /// The case.
    pub case_id: CaseId,
    /// The referral that discloses.
    pub referral_id: ReferralId,
    /// What is disclosed.
    pub sections: Vec<Section>,
    /// Why.
    pub reason: String,
    /// Until when, exclusively.
    pub until: DateTime<Utc>,
    /// The agency that sent the referral.
    pub agency: AgencyCode,
    /// The officer who did.
    pub officer: OfficerId,
    /// When.
    pub at: DateTime<Utc>,
    /// What the review found.
    pub review: Option<ReviewOutcome>,
    /// The review, in words.
    pub review_note: Option<String>,
    /// Who reviewed it.
    pub reviewed_by: Option<OfficerId>,
    /// When.
    pub reviewed_at: Option<DateTime<Utc>>,
    /// Its version.
    pub version: Version,
}

impl OverrideItem {
    fn new(made: &Override) -> Self {
        let Record {
            id,
            case,
            referral,
            sections,
            reason,
            until,
            agency,
            officer,
            at,
            review,
            review_note,
            reviewed_by,
            reviewed_at,
            version,
        } = made.record().clone();
        OverrideItem {
            id,
            case_id: case,
            referral_id: referral,
            sections,
            reason,
            until,
            agency,
            officer,
            at,
            review,
            review_note,
            reviewed_by,
            reviewed_at,
            version,
        }
    }

    fn into_override(self) -> Override {
        let OverrideItem {
            id,
            case_id,
            referral_id,
            sections,
            reason,
            until,
            agency,
            officer,
            at,
            review,
            review_note,
            reviewed_by,
            reviewed_at,
            version,
        } = self;
        Override::restore(Record {
            id,
            case: case_id,
            referral: referral_id,
            sections,
            reason,
            until,
            agency,
            officer,
            at,
            review,
            review_note,
            reviewed_by,
            reviewed_at,
            version,
        })
    }

    /// The columns, as JSON has them.
    fn row(&self) -> Value {
        let OverrideItem {
            id,
            case_id,
            referral_id,
            sections,
            reason,
            until,
            agency,
            officer,
            at,
            review,
            review_note,
            reviewed_by,
            reviewed_at,
            version,
        } = self;
        json!({
            "id": id, "case_id": case_id, "referral_id": referral_id, "sections": sections, "reason": reason, "until": until,
            "agency": agency, "officer": officer, "at": at, "review": review, "review_note": review_note,
            "reviewed_by": reviewed_by, "reviewed_at": reviewed_at, "version": version,
        })
    }
}

/// The overrides that a change makes, as part of the statement that saves it.
pub(crate) fn made(overrides: &[Override]) -> Sql {
    if overrides.is_empty() {
        return Sql::new();
    }
    let rows: Vec<Value> = overrides.iter().map(|it| OverrideItem::new(it).row()).collect();
    Sql::new().with(
        "), overridden as (insert into overrides select * from jsonb_populate_recordset(null::overrides, ?)",
        [Value::Array(rows).into()],
    )
}

/// An override that was reviewed, as part of the statement that saves it.
pub(crate) fn reviewed(reviewed: Option<&Override>) -> Sql {
    let Some(reviewed) = reviewed else { return Sql::new() };
    Sql::new().with(
        "), judged as (update overrides o set review = n.review, review_note = n.review_note, reviewed_by = n.reviewed_by, \
         reviewed_at = n.reviewed_at, version = n.version from jsonb_populate_record(null::overrides, ?) n where o.id = n.id",
        [OverrideItem::new(reviewed).row().into()],
    )
}

/// An override, as far as row-level security shows it.
pub(crate) fn load(conn: &mut PgConnection, id: OverrideId) -> Result<Option<Override>, Error> {
    let query = Sql::<Nullable<Jsonb>>::new()
        .with("select (select to_jsonb(o) from overrides o where o.id = ?)", [id.0.into()]);
    let row: Option<Value> = query.get_result(conn)?;
    Ok(row.map(serde_json::from_value::<OverrideItem>).transpose()?.map(OverrideItem::into_override))
}

impl Db {
    /// The case of an override that the actor may know of.
    ///
    /// # Errors
    /// There is none; the database is not available.
    pub fn case_of_override(&self, call: &Call, id: OverrideId) -> Result<CaseId, Error> {
        let query =
            Sql::<Nullable<SqlUuid>>::new().with("select (select case_id from overrides where id = ?)", [id.0.into()]);
        self.case_found(call, query)
    }

    /// What was disclosed of a case without consent, oldest first, after `after`: for the lead all of it, for another
    /// agency what its own referrals disclosed.
    ///
    /// # Errors
    /// They are not the actor's to see; the database is not available.
    pub fn overrides(
        &self,
        call: &Call,
        case: CaseId,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<OverrideItem>, Error> {
        let own = call.actor.agency().as_str();
        let query = Sql::<Nullable<Jsonb>>::new()
            .with(
                "select c.id as case_id, null::uuid[] as child_ids, null::text[] as sections, \
                 case when c.lead_agency = ? then 'lead' else 'maker' end as rule, o.id as item_id, to_jsonb(o) as item from cases c \
                 left join lateral (select * from overrides v where v.case_id = c.id and v.id > ? \
                 and (v.agency = ? or c.lead_agency = ?) order by v.id limit ?) o on true where c.id = ? and (",
                [
                    own.into(),
                    after.unwrap_or(Uuid::nil()).into(),
                    own.into(),
                    own.into(),
                    limit.into(),
                    case.0.into(),
                ],
            )
            .then(visibility::led_case_visible::<()>(call, Act::ReadOverrides))
            .with(" or ", [])
            .then(visibility::own_record_visible::<()>(call, Act::ReadOverrides))
            .with(" and exists (select from overrides v where v.case_id = c.id and v.agency = ?))", [own.into()]);
        let seen = Seen::One(About::Case(case, Act::ReadOverrides));
        let rows: Vec<Option<Value>> = self.read(call, Read { columns: "item", query, seen })?;
        rows.into_iter().flatten().map(|it| Ok(serde_json::from_value(it)?)).collect()
    }
}
