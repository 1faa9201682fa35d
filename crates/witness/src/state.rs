//! What a witness remembers: of each log the last checkpoint that it cosigned, as the log signed it.
//!
//! A file that is missing, empty or otherwise strange is never taken for a beginning.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use lindung_ledger::checkpoint::Signed;
use lindung_ledger::tree::Hash;
use sha2::{Digest, Sha256};

use crate::{Error, file};

/// What stands in the file of a log of which nothing was cosigned yet.
const NOTHING: &[u8] = b"nothing cosigned yet\n";

/// Where a log stands.
pub(crate) struct Log {
    /// Size and root of the last checkpoint that was cosigned.
    pub(crate) last: Option<(u64, Hash)>,
}

/// The folder with the states. While this lives, no other process has it.
pub(crate) struct Folder {
    path: PathBuf,
    _held: file::Held,
}

impl Folder {
    /// The folder, which is made where it is missing.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let held = file::hold(path).map_err(|source| match source.kind() {
            ErrorKind::WouldBlock => Error::InUse(path.to_owned()),
            _ => Error::File { path: path.to_owned(), source },
        })?;
        Ok(Folder { path: path.to_owned(), _held: held })
    }

    /// Where a log stands.
    pub(crate) fn log(&self, origin: &str) -> Result<Log, Error> {
        let path = self.file(origin);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Error::Unknown(origin.to_owned()));
            }
            read => read.map_err(|source| Error::File { path: path.clone(), source })?,
        };
        if bytes == NOTHING {
            return Ok(Log { last: None });
        }
        let signed = Signed::parse(&bytes).ok().filter(|it| it.checkpoint().origin == origin);
        let signed = signed.ok_or(Error::Damaged(path))?;
        Ok(Log { last: Some((signed.checkpoint().size, signed.checkpoint().root)) })
    }

    /// Makes the state of a log.
    pub(crate) fn begin(&self, origin: &str) -> Result<(), Error> {
        if fs::exists(self.file(origin)).map_err(|source| Error::File { path: self.file(origin), source })? {
            return Err(Error::Known(origin.to_owned()));
        }
        self.replace(origin, NOTHING)
    }

    /// Writes down that a checkpoint is cosigned: when this returns, it lasts.
    pub(crate) fn write(&self, origin: &str, signed: &Signed) -> Result<(), Error> {
        self.replace(origin, &signed.to_bytes())
    }

    fn replace(&self, origin: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.file(origin);
        file::replace(&path, bytes).map_err(|source| Error::File { path, source })
    }

    /// An origin may hold what no file name can.
    fn file(&self, origin: &str) -> PathBuf {
        let name: String = Sha256::digest(origin).iter().map(|it| format!("{it:02x}")).collect();
        self.path.join(name)
    }
}
