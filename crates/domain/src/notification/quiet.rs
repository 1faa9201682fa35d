//! Quiet hours, in Malaysia's time.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, NaiveDateTime, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::refusal::Invalid;
use crate::values::{MALAYSIA, codes};

codes! {
    /// A day of the week.
    pub enum Day {
        /// Isnin.
        Monday,
        /// Selasa.
        Tuesday,
        /// Rabu.
        Wednesday,
        /// Khamis.
        Thursday,
        /// Jumaat.
        Friday,
        /// Sabtu.
        Saturday,
        /// Ahad.
        Sunday,
    }
}

/// A time of the day in Malaysia: `HH:MM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "22:00")]
pub struct TimeOfDay(NaiveTime);

/// It is not written `HH:MM`, or there is no such time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no time of the day, as in 22:00")]
pub struct NoTimeOfDay;

impl FromStr for TimeOfDay {
    type Err = NoTimeOfDay;

    fn from_str(text: &str) -> Result<Self, NoTimeOfDay> {
        let time = NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| NoTimeOfDay)?;
        Some(TimeOfDay(time)).filter(|it| it.to_string() == text).ok_or(NoTimeOfDay)
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = NoTimeOfDay;

    fn try_from(text: String) -> Result<Self, NoTimeOfDay> {
        text.parse()
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%H:%M"))
    }
}

/// When what is not urgent can wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// From then on.
    pub from: TimeOfDay,
    /// Until then, on the next day where that is before `from`.
    pub until: TimeOfDay,
    /// And all of these days.
    #[serde(default)]
    #[schema(value_type = Vec<Day>, max_items = 6)]
    pub days: BTreeSet<Day>,
}

impl QuietHours {
    /// That it is not always quiet, nor never.
    pub(super) fn check(&self) -> Result<(), Invalid> {
        if self.from == self.until {
            return Err(Invalid::new("quietHours.until", "same", "must not be the same as from"));
        }
        if self.days.len() == Day::ALL.len() {
            return Err(Invalid::new("quietHours.days", "length", "must leave a day on which people are told"));
        }
        Ok(())
    }

    /// When it is not quiet any more: now, if it is not.
    pub(super) fn end(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let Some(local) = now.naive_utc().checked_add_signed(MALAYSIA) else { return now };
        if !self.is_at(local) {
            return now;
        }
        // It ends at `until`, or with a quiet day.
        let midnights = (0..=8).filter_map(|it| local.date().checked_add_days(Days::new(it)));
        let ends = midnights.flat_map(|it| [NaiveTime::MIN, self.until.0].map(|time| it.and_time(time)));
        let ends = ends.filter(|it| *it > local && !self.is_at(*it));
        ends.min().and_then(|it| it.checked_sub_signed(MALAYSIA)).map_or(now, |it| it.and_utc())
    }

    fn is_at(&self, local: NaiveDateTime) -> bool {
        let (from, until, time) = (self.from.0, self.until.0, local.time());
        let hours = if from < until { from <= time && time < until } else { from <= time || time < until };
        hours || self.days.contains(&Day::of(local))
    }
}

impl Day {
    fn of(local: NaiveDateTime) -> Day {
        match local.weekday() {
            chrono::Weekday::Mon => Day::Monday,
            chrono::Weekday::Tue => Day::Tuesday,
            chrono::Weekday::Wed => Day::Wednesday,
            chrono::Weekday::Thu => Day::Thursday,
            chrono::Weekday::Fri => Day::Friday,
            chrono::Weekday::Sat => Day::Saturday,
            chrono::Weekday::Sun => Day::Sunday,
        }
    }
}
