//! Moments, in their one spelling.

use std::fmt::{Display, Formatter};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Error;

/// A moment as `2026-01-31T23:59:59.000000Z` (RFC 3339, microseconds, UTC): the order of the texts is that of time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct At(String);

impl At {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for At {
    fn fmt(&self, to: &mut Formatter<'_>) -> std::fmt::Result {
        to.write_str(&self.0)
    }
}

impl TryFrom<String> for At {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        if is_moment(text.as_bytes()) { Ok(At(text)) } else { Err(Error::Malformed) }
    }
}

impl FromStr for At {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        text.to_owned().try_into()
    }
}

impl From<At> for String {
    fn from(at: At) -> String {
        at.0
    }
}

fn is_moment(text: &[u8]) -> bool {
    let form = b"0000-00-00T00:00:00.000000Z";
    let formed = text.len() == form.len()
        && text.iter().zip(form).all(|(it, as_in)| if *as_in == b'0' { it.is_ascii_digit() } else { it == as_in });
    // Only when all digits are where they belong.
    let number = |at: std::ops::Range<usize>| text[at].iter().fold(0, |sum, it| sum * 10 + u32::from(it - b'0'));
    formed
        && (1..=days(number(0..4), number(5..7))).contains(&number(8..10))
        && number(11..13) < 24
        && number(14..16) < 60
        && number(17..19) < 60
}

/// The days of a month; of what is no month, none.
fn days(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    }
}
