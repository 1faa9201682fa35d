//! Sections: the content of cases and children. Identity has a table of its own.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Jsonb, Nullable, Text, Timestamptz};
use lindung_domain::policy::Act;
use lindung_domain::{CaseId, ChildId, Section, Version};
use serde_json::Value;

use crate::db::{About, Call, Db, Read, Seen, Tx};
use crate::error::Error;
use crate::sql::{Bind, Sql};
use crate::visibility;

/// A section as it stands; version 0 and no content until somebody writes it.
#[derive(Debug, Clone, Queryable)]
pub struct SectionSeen {
    /// Its version.
    pub version: i64,
    /// What it holds.
    pub content: Option<Value>,
    /// Who wrote it last.
    pub agency: Option<String>,
    /// When.
    pub updated_at: Option<DateTime<Utc>>,
}

/// The row of the section, as `s`: to be joined.
fn row<ST>(case: CaseId, section: Section, child: Option<ChildId>) -> Sql<ST> {
    let child: Bind = child.map(|it| it.0).into();
    match section {
        Section::Identity => Sql::new().with(
            "(select version, content, agency, updated_at from child_identities where case_id = ? and child_id = ?) s",
            [case.0.into(), child],
        ),
        section if section.is_of_child() => Sql::new().with(
            "(select version, content, agency, updated_at from sections where case_id = ? and child_id = ? and section = ?) s",
            [case.0.into(), child, section.as_str().into()],
        ),
        section => Sql::new().with(
            "(select version, content, agency, updated_at from sections where case_id = ? and child_id is null and section = ?) s",
            [case.0.into(), section.as_str().into()],
        ),
    }
}

impl Db {
    /// A section of a case, or of one of its children.
    ///
    /// # Errors
    /// It is not the actor's to see; the database is not available.
    pub fn section(
        &self,
        call: &Call,
        case: CaseId,
        section: Section,
        child: Option<ChildId>,
    ) -> Result<SectionSeen, Error> {
        type Columns = (BigInt, Nullable<Jsonb>, Nullable<Text>, Nullable<Timestamptz>);
        let mut query = Sql::<Columns>::new()
            .with("select c.id as case_id, array_remove(array[?], null) as child_ids, array[?] as sections, ", [
                child.map(|it| it.0).into(),
                section.as_str().into(),
            ])
            .then(visibility::case_rule::<()>(call, Act::ReadSection))
            .with(
                " as rule, c.id as item_id, coalesce(s.version, 0) as version, s.content, s.agency, s.updated_at \
                 from cases c left join ",
                [],
            )
            .then(row::<()>(case, section, child))
            .with(" on true where c.id = ? and exists (select from grants g where g.case_id = c.id and ? = any(g.sections) and ", [
                case.0.into(),
                section.as_str().into(),
            ])
            .then(visibility::live_grant::<()>(call));
        if let Some(child) = child {
            query = query.with(" and (g.children is null or ? = any(g.children))", [child.0.into()]);
        }
        query = query.with(") and ", []).then(visibility::case_visible::<()>(call, Act::ReadSection));
        if let Some(child) = child {
            query = query
                .with(" and exists (select from children k where k.case_id = c.id and k.id = ? and ", [child.0.into()])
                .then(visibility::child_unhidden::<()>(call))
                .with(")", []);
        }
        let seen = Seen::One(About::Section(case, section, child));
        let rows: Vec<SectionSeen> =
            self.read(call, Read { columns: "version, content, agency, updated_at", query, seen })?;
        Ok(rows.into_iter().next().ok_or(lindung_domain::Refusal::NotFound)?)
    }
}

impl Tx<'_> {
    /// The version that a section has now; 0 when nobody has written it.
    ///
    /// # Errors
    /// The database is not available.
    pub fn section_version(
        &mut self,
        case: CaseId,
        section: Section,
        child: Option<ChildId>,
    ) -> Result<Version, Error> {
        let query = Sql::<BigInt>::new().with("select s.version from ", []).then(row::<()>(case, section, child));
        let version: Option<i64> = query.get_result(self.conn).optional()?;
        Ok(Version(version.unwrap_or(0)))
    }
}
