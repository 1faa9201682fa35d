//! Finding children by an identifier, through the blind index.
//!
//! An index hit may be a coincidence: only an identity that was opened and holds the identifier
//! counts. Where nothing is hit, something that is nobody's is opened instead, so that how long it
//! takes does not tell. Identifiers are not unique: several children, or one in several cases, may have one.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bytea, Uuid as SqlUuid};
use lindung_domain::policy::Act;
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

impl Db {
    /// The children with exactly this identifier in cases that the actor may see by doing `act`.
    /// What the index named is recorded in the access log, whether or not it was a coincidence.
    ///
    /// # Errors
    /// What the index names does not open; the database is not available.
    pub fn children_with_identifier(
        &self,
        call: &Call,
        act: Act,
        identifier: &Identifier,
    ) -> Result<Vec<(CaseId, ChildId)>, Error> {
        self.identified(call, visibility::case_rule(call, act), visibility::case_visible(call, act), identifier)
    }

    /// As [`Db::children_with_identifier`], in the cases `c` for which a condition holds, by the rule
    /// that an expression names.
    pub(crate) fn identified(
        &self,
        call: &Call,
        rule: Sql,
        visible: Sql,
        identifier: &Identifier,
    ) -> Result<Vec<(CaseId, ChildId)>, Error> {
        let (identifier, tokens) = self.sought(identifier)?;
        let query = Sql::<Columns>::new()
            .with(
                "select c.id as case_id, i.child_id, i.child_id as item_id, array[i.child_id] as child_ids, \
                 array['identity'] as sections, s.version, s.sealed, y.kek_version, y.wrapped, y.destroyed_at, ",
                [],
            )
            .then(rule)
            .with(
                " as rule from identity_indexes i join cases c on c.id = i.case_id \
                 join child_identities s on s.child_id = i.child_id join child_keys y on y.child_id = i.child_id \
                 where i.token = any(?) and ",
                [tokens.into()],
            )
            .then(visible)
            .with(" order by c.id, i.child_id", []);
        let columns = "case_id, child_id, version, sealed, kek_version, wrapped, destroyed_at";
        let found: Vec<Candidate> = self.read(call, Read { columns, query, seen: Seen::List })?;
        self.confirmed(&identifier, found)
    }

    /// The same in every case, whoever may see it, newest first and closed ones last: for emergencies and status
    /// checks, which tell nothing of what they find but to whom they open it.
    pub(crate) fn wherever(
        &self,
        conn: &mut PgConnection,
        identifier: &Identifier,
    ) -> Result<Vec<(CaseId, ChildId)>, Error> {
        let (identifier, tokens) = self.sought(identifier)?;
        let query = Sql::<Columns>::new().with(
            "select case_id, child_id, version, sealed, kek_version, wrapped, destroyed_at from policy.identified(?)",
            [tokens.into()],
        );
        let found: Vec<Candidate> = query.load(conn)?;
        self.confirmed(&identifier, found)
    }

    /// The identifier as it would have been kept, and what the index may have for it.
    fn sought(&self, identifier: &Identifier) -> Result<(Identifier, Vec<Vec<u8>>), Error> {
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
