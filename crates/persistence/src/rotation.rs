//! Rotation of the identity keys, beside a running service: what an older version wrapped is wrapped
//! anew, and what was found by its tokens gets tokens of the current one.
//!
//! Nothing that is done twice does harm, so an interrupted rotation is just begun again. A child
//! that somebody writes or erases meanwhile stays as they left it: a key is replaced only where it is
//! still the one that was read, and tokens only under the case's lock, which every writer takes.
//! This sees all cases and shows nobody anything; it has no access rows.

use diesel::RunQueryDsl;
use diesel::sql_types::{BigInt, Bool, Bytea, Integer, Uuid as SqlUuid};
use lindung_domain::section::{Content, Identity};
use lindung_domain::{CaseId, ChildId, Section};
use lindung_vault::{DataKey, Version, Wrapped};
use uuid::Uuid;

use crate::db::Db;
use crate::error::Error;
use crate::sealed;
use crate::sql::Sql;

/// Children in one step.
const BATCH: i64 = 200;

/// What a version of the keys is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyUse {
    /// The version.
    pub version: Version,
    /// The keys of children that it wraps.
    pub keys: i64,
    /// The index entries that it made.
    pub entries: i64,
}

/// How a rotation went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rotated {
    /// The children that are at the current version now.
    pub children: u64,
    /// Those whose key or identity does not open: they stay as they were.
    pub failed: Vec<ChildId>,
}

/// A child that is not yet at the current version.
struct Outdated {
    case: CaseId,
    child: ChildId,
    wrapped: Wrapped,
    /// Whether its index is not.
    index: bool,
}

type Identities = (SqlUuid, BigInt, Bytea);

impl Db {
    /// What each version is used for, in ascending order.
    ///
    /// # Errors
    /// The database is not available.
    pub fn key_uses(&self) -> Result<Vec<KeyUse>, Error> {
        let query = Sql::<(Integer, BigInt, BigInt)>::new().with(
            "select version, sum(keys)::bigint, sum(entries)::bigint from ( \
             select kek_version, count(*), 0 from child_keys where wrapped is not null group by kek_version union all \
             select index_version, 0, count(*) from identity_indexes group by index_version) n (version, keys, entries) \
             group by version order by version",
            [],
        );
        let uses: Vec<(i32, i64, i64)> = query.load(&mut *self.connection()?)?;
        Ok(uses.into_iter().map(|(version, keys, entries)| KeyUse { version, keys, entries }).collect())
    }

    /// A version that is used in the database and that the vault does not have, if there is one. Looks at
    /// each version once, however many children there are.
    ///
    /// # Errors
    /// The database or the keys are not available.
    pub fn missing_key(&self) -> Result<Option<Version>, Error> {
        let query = Sql::<Integer>::new().with(
            "select version from policy.key_versions() version where version <> all(?) order by version limit 1",
            [self.vault.versions()?.into()],
        );
        let missing: Vec<i32> = query.load(&mut *self.connection()?)?;
        Ok(missing.first().copied())
    }

    /// Brings all children to the current version of the keys. `progress` is told after each step how
    /// many are done, of how many.
    ///
    /// # Errors
    /// The database or the keys are not available. What is done stays done.
    pub fn rotate_keys(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Rotated, Error> {
        let (current, mut rotated, mut last) = (self.vault.current()?, Rotated::default(), Uuid::nil());
        let count = Sql::<BigInt>::new().with(
            "select count(*) from child_keys k where k.wrapped is not null and (k.kek_version < ? or exists \
             (select from identity_indexes i where i.child_id = k.child_id and i.index_version < ?))",
            [current.into(), current.into()],
        );
        let all: i64 = count.get_result(&mut *self.connection()?)?;
        loop {
            let found = self.outdated(current, last)?;
            let Some(end) = found.last() else { return Ok(rotated) };
            last = end.child.0;
            self.rotate(current, found, &mut rotated)?;
            progress(rotated.children + rotated.failed.len() as u64, all.unsigned_abs());
        }
    }

    /// Some children behind `last` that are not at the current version.
    fn outdated(&self, current: Version, last: Uuid) -> Result<Vec<Outdated>, Error> {
        type Row = (Uuid, Uuid, i32, Vec<u8>, bool);
        let query = Sql::<(SqlUuid, SqlUuid, Integer, Bytea, Bool)>::new().with(
            "select k.case_id, k.child_id, k.kek_version, k.wrapped, i.outdated from child_keys k cross join lateral \
             (select exists (select from identity_indexes i where i.child_id = k.child_id and i.index_version < ?) as outdated) i \
             where k.child_id > ? and k.wrapped is not null and (k.kek_version < ? or i.outdated) order by k.child_id limit ?",
            [current.into(), last.into(), current.into(), BATCH.into()],
        );
        let rows: Vec<Row> = query.load(&mut *self.connection()?)?;
        let outdated = |(case, child, version, bytes, index)| Outdated {
            case: CaseId(case),
            child: ChildId(child),
            wrapped: Wrapped { version, bytes },
            index,
        };
        Ok(rows.into_iter().map(outdated).collect())
    }

    fn rotate(&self, current: Version, found: Vec<Outdated>, rotated: &mut Rotated) -> Result<(), Error> {
        let (mut good, mut anew) = (Vec::new(), Vec::new());
        for it in found {
            // Without a lock: a command may take its time.
            let place = sealed::key_place(it.case, it.child);
            match self.vault.unwrap(&it.wrapped, &place) {
                Ok(key) if it.wrapped.version < current => {
                    anew.push((it.child, it.wrapped.bytes.clone(), self.vault.wrap(&key, &place)?));
                    good.push((it, key));
                }
                Ok(key) => good.push((it, key)),
                Err(error) => self.lost(error.into(), it.child, rotated)?,
            }
        }
        self.replace_keys(anew)?;
        let indexed: Vec<&(Outdated, DataKey)> = good.iter().filter(|it| it.0.index).collect();
        let unindexed = if indexed.is_empty() { Vec::new() } else { self.index_anew(&indexed)? };
        rotated.children += (good.len() - unindexed.len()) as u64;
        rotated.failed.extend(unindexed);
        Ok(())
    }

    /// One child does not keep the others from being rotated; that the keys are out of reach does.
    fn lost(&self, error: Error, child: ChildId, rotated: &mut Rotated) -> Result<(), Error> {
        if matches!(error, Error::Unavailable(_)) {
            return Err(error);
        }
        rotated.failed.push(child);
        Ok(())
    }

    /// Replaces keys where they are still what they were.
    fn replace_keys(&self, anew: Vec<(ChildId, Vec<u8>, Wrapped)>) -> Result<(), Error> {
        let children: Vec<Uuid> = anew.iter().map(|it| it.0.0).collect();
        let versions: Vec<i32> = anew.iter().map(|it| it.2.version).collect();
        let (old, new): (Vec<_>, Vec<_>) = anew.into_iter().map(|it| (it.1, it.2.bytes)).unzip();
        let query = Sql::<()>::new().with(
            "update child_keys k set wrapped = n.new, kek_version = n.version from \
             unnest(?::uuid[], ?::bytea[], ?::bytea[], ?::integer[]) n (child_id, old, new, version) \
             where k.child_id = n.child_id and k.wrapped = n.old",
            [children.into(), old.into(), new.into(), versions.into()],
        );
        query.execute(&mut *self.connection()?)?;
        Ok(())
    }

    /// Gives children tokens of the current version, and names those whose identity does not open.
    fn index_anew(&self, found: &[&(Outdated, DataKey)]) -> Result<Vec<ChildId>, Error> {
        let cases: Vec<Uuid> = found.iter().map(|it| it.0.case.0).collect();
        let children: Vec<Uuid> = found.iter().map(|it| it.0.child.0).collect();
        self.transaction(|conn| {
            Sql::<()>::new()
                .with("select from cases where id = any(?) order by id for no key update", [cases.into()])
                .execute(conn)?;
            // With a fresh snapshot: who was erased meanwhile is not there.
            let query = Sql::<Identities>::new().with(
                "select s.child_id, s.version, s.sealed from child_identities s join child_keys k on k.child_id = s.child_id \
                 where s.child_id = any(?) and k.wrapped is not null",
                [children.into()],
            );
            let identities: Vec<(Uuid, i64, Vec<u8>)> = query.load(conn)?;
            let (mut index, mut failed) = (Vec::new(), Vec::new());
            for (child, version, bytes) in identities {
                let Some((it, key)) = found.iter().find(|it| it.0.child.0 == child) else { continue };
                match sealed::open(key, (it.case, it.child, Section::Identity), version, &bytes) {
                    Ok(open) => {
                        let identity: Identity = serde_json::from_slice(&open)?;
                        index.push((it.case, it.child, sealed::tokens(&self.vault, &Content::Identity(identity))?));
                    }
                    Err(_) => failed.push(it.child),
                }
            }
            sealed::index_replaced(index).execute(conn)?;
            Ok(failed)
        })
    }
}
