//! An export on disk: what is where in it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Lines};
use std::path::{Path, PathBuf};

use lindung_ledger::tree::{TileId, entries_path};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::access::Access;
use crate::failure::Failure;

/// The folder of an export.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

/// A line of `openings.ndjson`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpeningLine {
    pub(crate) number: u64,
    /// The entry, as it was hashed.
    pub(crate) leaf: String,
    /// In base64.
    pub(crate) salt: Option<String>,
    pub(crate) detail: Option<String>,
}

impl Folder {
    /// The folder at that path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Folder(path.into())
    }

    /// A file in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The bytes of a file in it.
    pub(crate) fn read(&self, name: &str) -> Result<Vec<u8>, Failure> {
        read(&self.path(name))
    }

    /// A tile; nothing if it is not there.
    pub(crate) fn tile(&self, tile: TileId, width: u16) -> Result<Option<Vec<u8>>, Failure> {
        self.if_there(&tile.path(width))
    }

    /// An entry bundle; nothing if it is not there.
    pub(crate) fn bundle(&self, index: u64, width: u16) -> Result<Option<Vec<u8>>, Failure> {
        self.if_there(&entries_path(index, width))
    }

    /// Whether there are entry bundles: an auditor of a single agency gets none.
    pub(crate) fn has_bundles(&self) -> bool {
        self.path("tile/entries").is_dir()
    }

    /// The openings.
    pub(crate) fn openings(&self) -> Result<Numbered<OpeningLine>, Failure> {
        Numbered::open(&self.path("openings.ndjson"), |it: &OpeningLine| Some(it.number))
    }

    /// The accesses.
    pub(crate) fn accesses(&self) -> Result<Numbered<Access>, Failure> {
        Numbered::open(&self.path("accesses.ndjson"), |it: &Access| it.number)
    }

    fn if_there(&self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        let path = self.path(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(it) if it.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Failure::File { path, source }),
        }
    }
}

/// The bytes of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(Failure::file(path))
}

/// The lines of a file that should be in ascending order of their numbers, read one after the other.
pub(crate) struct Numbered<T> {
    path: PathBuf,
    lines: Lines<BufReader<File>>,
    number: fn(&T) -> Option<u64>,
    held: Option<T>,
    count: u64,
}

impl<T: DeserializeOwned> Numbered<T> {
    fn open(path: &Path, number: fn(&T) -> Option<u64>) -> Result<Self, Failure> {
        let file = File::open(path).map_err(Failure::file(path))?;
        let lines = BufReader::new(file).lines();
        Ok(Numbered { path: path.to_owned(), lines, number, held: None, count: 0 })
    }

    /// The next lines, up to and without the first that has a higher number; those without a number are among them.
    pub(crate) fn up_to(&mut self, number: u64) -> Result<Vec<T>, Failure> {
        let mut found = Vec::new();
        while let Some(line) = self.line()? {
            if (self.number)(&line).is_some_and(|it| it > number) {
                self.held = Some(line);
                break;
            }
            found.push(line);
        }
        Ok(found)
    }

    /// The next line.
    pub(crate) fn line(&mut self) -> Result<Option<T>, Failure> {
        if let Some(line) = self.held.take() {
            return Ok(Some(line));
        }
        let Some(line) = self.lines.next() else { return Ok(None) };
        self.count += 1;
        let line = line.map_err(Failure::file(&self.path))?;
        // What serde would tell repeats what was read, and that may be about somebody.
        let told = serde_json::from_str(&line).map_err(|it| Failure::Content {
            path: self.path.clone(),
            why: format!("line {} is none (column {})", self.count, it.column()),
        })?;
        Ok(Some(told))
    }
}
