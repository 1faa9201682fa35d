//! Who signs and who witnesses, with keys of their own: what the log says is taken as it is.

use lindung_http::LogPolicy;
use lindung_ledger::checkpoint::Checkpoint;
use lindung_ledger::key::{Cosigner, LogSigner};
use lindung_ledger::tree::{Frontier, Hash, leaf_hash};
use zeroize::Zeroizing;

use crate::database::Database;

/// A log's key, and five witnesses of which it takes three.
pub struct Notary {
    log: LogSigner,
    witnesses: Vec<Cosigner>,
}

/// The second at which every witness signs.
pub const WITNESSED_AT: u64 = 1_795_485_700;

impl Notary {
    /// Of the log with this origin.
    pub fn of(origin: &str) -> Self {
        let key = |byte| Zeroizing::new([byte; 32]);
        let witness = |(byte, name): (u8, &str)| Cosigner::new(&format!("witness.example/{name}"), &key(byte)).unwrap();
        let names = ["kpm", "kdn", "kpwkm", "kk", "suhakam"];
        Notary { log: LogSigner::new(origin, &key(1)).unwrap(), witnesses: (2..).zip(names).map(witness).collect() }
    }

    /// The policy that names them.
    pub fn policy(&self) -> LogPolicy {
        LogPolicy::new(self.policy_text()).unwrap()
    }

    /// The same as text.
    pub fn policy_text(&self) -> String {
        let short = |it: &Cosigner| it.vkey().name().rsplit('/').next().unwrap().to_owned();
        let mut text = format!("log {}\n", self.log.vkey());
        for witness in &self.witnesses {
            text += &format!("witness {} {}\n", short(witness), witness.vkey());
        }
        let names: Vec<String> = self.witnesses.iter().map(short).collect();
        text + &format!("group ministries-and-commissioner 3 {}\nquorum ministries-and-commissioner\n", names.join(" "))
    }

    /// Signs the tree as it stands, and lets so many witnesses sign it; returns its size.
    pub fn seals(&self, database: &Database, witnesses: usize) -> u64 {
        self.seals_at(database, witnesses, WITNESSED_AT)
    }

    /// The same, as having been seen by them at that second.
    pub fn seals_at(&self, database: &Database, witnesses: usize, second: u64) -> u64 {
        let mut frontier = Frontier::new();
        for leaf in database.leaves() {
            frontier.push(leaf_hash(leaf.as_bytes()));
        }
        let (size, root) = (frontier.size(), frontier.root());
        database.execute(&self.sealing(size, root, witnesses, second));
        size
    }

    /// What writes a checkpoint with that root, and the signatures of so many witnesses.
    pub fn sealing(&self, size: u64, root: Hash, witnesses: usize, second: u64) -> String {
        let checkpoint = Checkpoint { origin: self.log.vkey().name().to_owned(), size, root };
        let signed = checkpoint.sign(std::slice::from_ref(&self.log)).unwrap();
        let note = String::from_utf8(signed.to_bytes()).unwrap();
        let mut sql = format!("insert into access_checkpoints values ({size}, '{note}', now())");
        for witness in &self.witnesses[..witnesses] {
            let key = format!("{}+{:08x}", witness.vkey().name(), witness.vkey().id());
            let line = signed.cosign(witness, second).unwrap();
            let line = line.trim_end();
            sql += &format!("; insert into access_cosignatures values ({size}, '{key}', '{line}' || chr(10), now())");
        }
        sql
    }
}
