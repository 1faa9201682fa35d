//! The tiles of the access log's tree as they are stored.

use std::cell::RefCell;

use diesel::RunQueryDsl;
use diesel::pg::PgConnection;
use diesel::sql_types::{Bytea, Nullable};
use lindung_domain::Refusal;
use lindung_ledger::tree::{self, Hash, TileId, Tiles};

use crate::error::Error;
use crate::sql::Sql;

/// Tiles, read where a connection reads.
pub(crate) struct StoredTiles<'a>(RefCell<&'a mut PgConnection>);

impl<'a> StoredTiles<'a> {
    /// Those that the connection sees.
    pub(crate) fn new(conn: &'a mut PgConnection) -> Self {
        StoredTiles(RefCell::new(conn))
    }
}

impl Tiles for StoredTiles<'_> {
    type Error = Error;

    fn tiles(&self, wanted: &[(TileId, u16)]) -> Result<Vec<Vec<u8>>, Error> {
        let (levels, indexes) = columns(wanted.iter().map(|it| it.0))?;
        let query = Sql::<Nullable<Bytea>>::new().with(
            "select t.hashes from unnest(?, ?) with ordinality wanted (level, index, place) \
             left join access_tiles t on t.level = wanted.level and t.index = wanted.index order by place",
            [levels.into(), indexes.into()],
        );
        let found: Vec<Option<Vec<u8>>> = query.load(&mut **self.0.borrow_mut())?;
        found.into_iter().map(|it| it.ok_or(Refusal::NotFound.into())).collect()
    }
}

/// What a tree of that size grows from.
pub(crate) fn right_edge(conn: &mut PgConnection, size: u64) -> Result<Vec<(TileId, Vec<Hash>)>, Error> {
    let wanted = tree::right_edge(size);
    let read =
        StoredTiles::new(conn).tiles(&wanted).map_err(|_| Error::fault("a tile of the right edge is missing"))?;
    let edge = wanted.into_iter().zip(read);
    edge.map(|((tile, _), bytes)| Ok((tile, tree::from_bytes(&bytes).map_err(Error::fault)?))).collect()
}

/// Stores tiles that grew, each whole.
pub(crate) fn store(conn: &mut PgConnection, tiles: &[(TileId, Vec<Hash>)]) -> Result<(), Error> {
    let (levels, indexes) = columns(tiles.iter().map(|it| it.0))?;
    let hashes: Vec<Vec<u8>> = tiles.iter().map(|it| tree::to_bytes(&it.1)).collect();
    let query = Sql::<()>::new().with(
        "insert into access_tiles (level, index, hashes) select * from unnest(?, ?, ?) \
         on conflict (level, index) do update set hashes = excluded.hashes",
        [levels.into(), indexes.into(), hashes.into()],
    );
    query.execute(conn)?;
    Ok(())
}

fn columns(tiles: impl Iterator<Item = TileId>) -> Result<(Vec<i16>, Vec<i64>), Error> {
    let row = |it: TileId| Ok((i16::from(it.level), i64::try_from(it.index).map_err(|_| Refusal::NotFound)?));
    Ok(tiles.map(row).collect::<Result<Vec<_>, Error>>()?.into_iter().unzip())
}
