//! Proofs, made from tiles. What tiles say is believed only as far as their hashes fit each other: who needs a proof
//! for a root that is signed checks it against that root.

use std::cell::Cell;

use tlog_tiles::{Tile, TileHashReader, TileReader};

use super::tile::{LEVEL_BITS, checked};
use super::{Error, Frontier, HASH_SIZE, Hash, TileId, WIDTH, from_bytes, right_edge};

/// Where tiles are read from.
pub trait Tiles {
    /// Why tiles cannot be read.
    type Error;

    /// The bytes of each tile, in the order wanted, with at least so many hashes; what is beyond that is ignored, so
    /// that a tile which has grown since will do.
    ///
    /// # Errors
    /// They cannot be read, or one is missing.
    fn tiles(&self, wanted: &[(TileId, u16)]) -> Result<Vec<Vec<u8>>, Self::Error>;
}

/// Why there is no root or proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError<E> {
    /// The tiles cannot be read.
    #[error("the tiles cannot be read: {0}")]
    Tiles(E),
    /// There is no such leaf or tree, or the tiles are none.
    #[error(transparent)]
    Tree(#[from] Error),
    /// The tiles contradict each other.
    #[error("the tiles contradict each other")]
    Inconsistent,
}

/// The root of the tree of that size, from the tiles of its right edge. Whether the tiles to the left lead to them is
/// not looked at.
///
/// # Errors
/// As [`ReadError`] tells.
pub fn root<T: Tiles>(tiles: &T, size: u64) -> Result<Hash, ReadError<T::Error>> {
    let wanted = right_edge(checked(size)?);
    let hashes = read(tiles, &wanted)?.into_iter().map(|it| from_bytes(&it)).collect::<Result<Vec<_>, _>>()?;
    let edge: Vec<_> = wanted.into_iter().map(|(tile, _)| tile).zip(hashes).collect();
    Ok(Frontier::of_edge(size, &edge)?.root())
}

/// The proof that the tree of `size` leaves has the one at `index`, for [`super::check_inclusion`].
///
/// # Errors
/// As [`ReadError`] tells.
pub fn inclusion<T: Tiles>(tiles: &T, index: u64, size: u64) -> Result<Vec<Hash>, ReadError<T::Error>> {
    if index >= checked(size)? {
        return Err(Error::OutOfRange.into());
    }
    prove(tiles, size, |reader| tlog_tiles::prove_record(size, index, reader))
}

/// The proof that the tree of `to` leaves begins with that of `from`, for [`super::check_consistency`].
///
/// # Errors
/// As [`ReadError`] tells.
pub fn consistency<T: Tiles>(tiles: &T, from: u64, to: u64) -> Result<Vec<Hash>, ReadError<T::Error>> {
    if from > checked(to)? {
        return Err(Error::OutOfRange.into());
    }
    if from == 0 || from == to {
        return Ok(Vec::new());
    }
    prove(tiles, to, |reader| tlog_tiles::prove_tree(to, from, reader))
}

/// Makes a proof out of tiles that all lead to the root of the right edge.
fn prove<T: Tiles>(
    tiles: &T,
    size: u64,
    make: impl FnOnce(&TileHashReader<'_>) -> Result<Vec<Hash>, tlog_tiles::Error>,
) -> Result<Vec<Hash>, ReadError<T::Error>> {
    let root = root(tiles, size)?;
    let reader = Reader { tiles, failure: Cell::new(None) };
    let made = make(&TileHashReader::new(size, root, &reader));
    made.map_err(|_| reader.failure.take().unwrap_or(ReadError::Inconsistent))
}

/// Reads tiles cut to their widths.
fn read<T: Tiles>(tiles: &T, wanted: &[(TileId, u16)]) -> Result<Vec<Vec<u8>>, ReadError<T::Error>> {
    let mut read = tiles.tiles(wanted).map_err(ReadError::Tiles)?;
    if read.len() != wanted.len() {
        return Err(Error::Tile.into());
    }
    for (bytes, (_, width)) in read.iter_mut().zip(wanted) {
        let length = usize::from(*width) * HASH_SIZE;
        if bytes.len() < length {
            return Err(Error::Tile.into());
        }
        bytes.truncate(length);
    }
    Ok(read)
}

/// Our tiles for `tlog_tiles`, whose errors cannot tell why ours could not be read: that is kept beside.
struct Reader<'a, T: Tiles> {
    tiles: &'a T,
    failure: Cell<Option<ReadError<T::Error>>>,
}

impl<T: Tiles> TileReader for Reader<'_, T> {
    fn height(&self) -> u8 {
        LEVEL_BITS as u8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let wanted = tiles.iter().map(|it| {
            let tile = TileId { level: it.level(), index: it.level_index() };
            (tile, u16::try_from(it.width()).unwrap_or(WIDTH))
        });
        read(self.tiles, &wanted.collect::<Vec<_>>()).map_err(|error| {
            self.failure.set(Some(error));
            tlog_tiles::Error::InvalidTile
        })
    }

    /// Nothing is kept: where tiles come from is where they stay.
    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}
