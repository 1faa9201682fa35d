//! What can be asked of a referral. A command is complete: what its action needs is in it.

use chrono::{DateTime, Utc};

use super::Terms;
use crate::event::Kind;
use crate::id::{AgencyCode, OfficerId};
use crate::message::{Message, MessageKind};
use crate::refusal::Invalid;
use crate::values::{CancelReason, FailReason, Outcome, RejectReason, codes};

codes! {
    /// What may be done to a referral, in the imperative; the last part of its path.
    pub enum Action {
        /// Change a draft.
        Amend,
        /// Send a draft.
        Send,
        /// Acknowledge receipt.
        Receive,
        /// Take an open referral: exactly one agency wins.
        Claim,
        /// Decline an open referral.
        Decline,
        /// Accept.
        Accept,
        /// Reject.
        Reject,
        /// Pass on to another agency.
        Redirect,
        /// Begin work.
        Start,
        /// Hold work.
        Hold,
        /// Go on with work.
        Resume,
        /// Ask the sender.
        Ask,
        /// Answer the recipient.
        Answer,
        /// Write a note, with or without an interim outcome.
        Note,
        /// Complete with an outcome.
        Complete,
        /// End work without an outcome.
        Fail,
        /// Withdraw before work has begun.
        Cancel,
        /// Ask to cancel work that has begun.
        RequestCancel,
        /// Take that back.
        WithdrawCancel,
        /// Agree to cancel.
        ConfirmCancel,
        /// Refuse to cancel.
        DeclineCancel,
        /// Say that it should never have been.
        MarkEnteredInError,
        /// Remind the agencies.
        Remind,
        /// Escalate to the agencies' supervisors.
        Escalate,
    }
}

impl Action {
    /// The event that it makes.
    pub fn told(self) -> Kind {
        match self {
            Action::Amend => Kind::ReferralAmended,
            Action::Send => Kind::ReferralRequested,
            Action::Receive => Kind::ReferralReceived,
            Action::Claim => Kind::ReferralClaimed,
            Action::Decline => Kind::ReferralDeclined,
            Action::Accept => Kind::ReferralAccepted,
            Action::Reject => Kind::ReferralRejected,
            Action::Redirect => Kind::ReferralRedirected,
            Action::Start => Kind::ReferralStarted,
            Action::Hold => Kind::ReferralHeld,
            Action::Resume => Kind::ReferralResumed,
            Action::Ask => Kind::ReferralAsked,
            Action::Answer => Kind::ReferralAnswered,
            Action::Note => Kind::ReferralNoted,
            Action::Complete => Kind::ReferralCompleted,
            Action::Fail => Kind::ReferralFailed,
            Action::Cancel | Action::ConfirmCancel => Kind::ReferralCancelled,
            Action::RequestCancel => Kind::ReferralCancelRequested,
            Action::WithdrawCancel => Kind::ReferralCancelWithdrawn,
            Action::DeclineCancel => Kind::ReferralCancelDeclined,
            Action::MarkEnteredInError => Kind::ReferralEnteredInError,
            Action::Remind => Kind::ReferralReminded,
            Action::Escalate => Kind::ReferralEscalated,
        }
    }

    /// Whether it only adds to what was written, so that the version stays.
    pub fn is_append(self) -> bool {
        matches!(self, Action::Note | Action::Remind | Action::Escalate)
    }

    /// Whether it works on a draft, and so on what will be shared.
    pub(super) fn is_on_draft(self) -> bool {
        matches!(self, Action::Amend | Action::Send)
    }
}

/// A coded reason, with words where the code is `other`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coded {
    /// The code.
    pub code: &'static str,
    /// The words.
    pub text: Option<Message>,
}

impl Coded {
    fn new(code: &'static str, text: Option<&str>) -> Result<Self, Invalid> {
        let text = Message::optional(MessageKind::Reason, "text", text)?;
        if code == "other" && text.is_none() {
            return Err(Invalid::new("text", "required", "the reason `other` needs text"));
        }
        Ok(Coded { code, text })
    }

    /// Why a referral is rejected or declined.
    ///
    /// # Errors
    /// `other` without text.
    pub fn reject(code: RejectReason, text: Option<&str>) -> Result<Self, Invalid> {
        Coded::new(code.as_str(), text)
    }

    /// Why it is cancelled.
    ///
    /// # Errors
    /// `other` without text.
    pub fn cancel(code: CancelReason, text: Option<&str>) -> Result<Self, Invalid> {
        Coded::new(code.as_str(), text)
    }

    /// Why it failed.
    ///
    /// # Errors
    /// `other` without text.
    pub fn fail(code: FailReason, text: Option<&str>) -> Result<Self, Invalid> {
        Coded::new(code.as_str(), text)
    }
}

/// What is asked of a referral.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each variant is the action of the same name, with what it needs")]
pub enum Command {
    Amend(Box<Terms>),
    Send,
    Receive,
    Claim,
    Decline(Coded),
    Accept { assignee: Option<OfficerId>, due_at: Option<DateTime<Utc>> },
    Reject { reason: Coded, suggested: Option<AgencyCode> },
    Redirect { to: AgencyCode, reason: Message },
    Start,
    Hold(Message),
    Resume,
    Ask(Message),
    Answer(Message),
    Note { text: Message, interim: Option<Outcome> },
    Complete { outcome: Outcome, summary: Message },
    Fail(Coded),
    Cancel(Coded),
    RequestCancel(Message),
    WithdrawCancel,
    ConfirmCancel(Message),
    DeclineCancel(Message),
    MarkEnteredInError(Message),
    Remind(Option<Message>),
    Escalate(Option<Message>),
}

impl Command {
    /// The action that it is.
    pub fn action(&self) -> Action {
        match self {
            Command::Amend(_) => Action::Amend,
            Command::Send => Action::Send,
            Command::Receive => Action::Receive,
            Command::Claim => Action::Claim,
            Command::Decline(_) => Action::Decline,
            Command::Accept { .. } => Action::Accept,
            Command::Reject { .. } => Action::Reject,
            Command::Redirect { .. } => Action::Redirect,
            Command::Start => Action::Start,
            Command::Hold(_) => Action::Hold,
            Command::Resume => Action::Resume,
            Command::Ask(_) => Action::Ask,
            Command::Answer(_) => Action::Answer,
            Command::Note { .. } => Action::Note,
            Command::Complete { .. } => Action::Complete,
            Command::Fail(_) => Action::Fail,
            Command::Cancel(_) => Action::Cancel,
            Command::RequestCancel(_) => Action::RequestCancel,
            Command::WithdrawCancel => Action::WithdrawCancel,
            Command::ConfirmCancel(_) => Action::ConfirmCancel,
            Command::DeclineCancel(_) => Action::DeclineCancel,
            Command::MarkEnteredInError(_) => Action::MarkEnteredInError,
            Command::Remind(_) => Action::Remind,
            Command::Escalate(_) => Action::Escalate,
        }
    }

    /// What was written with it.
    pub(super) fn message(&self) -> Option<Message> {
        match self {
            Command::Decline(coded)
            | Command::Fail(coded)
            | Command::Cancel(coded)
            | Command::Reject { reason: coded, .. } => coded.text.clone(),
            // An interim outcome goes with the note: it closes nothing.
            Command::Note { text, interim } => Some(Message { code: interim.map(Outcome::as_str), ..text.clone() }),
            Command::Redirect { reason: text, .. }
            | Command::Complete { summary: text, .. }
            | Command::Hold(text)
            | Command::Ask(text)
            | Command::Answer(text)
            | Command::RequestCancel(text)
            | Command::ConfirmCancel(text)
            | Command::DeclineCancel(text)
            | Command::MarkEnteredInError(text) => Some(text.clone()),
            Command::Remind(text) | Command::Escalate(text) => text.clone(),
            Command::Amend(_)
            | Command::Send
            | Command::Receive
            | Command::Claim
            | Command::Accept { .. }
            | Command::Start
            | Command::Resume
            | Command::WithdrawCancel => None,
        }
    }
}
