//! Who signs and who witnesses, with keys of their own: what the log says is taken as it is.

use lindung_http::LogPolicy;
use lindung_ledger::checkpoint::Checkpoint;
use lindung_ledger::key::{Cosigner, LogSigner};
use lindung_ledger::tree::{Frontier, leaf_hash};
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

    /// Signs the tree as it stands, and lets so many witnesses sign it.
    pub fn seals(&self, database: &Database, witnesses: usize) -> u64 {
        let mut frontier = Frontier::new();
        for leaf in database.leaves() {
            frontier.push(leaf_hash(leaf.as_bytes()));
        }
        let checkpoint =
            Checkpoint { origin: self.log.vkey().name().to_owned(), size: frontier.size(), root: frontier.root() };
        let signed = checkpoint.sign(std::slice::from_ref(&self.log)).unwrap();
        let note = String::from_utf8(signed.to_bytes()).unwrap();
        database.execute(&format!("insert into access_checkpoints values ({}, '{note}', now())", frontier.size()));
        for witness in &self.witnesses[..witnesses] {
            let line = signed.cosign(witness, WITNESSED_AT).unwrap();
            let key = format!("{}+{:08x}", witness.vkey().name(), witness.vkey().id());
            database.execute(&format!(
                "insert into access_cosignatures values ({}, '{key}', '{}' || chr(10), now())",
                frontier.size(),
                line.trim_end()
            ));
        }
        frontier.size()
    }
}
