//! The lifecycle of a referral: FHIR Task's statuses without `ready`, in kebab case.

use super::Action;
use crate::values::codes;

codes! {
    /// Where a referral stands.
    pub enum Status {
        /// Being written; its sender's alone.
        Draft,
        /// Sent.
        Requested,
        /// Its receipt is acknowledged.
        Received,
        /// The recipient will do it.
        Accepted,
        /// Work has begun.
        InProgress,
        /// Work is held.
        OnHold,
        /// Done.
        Completed,
        /// The recipient will not do it.
        Rejected,
        /// Work ended without an outcome.
        Failed,
        /// The sender withdrew it.
        Cancelled,
        /// It should never have been.
        EnteredInError,
    }
}

/// What an action's effect depends on besides the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// Sent to several, one of which claims it.
    pub open: bool,
    /// The sender asked to cancel.
    pub cancel_requested: bool,
    /// A question is unanswered.
    pub awaiting_information: bool,
    /// Nobody else on the list is left to decline.
    pub last_listed: bool,
    /// It was redirected as often as may be.
    pub redirects_spent: bool,
}

impl Status {
    /// Whether it is over.
    pub fn is_terminal(self) -> bool {
        use Status::*;
        matches!(self, Completed | Rejected | Failed | Cancelled | EnteredInError)
    }

    /// Whether somebody still has to do something about it.
    pub fn is_open(self) -> bool {
        !self.is_terminal() && self != Status::Draft
    }

    /// Whether it was received and worked on, so that it takes a supervisor to call it an error.
    pub(super) fn is_past_receipt(self) -> bool {
        !matches!(self, Status::Draft | Status::Requested | Status::Received)
    }

    /// The status after `action`, or nothing where the action is not possible. The whole lifecycle
    /// is this table; a test prints it.
    pub fn after(self, action: Action, facts: Facts) -> Option<Status> {
        use Action as A;
        use Status::*;
        Some(match (action, self) {
            (A::Amend, Draft) => Draft,
            (A::Send, Draft) => Requested,
            (A::Receive, Requested) if !facts.open => Received,
            (A::Claim, Requested) if facts.open => Received,
            (A::Decline, Requested) if facts.open && facts.last_listed => Rejected,
            (A::Decline, Requested) if facts.open => Requested,
            (A::Accept, Requested) if !facts.open => Accepted,
            (A::Accept, Received) => Accepted,
            (A::Reject, Requested) if !facts.open => Rejected,
            (A::Reject, Received) => Rejected,
            (A::Redirect, Requested) if !facts.open && !facts.redirects_spent => Requested,
            (A::Redirect, Received) if !facts.redirects_spent => Requested,
            (A::Start, Accepted) => InProgress,
            (A::Hold, Accepted | InProgress) => OnHold,
            (A::Resume, OnHold) => InProgress,
            (A::Ask, Received | Accepted | InProgress | OnHold) => self,
            (A::Answer, Received | Accepted | InProgress | OnHold) if facts.awaiting_information => self,
            (A::Note, Accepted | InProgress | OnHold) => self,
            (A::Complete, Accepted | InProgress | OnHold) => Completed,
            (A::Fail, Accepted | InProgress | OnHold) => Failed,
            (A::Cancel, Draft | Requested | Received | Accepted) => Cancelled,
            (A::RequestCancel, InProgress | OnHold) if !facts.cancel_requested => self,
            (A::WithdrawCancel | A::DeclineCancel, InProgress | OnHold) if facts.cancel_requested => self,
            (A::ConfirmCancel, InProgress | OnHold) if facts.cancel_requested => Cancelled,
            (A::MarkEnteredInError, from) if from != EnteredInError => EnteredInError,
            (A::Remind | A::Escalate, from) if from.is_open() => from,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    /// Every combination of facts, so that the printed table hides none.
    fn every_fact() -> impl Iterator<Item = Facts> {
        (0..32u8).map(|bits| Facts {
            open: bits & 1 != 0,
            cancel_requested: bits & 2 != 0,
            awaiting_information: bits & 4 != 0,
            last_listed: bits & 8 != 0,
            redirects_spent: bits & 16 != 0,
        })
    }

    #[test]
    fn the_lifecycle() {
        let mut table = String::new();
        for action in Action::ALL {
            for from in Status::ALL {
                let outcomes: Vec<Option<Status>> = every_fact().map(|facts| from.after(*action, facts)).collect();
                let mut targets: Vec<Status> = outcomes.iter().flatten().copied().collect();
                targets.sort();
                targets.dedup();
                for to in targets {
                    let needs = needs(*from, *action, to);
                    writeln!(table, "{:<22} {:<12} -> {:<18}{needs}", action.as_str(), from.as_str(), to.as_str())
                        .unwrap();
                }
            }
        }
        insta::assert_snapshot!(table);
    }

    /// Which facts must hold (or not) for this step.
    fn needs(from: Status, action: Action, to: Status) -> String {
        let when = |test: fn(&Facts) -> bool, wanted: bool| {
            every_fact().filter(|it| from.after(action, *it) == Some(to)).all(|it| test(&it) == wanted)
        };
        type Holds = fn(&Facts) -> bool;
        let tests: [(&str, Holds); 5] = [
            ("open", |it| it.open),
            ("cancel-requested", |it| it.cancel_requested),
            ("awaiting-information", |it| it.awaiting_information),
            ("last-listed", |it| it.last_listed),
            ("redirects-spent", |it| it.redirects_spent),
        ];
        tests.iter().fold(String::new(), |mut text, (name, test)| {
            if when(*test, true) {
                write!(text, " {name}").unwrap();
            } else if when(*test, false) {
                write!(text, " not-{name}").unwrap();
            }
            text
        })
    }

    #[test]
    fn nothing_leaves_a_terminal_status_but_the_confession_of_an_error() {
        for from in Status::ALL.iter().filter(|it| it.is_terminal()) {
            for action in Action::ALL.iter().filter(|it| **it != Action::MarkEnteredInError) {
                assert!(every_fact().all(|facts| from.after(*action, facts).is_none()), "{action} leaves {from}");
            }
        }
    }
}
