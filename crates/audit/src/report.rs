//! What is in the access log: who looked, what for, when, and at how many.
//!
//! A report counts what the API's log tells; that it tells the truth is for [`crate::verify`] to say. Days and hours are
//! those of Malaysia. Nothing that is counted is wrong in itself: a report shows where to ask.

mod chart;
mod tables;
mod tally;

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike, FixedOffset, NaiveTime, Utc, Weekday};

pub use self::tables::Sheet;
use self::tally::Tally;
use crate::failure::Failure;
use crate::folder::Folder;

/// The years that accesses can be of: charts have every day between the first and the last.
const YEARS: Range<i32> = 2020..2120;

/// Malaysia's offset from UTC, in seconds: eight hours, all year.
const OFFSET: i32 = 8 * 60 * 60;

/// What counts as unusual.
#[derive(Debug, Clone)]
pub struct Settings {
    /// When the working day begins, in Malaysia.
    pub from: NaiveTime,
    /// When it ends; that moment is outside of it.
    pub until: NaiveTime,
    /// More children than that, seen by one officer in a day, are many.
    pub many: usize,
}

impl Default for Settings {
    /// From 07:00 until 19:00, from Monday to Friday; more than 20 children a day are many.
    fn default() -> Self {
        let hour = |it| NaiveTime::from_hms_opt(it, 0, 0).unwrap_or_default();
        Settings { from: hour(7), until: hour(19), many: 20 }
    }
}

impl Settings {
    /// Whether that is outside of working hours, or at a weekend.
    fn is_out_of_hours(&self, at: DateTime<FixedOffset>) -> bool {
        is_weekend(at) || at.time() < self.from || at.time() >= self.until
    }
}

/// A moment as the clocks of Malaysia show it.
fn in_malaysia(at: DateTime<Utc>) -> DateTime<FixedOffset> {
    match FixedOffset::east_opt(OFFSET) {
        Some(offset) => at.with_timezone(&offset),
        None => at.fixed_offset(),
    }
}

fn is_weekend(at: DateTime<FixedOffset>) -> bool {
    matches!(at.weekday(), Weekday::Sat | Weekday::Sun)
}

/// What the access log of an export has in it.
#[derive(Debug)]
pub struct Report {
    tally: Tally,
}

impl Report {
    /// Counts the accesses of an export.
    ///
    /// # Errors
    /// Its `accesses.ndjson` is missing, or is none, or has an access of another age.
    pub fn of(folder: &Folder, settings: &Settings) -> Result<Self, Failure> {
        let mut tally = Tally::default();
        // Twice: whether only one agency has touched a case is known once all has been read.
        let mut accesses = folder.accesses()?;
        while let Some(access) = accesses.next()? {
            if !YEARS.contains(&access.at.year()) {
                let (path, why) =
                    (folder.path("accesses.ndjson"), format!("{} is of no year that a log has", access.id));
                return Err(Failure::Content { path, why });
            }
            tally.touched(&access);
        }
        let mut accesses = folder.accesses()?;
        while let Some(access) = accesses.next()? {
            tally.count(&access, settings);
        }
        Ok(Report { tally })
    }

    /// The tables: by agency, officer and purpose, out of hours, own agency only, and bulk viewing.
    pub fn sheets(&self) -> Vec<Sheet> {
        tables::sheets(&self.tally)
    }

    /// Writes each table as CSV and the charts as SVG to a folder, which is made where it is missing; answers which files
    /// there are now.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
        fs::create_dir_all(folder).map_err(Failure::file(folder))?;
        let mut written = Vec::new();
        for sheet in self.sheets() {
            let path = folder.join(format!("{}.csv", sheet.name));
            sheet.write(&path)?;
            written.push(path);
        }
        let (days, hours) = (folder.join("accesses-per-day.svg"), folder.join("accesses-per-hour.svg"));
        chart::days(&days, &self.tally.days)?;
        chart::hours(&hours, &self.tally.hours)?;
        written.extend([days, hours]);
        Ok(written)
    }
}
