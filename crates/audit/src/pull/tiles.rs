//! Tiles and entries, each checked before it is written: the right edge against the root, a full tile against the hash
//! that the tile above has for it, an entry against its hash.

use std::fs;
use std::path::Path;

use lindung_ledger::bundle;
use lindung_ledger::checkpoint::Checkpoint;
use lindung_ledger::tree::{Frontier, Hash, TileId, WIDTH, entries_path, from_bytes, leaf_hash, right_edge, tiles_of};

use super::{LOG, Progress, Session, state};
use crate::failure::Failure;

/// Brings the tiles that the folder lacks; returns the hashes of the entries.
pub(super) async fn pull(
    session: &mut Session,
    folder: &Path,
    checkpoint: &Checkpoint,
    progress: Progress<'_>,
) -> Result<Vec<Hash>, Failure> {
    let size = checkpoint.size;
    let mut edge = Vec::new();
    for (tile, width) in right_edge(size) {
        edge.push((tile, fetched(session, folder, tile, width).await?));
    }
    let root = Frontier::of_edge(size, &edge).map(|it| it.root());
    if root.ok() != Some(checkpoint.root) {
        return Err(wrong("the tiles", "with those pulled before they do not have the root of the checkpoint"));
    }
    for (tile, hashes) in &edge {
        let width = u16::try_from(hashes.len()).unwrap_or(WIDTH);
        keep(folder, *tile, width, hashes)?;
    }
    // From above, so that what a tile is checked against was checked itself. The topmost is of the edge.
    let tiles: Vec<_> = tiles_of(size).collect();
    let (mut done, all) = (0, tiles.len() as u64);
    let mut lowest = Vec::new();
    let mut above: Vec<Hash> = Vec::new();
    let levels = tiles.last().map_or(0, |(tile, _)| tile.level);
    for level in (0..=levels).rev() {
        let mut hashes = Vec::new();
        for (tile, width) in tiles.iter().filter(|(tile, _)| tile.level == level) {
            let found = fetched(session, folder, *tile, *width).await?;
            if *width == WIDTH {
                let place = usize::try_from(tile.index).unwrap_or(usize::MAX);
                let root = found.iter().fold(Frontier::new(), |mut tree, hash| {
                    tree.push(*hash);
                    tree
                });
                if above.get(place) != Some(&root.root()) {
                    return Err(wrong(&tile.path(*width), "it is not the one that the tile above it names"));
                }
            }
            keep(folder, *tile, *width, &found)?;
            hashes.extend(found);
            done += 1;
            progress("tiles", done, all);
        }
        (lowest, above) = (hashes.clone(), hashes);
    }
    Ok(lowest)
}

/// Brings the entry bundles that the folder lacks; whether this auditor may have them.
pub(super) async fn pull_entries(
    session: &mut Session,
    folder: &Path,
    hashes: &[Hash],
    progress: Progress<'_>,
) -> Result<bool, Failure> {
    let all = hashes.len().div_ceil(WIDTH.into()) as u64;
    for (index, part) in (0..).zip(hashes.chunks(WIDTH.into())) {
        let width = u16::try_from(part.len()).unwrap_or(WIDTH);
        let path = entries_path(index, width);
        if !folder.join(&path).exists() {
            let Some(bundle) = session.get_if_allowed(&format!("{LOG}/{path}")).await? else { return Ok(false) };
            let entries = bundle::decode(&bundle, width).map_err(|it| wrong(&path, &it.to_string()))?;
            if entries.into_iter().map(leaf_hash).ne(part.iter().copied()) {
                return Err(wrong(&path, "its entries are not those that were hashed"));
            }
            state::write(&folder.join(&path), &bundle)?;
        }
        progress("entries", index + 1, all);
    }
    Ok(true)
}

/// A tile of the folder, or else of the service.
async fn fetched(session: &mut Session, folder: &Path, tile: TileId, width: u16) -> Result<Vec<Hash>, Failure> {
    let path = tile.path(width);
    let place = folder.join(&path);
    let bytes = match fs::read(&place) {
        Ok(bytes) => bytes,
        Err(_) => session.get(&format!("{LOG}/{path}"), false).await?,
    };
    let hashes = from_bytes(&bytes).ok().filter(|it| it.len() == usize::from(width));
    hashes.ok_or_else(|| wrong(&path, "it has another length than its hashes"))
}

/// Writes a tile that was checked, unless it is there.
fn keep(folder: &Path, tile: TileId, width: u16, hashes: &[Hash]) -> Result<(), Failure> {
    let place = folder.join(tile.path(width));
    if place.exists() { Ok(()) } else { state::write(&place, &lindung_ledger::tree::to_bytes(hashes)) }
}

fn wrong(what: &str, why: &str) -> Failure {
    Failure::Answer { what: what.to_owned(), why: why.to_owned() }
}
