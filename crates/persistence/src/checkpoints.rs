//! What the signer of the access log reads and writes: leaves, which tell of nobody, checkpoints, cosignatures.
//!
//! Rows may be what somebody made of them: whether they are to be signed is decided elsewhere, and nothing here
//! changes or deletes any.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bytea, Text};
use diesel::{OptionalExtension, RunQueryDsl};
use lindung_ledger::tree::{self, Hash, ReadError};

use crate::db::Db;
use crate::error::Error;
use crate::sql::Sql;
use crate::tiles::StoredTiles;

/// A checkpoint that a witness has not yet cosigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwitnessed {
    /// How many leaves it covers.
    pub size: u64,
    /// The signed note, without witnesses.
    pub note: String,
    /// The size of the last one that the witness cosigned, as far as it is known here; 0 for none.
    pub old: u64,
}

impl Db {
    /// How many leaves there are as far as the highest number tells: that none is missing is found where they are read.
    ///
    /// # Errors
    /// The database is not available.
    pub fn leaf_count(&self) -> Result<u64, Error> {
        let query = Sql::<BigInt>::new().with("select coalesce(max(number) + 1, 0) from access_leaves", []);
        number(query.get_result(&mut *self.connection()?)?)
    }

    /// So many leaves with their numbers, from a number on, in order.
    ///
    /// # Errors
    /// The database is not available.
    pub fn leaves_from(&self, from: u64, limit: u64) -> Result<Vec<(u64, Vec<u8>)>, Error> {
        let query = Sql::<(BigInt, Bytea)>::new().with(
            "select number, leaf from access_leaves where number >= ? order by number limit ?",
            [big(from)?.into(), big(limit)?.into()],
        );
        let rows: Vec<(i64, Vec<u8>)> = query.load(&mut *self.connection()?)?;
        rows.into_iter().map(|(at, leaf)| Ok((number(at)?, leaf))).collect()
    }

    /// The root of the tree of that size as the stored tiles have it; nothing where they have none.
    ///
    /// # Errors
    /// The database is not available.
    pub fn stored_root(&self, size: u64) -> Result<Option<Hash>, Error> {
        match tree::root(&StoredTiles::new(&mut *self.connection()?), size) {
            Ok(root) => Ok(Some(root)),
            Err(ReadError::Tiles(Error::Refused(_)) | ReadError::Tree(_) | ReadError::Inconsistent) => Ok(None),
            Err(ReadError::Tiles(error)) => Err(error),
        }
    }

    /// Keeps a checkpoint that was signed.
    ///
    /// # Errors
    /// There is one of that size; the database is not available.
    pub fn save_checkpoint(&self, size: u64, note: &str, at: DateTime<Utc>) -> Result<(), Error> {
        let query = Sql::<()>::new().with(
            "insert into access_checkpoints (size, note, signed_at) values (?, ?, ?)",
            [big(size)?.into(), note.into(), at.into()],
        );
        query.execute(&mut *self.connection()?)?;
        Ok(())
    }

    /// The newest checkpoint, if the witness with that key has not cosigned it.
    ///
    /// # Errors
    /// The database is not available.
    pub fn unwitnessed(&self, key: &str) -> Result<Option<Unwitnessed>, Error> {
        let query = Sql::<(BigInt, Text, BigInt)>::new().with(
            "select c.size, c.note, coalesce(s.size, 0) from access_checkpoints c \
             left join (select max(size) as size from access_cosignatures where key = ?) s on true \
             where c.size = (select max(size) from access_checkpoints) and c.size is distinct from s.size",
            [key.into()],
        );
        let found: Option<(i64, String, i64)> = query.get_result(&mut *self.connection()?).optional()?;
        found.map(|(size, note, old)| Ok(Unwitnessed { size: number(size)?, note, old: number(old)? })).transpose()
    }

    /// Keeps the cosignature of a checkpoint, a line of the note, unless the key has one.
    ///
    /// # Errors
    /// There is no such checkpoint; the database is not available.
    pub fn save_cosignature(&self, size: u64, key: &str, line: &str, at: DateTime<Utc>) -> Result<(), Error> {
        let query = Sql::<()>::new().with(
            "insert into access_cosignatures (size, key, line, at) values (?, ?, ?, ?) on conflict do nothing",
            [big(size)?.into(), key.into(), line.into(), at.into()],
        );
        query.execute(&mut *self.connection()?)?;
        Ok(())
    }
}

fn big(number: u64) -> Result<i64, Error> {
    number.try_into().map_err(Error::fault)
}

fn number(big: i64) -> Result<u64, Error> {
    big.try_into().map_err(Error::fault)
}
