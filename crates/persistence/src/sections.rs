//! Sections: the content of cases and children. Those of children are sealed; identity has a table of its own.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bytea, Jsonb, Nullable, Text, Timestamptz};
use lindung_domain::policy::Act;
use lindung_domain::{CaseId, ChildId, Section, Version};
use lindung_vault::Vault;
use serde_json::Value;

use crate::db::{About, Call, Db, Read, Seen, Tx};
use crate::error::Error;
use crate::sealed::{self, KeptKey};
use crate::sql::{Bind, Sql};
use crate::visibility;

/// A section as it stands; version 0 and no content until somebody writes it.
#[derive(Debug, Clone)]
pub struct SectionSeen {
    /// Its version.
    pub version: i64,
    /// What it holds; nothing when it was never written, or the child was erased.
    pub content: Option<Value>,
    /// Who wrote it last.
    pub agency: Option<String>,
    /// When.
    pub updated_at: Option<DateTime<Utc>>,
    /// When the child was erased, if it was.
    pub erased_at: Option<DateTime<Utc>>,
}

/// A section as it is kept: of a case in plain text, of a child sealed.
#[derive(Queryable)]
struct Kept {
    version: i64,
    content: Option<Value>,
    sealed: Option<Vec<u8>>,
    agency: Option<String>,
    updated_at: Option<DateTime<Utc>>,
    key: KeptKey,
}

impl Kept {
    /// Opens it; what does not open is a fault, never an answer with a part missing.
    fn open(self, vault: &Vault, case: CaseId, section: Section, child: Option<ChildId>) -> Result<SectionSeen, Error> {
        let Kept { version, content, sealed, agency, updated_at, key } = self;
        let erased_at = key.destroyed_at;
        let content = match (sealed, child) {
            (Some(sealed), Some(child)) if erased_at.is_none() => {
                let wrapped = key.wrapped().ok_or_else(|| Error::Fault("the key of a child is missing".to_owned()))?;
                let key = vault.unwrap(&wrapped, &sealed::key_place(case, child))?;
                let open = sealed::open(&key, (case, child, section), version, &sealed)?;
                Some(serde_json::from_slice(&open)?)
            }
            _ => content,
        };
        Ok(SectionSeen { version, content, agency, updated_at, erased_at })
    }
}

/// The row of the section, as `s`: to be joined.
fn row<ST>(case: CaseId, section: Section, child: Option<ChildId>) -> Sql<ST> {
    let child: Bind = child.map(|it| it.0).into();
    match section {
        Section::Identity => Sql::new().with(
            "(select version, null::jsonb as content, sealed, agency, updated_at from child_identities \
             where case_id = ? and child_id = ?) s",
            [case.0.into(), child],
        ),
        section if section.is_of_child() => Sql::new().with(
            "(select version, content, sealed, agency, updated_at from sections where case_id = ? and child_id = ? and section = ?) s",
            [case.0.into(), child, section.as_str().into()],
        ),
        section => Sql::new().with(
            "(select version, content, sealed, agency, updated_at from sections where case_id = ? and child_id is null and section = ?) s",
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
        type Columns =
            (BigInt, Nullable<Jsonb>, Nullable<Bytea>, Nullable<Text>, Nullable<Timestamptz>, sealed::KeyColumns);
        let mut query = Sql::<Columns>::new()
            .with("select c.id as case_id, array_remove(array[?], null) as child_ids, array[?] as sections, ", [
                child.map(|it| it.0).into(),
                section.as_str().into(),
            ])
            .then(visibility::case_rule::<()>(call, Act::ReadSection))
            .with(
                " as rule, c.id as item_id, coalesce(s.version, 0) as version, s.content, s.sealed, s.agency, s.updated_at, \
                 y.kek_version, y.wrapped, y.destroyed_at \
                 from cases c left join ",
                [],
            )
            .then(row::<()>(case, section, child))
            .with(" on true left join child_keys y on y.child_id = ?", [child.map(|it| it.0).into()])
            .with(" where c.id = ? and exists (select from grants g where g.case_id = c.id and ? = any(g.sections) and ", [
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
        let columns = "version, content, sealed, agency, updated_at, kek_version, wrapped, destroyed_at";
        let rows: Vec<Kept> = self.read(call, Read { columns, query, seen })?;
        let kept = rows.into_iter().next().ok_or(lindung_domain::Refusal::NotFound)?;
        kept.open(&self.vault, case, section, child)
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
