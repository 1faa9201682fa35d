//! A referral: one agency asks another to do something for a child, and is answered.
//!
//! [`Status::after`] is its whole lifecycle; [`Referral::apply`] is the only way to a changed one.

mod apply;
mod basis;
mod command;
mod disclosure;
mod handover;
mod status;
mod terms;

use chrono::{DateTime, Utc};

pub use basis::Basis;
pub use command::{Action, Coded, Command};
pub use status::{Facts, Status};
pub use terms::{Party, Route, Share, Terms};

pub(crate) use terms::eligible;

use crate::id::{AgencyCode, CaseId, OfficerId, ReferralId, Version};
use crate::values::Outcome;

/// How often a referral may be redirected.
pub const REDIRECT_LIMIT: i16 = 3;

/// Everything that is kept of a referral. Free to read; a [`Referral`] changes only by `apply`.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its id.
    pub id: ReferralId,
    /// The case it is about.
    pub case: CaseId,
    /// The reference of the case.
    pub case_reference: String,
    /// Who asks.
    pub sender: AgencyCode,
    /// Where it stands.
    pub status: Status,
    /// What is asked and shared.
    pub terms: Terms,
    /// Who is asked now: the named recipient, or who claimed it.
    pub recipient: Option<AgencyCode>,
    /// Whom it is open to and who has not declined.
    pub listed: Vec<AgencyCode>,
    /// Who was asked before it was redirected.
    pub former: Vec<AgencyCode>,
    /// How often it was redirected.
    pub redirects: i16,
    /// A question is unanswered.
    pub awaiting_information: bool,
    /// The sender asked to cancel work that had begun.
    pub cancel_requested: bool,
    /// Who works on it.
    pub assignee: Option<OfficerId>,
    /// The date agreed at acceptance.
    pub due_at: Option<DateTime<Utc>>,
    /// How it was completed.
    pub outcome: Option<Outcome>,
    /// The coded reason of its end, or of the last redirect, hold or refusal to cancel.
    pub reason: Option<String>,
    /// Whom a rejection suggested.
    pub suggested: Option<AgencyCode>,
    /// The referrals through which its sender came to what it shares, the lead's first; none of the lead's own.
    pub chain: Vec<ReferralId>,
    /// Its version.
    pub version: Version,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was sent.
    pub requested_at: Option<DateTime<Utc>>,
    /// When it came to whom it is with now.
    pub arrived_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A referral as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Referral(Record);

impl Referral {
    /// A referral as it was saved.
    pub fn restore(record: Record) -> Self {
        Referral(record)
    }

    /// What is kept of it.
    pub fn record(&self) -> &Record {
        &self.0
    }
}
