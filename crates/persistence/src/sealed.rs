//! What is known of children, sealed: each child has a key of its own, and without that key there is
//! nothing to read. No section of a child reaches a statement in plain text.
//!
//! What a section holds is sealed for its table, column, row and version. The key is kept wrapped in
//! `child_keys`, is made with the first section, and is never replaced: where it was destroyed, its
//! row stands as a tombstone in the way of any other.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bytea, Integer, Nullable, Timestamptz};
use lindung_domain::case::Written;
use lindung_domain::section::Content;
use lindung_domain::{CaseId, ChildId, Refusal, Section};
use lindung_vault::{DataKey, Place, Token, Vault, Wrapped};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::db::Call;
use crate::error::Error;
use crate::sql::{self, Sql};

/// The columns `kek_version`, `wrapped` and `destroyed_at` of `child_keys`; null where there is no row.
pub(crate) type KeyColumns = (Nullable<Integer>, Nullable<Bytea>, Nullable<Timestamptz>);

/// What is kept of a child's key.
#[derive(Debug, Clone, Queryable)]
pub(crate) struct KeptKey {
    kek_version: Option<i32>,
    bytes: Option<Vec<u8>>,
    /// When it was destroyed.
    pub(crate) destroyed_at: Option<DateTime<Utc>>,
}

impl KeptKey {
    /// The key as it is wrapped, unless there is none or it was destroyed.
    pub(crate) fn wrapped(self) -> Option<Wrapped> {
        Some(Wrapped { version: self.kek_version?, bytes: self.bytes? })
    }

    /// The row of a child.
    fn load(conn: &mut PgConnection, child: ChildId) -> Result<Option<Self>, Error> {
        let query = Sql::<KeyColumns>::new()
            .with("select kek_version, wrapped, destroyed_at from child_keys where child_id = ?", [child.0.into()]);
        Ok(query.get_result(conn).optional()?)
    }

    fn require_not_erased(&self) -> Result<(), Refusal> {
        match self.destroyed_at {
            None => Ok(()),
            Some(_) => Err(Refusal::case_not_now("the child was erased")),
        }
    }
}

/// Where a child's key is kept, for which it is wrapped.
pub(crate) fn key_place(case: CaseId, child: ChildId) -> Place {
    Place::new("child_keys", "wrapped", &[case.0.as_bytes(), child.0.as_bytes()])
}

/// Where a version of a child's section is kept, for which it is sealed.
fn place(case: CaseId, child: ChildId, section: Section, version: i64) -> Place {
    let table = if section == Section::Identity { "child_identities" } else { "sections" };
    let row = [case.0.as_bytes(), child.0.as_bytes(), section.as_str().as_bytes(), &version.to_be_bytes()];
    Place::new(table, "sealed", &row)
}

/// Seals what was written of a child.
pub(crate) fn seal(key: &DataKey, child: ChildId, written: &Written) -> Result<Vec<u8>, Error> {
    let Written { case, section, version, content, child: _ } = written;
    Ok(key.seal(&place(*case, child, *section, version.0), &serde_json::to_vec(content)?)?)
}

/// Opens a version of a child's section: JSON.
pub(crate) fn open(
    key: &DataKey,
    (case, child, section): (CaseId, ChildId, Section),
    version: i64,
    sealed: &[u8],
) -> Result<Vec<u8>, Error> {
    Ok(key.open(&place(case, child, section, version), sealed)?)
}

/// A child with what it is found by.
pub(crate) type Indexed = (CaseId, ChildId, Vec<Token>);

/// What an identity is found by: the tokens of its identifiers.
pub(crate) fn tokens(vault: &Vault, content: &Content) -> Result<Vec<Token>, Error> {
    let identifiers = match content {
        Content::Identity(identity) => identity.identifiers.as_slice(),
        Content::Prose(_) | Content::DigitalEvidence(_) => &[],
    };
    Ok(identifiers.iter().map(|it| vault.token(&it.system, &it.value)).collect::<Result<_, _>>()?)
}

/// The sections that a change writes, as further parts of the statement that saves it.
pub(crate) fn written(
    conn: &mut PgConnection,
    vault: &Vault,
    call: &Call,
    new_children: &[Uuid],
    sections: Vec<&Written>,
) -> Result<Sql, Error> {
    let mut keys = Keys { conn, vault, new_children, known: BTreeMap::new(), made: Vec::new() };
    let (mut identities, mut others, mut index) = (Vec::new(), Vec::new(), Vec::new());
    for it in sections {
        let Written { case, child, section, content, version } = it;
        let (open, sealed) = match child {
            None => (json!(content), Value::Null),
            Some(child) => {
                if *section == Section::Identity {
                    index.push((*case, *child, tokens(vault, content)?));
                }
                (Value::Null, Value::String(sql::hex(&seal(&keys.of(*case, *child)?, *child, it)?)))
            }
        };
        let rows = if *section == Section::Identity { &mut identities } else { &mut others };
        rows.push(json!({
            "case_id": case, "child_id": child, "section": section, "content": open, "sealed": sealed, "version": version,
            "agency": call.actor.agency(), "updated_at": call.now,
        }));
    }
    let mut sql = keys_kept(call, keys.made);
    if !others.is_empty() {
        sql = sql.with(
            "), written as (insert into sections select * from jsonb_populate_recordset(null::sections, ?) \
             on conflict (case_id, child_id, section) do update set content = excluded.content, sealed = excluded.sealed, \
             version = excluded.version, agency = excluded.agency, updated_at = excluded.updated_at",
            [Value::Array(others).into()],
        );
    }
    if !identities.is_empty() {
        sql = sql.with("), ", []).then(indexed(index)).with(
            "), identified as (insert into child_identities select * from jsonb_populate_recordset(null::child_identities, ?) \
             on conflict (child_id) do update set sealed = excluded.sealed, version = excluded.version, \
             agency = excluded.agency, updated_at = excluded.updated_at",
            [Value::Array(identities).into()],
        );
    }
    Ok(sql)
}

/// The keys of children whose sections are being sealed.
struct Keys<'a> {
    conn: &'a mut PgConnection,
    vault: &'a Vault,
    new_children: &'a [Uuid],
    known: BTreeMap<ChildId, DataKey>,
    made: Vec<(CaseId, ChildId, Wrapped)>,
}

impl Keys<'_> {
    /// The child's key, which is made where there has never been any. The case's lock holds others off.
    fn of(&mut self, case: CaseId, child: ChildId) -> Result<DataKey, Error> {
        if let Some(key) = self.known.get(&child) {
            return Ok(key.clone());
        }
        let key = self.load_or_make(case, child)?;
        self.known.insert(child, key.clone());
        Ok(key)
    }

    fn load_or_make(&mut self, case: CaseId, child: ChildId) -> Result<DataKey, Error> {
        let kept = if self.new_children.contains(&child.0) { None } else { KeptKey::load(self.conn, child)? };
        if let Some(kept) = &kept {
            kept.require_not_erased()?;
        }
        match kept.and_then(KeptKey::wrapped) {
            Some(wrapped) => Ok(self.vault.unwrap(&wrapped, &key_place(case, child))?),
            None => {
                let (key, wrapped) = self.vault.new_key(&key_place(case, child))?;
                self.made.push((case, child, wrapped));
                Ok(key)
            }
        }
    }
}

/// Keeps new keys. A key that is there already, or was destroyed, makes the whole change fail.
fn keys_kept(call: &Call, made: Vec<(CaseId, ChildId, Wrapped)>) -> Sql {
    if made.is_empty() {
        return Sql::new();
    }
    let row = |(case, child, Wrapped { version, bytes }): (CaseId, ChildId, Wrapped)| {
        json!({
            "case_id": case, "child_id": child, "wrapped": sql::hex(&bytes), "kek_version": version, "created_at": call.now,
        })
    };
    let rows: Vec<Value> = made.into_iter().map(row).collect();
    Sql::new().with(
        "), keyed as (insert into child_keys select * from jsonb_populate_recordset(null::child_keys, ?)",
        [Value::Array(rows).into()],
    )
}

/// Replaces what children are found by, as two parts of a statement.
fn indexed(identities: Vec<Indexed>) -> Sql {
    let children: Value = identities.iter().map(|it| json!({ "child_id": it.1 })).collect();
    let row = |(case, child, tokens): Indexed| {
        tokens.into_iter().map(move |Token { version, bytes }| {
            json!({ "child_id": child, "case_id": case, "token": sql::hex(&bytes), "index_version": version })
        })
    };
    let rows: Value = identities.into_iter().flat_map(row).collect();
    Sql::new()
        .with(
            "unindexed as (delete from identity_indexes i using jsonb_populate_recordset(null::identity_indexes, ?) c \
             where i.child_id = c.child_id and not exists (select from jsonb_populate_recordset(null::identity_indexes, ?) n \
             where n.child_id = i.child_id and n.token = i.token)",
            [children.into(), rows.clone().into()],
        )
        .with(
            "), indexed as (insert into identity_indexes select * from jsonb_populate_recordset(null::identity_indexes, ?) \
             on conflict do nothing",
            [rows.into()],
        )
}

/// Replaces what children are found by, in a statement of its own.
pub(crate) fn index_replaced(identities: Vec<Indexed>) -> Sql {
    Sql::new().with("with ", []).then(indexed(identities)).with(") select", [])
}

/// Destroys the key of a child and what it is found by, as further parts of the statement that saves
/// it. A child that never had a key gets a tombstone, so that it never gets one.
pub(crate) fn erased(conn: &mut PgConnection, call: &Call, case: CaseId, child: Option<ChildId>) -> Result<Sql, Error> {
    let Some(child) = child else { return Ok(Sql::new()) };
    if let Some(kept) = KeptKey::load(conn, child)? {
        kept.require_not_erased()?;
    }
    Ok(Sql::new()
        .with(
            "), destroyed as (insert into child_keys (child_id, case_id, created_at, destroyed_at) values (?, ?, ?, ?) \
             on conflict (child_id) do update set wrapped = null, kek_version = null, destroyed_at = excluded.destroyed_at",
            [child.0.into(), case.0.into(), call.now.into(), call.now.into()],
        )
        .with("), unindexed as (delete from identity_indexes where child_id = ?", [child.0.into()]))
}
