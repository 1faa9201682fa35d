//! Which tiles there are, and how they are called: one spelling each.

use std::fmt::Write;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::{Error, MAX_SIZE};

/// The hashes of a full tile.
pub const WIDTH: u16 = 256;
/// Levels in bits of the size: a hash of a level stands for 256 of the level below.
pub(super) const LEVEL_BITS: u32 = 8;
/// How many levels of tiles the largest tree has.
pub(super) const LEVELS: u8 = u64::BITS.div_ceil(LEVEL_BITS) as u8;
/// The highest level that can be spelled.
const MAX_LEVEL: u8 = 63;

/// A tile of hashes, whatever its width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileId {
    /// 0 for the hashes of leaves; above, the roots of the full tiles of the level below.
    pub level: u8,
    /// Which of its level, from 0.
    pub index: u64,
}

impl TileId {
    /// Where it is served, from the prefix of the log on: `tile/0/x001/234.p/17`, without `.p/` when it is full.
    pub fn path(self, width: u16) -> String {
        spell(&self.level.to_string(), self.index, width)
    }
}

/// Where a bundle of entries is served, from the prefix of the log on: `tile/entries/x001/234.p/17`.
pub fn entries_path(index: u64, width: u16) -> String {
    spell("entries", index, width)
}

fn spell(level: &str, index: u64, width: u16) -> String {
    let (mut groups, mut rest) = (format!("{:03}", index % 1000), index / 1000);
    while rest > 0 {
        groups.insert_str(0, &format!("x{:03}/", rest % 1000));
        rest /= 1000;
    }
    let mut path = format!("tile/{level}/{groups}");
    if width != WIDTH {
        // Writing to a string does not fail.
        write!(path, ".p/{width}").ok();
    }
    path
}

/// What is asked for under `tile/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TileRequest {
    /// Hashes.
    Hashes {
        /// The level of the tile.
        level: u8,
        /// Which of the level.
        index: u64,
        /// How many hashes of it: 1 to 256.
        width: u16,
    },
    /// A bundle of entries.
    Entries {
        /// Which bundle.
        index: u64,
        /// How many entries of it: 1 to 256.
        width: u16,
    },
}

impl TileRequest {
    /// Where it is served, from the prefix of the log on.
    pub fn path(self) -> String {
        match self {
            TileRequest::Hashes { level, index, width } => TileId { level, index }.path(width),
            TileRequest::Entries { index, width } => entries_path(index, width),
        }
    }
}

/// Reads what follows `tile/`; anything but the one spelling of a tile is an [`Error::OutOfRange`].
impl FromStr for TileRequest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let read = || {
            let (level, index) = text.split_once('/')?;
            let (index, width) = match index.split_once(".p/") {
                Some((index, width)) => (index, width.parse().ok().filter(|it| (1..WIDTH).contains(it))?),
                None => (index, WIDTH),
            };
            let index = index.split('/').try_fold(0_u64, |index, group| {
                let group = group.strip_prefix('x').unwrap_or(group).parse::<u16>().ok().filter(|it| *it < 1000)?;
                index.checked_mul(1000)?.checked_add(group.into())
            })?;
            if level == "entries" {
                return Some(TileRequest::Entries { index, width });
            }
            let level = level.parse().ok().filter(|it| *it <= MAX_LEVEL)?;
            Some(TileRequest::Hashes { level, index, width })
        };
        // Zeros too many, a plus, an `x` in the wrong place: it would be spelled otherwise.
        read().filter(|it| it.path().strip_prefix("tile/") == Some(text)).ok_or(Error::OutOfRange)
    }
}

/// The tiles of hashes of a tree of that size with their widths, level by level; the last of a level may be partial.
/// With level 0 go the bundles of entries.
pub fn tiles_of(size: u64) -> impl Iterator<Item = (TileId, u16)> {
    (0..LEVELS).flat_map(move |level| {
        let tiles = hashes_of(level, size).div_ceil(WIDTH.into());
        (0..tiles).map(move |index| (TileId { level, index }, *widths(level, index, size).end()))
    })
}

/// The widths that a tile of hashes has had up to a tree of that size: 1 to its present one; none where the tree has
/// no such tile.
pub fn widths(level: u8, index: u64, size: u64) -> RangeInclusive<u16> {
    let before = index.saturating_mul(WIDTH.into());
    let present = hashes_of(level, size).saturating_sub(before).min(WIDTH.into());
    1..=present as u16
}

/// How many hashes a level of tiles has.
pub(super) fn hashes_of(level: u8, size: u64) -> u64 {
    size.checked_shr(u32::from(level) * LEVEL_BITS).unwrap_or(0)
}

/// The size, if there is a tree of it.
pub(super) fn checked(size: u64) -> Result<u64, Error> {
    if size <= MAX_SIZE { Ok(size) } else { Err(Error::OutOfRange) }
}
