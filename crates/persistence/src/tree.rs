//! The access log as a transparency log, as it is served: leaves, the tree over them, checkpoints. Only reads.

use std::time::Duration;

use diesel::sql_types::{Array, BigInt, Double, Jsonb, Text};
use diesel::{OptionalExtension, RunQueryDsl};
use lindung_domain::actor::OVERSIGHT;
use lindung_domain::policy::{self, Act, Relation};
use lindung_domain::{AccessId, Refusal};
use lindung_ledger::tree::{self, Hash, ReadError, TileId, Tiles, WIDTH};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::db::{Call, Db, Read, Seen};
use crate::error::Error;
use crate::sql::Sql;
use crate::tiles::StoredTiles;

/// A leaf of the log, and what opens it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OpenedLeaf {
    /// Its number, from 0.
    pub number: u64,
    /// The very text that is hashed: canonical JSON (RFC 8785).
    pub leaf: String,
    /// The 32 bytes of its salt, in base64; null where the leaf hides nothing, or what it hid was erased.
    pub salt: Option<String>,
    /// Of whom it tells: canonical JSON, which with the salt gives the `detail` of the leaf. Null as `salt` is.
    pub detail: Option<String>,
}

/// A checkpoint that was signed.
#[derive(Debug, Clone)]
pub struct SignedCheckpoint {
    /// How many leaves it covers.
    pub size: u64,
    /// The signed note, without its witnesses.
    pub note: String,
    /// Their signatures, as lines of the note.
    pub cosignatures: Vec<String>,
}

impl SignedCheckpoint {
    /// The note with its witnesses.
    pub fn text(&self) -> String {
        self.note.clone() + &self.cosignatures.concat()
    }
}

/// How far sealing is behind, by the database's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lag {
    /// For how long an access may have been without a number.
    pub sequencing: Duration,
    /// For how long the oldest leaf that no checkpoint covers has been one.
    pub signing: Duration,
}

/// What an auditor reads here tells of the log, whose entries tell of cases.
fn about_the_log<ST>(rule: Relation, columns: &'static str) -> Sql<ST> {
    Sql::new()
        .with(
            "select null::uuid as case_id, null::uuid[] as child_ids, null::text[] as sections, ? as rule, l.entry_id as item_id, ",
            [rule.as_str().into()],
        )
        .with(columns, [])
        .with(" from access_leaves l ", [])
}

fn rule_of(call: &Call) -> Result<Relation, Error> {
    policy::require_own(&call.actor, Act::ReadAccessLog)?;
    let all = OVERSIGHT.contains(&call.actor.agency().as_str());
    Ok(if all { Relation::Oversight } else { Relation::Own })
}

fn big(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Db {
    /// The first hashes of a tile; none where there are not so many.
    ///
    /// # Errors
    /// The database is not available.
    pub fn tile(&self, tile: TileId, width: u16) -> Result<Vec<u8>, Error> {
        let mut found = StoredTiles::new(&mut *self.connection()?).tiles(&[(tile, width)])?;
        let mut bytes = found.pop().ok_or(Refusal::NotFound)?;
        let length = usize::from(width) * tree::HASH_SIZE;
        if bytes.len() < length {
            return Err(Refusal::NotFound.into());
        }
        bytes.truncate(length);
        Ok(bytes)
    }

    /// The proof that the tree of `to` leaves begins with that of `from`.
    ///
    /// # Errors
    /// There is no such tree; the stored tiles contradict each other; the database is not available.
    pub fn consistency(&self, from: u64, to: u64) -> Result<Vec<Hash>, Error> {
        let proof = tree::consistency(&StoredTiles::new(&mut *self.connection()?), from, to);
        proof.map_err(unproved)
    }

    /// The proof that the tree of `size` leaves has the one with that number.
    ///
    /// # Errors
    /// As for [`Db::consistency`].
    pub fn inclusion(&self, number: u64, size: u64) -> Result<Vec<Hash>, Error> {
        let proof = tree::inclusion(&StoredTiles::new(&mut *self.connection()?), number, size);
        proof.map_err(unproved)
    }

    /// The newest checkpoint.
    ///
    /// # Errors
    /// The database is not available.
    pub fn checkpoint(&self) -> Result<Option<SignedCheckpoint>, Error> {
        self.signed(Sql::<()>::new().with("(select max(size) from access_checkpoints)", []))
    }

    /// The newest checkpoint that at least so many of these keys have cosigned, and of a size below `below`.
    ///
    /// # Errors
    /// The database is not available.
    pub fn cosigned(
        &self,
        keys: Vec<String>,
        at_least: usize,
        below: Option<u64>,
    ) -> Result<Option<SignedCheckpoint>, Error> {
        let at_least = i64::try_from(at_least).unwrap_or(i64::MAX);
        self.signed(Sql::<()>::new().with(
            "(select size from access_cosignatures where size < ? and key = any(?) group by size having count(*) >= ? \
             order by size desc limit 1)",
            [below.map_or(i64::MAX, big).into(), keys.into(), at_least.into()],
        ))
    }

    fn signed(&self, size: Sql) -> Result<Option<SignedCheckpoint>, Error> {
        let query = Sql::<(BigInt, Text, Array<Text>)>::new()
            .with(
                "select c.size, c.note, array(select s.line from access_cosignatures s where s.size = c.size order by s.key) \
                 from access_checkpoints c where c.size = ",
                [],
            )
            .then(size);
        let row: Option<(i64, String, Vec<String>)> = query.get_result(&mut *self.connection()?).optional()?;
        let signed = |(size, note, cosignatures): (i64, _, _)| {
            Ok(SignedCheckpoint { size: size.try_into().map_err(Error::fault)?, note, cosignatures })
        };
        row.map(signed).transpose()
    }

    /// How far sealing is behind.
    ///
    /// # Errors
    /// The database is not available.
    pub fn lag(&self) -> Result<Lag, Error> {
        let query = Sql::<(Double, Double)>::new().with(
            "select greatest(0, extract(epoch from clock_timestamp() - coalesce(complete_at, 'epoch')))::float8, \
             greatest(0, extract(epoch from clock_timestamp() - policy.unsigned_since()))::float8 from sequencers where log = 'accesses'",
            [],
        );
        let (sequencing, signing): (f64, f64) = query.get_result(&mut *self.connection()?)?;
        let seconds = |it: f64| Duration::try_from_secs_f64(it).unwrap_or(Duration::MAX);
        Ok(Lag { sequencing: seconds(sequencing), signing: seconds(signing) })
    }

    /// The leaves of a bundle, for an auditor of an oversight office: those of all agencies are in it.
    ///
    /// # Errors
    /// The actor is none; there are not so many leaves; the database is not available.
    pub fn entries(&self, call: &Call, index: u64, width: u16) -> Result<Vec<Vec<u8>>, Error> {
        let rule = rule_of(call)?;
        if rule != Relation::Oversight {
            return Err(Refusal::NotYours.into());
        }
        let first = big(index.saturating_mul(WIDTH.into()));
        let query = about_the_log::<Text>(rule, "l.number, convert_from(l.leaf, 'UTF8') as leaf").with(
            "where l.number >= ? and l.number < ? order by l.number",
            [first.into(), first.saturating_add(width.into()).into()],
        );
        let leaves: Vec<String> = self.read(call, Read { columns: "leaf", query, seen: Seen::List })?;
        if leaves.len() < usize::from(width) {
            return Err(Refusal::NotFound.into());
        }
        Ok(leaves.into_iter().map(String::into_bytes).collect())
    }

    /// The leaves from a number on that an auditor may read, with what opens them.
    ///
    /// # Errors
    /// The actor is no auditor; the database is not available.
    pub fn openings(&self, call: &Call, from: u64, limit: i64) -> Result<Vec<OpenedLeaf>, Error> {
        let item = "jsonb_build_object('number', l.number, 'leaf', convert_from(l.leaf, 'UTF8'), \
                    'salt', encode(o.salt, 'base64'), 'detail', convert_from(o.detail, 'UTF8')) as item";
        let query = about_the_log::<Jsonb>(rule_of(call)?, item).with(
            "left join access_openings o on o.number = l.number where l.number >= ? order by l.number limit ?",
            [big(from).into(), limit.into()],
        );
        let rows: Vec<Value> = self.read(call, Read { columns: "item", query, seen: Seen::List })?;
        rows.into_iter().map(|it| Ok(serde_json::from_value(it)?)).collect()
    }

    /// The number of an access, for an auditor.
    ///
    /// # Errors
    /// The actor is no auditor or may not read it; it has no number yet; the database is not available.
    pub fn number_of(&self, call: &Call, access: AccessId) -> Result<u64, Error> {
        let query = about_the_log::<BigInt>(rule_of(call)?, "l.number").with("where l.entry_id = ?", [access.0.into()]);
        let found: Vec<i64> = self.read(call, Read { columns: "number", query, seen: Seen::Open })?;
        let number = found.first().ok_or(Refusal::NotFound)?;
        (*number).try_into().map_err(Error::fault)
    }
}

/// Why there is no proof. Tiles that contradict each other are a fault, and never a proof that does not hold.
fn unproved(error: ReadError<Error>) -> Error {
    match error {
        ReadError::Tiles(error) => error,
        ReadError::Tree(tree::Error::OutOfRange) => Refusal::NotFound.into(),
        ReadError::Tree(_) | ReadError::Inconsistent => Error::fault("the stored tiles contradict each other"),
    }
}
