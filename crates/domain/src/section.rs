//! Sections: the unit of disclosure. What each may hold, and of whom it tells.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use utoipa::ToSchema;

use crate::message::MESSAGE_LIMIT;
use crate::refusal::Invalid;
use crate::values::codes;

codes! {
    /// A part of a case's content that is disclosed as a whole or not at all.
    pub enum Section {
        /// What it is about; no name and no identifier in it.
        Summary,
        /// What happened.
        Narrative,
        /// The investigation.
        Investigation,
        /// Hashes and descriptions of digital evidence, never the material itself.
        DigitalEvidence,
        /// The plan of action.
        Plan,
        /// Of one child: names, identifiers, birth date.
        Identity,
        /// Of one child: how to reach it.
        Contacts,
        /// Of one child: its guardians.
        Guardians,
        /// Of one child: the assessment of risk.
        Risk,
        /// Of one child: schooling.
        Education,
        /// Of one child: health.
        Health,
    }
}

impl Section {
    /// Whether the section tells of one child (else of the whole case).
    pub fn is_of_child(self) -> bool {
        match self {
            Section::Summary
            | Section::Narrative
            | Section::Investigation
            | Section::DigitalEvidence
            | Section::Plan => false,
            Section::Identity
            | Section::Contacts
            | Section::Guardians
            | Section::Risk
            | Section::Education
            | Section::Health => true,
        }
    }
}

/// The most code points in a section's text.
pub const TEXT_LIMIT: usize = 20_000;
const NAME_LIMIT: usize = 200;
const ITEM_LIMIT: usize = 200;

/// A section written in prose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Prose {
    /// Plain text, at most 20,000 characters.
    #[schema(
        min_length = 1,
        max_length = 20000,
        example = "Pupil threatened with manipulated images; the account is still active."
    )]
    pub text: String,
}

/// One piece of digital evidence: told of, never contained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EvidenceItem {
    /// What it is, in words.
    #[schema(min_length = 1, max_length = 2000, example = "Manipulated photograph sent by direct message")]
    pub description: String,
    /// SHA-256 of the file, 64 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub sha256: Option<String>,
    /// Where it was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000, example = "https://social.example/posts/1")]
    pub url: Option<String>,
    /// The platform it was seen on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub platform: Option<String>,
}

/// Digital evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DigitalEvidence {
    /// The pieces, 1 to 200.
    #[schema(min_items = 1, max_items = 200)]
    pub items: Vec<EvidenceItem>,
}

/// An identifier of a child in somebody's register. Optional, and never unique across agencies.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Identifier {
    /// The register: `mykid`, `mykad`, `passport`, `school-id`, …
    #[schema(pattern = "^[a-z0-9-]{1,40}$", example = "mykid")]
    pub system: String,
    /// The identifier in it.
    #[schema(min_length = 1, max_length = 64)]
    pub value: String,
}

impl Identifier {
    /// The identifier as it is kept and compared: its value in Unicode NFC, without blanks around it.
    pub fn new(system: &str, value: &str) -> Self {
        Identifier { system: system.to_owned(), value: value.trim().nfc().collect() }
    }

    /// The identifier as it is kept, if it can be one; `path` is where it stands in the body.
    ///
    /// # Errors
    /// The system has other characters than a-z, 0-9 and -; the value is empty, too long or not plain.
    pub fn checked(&self, path: &str) -> Result<Self, Invalid> {
        let system = &self.system;
        let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if !(1..=40).contains(&system.len()) || !system.bytes().all(good) {
            return Err(Invalid::new(format!("{path}.system"), "pattern", "must be 1 to 40 of a-z, 0-9 and -"));
        }
        let identifier = Identifier::new(system, &self.value);
        length(format!("{path}.value"), &identifier.value, 64)?;
        plain(format!("{path}.value"), &identifier.value)?;
        Ok(identifier)
    }
}

/// A name of a child.
#[derive(ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 200)]
#[expect(dead_code, reason = "only described")]
pub struct Name(String);

/// Who a child is. Kept apart from every other section, in a table of its own.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Identity {
    /// Names, the first the one in use; 1 to 20, kept in Unicode NFC.
    #[schema(min_items = 1, max_items = 20, value_type = Vec<Name>)]
    pub names: Vec<String>,
    /// Identifiers, at most 20.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub identifiers: Vec<Identifier>,
    /// Date of birth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<NaiveDate>,
}

/// What a section holds.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Content {
    /// Prose, of every section but the two below.
    Prose(Prose),
    /// Of `digital-evidence`.
    DigitalEvidence(DigitalEvidence),
    /// Of `identity`.
    Identity(Identity),
}

impl std::fmt::Debug for Content {
    /// Tells the kind only: content is personal and must not reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Content::Prose(_) => "Prose(…)",
            Content::DigitalEvidence(_) => "DigitalEvidence(…)",
            Content::Identity(_) => "Identity(…)",
        })
    }
}

impl Content {
    /// The content of a section if it keeps the section's limits; names are brought to NFC.
    ///
    /// # Errors
    /// The first field that breaks a limit.
    pub fn checked(self) -> Result<Self, Invalid> {
        Ok(match self {
            Content::Prose(prose) => {
                length("text", &prose.text, TEXT_LIMIT)?;
                Content::Prose(prose)
            }
            Content::DigitalEvidence(evidence) => {
                count("items", evidence.items.len(), 1, ITEM_LIMIT)?;
                for (at, item) in evidence.items.iter().enumerate() {
                    item.check(at)?;
                }
                Content::DigitalEvidence(evidence)
            }
            Content::Identity(identity) => Content::Identity(identity.checked()?),
        })
    }
}

impl EvidenceItem {
    fn check(&self, at: usize) -> Result<(), Invalid> {
        length(format!("items[{at}].description"), &self.description, 2000)?;
        if let Some(hash) = &self.sha256
            && (hash.len() != 64 || !hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
        {
            return Err(Invalid::new(
                format!("items[{at}].sha256"),
                "pattern",
                "must be 64 lower-case hexadecimal digits",
            ));
        }
        if let Some(url) = &self.url {
            length(format!("items[{at}].url"), url, 2000)?;
        }
        match &self.platform {
            Some(platform) => length(format!("items[{at}].platform"), platform, 200),
            None => Ok(()),
        }
    }
}

impl Identity {
    fn checked(mut self) -> Result<Self, Invalid> {
        count("names", self.names.len(), 1, 20)?;
        count("identifiers", self.identifiers.len(), 0, 20)?;
        if self.birth_date.is_some_and(|it| !(1900..=9999).contains(&it.year())) {
            return Err(Invalid::new("birthDate", "range", "is a day of the year 1900 or later"));
        }
        for (at, name) in self.names.iter_mut().enumerate() {
            *name = name.trim().nfc().collect();
            length(format!("names[{at}]"), name, NAME_LIMIT)?;
            plain(format!("names[{at}]"), name)?;
        }
        for (at, identifier) in self.identifiers.iter_mut().enumerate() {
            *identifier = identifier.checked(&format!("identifiers[{at}]"))?;
        }
        Ok(self)
    }
}

/// Checks a length in code points (and so, fourfold, in bytes).
pub(crate) fn length(field: impl Into<String>, text: &str, limit: usize) -> Result<(), Invalid> {
    let points = text.chars().count();
    if text.trim().is_empty() {
        Err(Invalid::new(field, "required", "must not be empty"))
    } else if points > limit {
        Err(Invalid::new(field, "length", format!("must have at most {limit} characters")))
    } else {
        Ok(())
    }
}

/// Checks a text that somebody wrote: a reason, a note.
///
/// # Errors
/// It is empty or longer than [`MESSAGE_LIMIT`].
pub fn text(field: &str, text: &str) -> Result<String, Invalid> {
    length(field, text, MESSAGE_LIMIT).map(|()| text.to_owned())
}

fn count(field: &str, items: usize, least: usize, most: usize) -> Result<(), Invalid> {
    if (least..=most).contains(&items) {
        Ok(())
    } else {
        Err(Invalid::new(field, "length", format!("must have {least} to {most} items")))
    }
}

/// Refuses what could make two names look alike or one read backwards: control, bidirectional and
/// zero-width characters (Unicode TR 36).
fn plain(field: String, text: &str) -> Result<(), Invalid> {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{061C}')
    };
    if text.chars().any(hidden) {
        Err(Invalid::new(field, "characters", "must not contain control, bidirectional or zero-width characters"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(name: &str) -> Content {
        Content::Identity(Identity { names: vec![name.into()], identifiers: vec![], birth_date: None })
    }

    #[test]
    fn names_are_kept_in_nfc() {
        assert_eq!(identity("Noe\u{0308}l").checked(), Ok(identity("No\u{00EB}l")));
    }

    #[test]
    fn hidden_characters_in_a_name_are_refused() {
        for name in ["a\u{202E}b", "a\u{200B}b", "a\u{0007}b"] {
            assert_eq!(identity(name).checked().unwrap_err().field, "names[0]");
        }
    }

    #[test]
    fn a_hash_is_hexadecimal() {
        let item = EvidenceItem { description: "x".into(), sha256: Some("Z".repeat(64)), url: None, platform: None };
        let found = Content::DigitalEvidence(DigitalEvidence { items: vec![item] }).checked();
        assert_eq!(found.unwrap_err().field, "items[0].sha256");
    }

    #[test]
    fn content_does_not_show_in_debug_output() {
        assert!(!format!("{:?}", identity("Aminah")).contains("Aminah"));
    }
}
