//! Grants, listed, and ended by hand. How they move with everything else is in `save.rs`.

use chrono::{DateTime, Utc};
use diesel::RunQueryDsl;
use diesel::pg::PgConnection;
use diesel::sql_types::{Jsonb, Nullable, Uuid as SqlUuid};
use lindung_domain::grant::{EndedByHand, Source};
use lindung_domain::policy::Act;
use lindung_domain::referral::Basis;
use lindung_domain::{
    AgencyCode, CaseId, ChildId, DataSharingId, GrantId, HandoffId, OfficerId, Purpose, ReferralId, Section,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::{About, Call, Db, Read, Seen};
use crate::error::Error;
use crate::sql::Sql;
use crate::visibility;

/// Who may see, or might see, what of a case.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"))]
#[schema(rename_all = "camelCase")]
pub struct GrantItem {
    /// Its id (UUIDv7).
    pub id: GrantId,
    /// The case.
    pub case_id: CaseId,
    /// The agency, neither those above nor those below it.
    pub agency: AgencyCode,
    /// The one officer of it whom it is for; all of them when null.
    pub officer: Option<OfficerId>,
    /// Where it comes from.
    pub source: Source,
    /// The referral that gave it.
    pub referral_id: Option<ReferralId>,
    /// The handoff that gave it.
    pub handoff_id: Option<HandoffId>,
    /// The data-sharing request that gave it.
    pub request_id: Option<DataSharingId>,
    /// The referrals through which it came, the lead's first; more than one where it was shared onward.
    pub chain: Vec<ReferralId>,
    /// The sections that may be read.
    pub sections: Vec<Section>,
    /// The sections, among those, that may be written.
    pub contributes: Vec<Section>,
    /// The children that sections of a child may be read of; all of the case's when null.
    pub children: Option<Vec<ChildId>>,
    /// The purposes that it may be used for.
    pub purposes: Vec<Purpose>,
    /// Whether the agency may share onward what it sees.
    pub onward: bool,
    /// Why it was given by hand, in words.
    pub reason: Option<String>,
    /// What it rests on, where it was given by hand.
    pub ground: Option<Basis>,
    /// From when.
    pub since: DateTime<Utc>,
    /// Until when, exclusively; open-ended when null.
    pub until: Option<DateTime<Utc>>,
    /// Who ended it by hand: an officer of the lead.
    pub ended_by: Option<OfficerId>,
    /// Why it was ended by hand, in words.
    pub end_reason: Option<String>,
}

impl GrantItem {
    /// Whether it gives anything at `now`.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.since <= now && self.until.is_none_or(|until| now < until)
    }
}

/// A grant that is ended by hand, as part of the statement that saves it.
pub(crate) fn ended_by_hand(call: &Call, ended: Option<&EndedByHand>) -> Sql {
    let Some(EndedByHand { case, id, reason, by }) = ended else { return Sql::new() };
    Sql::new().with(
        "), cut as (update grants set until = ?, ended_by = ?, end_reason = ? where case_id = ? and id = ?",
        [call.now.into(), by.as_str().into(), reason.as_str().into(), case.0.into(), id.0.into()],
    )
}

/// A grant, as far as row-level security shows it.
pub(crate) fn load(conn: &mut PgConnection, id: GrantId) -> Result<Option<GrantItem>, Error> {
    let query =
        Sql::<Nullable<Jsonb>>::new().with("select (select to_jsonb(g) from grants g where g.id = ?)", [id.0.into()]);
    let row: Option<Value> = query.get_result(conn)?;
    Ok(row.map(serde_json::from_value).transpose()?)
}

impl Db {
    /// The case of a grant that the actor may know of.
    ///
    /// # Errors
    /// There is none; the database is not available.
    pub fn case_of_grant(&self, call: &Call, id: GrantId) -> Result<CaseId, Error> {
        let query =
            Sql::<Nullable<SqlUuid>>::new().with("select (select case_id from grants where id = ?)", [id.0.into()]);
        self.case_found(call, query)
    }

    /// The grants of a case, oldest first, after `after`: to its lead all of them, to others their own. `live` ones
    /// only, past ones only, or both.
    ///
    /// # Errors
    /// The case is not the actor's to see; the database is not available.
    pub fn grants_of_case(
        &self,
        call: &Call,
        case: CaseId,
        live: Option<bool>,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<GrantItem>, Error> {
        let own = call.actor.agency().as_str();
        let query = Sql::<Nullable<Jsonb>>::new()
            .with("select c.id as case_id, null::uuid[] as child_ids, null::text[] as sections, ", [])
            .then(visibility::case_rule::<()>(call, Act::ReadGrants))
            .with(
                " as rule, s.id as item_id, to_jsonb(s) as item from cases c left join lateral (select * from grants w \
                 where w.case_id = c.id and w.id > ? and (c.lead_agency = ? or w.agency = ?)",
                [after.unwrap_or(Uuid::nil()).into(), own.into(), own.into()],
            )
            .then(match live {
                None => Sql::<()>::new(),
                Some(wanted) => Sql::new().with(
                    " and (w.since <= ? and (w.until is null or w.until > ?)) = ?",
                    [call.now.into(), call.now.into(), wanted.into()],
                ),
            })
            .with(" order by w.id limit ?) s on true where c.id = ? and ", [limit.into(), case.0.into()])
            .then(visibility::case_visible::<()>(call, Act::ReadGrants));
        let seen = Seen::One(About::Case(case, Act::ReadGrants));
        let rows: Vec<Option<Value>> = self.read(call, Read { columns: "item", query, seen })?;
        rows.into_iter().flatten().map(|it| Ok(serde_json::from_value(it)?)).collect()
    }
}
