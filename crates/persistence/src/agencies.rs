//! Agencies, units, contacts and code lists: reference data, about no child.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Jsonb, Text};
use lindung_domain::actor::SECRETARIAT;
use lindung_domain::policy::{self, Relation};
use lindung_domain::refusal::Invalid;
use lindung_domain::{Actor, AgencyCode, Refusal, Version};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::db::{Call, Db, Read, Seen, Writing};
use crate::error::Error;
use crate::idempotency::Answer;
use crate::schema::agencies;
use crate::sql::Sql;

/// A desk of an agency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// What the desk is.
    #[schema(min_length = 1, max_length = 200, example = "Duty desk")]
    pub desk: String,
    /// Its telephone.
    #[schema(min_length = 1, max_length = 40, example = "03-5550 0100")]
    pub telephone: String,
    /// When it is staffed.
    #[schema(min_length = 1, max_length = 200, example = "24 hours")]
    pub hours: String,
}

/// An agency or unit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Agency {
    /// Its code.
    pub code: AgencyCode,
    /// Under which it stands.
    pub parent: Option<AgencyCode>,
    /// Its ministry.
    pub ministry: String,
    /// `heading`, `organisation` or `unit`.
    pub kind: String,
    /// Its name in Malay.
    pub name_ms: String,
    /// Its name in English.
    pub name_en: String,
    /// Its desks.
    pub contacts: Vec<Contact>,
    /// How sure the fact is.
    pub confidence: String,
    /// Whether it takes part.
    pub active: bool,
    /// Its version.
    pub version: Version,
}

/// What can be changed of an agency.
#[derive(Debug, Clone)]
pub struct AgencyChange {
    /// Its name in Malay.
    pub name_ms: String,
    /// Its name in English.
    pub name_en: String,
    /// Its desks.
    pub contacts: Vec<Contact>,
    /// Whether it takes part.
    pub active: bool,
}

/// A code with its labels.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Code {
    /// The code.
    pub code: String,
    /// Malay label.
    pub label_ms: String,
    /// English label.
    pub label_en: String,
    /// How sure the fact is.
    pub confidence: String,
    /// Whether the Malay label is our translation.
    pub translated: bool,
    /// Where it comes from.
    pub source: Option<String>,
    /// From when.
    pub valid_from: NaiveDate,
    /// Until when, inclusively.
    pub valid_until: Option<NaiveDate>,
}

/// A code list by name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CodeList {
    /// Its name in paths.
    pub list: String,
    /// Its version.
    pub version: String,
    /// Its name in Malay.
    pub name_ms: String,
    /// Its name in English.
    pub name_en: String,
}

/// The columns that reference data, being about nobody, leaves empty in the access log.
pub(crate) const ABOUT_NOBODY: &str =
    "select null::uuid as case_id, null::uuid[] as child_ids, null::text[] as sections, 'own' as rule, ";

impl Db {
    /// Agencies by code, after `after`; of one parent, if given.
    ///
    /// # Errors
    /// The database is not available.
    pub fn agencies(
        &self,
        call: &Call,
        parent: Option<&AgencyCode>,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Agency>, Error> {
        let mut query = Sql::new()
            .with(ABOUT_NOBODY, [])
            .with("a.code as item_id, to_jsonb(a) as item from agencies a where a.code > ?", [after.into()]);
        if let Some(parent) = parent {
            query = query.with(" and a.parent = ?", [parent.as_str().into()]);
        }
        self.reference(call, Seen::List, query.with(" order by a.code limit ?", [limit.into()]))
    }

    /// One agency.
    ///
    /// # Errors
    /// There is none; the database is not available.
    pub fn agency(&self, call: &Call, code: &AgencyCode) -> Result<Agency, Error> {
        let query = Sql::new()
            .with(ABOUT_NOBODY, [])
            .with("a.code as item_id, to_jsonb(a) as item from agencies a where a.code = ?", [code.as_str().into()]);
        self.reference(call, Seen::Open, query)?.into_iter().next().ok_or_else(|| Refusal::NotFound.into())
    }

    /// The code lists there are.
    ///
    /// # Errors
    /// The database is not available.
    pub fn code_lists(&self, call: &Call) -> Result<Vec<CodeList>, Error> {
        let query = Sql::new()
            .with(ABOUT_NOBODY, [])
            .with("l.list as item_id, to_jsonb(l) as item from code_lists l order by l.list", []);
        self.reference(call, Seen::List, query)
    }

    /// A code list with those of its codes that are in force on `day`.
    ///
    /// # Errors
    /// There is none; the database is not available.
    pub fn codes(&self, call: &Call, list: &str, day: NaiveDate) -> Result<(CodeList, Vec<Code>), Error> {
        #[derive(Deserialize)]
        struct Both {
            list: CodeList,
            codes: Vec<Code>,
        }
        let query = Sql::new().with(ABOUT_NOBODY, []).with(
            "l.list as item_id, jsonb_build_object('list', l, 'codes', coalesce((select jsonb_agg(c order by c.position) from codes c \
             where c.list = l.list and c.valid_from <= ?::date and (c.valid_until is null or c.valid_until >= ?::date)), '[]')) as item \
             from code_lists l where l.list = ?",
            [day.to_string().into(), day.to_string().into(), list.into()],
        );
        let found: Option<Both> = self.reference(call, Seen::Open, query)?.into_iter().next();
        found.map(|it| (it.list, it.codes)).ok_or_else(|| Refusal::NotFound.into())
    }

    fn reference<T: for<'a> Deserialize<'a>>(
        &self,
        call: &Call,
        seen: Seen,
        query: Sql<(Text, Jsonb)>,
    ) -> Result<Vec<T>, Error> {
        let rows: Vec<(String, Value)> = self.read(call, Read { columns: "item_id, item", query, seen })?;
        rows.into_iter().map(|it| Ok(serde_json::from_value(it.1)?)).collect()
    }

    /// Registers a unit under an agency or heading that the actor keeps.
    ///
    /// # Errors
    /// Not the actor's to keep; the parent is unknown; the code is taken; the database is not available.
    pub fn register_unit(
        &self,
        writing: Writing<'_>,
        code: &AgencyCode,
        parent: &AgencyCode,
        change: &AgencyChange,
        answer: impl FnOnce() -> Result<Answer, Error>,
    ) -> Result<Answer, Error> {
        let call = writing.call;
        let unknown = || Refusal::from(Invalid::new("parent", "unknown-agency", "is no agency that is registered"));
        let permit = |conn: &mut PgConnection| match permit(conn, &call.actor, parent) {
            Err(Error::Refused(Refusal::NotFound)) => Err(unknown().into()),
            other => other,
        };
        self.write_reference(writing, permit, |conn| {
            let ministry: String = agencies::table.find(parent.as_str()).select(agencies::ministry).first(conn)?;
            diesel::insert_into(agencies::table)
                .values((
                    agencies::code.eq(code.as_str()),
                    agencies::parent.eq(parent.as_str()),
                    agencies::ministry.eq(ministry),
                    agencies::kind.eq("unit"),
                    agencies::confidence.eq("setting"),
                    agencies::created_at.eq(call.now),
                    columns(change, call.now)?,
                ))
                .execute(conn)?;
            answer()
        })
    }

    /// Changes the names, contacts or activity of an agency that the actor keeps.
    ///
    /// # Errors
    /// Not the actor's to keep; stale; the database is not available.
    pub fn change_agency(
        &self,
        writing: Writing<'_>,
        code: &AgencyCode,
        change: &AgencyChange,
        answer: impl FnOnce(Version) -> Result<Answer, Error>,
    ) -> Result<Answer, Error> {
        let (call, expected) = (writing.call, writing.expected);
        let permit = |conn: &mut PgConnection| permit(conn, &call.actor, code);
        self.write_reference(writing, permit, |conn| {
            let current: Option<i64> =
                agencies::table.find(code.as_str()).select(agencies::version).for_update().first(conn).optional()?;
            let current = Version(current.ok_or(Refusal::NotFound)?);
            expected.require(current)?;
            diesel::update(agencies::table.find(code.as_str()))
                .set((agencies::version.eq(current.next().0), columns(change, call.now)?))
                .execute(conn)?;
            answer(current.next())
        })
    }
}

type Columns = (
    diesel::dsl::Eq<agencies::name_ms, String>,
    diesel::dsl::Eq<agencies::name_en, String>,
    diesel::dsl::Eq<agencies::contacts, Value>,
    diesel::dsl::Eq<agencies::active, bool>,
    diesel::dsl::Eq<agencies::updated_at, DateTime<Utc>>,
);

fn columns(change: &AgencyChange, now: DateTime<Utc>) -> Result<Columns, Error> {
    let AgencyChange { name_ms, name_en, contacts, active } = change;
    Ok((
        agencies::name_ms.eq(name_ms.clone()),
        agencies::name_en.eq(name_en.clone()),
        agencies::contacts.eq(serde_json::to_value(contacts)?),
        agencies::active.eq(*active),
        agencies::updated_at.eq(now),
    ))
}

/// Permits keeping `code`.
fn permit(conn: &mut PgConnection, actor: &Actor, code: &AgencyCode) -> Result<Relation, Error> {
    Ok(policy::require_keeper(actor, keeps(conn, actor, code)?.ok_or(Refusal::NotFound)?)?)
}

/// Whether the actor's agency keeps `code`: itself, or one that stands below it in the tree. A heading
/// without a parent (and what stands below it) is kept by the secretariat. Nothing, if it is not registered.
pub(crate) fn keeps(conn: &mut PgConnection, actor: &Actor, code: &AgencyCode) -> Result<Option<bool>, Error> {
    let query = Sql::<diesel::sql_types::Nullable<diesel::sql_types::Bool>>::new().with(
        "with recursive up as (select code, parent, kind from agencies where code = ? union all \
         select a.code, a.parent, a.kind from agencies a join up on a.code = up.parent) \
         select bool_or(code = ? or (parent is null and kind = 'heading' and ? = ?)) from up",
        [code.as_str().into(), actor.agency().as_str().into(), actor.agency().as_str().into(), SECRETARIAT.into()],
    );
    Ok(query.get_result(conn)?)
}
