//! Finding children by an identifier, through the blind index.
//!
//! An index hit may be a coincidence: only an identity that was opened and holds the identifier
//! counts. Where nothing is hit, something that is nobody's is opened instead, so that how long it
//! takes does not tell. Identifiers are not unique: several children, or one in several cases, may have one.

use std::collections::BTreeMap;

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bytea, Text, Uuid as SqlUuid};
use lindung_domain::policy::{self, Act};
use lindung_domain::section::{Identifier, Identity};
use lindung_domain::{CaseId, ChildId, Section};
use lindung_vault::Vault;
use uuid::Uuid;

use crate::db::{Call, Db, Read, Seen};
use crate::error::Error;
use crate::sealed::{self, KeptKey};
use crate::sql::Sql;
use crate::visibility;

/// A child that the index names.
#[derive(Queryable)]
struct Candidate {
    case: Uuid,
    child: Uuid,
    version: i64,
    sealed: Vec<u8>,
    key: KeptKey,
}

type Columns = (SqlUuid, SqlUuid, BigInt, Bytea, sealed::KeyColumns);

const CANDIDATES: &str = "select case_id, child_id, version, sealed, kek_version, wrapped, destroyed_at from ";

impl Candidate {
    /// Whether it has the identifier.
    fn holds(&self, vault: &Vault, identifier: &Identifier) -> Result<bool, Error> {
        let (case, child) = (CaseId(self.case), ChildId(self.child));
        let Some(wrapped) = self.key.clone().wrapped() else { return Ok(false) };
        let key = vault.unwrap_afresh(&wrapped, &sealed::key_place(case, child))?;
        let open = sealed::open(&key, (case, child, Section::Identity), self.version, &self.sealed)?;
        let identity: Identity = serde_json::from_slice(&open)?;
        Ok(identity.identifiers.contains(identifier))
    }
}

/// The most children that a search finds.
const FOUND_LIMIT: i64 = 200;

/// A child that a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundChild {
    /// The case.
    pub case: CaseId,
    /// The case's reference.
    pub reference: String,
    /// The child in it.
    pub child: ChildId,
}

impl Db {
    /// The children with exactly this identifier whose identity the actor may read, at most 200.
    /// What the index named is recorded in the access log, whether or not it was a coincidence.
    ///
    /// # Errors
    /// The actor has no role that searches; what the index names does not open; the database is not available.
    pub fn children_with_identifier(&self, call: &Call, identifier: &Identifier) -> Result<Vec<FoundChild>, Error> {
        policy::require_own(&call.actor, Act::SearchChildren)?;
        let (identifier, tokens) = self.sought(identifier)?;
        // Under each version of the index a child may stand once.
        let limit = FOUND_LIMIT * i64::try_from(tokens.len()).unwrap_or(1);
        let query = Sql::<(Columns, Text)>::new()
            .with(
                "select c.id as case_id, i.child_id, i.child_id as item_id, array[i.child_id] as child_ids, \
                 array['identity'] as sections, s.version, s.sealed, y.kek_version, y.wrapped, y.destroyed_at, c.reference, ",
                [],
            )
            .then(visibility::case_rule::<()>(call, Act::ReadSection))
            .with(
                " as rule from identity_indexes i join cases c on c.id = i.case_id join children k on k.id = i.child_id \
                 join child_identities s on s.child_id = i.child_id join child_keys y on y.child_id = i.child_id \
                 where i.token = any(?) and exists (select from grants g where g.case_id = c.id and 'identity' = any(g.sections) \
                 and (g.children is null or k.id = any(g.children)) and ",
                [tokens.into()],
            )
            .then(visibility::live_grant::<()>(call))
            .with(") and ", [])
            .then(visibility::child_unhidden::<()>(call))
            .with(" and ", [])
            .then(visibility::case_visible::<()>(call, Act::ReadSection))
            .with(" order by c.id, i.child_id limit ?", [limit.into()]);
        let columns = "case_id, child_id, version, sealed, kek_version, wrapped, destroyed_at, reference";
        let rows: Vec<(Candidate, String)> = self.read(call, Read { columns, query, seen: Seen::List })?;
        let references: BTreeMap<CaseId, String> = rows.iter().map(|it| (CaseId(it.0.case), it.1.clone())).collect();
        let children = self.confirmed(&identifier, rows.into_iter().map(|it| it.0).collect())?;
        let found = |(case, child)| {
            let reference = references.get(&case).cloned().unwrap_or_default();
            FoundChild { case, reference, child }
        };
        Ok(children.into_iter().map(found).collect())
    }

    /// The same in every case, whoever may see it, newest first and closed ones last: for emergencies, which tell
    /// nothing of what they find but to whom they open it.
    pub(crate) fn wherever(
        &self,
        conn: &mut PgConnection,
        identifier: &Identifier,
    ) -> Result<Vec<(CaseId, ChildId)>, Error> {
        let (identifier, tokens) = self.sought(identifier)?;
        let query = Sql::new().with(CANDIDATES, []).with("policy.identified(?)", [tokens.into()]);
        self.candidates(conn, &identifier, query)
    }

    /// The same where no shield hides it from the actor: for status checks. What is hidden is as if there were nothing.
    pub(crate) fn checkable(
        &self,
        conn: &mut PgConnection,
        identifier: &Identifier,
        tokens: Vec<Vec<u8>>,
    ) -> Result<Vec<(CaseId, ChildId)>, Error> {
        let query = Sql::new().with(CANDIDATES, []).with("policy.checkable(?)", [tokens.into()]);
        self.candidates(conn, identifier, query)
    }

    fn candidates(
        &self,
        conn: &mut PgConnection,
        identifier: &Identifier,
        query: Sql<Columns>,
    ) -> Result<Vec<(CaseId, ChildId)>, Error> {
        let found: Vec<Candidate> = query.load(conn)?;
        self.confirmed(identifier, found)
    }

    /// The identifier as it would have been kept, and what the index may have for it.
    pub(crate) fn sought(&self, identifier: &Identifier) -> Result<(Identifier, Vec<Vec<u8>>), Error> {
        let identifier = Identifier::new(&identifier.system, &identifier.value);
        let tokens = self.vault.tokens(&identifier.system, &identifier.value)?;
        Ok((identifier, tokens.into_iter().map(|it| it.bytes).collect()))
    }

    /// Those that hold the identifier.
    fn confirmed(&self, identifier: &Identifier, found: Vec<Candidate>) -> Result<Vec<(CaseId, ChildId)>, Error> {
        if found.is_empty() {
            self.vault.open_decoy()?;
        }
        let mut children = Vec::new();
        for it in &found {
            if it.holds(&self.vault, identifier)? {
                children.push((CaseId(it.case), ChildId(it.child)));
            }
        }
        // Under two versions of the index it is found twice.
        children.dedup();
        Ok(children)
    }
}
