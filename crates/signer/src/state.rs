//! What the signer remembers: the tree that it last signed, as short as a tree goes.
//!
//! A file that is strange is never taken for a beginning.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use lindung_ledger::tree::Frontier;
use lindung_witness::file;
use serde::{Deserialize, Serialize};

use crate::Error;

/// The file in its folder.
const NAME: &str = "signed.json";

/// The state in its folder. While this lives, no other process has it.
pub(crate) struct State {
    path: PathBuf,
    _held: file::Held,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    origin: String,
    tree: Frontier,
}

impl State {
    /// The state in that folder, which is made where it is missing.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        let held = file::hold(folder).map_err(|source| match source.kind() {
            ErrorKind::WouldBlock => Error::InUse(folder.to_owned()),
            _ => Error::File { path: folder.to_owned(), source },
        })?;
        Ok(State { path: folder.join(NAME), _held: held })
    }

    /// The tree of that log that was last signed; nothing where there is no state.
    pub(crate) fn kept(&self, origin: &str) -> Result<Option<Frontier>, Error> {
        let bytes = match fs::read(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|source| Error::File { path: self.path.clone(), source })?,
        };
        let kept: Option<Kept> = serde_json::from_slice(&bytes).ok();
        let kept = kept.filter(|it| it.origin == origin).ok_or_else(|| Error::Damaged(self.path.clone()))?;
        Ok(Some(kept.tree))
    }

    /// Keeps the tree: when this returns, it lasts.
    pub(crate) fn keep(&self, origin: &str, tree: &Frontier) -> Result<(), Error> {
        let failed = |source| Error::File { path: self.path.clone(), source };
        let kept = Kept { origin: origin.to_owned(), tree: tree.clone() };
        let bytes = serde_json::to_vec(&kept).map_err(|error| failed(error.into()))?;
        file::replace(&self.path, &bytes).map_err(failed)
    }
}
