//! When entries can have been dated.
//!
//! Entries get their numbers in the order in which they were written, so no entry is dated more than the tolerance before
//! one with a lower number; and none more than that after the last witness saw the checkpoint. The first rule finds what
//! was entered late and dated back, the second what was dated ahead. For the same reason an access of the API's log that
//! is no entry cannot be dated before the entries: it never was one. All compare entries with entries and witnesses: no
//! other clock is asked.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use crate::finding::{Findings, Kind};

/// What is known of the entries so far.
pub(super) struct Time {
    tolerance: Duration,
    /// When the last witness signed.
    witnessed: Option<DateTime<Utc>>,
    latest: Option<(DateTime<Utc>, u64)>,
    /// By the entry that was dated later: the first of those after it, its id, and how many there are.
    before: BTreeMap<u64, (u64, Uuid, u64)>,
}

impl Time {
    pub(super) fn new(tolerance: Duration, witnessed: Option<DateTime<Utc>>) -> Self {
        Time { tolerance, witnessed, latest: None, before: BTreeMap::new() }
    }

    /// Looks at the next entry.
    pub(super) fn see(&mut self, number: u64, id: Uuid, at: DateTime<Utc>, findings: &mut Findings) {
        if let Some(witnessed) = self.witnessed.filter(|it| at.signed_duration_since(it) > self.tolerance) {
            let why = format!("it is dated {at}, after the last witness had seen it at {witnessed}");
            return findings.at(Kind::Time, number, Some(id), why);
        }
        match self.latest {
            Some((latest, by)) if latest.signed_duration_since(at) > self.tolerance => {
                self.before.entry(by).or_insert((number, id, 0)).2 += 1;
            }
            Some((latest, _)) if latest >= at => {}
            _ => self.latest = Some((at, number)),
        }
    }

    /// Looks, once every entry was seen, at an access that the checkpoint does not cover.
    pub(super) fn see_uncovered(&self, id: Uuid, at: DateTime<Utc>, findings: &mut Findings) {
        let Some((latest, by)) = self.latest else { return };
        if latest.signed_duration_since(at) > self.tolerance {
            let minutes = self.tolerance.num_minutes();
            let why =
                format!("the API's log has it, dated more than {minutes} minutes before entry {by}, and no entry");
            findings.of(Kind::Entry, id, why);
        }
    }

    /// Tells what was dated back. Of many entries before which a single one was dated later, that one may be the wrong
    /// one: they are one finding.
    pub(super) fn end(self, findings: &mut Findings) {
        for (by, (number, id, count)) in self.before {
            let minutes = self.tolerance.num_minutes();
            let more = if count > 1 { format!(", as are {} later ones", count - 1) } else { String::new() };
            let why = format!("it is dated more than {minutes} minutes before entry {by}, which came earlier{more}");
            findings.at(Kind::Time, number, Some(id), why);
        }
    }
}
