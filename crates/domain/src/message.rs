//! What people write on a case or a referral. Never part of an event, which stays thin.

use crate::refusal::Invalid;
use crate::section::length;
use crate::values::codes;

codes! {
    /// What a message is.
    pub enum MessageKind {
        /// Why something was done.
        Reason,
        /// A question to the sender.
        Question,
        /// Its answer.
        Answer,
        /// A note on the work.
        Note,
        /// What came of it.
        Summary,
        /// A reminder by a coordinator.
        Reminder,
    }
}

/// Something written, before it has an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it is.
    pub kind: MessageKind,
    /// A code that goes with it: of an interim outcome.
    pub code: Option<&'static str>,
    /// The words.
    pub text: String,
}

/// The most code points in a message.
pub const MESSAGE_LIMIT: usize = 4_000;

impl Message {
    /// A message in `field` of the request.
    ///
    /// # Errors
    /// When it is empty or too long.
    pub fn required(kind: MessageKind, field: &str, text: &str) -> Result<Message, Invalid> {
        length(field, text, MESSAGE_LIMIT)?;
        Ok(Message { kind, code: None, text: text.to_owned() })
    }

    /// A message that may be left out.
    ///
    /// # Errors
    /// When it is empty or too long.
    pub fn optional(kind: MessageKind, field: &str, text: Option<&str>) -> Result<Option<Message>, Invalid> {
        text.map(|it| Message::required(kind, field, it)).transpose()
    }
}
