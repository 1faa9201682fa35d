//! Cases: their headers; the list of them is in [`list`]. What changes one is `lindung_domain::case`.

mod list;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use lindung_domain::case::CaseStatus;
use lindung_domain::grant::Grant;
use lindung_domain::policy::Act;
use lindung_domain::values::{Outcome, Priority, Technique};
use lindung_domain::{AgencyCode, CaseId, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::clocks::RunningClock;
use crate::db::{About, Call, Db, Read, Seen, Tx};
use crate::error::Error;
use crate::file;
use crate::sql::Sql;
use crate::visibility::{self, Sight};

pub use list::{CaseFilter, CasePage};

/// The header of a case.
#[derive(Debug, Clone, Queryable, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"))]
#[schema(rename_all = "camelCase")]
pub struct CaseItem {
    /// Its id.
    #[serde(rename(deserialize = "item_id"))]
    pub id: Uuid,
    /// Year and number.
    #[schema(example = "LDG-2026-000123")]
    pub reference: String,
    /// Open or closed.
    #[schema(value_type = CaseStatus)]
    pub status: String,
    /// How fast it has to move.
    #[schema(value_type = Priority)]
    pub priority: String,
    /// Who is responsible.
    #[schema(value_type = AgencyCode)]
    pub lead_agency: String,
    /// Offence codes; not for coordinators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offences: Option<Vec<String>>,
    /// Grounds of the Child Act 2001, s.17(1); not for coordinators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grounds: Option<Vec<String>>,
    /// Techniques seen; not for coordinators.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Technique>>)]
    pub techniques: Option<Vec<String>>,
    /// How it was closed.
    #[schema(value_type = Option<Outcome>)]
    pub outcome: Option<String>,
    /// The version of the header, as in the case's `ETag`.
    pub version: i64,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
}

type ItemColumns = (SqlUuid, Text, Text, Text, Text, Texts, Texts, Texts, Nullable<Text>, BigInt, Timestamptz);
type Texts = Nullable<Array<Text>>;

/// The columns of a [`CaseItem`] that the actor may read. Coordinators need no codes of offences.
fn item_of_c<ST>(sight: Sight) -> Sql<ST> {
    let codes = match sight {
        Sight::Grants | Sight::Nothing => "c.offences, c.grounds, c.techniques, ",
        Sight::Headers => "null::text[] as offences, null::text[] as grounds, null::text[] as techniques, ",
    };
    Sql::new()
        .with("c.id as item_id, c.id as case_id, c.reference, c.status, c.priority, c.lead_agency, ", [])
        .with(codes, [])
        .with("c.outcome, c.version, c.created_at, ", [])
}

/// A case as the actor may see it.
#[derive(Debug, Clone)]
pub struct CaseSeen {
    /// The header.
    pub item: CaseItem,
    /// The children that it may know of.
    pub children: Vec<Uuid>,
    /// The agency's live grants for the purpose; none for a coordinator.
    pub grants: Vec<Grant>,
    /// The agencies that have live grants, for a coordinator.
    pub parties: Vec<String>,
    /// The clocks that run on its children.
    pub clocks: Vec<RunningClock>,
}

/// The clocks that run on children of case `c`, as far as the actor may know of them.
fn clocks_of_c(call: &Call) -> Sql {
    Sql::new()
        .with(
            "(select jsonb_agg(w order by w.id) from clocks w where w.case_id = c.id and w.ended_at is null and w.subject_type = 'child' and ",
            [],
        )
        .then(visibility::clock_of_child::<()>(call))
        .with(") as clocks", [])
}

impl Db {
    /// A case's header, with what the actor may read of the rest.
    ///
    /// # Errors
    /// It is not the actor's to see; the database is not available.
    pub fn case(&self, call: &Call, id: CaseId) -> Result<CaseSeen, Error> {
        type Columns = (ItemColumns, Array<SqlUuid>, Nullable<Jsonb>, Array<Text>, Nullable<Jsonb>);
        type Row = (CaseItem, Vec<Uuid>, Option<Value>, Vec<String>, Option<Value>);
        let seen = Seen::One(About::Case(id, Act::ReadCase));
        let sight = visibility::sight(&call.actor, Act::ReadCase);
        let query = match sight {
            Sight::Grants | Sight::Nothing => Sql::<Columns>::new()
                .with("select ", [])
                .then(item_of_c::<()>(sight))
                .then(visibility::case_rule::<()>(call, Act::ReadCase))
                .with(
                    " as rule, null::text[] as sections, '{}'::text[] as parties, l.grants, ",
                    [],
                )
                .then(clocks_of_c(call))
                .with(
                    ", \
                     array(select k.id from children k where k.case_id = c.id and ",
                    [],
                )
                .then(visibility::child_unhidden::<()>(call))
                .with(
                    " and (l.every_child or exists (select from grants g where g.case_id = c.id and k.id = any(g.children) and ",
                    [],
                )
                .then(visibility::live_grant::<()>(call))
                .with(
                    ")) order by k.id) as child_ids from cases c cross join lateral (select jsonb_agg(g) as grants, \
                     bool_or(g.children is null) as every_child from grants g where g.case_id = c.id and ",
                    [],
                )
                .then(visibility::live_grant::<()>(call))
                .with(") l where l.grants is not null and c.id = ? and ", [id.0.into()])
                .then(visibility::case_visible::<()>(call, Act::ReadCase)),
            Sight::Headers => Sql::new()
                .with("select ", [])
                .then(item_of_c::<()>(sight))
                .with(
                    "'unshielded' as rule, ",
                    [],
                )
                .then(clocks_of_c(call))
                .with(
                    ", null::text[] as sections, null::jsonb as grants, '{}'::uuid[] as child_ids, \
                     array(select distinct g.agency from grants g where g.case_id = c.id and (g.until is null or g.until > ?) \
                     order by g.agency) as parties from cases c where c.id = ? and ",
                    [call.now.into(), id.0.into()],
                )
                .then(visibility::case_visible::<()>(call, Act::ReadCase)),
        };
        let columns = "item_id, reference, status, priority, lead_agency, offences, grounds, techniques, outcome, version, created_at, \
                       child_ids, grants, parties, clocks";
        let rows: Vec<Row> = self.read(call, Read { columns, query, seen })?;
        let (item, children, grants, parties, clocks) = rows.into_iter().next().ok_or(Refusal::NotFound)?;
        let clocks = clocks.map_or(Ok(Vec::new()), serde_json::from_value)?;
        Ok(CaseSeen { item, children, grants: grants.map_or(Ok(Vec::new()), file::grants)?, parties, clocks })
    }
}

impl Tx<'_> {
    /// The next number for a case's reference.
    ///
    /// # Errors
    /// The database is not available.
    pub fn next_case_number(&mut self) -> Result<i64, Error> {
        Ok(Sql::<BigInt>::new().with("select nextval('case_numbers')", []).get_result(self.conn)?)
    }

    /// Those of `codes` that are not in the list, or not in force at `now`.
    ///
    /// # Errors
    /// The database is not available.
    pub fn unknown_codes(
        &mut self,
        list: &'static str,
        codes: &[String],
        now: DateTime<Utc>,
    ) -> Result<Vec<usize>, Error> {
        if codes.is_empty() {
            return Ok(Vec::new());
        }
        let query = Sql::<Integer>::new().with(
            "select (n - 1)::integer from unnest(?::text[]) with ordinality asked (code, n) where not exists (select from codes c \
             where c.list = ? and c.code = asked.code and (? at time zone 'Asia/Kuala_Lumpur')::date \
             between c.valid_from and coalesce(c.valid_until, 'infinity'))",
            [codes.to_vec().into(), list.into(), now.into()],
        );
        let found: Vec<i32> = query.load(self.conn)?;
        Ok(found.into_iter().filter_map(|it| usize::try_from(it).ok()).collect())
    }
}
