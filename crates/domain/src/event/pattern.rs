//! Which kinds of events somebody wants.

use std::fmt;
use std::str::FromStr;

use super::{Event, Kind};

/// One type of events, or all that begin alike: `my.gov.lindung.referral.accepted`, `my.gov.lindung.referral.*`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, max_length = 100, example = "my.gov.lindung.referral.*")]
pub struct Pattern(String);

/// It is no type that there is, nor the beginning of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a type of events, nor the beginning of some before `.*`")]
pub struct NoSuchType;

impl Pattern {
    /// The kinds that it stands for: at least one.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> + '_ {
        Kind::ALL.iter().copied().filter(|it| self.takes(*it))
    }

    /// Whether it stands for this kind.
    pub fn takes(&self, kind: Kind) -> bool {
        self.fits(&kind.full())
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn fits(&self, kind: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(beginning) => kind.starts_with(beginning),
            None => kind == self.0,
        }
    }
}

impl Kind {
    /// The whole type, as it is told outside.
    pub fn full(self) -> String {
        format!("{}{self}", Event::PREFIX)
    }
}

impl FromStr for Pattern {
    type Err = NoSuchType;

    fn from_str(text: &str) -> Result<Self, NoSuchType> {
        let pattern = Pattern(text.to_owned());
        let whole = !text.contains('*') || text.ends_with(".*");
        if whole && pattern.kinds().next().is_some() { Ok(pattern) } else { Err(NoSuchType) }
    }
}

impl TryFrom<String> for Pattern {
    type Error = NoSuchType;

    fn try_from(text: String) -> Result<Self, NoSuchType> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_stands_for_kinds_that_there_are() {
        let kinds = |text: &str| text.parse::<Pattern>().map(|it| it.kinds().count());
        assert_eq!(kinds("my.gov.lindung.referral.accepted"), Ok(1));
        assert_eq!(kinds("my.gov.lindung.clock.*"), Ok(3));
        assert_eq!(kinds("my.gov.lindung.*"), Ok(Kind::ALL.len()));
        for text in [
            "",
            "*",
            "my.gov.lindung",
            "my.gov.lindung.ref*",
            "my.gov.*.accepted",
            "referral.accepted",
            "my.gov.lindung.none.*",
        ] {
            assert_eq!(kinds(text), Err(NoSuchType), "{text}");
        }
    }
}
