//! The signer of the access log. It believes nobody, and the database least: it hashes each leaf itself onto the tree
//! that it last signed, which is on its own disk, and signs only what continues that.
//!
//! So whoever rewrites leaves, tiles or checkpoints in the database gets no history signed but the one there was. What
//! is to be signed is on the disk before its checkpoint is anywhere else: after a crash in between, the same is
//! signed again. It knows no clock, and nothing of what leaves say.

mod courier;
mod refused;
mod state;

use std::path::Path;

use chrono::{DateTime, Utc};
use lindung_ledger::checkpoint::{Checkpoint, Signed};
use lindung_ledger::key::{LogSigner, Vkey};
use lindung_ledger::policy::Policy;
use lindung_ledger::tree::{self, Frontier};
use lindung_persistence::{Db, SignedCheckpoint};

pub use courier::{Courier, NotCarried};
pub use refused::{Error, Refused};

use crate::state::State;

/// How many leaves are read at once.
const BATCH: u64 = 1000;

/// What a signer is made of.
pub struct Parts {
    /// The database, as its own role.
    pub db: Db,
    /// The log's keys; during a rotation there are two, and both sign.
    pub keys: Vec<LogSigner>,
    /// The policy, which names the log's keys.
    pub policy: Policy,
}

/// The signer.
pub struct Signer {
    db: Db,
    keys: Vec<LogSigner>,
    logs: Vec<Vkey>,
    origin: String,
    state: State,
    /// What was last signed, or is being.
    tree: Frontier,
}

impl Signer {
    /// Begins a log: from then on the folder says that nothing of it is signed yet.
    ///
    /// # Errors
    /// There is a state; another process has the folder.
    pub fn begin(origin: &str, folder: &Path) -> Result<(), Error> {
        let state = State::open(folder)?;
        if state.kept(origin)?.is_some() {
            return Err(Error::Stated);
        }
        state.keep(origin, &Frontier::new())
    }

    /// The signer whose state is in that folder, which is its own as long as it lives.
    ///
    /// # Errors
    /// The keys are not those of one log that the policy names; another process has the folder; the state is damaged,
    /// another log's, or missing: that is no beginning, whatever the database has.
    pub fn open(parts: Parts, folder: &Path) -> Result<Self, Error> {
        let (mut signer, kept) = Signer::new(parts, folder)?;
        signer.tree = kept.ok_or(Error::NoState)?;
        Ok(signer)
    }

    /// The signer that has lost its state, from a checkpoint that it has signed: best the newest that a witness holds,
    /// because the database may have been rewritten from there on unseen.
    ///
    /// # Errors
    /// As for [`Signer::open`]; there is a state; the checkpoint is not signed by the log; the leaves are not those that
    /// it covers.
    pub fn begin_from(parts: Parts, folder: &Path, checkpoint: &[u8]) -> Result<Self, Error> {
        let (mut signer, kept) = Signer::new(parts, folder)?;
        if kept.is_some() {
            return Err(Error::Stated);
        }
        let signed = Signed::parse(checkpoint)?;
        signed.open(&signer.logs)?;
        let (told, mut tree) = (signed.checkpoint(), Frontier::new());
        require_leaves(signer.db.leaf_count()?, told.size)?;
        signer.grow(&mut tree, told.size)?;
        if told.origin != signer.origin || told.root != tree.root() {
            return Err(Refused::Rewritten { size: told.size }.into());
        }
        signer.state.keep(&signer.origin, &tree)?;
        signer.tree = tree;
        Ok(signer)
    }

    fn new(Parts { db, keys, policy }: Parts, folder: &Path) -> Result<(Self, Option<Frontier>), Error> {
        let origin = keys.first().ok_or(Error::Keys)?.vkey().name().to_owned();
        let logs: Vec<Vkey> = policy.logs().iter().map(|it| it.vkey.clone()).collect();
        if keys.iter().any(|it| it.vkey().name() != origin || !logs.contains(it.vkey())) {
            return Err(Error::Keys);
        }
        let state = State::open(folder)?;
        let kept = state.kept(&origin)?;
        Ok((Signer { db, keys, logs, origin, state, tree: Frontier::new() }, kept))
    }

    /// Signs what is there, if it is more than was signed, and continues it; gives the size that was signed.
    ///
    /// # Errors
    /// [`Error::Refused`]: what is there does not continue what was signed, and this is never signed. The database or
    /// the disk is not available.
    pub fn sign(&mut self, now: DateTime<Utc>) -> Result<Option<u64>, Error> {
        let (newest, found) = (self.newest()?, self.db.leaf_count()?);
        require_leaves(found, self.tree.size())?;
        self.require_tiles(&self.tree, Refused::Rewritten { size: self.tree.size() })?;
        let mut tree = self.tree.clone();
        // One that is newer than the state was signed by us, or by another with our key: it has to be continued too.
        if let Some(Checkpoint { size, root, .. }) = &newest
            && *size >= tree.size()
        {
            require_leaves(found, *size)?;
            self.grow(&mut tree, *size)?;
            if *root != tree.root() {
                return Err(Refused::Rewritten { size: *size }.into());
            }
        }
        self.grow(&mut tree, found)?;
        self.require_tiles(&tree, Refused::Tiles { size: tree.size() })?;
        if tree != self.tree {
            self.state.keep(&self.origin, &tree)?;
            self.tree = tree;
        }
        let (size, root) = (self.tree.size(), self.tree.root());
        if newest.is_some_and(|it| it.size == size) {
            return Ok(None);
        }
        let signed = Checkpoint { origin: self.origin.clone(), size, root }.sign(&self.keys)?;
        self.db.save_checkpoint(size, &String::from_utf8_lossy(&signed.to_bytes()), now)?;
        Ok(Some(size))
    }

    /// The newest checkpoint of the database, which has to be the log's.
    fn newest(&self) -> Result<Option<Checkpoint>, Error> {
        let Some(SignedCheckpoint { size, note, .. }) = self.db.checkpoint()? else { return Ok(None) };
        let signed = Signed::parse(note.as_bytes()).ok().filter(|it| it.open(&self.logs).is_ok());
        let told = signed.map(|it| it.checkpoint().clone()).filter(|it| it.size == size && it.origin == self.origin);
        told.map(Some).ok_or(Refused::Foreign { size }.into())
    }

    /// Appends leaves up to that size, each of which has to be there.
    fn grow(&self, tree: &mut Frontier, size: u64) -> Result<(), Error> {
        while tree.size() < size {
            let leaves = self.db.leaves_from(tree.size(), BATCH.min(size - tree.size()))?;
            let missing = leaves.is_empty();
            for (number, leaf) in leaves {
                if number != tree.size() {
                    return Err(Refused::Missing { number: tree.size() }.into());
                }
                tree.push(tree::leaf_hash(&leaf));
            }
            if missing {
                return Err(Refused::Missing { number: tree.size() }.into());
            }
        }
        Ok(())
    }

    /// That the stored tiles have the tree.
    fn require_tiles(&self, tree: &Frontier, otherwise: Refused) -> Result<(), Error> {
        if self.db.stored_root(tree.size())? == Some(tree.root()) { Ok(()) } else { Err(otherwise.into()) }
    }
}

/// That all leaves that were signed are there.
fn require_leaves(found: u64, signed: u64) -> Result<(), Refused> {
    if found < signed { Err(Refused::Shrunk { signed, found }) } else { Ok(()) }
}
