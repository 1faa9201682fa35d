//! The tiles against the checkpoint.

use std::collections::BTreeSet;

use lindung_ledger::checkpoint::Checkpoint;
use lindung_ledger::tree::{self, Frontier, Hash, TileId, WIDTH, tiles_of};

use crate::failure::Failure;
use crate::finding::{Findings, Kind};
use crate::folder::Folder;

/// The hashes of all entries as the lowest tiles have them; none where a tile is missing. They have been held against
/// the root, and the tiles above against them.
pub(super) fn verified(
    folder: &Folder,
    checkpoint: &Checkpoint,
    older: Option<&Checkpoint>,
    findings: &mut Findings,
) -> Result<Vec<Option<Hash>>, Failure> {
    let mut levels: Vec<Vec<Option<Hash>>> = Vec::new();
    // Tiles whose hash above says something else than they do.
    let mut contradicted = BTreeSet::new();
    for (tile, width) in tiles_of(checkpoint.size) {
        let hashes = read(folder, tile, width, findings)?;
        if levels.len() <= usize::from(tile.level) {
            levels.push(Vec::new());
        }
        if let Some(below) = tile.level.checked_sub(1).and_then(|it| levels.get(usize::from(it))) {
            let first = tile.index * u64::from(WIDTH);
            for (at, hash) in (first..).zip(&hashes) {
                let beneath = root_of(below, at);
                if hash.is_some() && beneath.is_some() && *hash != beneath {
                    contradicted.insert((tile.level, at));
                }
            }
        }
        if let Some(level) = levels.get_mut(usize::from(tile.level)) {
            level.extend(hashes);
        }
    }
    for (level, at) in contradicted {
        let first = at << (8 * u32::from(level));
        let last = ((at + 1) << (8 * u32::from(level))) - 1;
        let why =
            format!("the tiles of level {level} have another hash for the entries {first} to {last} than those below");
        findings.at(Kind::Tile, first, None, why);
    }
    let hashes = levels.into_iter().next().unwrap_or_default();
    if hashes.iter().all(Option::is_some) {
        roots(&hashes, checkpoint, older, findings);
    }
    Ok(hashes)
}

/// The root of a full tile, if it is there whole.
fn root_of(level: &[Option<Hash>], index: u64) -> Option<Hash> {
    let first = usize::try_from(index).ok()?.checked_mul(WIDTH.into())?;
    let mut tree = Frontier::new();
    for hash in level.get(first..first + usize::from(WIDTH))? {
        tree.push((*hash)?);
    }
    Some(tree.root())
}

/// Holds the root of the entries against the checkpoint's, and that of the first of them against the older one's.
fn roots(hashes: &[Option<Hash>], checkpoint: &Checkpoint, older: Option<&Checkpoint>, findings: &mut Findings) {
    let older = older.filter(|it| it.size <= checkpoint.size);
    let mut tree = Frontier::new();
    let begins = |tree: &Frontier| older.is_none_or(|it| it.size != tree.size() || it.root == tree.root());
    let mut consistent = begins(&tree);
    for hash in hashes.iter().flatten() {
        tree.push(*hash);
        consistent &= begins(&tree);
    }
    if tree.root() != checkpoint.root {
        let why = format!("the entries have the root {}, the checkpoint has {}", tree.root(), checkpoint.root);
        findings.add(Kind::Root, why);
    }
    if let (false, Some(older)) = (consistent, older) {
        findings.add(
            Kind::Older,
            format!("the log does not begin with the {} entries of the older checkpoint", older.size),
        );
    }
}

/// The hashes of a tile, or as many holes.
fn read(folder: &Folder, tile: TileId, width: u16, findings: &mut Findings) -> Result<Vec<Option<Hash>>, Failure> {
    let bytes = folder.tile(tile, width)?;
    let hashes = bytes.as_ref().and_then(|it| tree::from_bytes(it).ok()).filter(|it| it.len() == usize::from(width));
    if let Some(hashes) = hashes {
        return Ok(hashes.into_iter().map(Some).collect());
    }
    let what = if bytes.is_some() { "has another length than its hashes" } else { "is missing" };
    let first = (tile.index * u64::from(WIDTH)) << (8 * u32::from(tile.level));
    findings.at(Kind::Tile, first, None, format!("{} {what}", tile.path(width)));
    Ok(vec![None; width.into()])
}
