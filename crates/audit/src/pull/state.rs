//! How far a pull has come, in `pull.json`, and how files are written.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

const NAME: &str = "pull.json";

/// How far a pull has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct State {
    /// The service.
    pub(super) issuer: String,
    /// The size of the log that is here whole.
    pub(super) pulled: u64,
    /// The size of the checkpoint that is being pulled.
    pub(super) pulling: Option<u64>,
    /// Whether there are entry bundles.
    pub(super) entries: bool,
    pub(super) openings: Openings,
    pub(super) accesses: Accesses,
}

/// How far `openings.ndjson` is complete.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Openings {
    /// In bytes.
    pub(super) length: u64,
    /// The number that comes next.
    pub(super) next: u64,
}

/// How far `accesses.ndjson` is complete: up to the first page on which something had no number yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Accesses {
    /// In bytes.
    pub(super) length: u64,
    /// The cursor of the page that comes next.
    pub(super) cursor: Option<String>,
    /// Erasures that were entered when it was begun: what they blank is blank in what is pulled after.
    pub(super) erasures: u64,
}

impl State {
    /// The state of the folder, which is made where it is missing.
    pub(super) fn load(folder: &Path, issuer: &str) -> Result<Self, Failure> {
        fs::create_dir_all(folder).map_err(Failure::file(folder))?;
        let path = folder.join(NAME);
        if !path.exists() {
            return Ok(State { issuer: issuer.to_owned(), ..State::default() });
        }
        let none = |why: String| Failure::Content { path: path.clone(), why };
        let state: State = serde_json::from_slice(&crate::folder::read(&path)?).map_err(|it| none(it.to_string()))?;
        if state.issuer != issuer {
            return Err(none(format!("this folder is of {}, not of {issuer}", state.issuer)));
        }
        Ok(state)
    }

    /// Writes it down.
    pub(super) fn save(&self, folder: &Path) -> Result<(), Failure> {
        let path = folder.join(NAME);
        let text = serde_json::to_vec_pretty(self);
        write(&path, &text.map_err(|it| Failure::Content { path: path.clone(), why: it.to_string() })?)
    }
}

/// Writes a file whole or not at all.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let new = beside(path);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Failure::file(folder))?;
    }
    let mut file = File::create(&new).map_err(Failure::file(&new))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(Failure::file(&new))?;
    fs::rename(&new, path).map_err(Failure::file(path))
}

/// What a file is called until it is whole.
pub(super) fn beside(path: &Path) -> PathBuf {
    path.with_added_extension("new")
}
