//! Occurrences: what happened to children outside the system, recorded and listed.

use chrono::{DateTime, Utc};
use diesel::RunQueryDsl;
use diesel::sql_types::{Jsonb, Nullable, Text, Timestamptz};
use lindung_domain::occurrence::{Occurrence, OccurrenceKind};
use lindung_domain::policy::{self, Act, Relation, Relations};
use lindung_domain::{AgencyCode, CaseId, ChildId, OccurrenceId, OfficerId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::{About, Call, Db, Read, Seen, Tx};
use crate::error::Error;
use crate::sql::Sql;
use crate::visibility;

/// What happened to a child outside the system.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"))]
#[schema(rename_all = "camelCase")]
pub struct OccurrenceItem {
    /// Its id (UUIDv7).
    pub id: OccurrenceId,
    /// To which child.
    #[serde(rename(deserialize = "child_id"))]
    pub child: ChildId,
    /// What.
    pub kind: OccurrenceKind,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// Which agency recorded it.
    pub agency: AgencyCode,
    /// Which officer.
    pub officer: OfficerId,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
}

/// An occurrence that is recorded, as part of the statement that saves it.
pub(crate) fn saved(occurrence: Option<&Occurrence>) -> Sql {
    let Some(Occurrence { id, case, child, kind, occurred_at, agency, officer, recorded_at }) = occurrence else {
        return Sql::new();
    };
    Sql::new().with(
        "), occurred as (insert into occurrences (id, case_id, child_id, kind, occurred_at, agency, officer, recorded_at) \
         values (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            id.0.into(),
            case.0.into(),
            child.0.into(),
            kind.as_str().into(),
            (*occurred_at).into(),
            agency.as_str().into(),
            officer.as_str().into(),
            (*recorded_at).into(),
        ],
    )
}

impl Tx<'_> {
    /// What was recorded of the child: what happened, and when.
    ///
    /// # Errors
    /// The database is not available.
    pub fn occurrences_of(
        &mut self,
        case: CaseId,
        child: ChildId,
    ) -> Result<Vec<(OccurrenceKind, DateTime<Utc>)>, Error> {
        let query = Sql::<(Text, Timestamptz)>::new().with(
            "select kind, occurred_at from occurrences where case_id = ? and child_id = ?",
            [case.0.into(), child.0.into()],
        );
        let rows: Vec<(String, DateTime<Utc>)> = query.load(self.conn)?;
        let unknown = |_| Error::Fault("an occurrence is of no kind".to_owned());
        rows.into_iter().map(|(kind, at)| Ok((kind.parse().map_err(unknown)?, at))).collect()
    }
}

impl Db {
    /// What happened to the children of a case that the actor may know of, as it was recorded, after `after`.
    ///
    /// # Errors
    /// The case is not the actor's to see; the database is not available.
    pub fn occurrences(
        &self,
        call: &Call,
        case: CaseId,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<OccurrenceItem>, Error> {
        let about = About::Case(case, Act::ReadOccurrences);
        let reads = |it| policy::permits(&call.actor, Act::ReadOccurrences, &Relations::from([it])).is_some();
        let open = if reads(Relation::Shown) { " and true" } else { " and false" };
        let query = Sql::<Nullable<Jsonb>>::new()
            .with("select c.id as case_id, array[o.child_id] as child_ids, null::text[] as sections, ", [])
            .then(visibility::case_rule::<()>(call, Act::ReadCase))
            .with(
                " as rule, o.id as item_id, to_jsonb(o) as item from cases c left join lateral (select v.* from occurrences v \
                 join children k on k.id = v.child_id where v.case_id = c.id and v.id > ? and ",
                [after.unwrap_or(Uuid::nil()).into()],
            )
            .then(visibility::child_unhidden::<()>(call))
            .with(
                " and exists (select from grants g where g.case_id = c.id and (g.children is null or k.id = any(g.children)) and ",
                [],
            )
            .then(visibility::live_grant::<()>(call))
            .with(") order by v.id limit ?) o on true where c.id = ? and ", [limit.into(), case.0.into()])
            .then(visibility::case_visible::<()>(call, Act::ReadCase))
            .with(open, []);
        let rows: Vec<Option<Value>> = self.read(call, Read { columns: "item", query, seen: Seen::One(about) })?;
        rows.into_iter().flatten().map(|it| Ok(serde_json::from_value(it)?)).collect()
    }
}
