//! Folders that one process has, and files in them that a crash at any moment leaves whole, the old or the new one.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// A folder that no other process has while this lives.
#[derive(Debug)]
pub struct Held(#[expect(dead_code, reason = "the lock ends with the file")] File);

/// Takes a folder for this process alone; makes it, for its owner, where it is missing.
///
/// # Errors
/// [`io::ErrorKind::WouldBlock`]: another has it; it cannot be made.
pub fn hold(folder: &Path) -> io::Result<Held> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(folder.join("lock"))?;
    lock.try_lock()?;
    Ok(Held(lock))
}

/// Replaces a file, or makes it, for its owner alone. When this returns, the disk has it. Only who holds the folder may
/// do so.
///
/// # Errors
/// It cannot be written: then the old one may have stayed, or not.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (folder, name) = path.parent().zip(path.file_name()).ok_or(io::ErrorKind::InvalidInput)?;
    let mut unfinished = OsString::from(".new-");
    unfinished.push(name);
    let unfinished = folder.join(unfinished);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    File::open(folder)?.sync_all()
}
