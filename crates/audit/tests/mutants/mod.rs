//! What somebody could do to a log afterwards, each with what they would have to cover it with.

use crate::export::{Entry, Export, Log};

/// An export that is to be refused.
#[derive(Clone)]
pub struct Mutant {
    /// What was done.
    pub what: String,
    /// The altered export.
    pub export: Export,
    /// Whether the log's key has signed it, so that only witnesses, or a checkpoint that was kept, tell of it.
    pub signed: bool,
}

/// Everything that is tried with a log.
pub fn mutants(log: &Log) -> Vec<Mutant> {
    let honest = log.checkpoint(3);
    let good = log.export(&honest);
    let mut all = Vec::new();
    let mut add = |what: String, export, signed| all.push(Mutant { what, export, signed });
    for (what, altered) in altered(log) {
        let export = altered.export(&honest);
        let (size, root) = (altered.0.len(), altered.root());
        let own = Log::checkpoint_of(size, root, 0);
        // Its own text and signature, with the cosignatures of the honest one.
        let witnessed = own.clone() + &honest.splitn(6, '\n').skip(5).collect::<String>();
        add(format!("{what}, signed anew by the log"), export.under(&own), true);
        add(format!("{what}, signed anew, with two witnesses"), export.under(&Log::checkpoint_of(size, root, 2)), true);
        add(format!("{what}, signed anew, with old cosignatures"), export.under(&witnessed), false);
        add(format!("{what}, in the bundles alone"), good.with_entries_of(&export), false);
        add(format!("{what}, tiles and all"), export, false);
    }
    for (path, bytes) in &good.files {
        let flipped = |at: usize| {
            let mut export = good.clone();
            export.files.get_mut(path).into_iter().for_each(|it| it[at] ^= 1);
            export
        };
        if path.starts_with("tile/") {
            for at in [0, bytes.len() / 2, bytes.len() - 1] {
                add(format!("a flipped bit in {path}"), flipped(at), false);
            }
            let mut without = good.clone();
            without.files.remove(path);
            // Without its only bundle it is what the auditor of a single agency has: no lie.
            if !path.starts_with("tile/entries/") || log.0.len() > 256 {
                add(format!("without {path}"), without, false);
            }
        }
    }
    let mut replaced = |what: &str, path: &str, from: &str, to: &str| {
        let mut export = good.clone();
        let text = String::from_utf8_lossy(&export.files[path]).replacen(from, to, 1);
        assert_ne!(text.as_bytes(), export.files[path], "{what}");
        export.files.insert(path.to_owned(), text.into_bytes());
        add(what.to_owned(), export, false);
    };
    let root = log.root().to_string();
    let flip = |text: &str| if text.starts_with('A') { "B" } else { "A" }.to_owned() + &text[1..];
    replaced("another root in the checkpoint", "checkpoint", &root, &flip(&root));
    replaced("another size in the checkpoint", "checkpoint", &format!("\n{}\n", log.0.len()), "\n7\n");
    replaced("another detail in an opening", "openings.ndjson", "identity", "summary");
    replaced("another leaf in an opening", "openings.ndjson", "get_section", "list_cases");
    all
}

/// The log with one thing done to its entries.
fn altered(log: &Log) -> Vec<(String, Log)> {
    let size = log.0.len();
    let mut all = Vec::new();
    let mut add = |what: &str, change: &dyn Fn(&mut Vec<Entry>)| {
        let mut entries = log.0.clone();
        change(&mut entries);
        all.push((format!("{what}, of {size}"), Log(entries)));
    };
    for at in [0, size / 2, size - 1] {
        add(&format!("a flipped bit in entry {at}"), &|it| it[at].leaf[12] ^= 1);
        add(&format!("entry {at} dated back"), &|it| {
            it[at] = Entry::made(at, |it| it["at"] = "2026-07-01T00:00:00.000000Z".into())
        });
        add(&format!("an entry put in at {at}"), &|it| it.insert(at, Entry::access(9000)));
        if size > 1 {
            add(&format!("entry {at} left out"), &|it| drop(it.remove(at)));
            add(&format!("entry {at} and its neighbour swapped"), &|it| it.swap(at, if at == 0 { 1 } else { at - 1 }));
        }
        if size == 1 {
            break;
        }
    }
    if size > 1 {
        add("the last entry cut off", &|it| drop(it.pop()));
        add("the half cut off", &|it| it.truncate(size / 2));
        add("another last entry: a second root for one size", &|it| it[size - 1] = Entry::access(9001));
    }
    all
}
