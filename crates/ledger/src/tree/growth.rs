//! How tiles grow: what leaves that are appended change is the right edge alone.

use super::tile::{LEVELS, checked, hashes_of};
use super::{Error, Frontier, Hash, TileId, WIDTH};

/// The partial tiles of a tree of that size with their widths, the lowest level first: all that one must read to
/// append to it.
pub fn right_edge(size: u64) -> Vec<(TileId, u16)> {
    let partial = |level| {
        let (hashes, full) = (hashes_of(level, size), u64::from(WIDTH));
        // Less than 256, so that it fits.
        (TileId { level, index: hashes / full }, (hashes % full) as u16)
    };
    (0..LEVELS).map(partial).filter(|(_, width)| *width > 0).collect()
}

/// Appends leaves, by their hashes, to a tree of that size, and gives the tiles that change, each whole, level by
/// level. `edge` is what [`right_edge`] names, in that order, each tile with its hashes.
///
/// # Errors
/// [`Error::Tile`]: `edge` is something else; [`Error::OutOfRange`]: the tree would be too large.
pub fn grow(size: u64, edge: &[(TileId, Vec<Hash>)], leaves: &[Hash]) -> Result<Vec<(TileId, Vec<Hash>)>, Error> {
    check_edge(size, edge)?;
    checked(size.saturating_add(leaves.len() as u64))?;
    let (mut tiles, mut appended) = (Vec::new(), leaves.to_vec());
    for level in 0..LEVELS {
        if appended.is_empty() {
            break;
        }
        let first = hashes_of(level, size) / u64::from(WIDTH);
        let partial = edge.iter().find(|(it, _)| it.level == level).map_or(&[][..], |(_, hashes)| hashes);
        let hashes = [partial, &appended].concat();
        appended.clear();
        for (index, hashes) in (first..).zip(hashes.chunks(WIDTH.into())) {
            if hashes.len() == usize::from(WIDTH) {
                appended.push(Frontier::over(hashes).root());
            }
            tiles.push((TileId { level, index }, hashes.to_vec()));
        }
    }
    Ok(tiles)
}

pub(super) fn check_edge(size: u64, edge: &[(TileId, Vec<Hash>)]) -> Result<(), Error> {
    let wanted = right_edge(checked(size)?);
    let given = edge.iter().map(|(tile, hashes)| (*tile, hashes.len()));
    let same = wanted.into_iter().map(|(tile, width)| (tile, width.into())).eq(given);
    if same { Ok(()) } else { Err(Error::Tile) }
}
