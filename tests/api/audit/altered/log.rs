//! The log as it was before anybody touched it, and how it is put back.

use lindung_ledger::tree::{self, Hash, leaf_hash};
use lindung_tests::{Dice, TestApp};
use serde_json::Value;

use super::{Alteration, Sealed};

/// The tables that tell of the log, the one that refers to another first.
pub(super) const KEPT: [&str; 6] =
    ["access_cosignatures", "access_checkpoints", "access_tiles", "access_openings", "access_leaves", "access_log"];

/// An entry of the log.
pub(super) struct Entry {
    pub(super) number: i64,
    /// Of the access, or of the erasure.
    pub(super) id: String,
    pub(super) agency: Option<String>,
    pub(super) leaf: Value,
    /// What opens it: salt in hexadecimal digits, and detail.
    pub(super) opening: Option<(String, Value)>,
}

/// The log before anybody touched it.
pub(super) struct Log {
    pub(super) entries: Vec<Entry>,
    /// How many entries are more than ten minutes older than the last.
    old: usize,
    /// When it was sealed, in seconds.
    second: u64,
    /// What the witnesses have: the size of the log, and of the checkpoint before.
    pub(super) sizes: [i64; 2],
}

impl Log {
    pub(super) fn of(app: &TestApp, old: i64) -> Self {
        let rows = app.database.rows(
            "select l.number, entry_id, l.agency, convert_from(leaf, 'UTF8')::jsonb as leaf, encode(salt, 'hex') as salt, \
             convert_from(detail, 'UTF8')::jsonb as detail from access_leaves l left join access_openings o using (number) \
             order by number",
        );
        let text = |it: &Value| it.as_str().map(str::to_owned);
        let entry = |it: Value| Entry {
            number: it["number"].as_i64().unwrap(),
            id: text(&it["entry_id"]).unwrap(),
            agency: text(&it["agency"]),
            leaf: it["leaf"].clone(),
            opening: text(&it["salt"]).map(|salt| (salt, it["detail"].clone())),
        };
        let sizes = app.database.rows("select size from access_checkpoints order by size desc");
        Log {
            entries: rows.into_iter().map(entry).collect(),
            old: usize::try_from(old).unwrap(),
            second: u64::try_from(app.now().timestamp()).unwrap(),
            sizes: [0, 1].map(|it: usize| sizes[it]["size"].as_i64().unwrap()),
        }
    }

    /// An entry of an access that is old enough.
    pub(super) fn access(&self, dice: &mut Dice) -> &Entry {
        self.which(dice, |it| it.leaf["type"] == "access")
    }

    /// The same of an agency.
    pub(super) fn of_agency(&self, dice: &mut Dice) -> &Entry {
        self.which(dice, |it| it.leaf["type"] == "access" && it.agency.is_some())
    }

    /// The same that is not erased.
    pub(super) fn opened(&self, dice: &mut Dice) -> &Entry {
        self.which(dice, |it| it.opening.is_some())
    }

    /// One that is old enough.
    pub(super) fn which(&self, dice: &mut Dice, which: impl Fn(&Entry) -> bool) -> &Entry {
        let some: Vec<&Entry> = self.entries[..self.old].iter().filter(|it| which(it)).collect();
        dice.of::<&Entry>(&some)
    }

    /// Puts everything back; what the auditors left goes too.
    pub(super) fn restores(&self, app: &TestApp) {
        let delete = KEPT.map(|it| format!("delete from {it}"));
        let insert = KEPT.map(|it| format!("insert into {it} select * from kept.{it}"));
        let insert: Vec<String> = insert.into_iter().rev().collect();
        app.database.execute(&format!("{}; {}", delete.join("; "), insert.join("; ")));
    }

    /// Does it; whether it has changed anything.
    pub(super) fn alters(&self, app: &TestApp, alteration: &Alteration) -> bool {
        app.database.execute(&alteration.sql);
        if !self.is_altered(app) {
            return false;
        }
        let witnesses = match alteration.sealed {
            Sealed::Stay => return true,
            Sealed::Again(witnesses) => witnesses,
            Sealed::Forged => 0,
        };
        let leaves = app.database.leaves();
        let hashes: Vec<Hash> = leaves.iter().map(|it| leaf_hash(it.as_bytes())).collect();
        let mut sql =
            "delete from access_tiles; delete from access_cosignatures; delete from access_checkpoints".to_owned();
        for (tile, hashes) in tree::grow(0, &[], &hashes).unwrap() {
            let hashes = hex(&tree::to_bytes(&hashes));
            sql += &format!("; insert into access_tiles values ({}, {}, '\\x{hashes}')", tile.level, tile.index);
        }
        let (mut frontier, size) = (tree::Frontier::new(), hashes.len() as u64);
        hashes.iter().for_each(|it| frontier.push(*it));
        sql += &format!("; {}", app.notary().sealing(size, frontier.root(), witnesses, self.second));
        if let Sealed::Forged = alteration.sealed {
            let old = self.sizes[0];
            sql += &format!(
                "; insert into access_cosignatures select {size}, key, line, at from kept.access_cosignatures where size = {old}"
            );
        }
        app.database.execute(&sql);
        true
    }

    /// Whether anything is otherwise than it was.
    fn is_altered(&self, app: &TestApp) -> bool {
        let differ = KEPT.map(|it| {
            format!(
                "exists (select from (table {it} except table kept.{it}) a) or exists (select from (table kept.{it} except table {it}) b)"
            )
        });
        app.database.rows(&format!("select {} as altered", differ.join(" or ")))[0]["altered"] == true
    }
}

/// Bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|it| format!("{it:02x}")).collect()
}

/// A text as SQL has it.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// An id that nothing has.
pub(super) fn new_id(dice: &mut Dice) -> String {
    format!("00000000-0000-7000-8000-{:012x}", dice.below(1 << 31))
}
