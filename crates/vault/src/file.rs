//! Keys in a folder: `1.key`, `2.key`, …, each of 32 random bytes.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use aws_lc_rs::aead::RandomizedNonceKey;
use aws_lc_rs::{hkdf, hmac};
use zeroize::Zeroizing;

use crate::data_key::{self, DataKey, LENGTH};
use crate::{Error, KeyEncryptionKeys, Place, Version, Wrapped};

/// The keys of a folder. A version that is added is used from then on: the folder is looked at
/// before each use, and read again when it has changed.
pub struct FileKeys {
    folder: PathBuf,
    read: RwLock<Arc<Folder>>,
}

/// What was read of the folder, and when the folder had last changed.
struct Folder {
    changed: SystemTime,
    keys: BTreeMap<Version, FileKey>,
}

/// What is made of one file (HKDF, RFC 5869): no two algorithms share a key.
struct FileKey {
    wrapping: RandomizedNonceKey,
    index: hmac::Key,
}

impl FileKeys {
    /// The keys of the folder.
    ///
    /// # Errors
    /// The folder cannot be read, has no key, or a file in it has not 32 bytes.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let read = Folder::read(folder)?;
        if read.keys.is_empty() {
            return Err(Error::Keys(format!("{} has no identity key: `lindung keys add` makes one", folder.display())));
        }
        Ok(FileKeys { folder: folder.to_owned(), read: RwLock::new(Arc::new(read)) })
    }

    /// Makes the next version in the folder, which is made where it is missing, and tells which it is.
    ///
    /// # Errors
    /// The file cannot be written; another process has just made it.
    pub fn add(folder: &Path) -> Result<Version, Error> {
        let failed = |error: std::io::Error| Error::Keys(format!("{}: {error}", folder.display()));
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let version = Folder::read(folder)?.keys.keys().next_back().map_or(1, |it| it + 1);
        let key = DataKey::random()?;
        // It appears under its name when it is complete, and never takes the place of another.
        let (unfinished, path) = (folder.join(format!(".{version}.{}", std::process::id())), path(folder, version));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished).map_err(failed)?;
        let written = file.write_all(key.bytes()).and_then(|()| file.sync_all());
        let named = written.and_then(|()| fs::hard_link(&unfinished, path));
        fs::remove_file(&unfinished).and(named).map_err(failed)?;
        Ok(version)
    }

    /// What the folder holds now.
    fn now(&self) -> Result<Arc<Folder>, Error> {
        let known = self.read.read().unwrap_or_else(PoisonError::into_inner).clone();
        if changed(&self.folder)? == known.changed { Ok(known) } else { self.read_again() }
    }

    fn read_again(&self) -> Result<Arc<Folder>, Error> {
        let read = Arc::new(Folder::read(&self.folder)?);
        *self.read.write().unwrap_or_else(PoisonError::into_inner) = read.clone();
        Ok(read)
    }

    /// Does `work` with the key of a version.
    fn with<T>(&self, version: Version, work: impl FnOnce(&FileKey) -> Result<T, Error>) -> Result<T, Error> {
        let mut folder = self.now()?;
        if !folder.keys.contains_key(&version) {
            // Two changes within one tick of the file system's clock look like one.
            folder = self.read_again()?;
        }
        folder.keys.get(&version).ok_or(Error::NoVersion(version)).and_then(work)
    }
}

impl KeyEncryptionKeys for FileKeys {
    fn versions(&self) -> Result<Vec<Version>, Error> {
        Ok(self.now()?.keys.keys().copied().collect())
    }

    fn wrap(&self, version: Version, key: &DataKey, place: &Place) -> Result<Wrapped, Error> {
        let bytes =
            self.with(version, |it| data_key::seal(&it.wrapping, &place.under(version), key.bytes().as_slice()))?;
        Ok(Wrapped { version, bytes })
    }

    fn unwrap(&self, wrapped: &Wrapped, place: &Place) -> Result<DataKey, Error> {
        let Wrapped { version, bytes } = wrapped;
        let key =
            self.with(*version, |it| data_key::open(&it.wrapping, &place.under(*version), bytes).map(Zeroizing::new))?;
        DataKey::of(&key)
    }

    fn index_key(&self, version: Version) -> Result<hmac::Key, Error> {
        self.with(version, |it| Ok(it.index.clone()))
    }
}

impl Folder {
    fn read(folder: &Path) -> Result<Self, Error> {
        let failed = |error: std::io::Error| Error::Keys(format!("{}: {error}", folder.display()));
        // Asked first: what is added while we read makes us read again.
        let (changed, mut keys) = (changed(folder)?, BTreeMap::new());
        for entry in fs::read_dir(folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let number = name.to_str().and_then(|it| it.strip_suffix(".key")).and_then(|it| it.parse().ok());
            if let Some(version) = number.filter(|it| *it > 0) {
                keys.insert(version, FileKey::read(&path(folder, version))?);
            }
        }
        Ok(Folder { changed, keys })
    }
}

impl FileKey {
    fn read(path: &Path) -> Result<Self, Error> {
        let bytes = fs::read(path).map(Zeroizing::new);
        let bytes = bytes.map_err(|error| Error::Keys(format!("{}: {error}", path.display())))?;
        if bytes.len() != LENGTH {
            return Err(Error::Keys(format!("{} has not {LENGTH} bytes", path.display())));
        }
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"lindung identity keys").extract(&bytes);
        let derived = |label: &'static str| -> Result<Zeroizing<[u8; LENGTH]>, Error> {
            let mut key = Zeroizing::new([0; LENGTH]);
            let label = [label.as_bytes()];
            let filled = root.expand(&label, hkdf::HKDF_SHA256).and_then(|it| it.fill(key.as_mut_slice()));
            filled.map(|()| key).map_err(|_| Error::Keys("an identity key cannot be derived".to_owned()))
        };
        Ok(FileKey {
            wrapping: data_key::aead(&*derived("wrap data keys")?)?,
            index: hmac::Key::new(hmac::HMAC_SHA256, derived("blind indexes")?.as_slice()),
        })
    }
}

fn path(folder: &Path, version: Version) -> PathBuf {
    folder.join(format!("{version}.key"))
}

fn changed(folder: &Path) -> Result<SystemTime, Error> {
    let changed = fs::metadata(folder).and_then(|it| it.modified());
    changed.map_err(|error| match error.kind() {
        ErrorKind::NotFound => Error::Keys(format!("{} is missing: the folder of the identity keys", folder.display())),
        _ => Error::Keys(format!("{}: {error}", folder.display())),
    })
}
