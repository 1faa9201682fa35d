//! Pulling an export: whatever is written was checked against a checkpoint before, and a pull that was broken off goes on.
//!
//! The checkpoint comes first, and everything else up to its size. Until all of that is there a later pull keeps to it;
//! then it takes a newer one, which has to go on from it. Each file is written under another name, flushed and renamed;
//! the two that grow are cut back to what `pull.json` says was complete.

mod lines;
mod session;
mod state;
mod tiles;

use std::path::Path;

use lindung_ledger::checkpoint::{Checkpoint, Signed};
use lindung_ledger::tree::{Frontier, Hash};

pub use self::session::Session;
use self::state::State;
use crate::failure::Failure;
use crate::folder::Folder;

/// Where the log is under the service.
pub(crate) const LOG: &str = "/v1/access-log";

/// The most entries that are believed to be there: whoever serves more serves nonsense, and memory is bounded.
pub(crate) const LARGEST: u64 = 1 << 32;

/// What a pull has brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// The size of the log that the folder has now.
    pub size: u64,
    /// The size that it had before.
    pub before: u64,
    /// Whether there are entry bundles: an auditor of a single agency gets none.
    pub entries: bool,
}

/// How far a pull is: what is being done, how much of it is done, and how much there is.
pub type Progress<'a> = &'a mut dyn FnMut(&'static str, u64, u64);

/// Brings the folder to what the log has now, or goes on with a pull that was broken off.
///
/// # Errors
/// A file cannot be written; the service does not answer, or refuses; or what it says does not go with the checkpoint, or
/// that not with the one before it. What was pulled before stays, and so does a checkpoint that nothing goes with:
/// whether it is signed is for [`crate::verify`] to say.
pub async fn pull(session: &mut Session, folder: &Path, progress: Progress<'_>) -> Result<Pulled, Failure> {
    let (disk, mut state) = (Folder::new(folder), State::load(folder, session.issuer())?);
    let before = state.pulled;
    let checkpoint = match state.pulling {
        Some(_) => kept(&disk)?,
        None => newest(session, folder, &mut state).await?,
    };
    let policy = session.get(&format!("{LOG}/policy"), false).await?;
    state::write(&folder.join("policy"), &policy)?;
    let hashes = tiles::pull(session, folder, &checkpoint, progress).await?;
    goes_on(folder, before, &hashes)?;
    state.entries = tiles::pull_entries(session, folder, &hashes, progress).await?;
    lines::pull_openings(session, folder, &mut state, &hashes, progress).await?;
    lines::pull_accesses(session, folder, &mut state, checkpoint.size, progress).await?;
    state.pulled = checkpoint.size;
    state.pulling = None;
    state.save(folder)?;
    Ok(Pulled { size: checkpoint.size, before, entries: state.entries })
}

/// The checkpoint that the folder has.
fn kept(folder: &Folder) -> Result<Checkpoint, Failure> {
    let path = folder.path("checkpoint");
    let none = |why: String| Failure::Content { path: path.clone(), why };
    let signed = Signed::parse(&crate::folder::read(&path)?).map_err(|it| none(it.to_string()))?;
    Ok(signed.checkpoint().clone())
}

/// The newest checkpoint that enough witnesses have signed. The one before it stays beside it.
async fn newest(session: &mut Session, folder: &Path, state: &mut State) -> Result<Checkpoint, Failure> {
    let path = format!("{LOG}/checkpoint?witnessed=true");
    let bytes = session.get(&path, false).await?;
    let wrong = |why: String| Failure::Answer { what: path.clone(), why };
    let signed = Signed::parse(&bytes).map_err(|it| wrong(it.to_string()))?;
    let checkpoint = signed.checkpoint().clone();
    if checkpoint.size > LARGEST {
        return Err(wrong("it has more entries than a log can".to_owned()));
    }
    if checkpoint.size < state.pulled {
        let why = format!("the log has {} entries, and had {} before", checkpoint.size, state.pulled);
        return Err(wrong(why));
    }
    let place = folder.join("checkpoint");
    if place.exists() {
        let older = crate::folder::read(&place)?;
        state::write(&folder.join(format!("checkpoint.{}", state.pulled)), &older)?;
    }
    state::write(&place, &bytes)?;
    state.pulling = Some(checkpoint.size);
    state.save(folder)?;
    Ok(checkpoint)
}

/// Refuses a log that does not go on from the one that was pulled before.
fn goes_on(folder: &Path, before: u64, hashes: &[Hash]) -> Result<(), Failure> {
    let path = folder.join(format!("checkpoint.{before}"));
    if !path.exists() {
        return Ok(());
    }
    let none = |why: String| Failure::Content { path: path.clone(), why };
    let older = Signed::parse(&crate::folder::read(&path)?).map_err(|it| none(it.to_string()))?;
    let older = older.checkpoint();
    let mut tree = Frontier::new();
    for hash in hashes.iter().take(usize::try_from(older.size).unwrap_or(usize::MAX)) {
        tree.push(*hash);
    }
    if tree.size() == older.size && tree.root() == older.root {
        return Ok(());
    }
    Err(none("the log does not begin with the entries of this checkpoint any more".to_owned()))
}
