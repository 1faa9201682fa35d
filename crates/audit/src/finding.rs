//! What does not hold. All of it is counted; of what would fill a screen many times over, the beginning is told.

use std::collections::BTreeMap;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;
use uuid::Uuid;

/// So many findings are told one by one.
const TOLD: usize = 1000;
/// So wide is a table, on whatever it is shown.
pub(crate) const COLUMNS: u16 = 120;

/// What sort of thing does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// No log of the policy has signed the checkpoint, or a signature on it is forged.
    Signature,
    /// Too few witnesses have signed the checkpoint.
    Quorum,
    /// The entries have another root than the checkpoint.
    Root,
    /// A tile is missing, or not what the entries make.
    Tile,
    /// The log does not go on from a checkpoint that was kept.
    Older,
    /// An entry is missing, or not the one that was hashed.
    Entry,
    /// An entry was hashed, but says nothing that an entry can say.
    Leaf,
    /// The same access was entered twice.
    Twice,
    /// An opening does not fit its entry, or is out of order.
    Opening,
    /// An opening is missing and no erasure names it.
    MissingOpening,
    /// An erasure that two people did not agree to, or that did not happen.
    Erasure,
    /// The API tells of an access otherwise than its entry.
    Access,
    /// The API does not tell of an access that was entered.
    MissingAccess,
    /// An entry is dated as it cannot have been.
    Time,
    /// The API's answer about a child leaves out accesses, or has others.
    Child,
}

impl Kind {
    /// As it is written in tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Signature => "signature",
            Kind::Quorum => "quorum",
            Kind::Root => "root",
            Kind::Tile => "tile",
            Kind::Older => "older",
            Kind::Entry => "entry",
            Kind::Leaf => "leaf",
            Kind::Twice => "twice",
            Kind::Opening => "opening",
            Kind::MissingOpening => "missing-opening",
            Kind::Erasure => "erasure",
            Kind::Access => "access",
            Kind::MissingAccess => "missing-access",
            Kind::Time => "time",
            Kind::Child => "child",
        }
    }
}

/// One thing that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What sort of thing.
    pub kind: Kind,
    /// The number of the entry, where it is about one; of several, the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// The id of the access, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// What differs, as a sentence without its end.
    pub why: String,
}

/// All that does not hold.
#[derive(Debug, Default, Serialize)]
pub struct Findings {
    /// How many there are of each kind.
    pub counts: BTreeMap<Kind, u64>,
    /// The entry with the lowest number that does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<Finding>,
    /// The first thousand, in the order in which they were found.
    pub told: Vec<Finding>,
}

impl Findings {
    /// Whether everything holds.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// How many there are.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Adds one about the whole log.
    pub(crate) fn add(&mut self, kind: Kind, why: impl Into<String>) {
        self.push(Finding { kind, number: None, id: None, why: why.into() });
    }

    /// Adds one about an access that is no entry.
    pub(crate) fn of(&mut self, kind: Kind, id: Uuid, why: impl Into<String>) {
        self.push(Finding { kind, number: None, id: Some(id), why: why.into() });
    }

    /// Adds one about an entry.
    pub(crate) fn at(&mut self, kind: Kind, number: u64, id: Option<Uuid>, why: impl Into<String>) {
        self.push(Finding { kind, number: Some(number), id, why: why.into() });
    }

    fn push(&mut self, finding: Finding) {
        *self.counts.entry(finding.kind).or_default() += 1;
        let lowest = self.first.as_ref().and_then(|it| it.number);
        if finding.number.is_some_and(|it| lowest.is_none_or(|lowest| it < lowest)) {
            self.first = Some(finding.clone());
        }
        if self.told.len() < TOLD {
            self.told.push(finding);
        }
    }

    /// As a table.
    pub fn table(&self) -> Table {
        let mut table = table(["Entry", "Access", "What", "Why"]);
        for Finding { kind, number, id, why } in &self.told {
            let number = number.map_or(String::new(), |it| it.to_string());
            let id = id.map_or(String::new(), |it| it.to_string());
            table.add_row([&number, &id, kind.as_str(), &plain(why)]);
        }
        table
    }
}

/// An empty table with these headings.
pub(crate) fn table<const N: usize>(headings: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic).set_width(COLUMNS);
    table.set_header(headings);
    table
}

/// A text of others, without what would steer a terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { '\u{fffd}' } else { it }).collect()
}
