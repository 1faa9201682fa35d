//! The tables of a report, for the terminal and for spreadsheets.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::Path;

use super::tally::{Count, Tally};
use crate::failure::Failure;
use crate::finding::{plain, table};
use crate::sheet;

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Of its file, without the ending.
    pub name: &'static str,
    /// What it shows.
    pub title: &'static str,
    /// Of the columns.
    pub headings: Vec<&'static str>,
    /// As many cells each as there are headings.
    pub lines: Vec<Vec<String>>,
}

impl Sheet {
    /// As it is shown on a terminal.
    pub fn table(&self) -> comfy_table::Table {
        let mut table = table([]);
        table.set_header(self.headings.clone());
        for line in &self.lines {
            table.add_row(line.iter().map(|it| plain(it)));
        }
        table
    }

    /// Writes it as CSV, in which no cell is a formula.
    pub(super) fn write(&self, path: &Path) -> Result<(), Failure> {
        sheet::write(path, &self.headings, &self.lines)
    }
}

/// Each table, with what there is most of first.
pub(super) fn sheets(tally: &Tally) -> Vec<Sheet> {
    const COUNTS: [&str; 5] = ["Accesses", "Permitted", "Refused", "Out of hours", "Children"];
    let counted = |name, title, of: &[&'static str], lines| {
        let headings = of.iter().copied().chain(COUNTS).collect();
        Sheet { name, title, headings, lines }
    };
    let single = |it: &String| vec![it.clone()];
    let officer = |(agency, officer): &(String, String)| vec![agency.clone(), officer.clone()];
    let unusual = || tally.unusual.iter().filter(|((_, officer), _)| officer != super::tally::NONE);
    let mut late: Vec<_> = unusual().filter(|(_, it)| it.out_of_hours != [0, 0]).collect();
    late.sort_by_key(|(_, it)| Reverse(it.out_of_hours.iter().sum::<u64>()));
    let mut alone: Vec<_> = unusual().filter(|(_, it)| it.own_only.0 > 0).collect();
    alone.sort_by_key(|(_, it)| Reverse(it.own_only.0));
    let mut bulk: Vec<_> = tally.bulk.iter().collect();
    bulk.sort_by_key(|(_, children)| Reverse(**children));
    vec![
        counted("agencies", "By agency", &["Agency"], ordered(&tally.agencies, single)),
        counted("officers", "By officer", &["Agency", "Officer"], ordered(&tally.officers, officer)),
        counted("purposes", "By purpose", &["Purpose"], ordered(&tally.purposes, single)),
        Sheet {
            name: "out-of-hours",
            title: "Officers out of hours",
            headings: vec!["Agency", "Officer", "On working days", "At weekends"],
            lines: (late.into_iter())
                .map(|(who, it)| [officer(who), it.out_of_hours.map(|it| it.to_string()).to_vec()].concat())
                .collect(),
        },
        Sheet {
            name: "own-agency-only",
            title: "Officers in cases that no other agency has touched",
            headings: vec!["Agency", "Officer", "Accesses", "Cases"],
            lines: (alone.into_iter())
                .map(|(who, it)| {
                    [officer(who), vec![it.own_only.0.to_string(), it.own_only.1.len().to_string()]].concat()
                })
                .collect(),
        },
        Sheet {
            name: "bulk-viewing",
            title: "Many children in a day",
            headings: vec!["Day", "Agency", "Officer", "Children"],
            lines: (bulk.into_iter())
                .map(|((day, who), children)| {
                    [vec![day.to_string()], officer(who), vec![children.to_string()]].concat()
                })
                .collect(),
        },
    ]
}

/// The lines of counts.
fn ordered<K>(counts: &BTreeMap<K, Count>, name: impl Fn(&K) -> Vec<String>) -> Vec<Vec<String>> {
    let mut counts: Vec<_> = counts.iter().collect();
    counts.sort_by_key(|(_, it)| Reverse(it.accesses));
    let line = |(key, it): (&K, &Count)| {
        let Count { accesses, permitted, out_of_hours, children } = it;
        let numbers = [*accesses, *permitted, accesses - permitted, *out_of_hours, children.len() as u64];
        [name(key), numbers.map(|it| it.to_string()).to_vec()].concat()
    };
    counts.into_iter().map(line).collect()
}
