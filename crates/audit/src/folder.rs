//! An export on disk: what is where in it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Seek, SeekFrom};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use lindung_ledger::tree::{TileId, entries_path};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::Access;
use crate::failure::Failure;

/// The folder of an export.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

/// A line of `openings.ndjson`.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
    pub(crate) fn openings(&self) -> Result<Openings, Failure> {
        Ok(Openings { lines: Lined::open(&self.path("openings.ndjson"))?, held: None })
    }

    /// The accesses by their numbers, in a log of that size.
    pub(crate) fn numbered(&self, size: u64) -> Result<Accesses, Failure> {
        let mut lines = self.accesses()?;
        let (mut places, mut again, mut uncovered) = (HashMap::new(), Vec::new(), Vec::new());
        loop {
            let place = lines.place()?;
            let Some(access) = lines.next()? else { break };
            match access.number.filter(|it| *it < size) {
                None => uncovered.push((access.id, access.at)),
                Some(number) if places.contains_key(&number) => again.push((number, access.id)),
                Some(number) => drop(places.insert(number, place)),
            }
        }
        Ok(Accesses { lines, places, again, uncovered })
    }

    /// The accesses, in the order in which the API tells them.
    pub(crate) fn accesses(&self) -> Result<Lined<Access>, Failure> {
        Lined::open(&self.path("accesses.ndjson"))
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

/// The lines of a file, read one after the other.
pub(crate) struct Lined<T> {
    path: PathBuf,
    file: BufReader<File>,
    line: String,
    count: u64,
    of: PhantomData<T>,
}

impl<T: DeserializeOwned> Lined<T> {
    fn open(path: &Path) -> Result<Self, Failure> {
        let file = BufReader::new(File::open(path).map_err(Failure::file(path))?);
        Ok(Lined { path: path.to_owned(), file, line: String::new(), count: 0, of: PhantomData })
    }

    /// The next line.
    pub(crate) fn next(&mut self) -> Result<Option<T>, Failure> {
        self.line.clear();
        let length = self.file.read_line(&mut self.line).map_err(Failure::file(&self.path))?;
        self.count += 1;
        if length == 0 {
            return Ok(None);
        }
        // What serde would tell repeats what was read, and that may be about somebody.
        let why = |it: serde_json::Error| format!("line {} is none (column {})", self.count, it.column());
        let told = serde_json::from_str(&self.line);
        told.map(Some).map_err(|it| Failure::Content { path: self.path.clone(), why: why(it) })
    }

    /// Where the next line begins, in bytes.
    fn place(&mut self) -> Result<u64, Failure> {
        self.file.stream_position().map_err(Failure::file(&self.path))
    }

    /// The line that begins there.
    fn at(&mut self, place: u64) -> Result<Option<T>, Failure> {
        self.file.seek(SeekFrom::Start(place)).map_err(Failure::file(&self.path))?;
        self.next()
    }
}

/// The openings, which are in the order of their numbers.
pub(crate) struct Openings {
    lines: Lined<OpeningLine>,
    held: Option<OpeningLine>,
}

impl Openings {
    /// The next lines, up to and without the first that has a higher number.
    pub(crate) fn up_to(&mut self, number: u64) -> Result<Vec<OpeningLine>, Failure> {
        let mut found = Vec::new();
        while let Some(line) = self.next()? {
            if line.number > number {
                self.held = Some(line);
                break;
            }
            found.push(line);
        }
        Ok(found)
    }

    /// The next line.
    pub(crate) fn next(&mut self) -> Result<Option<OpeningLine>, Failure> {
        if self.held.is_some() { Ok(self.held.take()) } else { self.lines.next() }
    }
}

/// The accesses by their numbers. The API tells them in another order: that in which their transactions began, while
/// numbers are given in that in which they became visible.
pub(crate) struct Accesses {
    lines: Lined<Access>,
    places: HashMap<u64, u64>,
    /// Those that came again, with their ids.
    pub(crate) again: Vec<(u64, Uuid)>,
    /// Those that are no entries of the log, with when they were.
    pub(crate) uncovered: Vec<(Uuid, DateTime<Utc>)>,
}

impl Accesses {
    /// The access of that number.
    pub(crate) fn take(&mut self, number: u64) -> Result<Option<Access>, Failure> {
        match self.places.remove(&number) {
            None => Ok(None),
            Some(place) => self.lines.at(place),
        }
    }
}
