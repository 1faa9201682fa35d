//! How long a clock runs: ISO 8601 durations, as far as the table uses them.

use std::str::FromStr;

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use serde::Deserialize;

use crate::values::MALAYSIA;

/// The longest span, in days.
const LONGEST: u16 = 366;

/// `PTnH` or `PnD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Span {
    /// Elapsed time.
    Hours(u16),
    /// Until 24:00 in Kuala Lumpur, so many days after the day of the start.
    Days(u16),
}

/// Neither `PTnH` nor `PnD`, or more than a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no span of time: PTnH or PnD, of a year at most")]
pub struct NotASpan;

impl FromStr for Span {
    type Err = NotASpan;
    fn from_str(text: &str) -> Result<Self, NotASpan> {
        let number = |it: &str| it.bytes().all(|it| it.is_ascii_digit()).then(|| it.parse::<u16>().ok())?;
        let hours = text.strip_prefix("PT").and_then(|it| it.strip_suffix('H')).and_then(number).map(Span::Hours);
        let days = text.strip_prefix('P').and_then(|it| it.strip_suffix('D')).and_then(number).map(Span::Days);
        hours.or(days).filter(|it| it.hours() <= LONGEST * 24).ok_or(NotASpan)
    }
}

impl TryFrom<String> for Span {
    type Error = NotASpan;
    fn try_from(text: String) -> Result<Self, NotASpan> {
        text.parse()
    }
}

impl Span {
    fn hours(self) -> u16 {
        match self {
            Span::Hours(hours) => hours,
            Span::Days(days) => days.saturating_mul(24),
        }
    }

    /// As elapsed time.
    pub fn elapsed(self) -> TimeDelta {
        TimeDelta::hours(self.hours().into())
    }

    /// When it ends, if time goes on for so long.
    pub fn after(self, start: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Span::Hours(_) => start.checked_add_signed(self.elapsed()),
            Span::Days(days) => {
                let day = start.checked_add_signed(MALAYSIA)?.date_naive();
                let end = day.checked_add_days(Days::new(u64::from(days) + 1))?.and_time(NaiveTime::MIN);
                end.and_utc().checked_sub_signed(MALAYSIA)
            }
        }
    }
}
