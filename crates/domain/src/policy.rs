//! Who may do what: one table, [`who`], and the one way to ask it, [`require`].
//!
//! An actor stands in [`Relation`]s to a thing; each act is open to certain roles in certain
//! relations. What no line opens is closed. A refusal is "not found" unless the actor's agency is
//! a party, so that nobody learns what exists.

use std::collections::BTreeSet;

use crate::actor::{Actor, Role};
use crate::referral::Action;
use crate::refusal::Refusal;
use crate::values::codes;

codes! {
    /// How the actor's agency stands to what it asks about.
    pub enum Relation {
        /// Its own affairs: holds for everybody.
        Own,
        /// Leads the case, for one of the purposes of the lead's grant.
        Lead,
        /// A live grant for the actor's purpose reaches what is asked about.
        Shown,
        /// A live grant lets it write what is asked about.
        Contributor,
        /// A live grant lets it share onward.
        Onward,
        /// A party to the case, but no grant reaches this for this purpose.
        Party,
        /// The case is not shielded: what coordinators need.
        Unshielded,
        /// Sent the referral.
        Sender,
        /// The referral is addressed to it, or claimed by it.
        Recipient,
        /// The referral is open to it, and it has not declined.
        Listed,
        /// Was the recipient once.
        FormerRecipient,
        /// Keeps this agency or unit: its own, or one below it.
        Administers,
        /// An oversight office: sees every access.
        Oversight,
    }
}

/// Something an actor asks to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// Open a case.
    OpenCase,
    /// List the cases of one's agency.
    ListCases,
    /// Read a case's header.
    ReadCase,
    /// Change a case's priority or codes, or add a child.
    AmendCase,
    /// Read a section.
    ReadSection,
    /// Write a section.
    WriteSection,
    /// Close or reopen a case.
    CloseCase,
    /// Erase a child: destroy the key of all that is known of it.
    EraseChild,
    /// Read a case's events.
    ReadTimeline,
    /// Make a referral of a case.
    Refer,
    /// List one's inbox or outbox.
    ListReferrals,
    /// Read a referral's codes and status.
    ReadReferral,
    /// Read what was written on a referral.
    ReadMessages,
    /// Take an action on a referral.
    Referral(Action),
    /// Mark a referral entered in error after its receipt was followed by work.
    RetractLate,
    /// Read agencies and code lists.
    ReadReference,
    /// Register or keep a unit, or an agency's contacts.
    KeepAgency,
    /// Read access-log entries.
    ReadAccessLog,
}

impl Act {
    /// Every act, in the order of the printed table.
    pub fn all() -> Vec<Act> {
        use Act::*;
        let mut all = vec![
            OpenCase,
            ListCases,
            ReadCase,
            AmendCase,
            ReadSection,
            WriteSection,
            CloseCase,
            EraseChild,
            ReadTimeline,
        ];
        all.extend([Refer, ListReferrals, ReadReferral, ReadMessages]);
        all.extend(Action::ALL.iter().copied().map(Referral));
        all.extend([RetractLate, ReadReference, KeepAgency, ReadAccessLog]);
        all
    }
}

codes! {
    /// To whom an act is open.
    pub enum Who {
        /// An officer or supervisor.
        Officer,
        /// A supervisor.
        Supervisor,
        /// A coordinator.
        Coordinator,
        /// An officer or a coordinator.
        OfficerOrCoordinator,
        /// An officer, or the client alone.
        OfficerOrClient,
        /// An auditor.
        Auditor,
        /// An administrator.
        Administrator,
        /// Everybody who is known.
        Anyone,
        /// Nobody.
        Nobody,
    }
}

impl Who {
    fn admits(self, actor: &Actor) -> bool {
        match self {
            Who::Officer => actor.is_officer(),
            Who::Supervisor => actor.is(Role::Supervisor),
            Who::Coordinator => actor.is(Role::Coordinator),
            Who::OfficerOrCoordinator => actor.is_officer() || actor.is(Role::Coordinator),
            Who::OfficerOrClient => actor.is_officer() || actor.officer_id().is_none(),
            Who::Auditor => actor.is(Role::Auditor),
            Who::Administrator => actor.is(Role::Administrator),
            Who::Anyone => true,
            Who::Nobody => false,
        }
    }
}

/// To whom `act` is open in `relation`. This table is the policy; a test prints it.
pub fn who(act: Act, relation: Relation) -> Who {
    use Relation::{
        Administers, Contributor, FormerRecipient, Lead, Listed, Onward, Oversight, Own, Recipient, Sender, Shown,
        Unshielded,
    };
    match (act, relation) {
        (Act::OpenCase, Own) => Who::Officer,
        (Act::ListCases, Own) => Who::OfficerOrCoordinator,
        (Act::ReadCase | Act::ReadTimeline, Lead | Shown) => Who::Officer,
        (Act::ReadCase | Act::ReadTimeline, Unshielded) => Who::Coordinator,
        (Act::AmendCase, Lead) => Who::Officer,
        (Act::ReadSection, Lead | Shown) => Who::Officer,
        (Act::WriteSection, Lead | Contributor) => Who::Officer,
        (Act::CloseCase | Act::EraseChild, Lead) => Who::Supervisor,

        (Act::Refer, Lead | Onward) => Who::Officer,
        (Act::ListReferrals, Own) => Who::Officer,
        (Act::ReadReferral, Sender | Recipient | Listed | FormerRecipient | Lead) => Who::Officer,
        (Act::ReadReferral, Unshielded) => Who::Coordinator,
        (Act::ReadMessages, Sender | Recipient | Listed | FormerRecipient | Lead) => Who::Officer,

        (Act::Referral(action), relation) => who_acts(action, relation),
        (Act::RetractLate, Sender) => Who::Supervisor,

        (Act::ReadReference, Own) => Who::Anyone,
        (Act::KeepAgency, Administers) => Who::Administrator,
        (Act::ReadAccessLog, Own | Oversight) => Who::Auditor,
        _ => Who::Nobody,
    }
}

fn who_acts(action: Action, relation: Relation) -> Who {
    use Relation::{Listed, Recipient, Sender, Unshielded};
    match (action, relation) {
        (Action::Amend | Action::Send, Sender) => Who::Officer,
        (Action::Receive, Recipient) => Who::OfficerOrClient,
        // A listed agency asks as a recipient would: whether it must claim first is for the state to say.
        (
            Action::Receive
            | Action::Claim
            | Action::Decline
            | Action::Accept
            | Action::Reject
            | Action::Redirect
            | Action::Start
            | Action::Hold
            | Action::Resume
            | Action::Ask
            | Action::Complete
            | Action::Fail
            | Action::ConfirmCancel
            | Action::DeclineCancel,
            Recipient | Listed,
        ) => Who::Officer,
        (
            Action::Answer
            | Action::Cancel
            | Action::RequestCancel
            | Action::WithdrawCancel
            | Action::MarkEnteredInError,
            Sender,
        ) => Who::Officer,
        (Action::Note, Sender | Recipient) => Who::Officer,
        (Action::Remind | Action::Escalate, Unshielded) => Who::Coordinator,
        _ => Who::Nobody,
    }
}

/// All relations of an actor to one thing.
pub type Relations = BTreeSet<Relation>;

/// The relation that permits the act, for the access log; or none.
pub fn permits(actor: &Actor, act: Act, relations: &Relations) -> Option<Relation> {
    relations.iter().copied().find(|it| who(act, *it).admits(actor))
}

/// Whether the actor may know that the thing exists.
fn knows(actor: &Actor, relations: &Relations) -> bool {
    relations.iter().any(|it| match it {
        Relation::Own => false,
        Relation::Unshielded => actor.is(Role::Coordinator),
        Relation::Lead
        | Relation::Shown
        | Relation::Contributor
        | Relation::Onward
        | Relation::Party
        | Relation::Sender
        | Relation::Recipient
        | Relation::Listed
        | Relation::FormerRecipient
        | Relation::Administers
        | Relation::Oversight => true,
    })
}

/// Permits the act and names the relation that does.
///
/// # Errors
/// [`Refusal::NotYours`] to whoever may know that it exists, [`Refusal::NotFound`] to all others.
pub fn require(actor: &Actor, act: Act, relations: &Relations) -> Result<Relation, Refusal> {
    match permits(actor, act, relations) {
        Some(relation) => Ok(relation),
        None if knows(actor, relations) => Err(Refusal::NotYours),
        None => Err(Refusal::NotFound),
    }
}

/// Permits an act that is about nobody's case: one's own lists, reference data, the access log.
///
/// # Errors
/// [`Refusal::NotYours`].
pub fn require_own(actor: &Actor, act: Act) -> Result<Relation, Refusal> {
    permits(actor, act, &Relations::from([Relation::Own])).ok_or(Refusal::NotYours)
}

/// Permits keeping an agency or unit; it is no secret that it exists.
///
/// # Errors
/// [`Refusal::NotYours`].
pub fn require_keeper(actor: &Actor, keeps: bool) -> Result<Relation, Refusal> {
    let relations = if keeps { Relations::from([Relation::Administers]) } else { Relations::new() };
    permits(actor, Act::KeepAgency, &relations).ok_or(Refusal::NotYours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    #[test]
    fn the_policy() {
        let mut table = String::new();
        for act in Act::all() {
            for relation in Relation::ALL {
                let who = who(act, *relation);
                if who != Who::Nobody {
                    let act = format!("{act:?}");
                    writeln!(table, "{act:<30} {:<16} {}", relation.as_str(), who.as_str()).unwrap();
                }
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn only_who_may_know_is_told_that_it_is_not_theirs() {
        let officer = Actor::officer(
            "c".parse().unwrap(),
            "KK.MCMC".parse().unwrap(),
            "o".parse().unwrap(),
            &[Role::Officer],
            Some(crate::Purpose::Protection),
        )
        .unwrap();
        let ask = |relation| require(&officer, Act::CloseCase, &Relations::from([relation]));
        assert_eq!(ask(Relation::Unshielded), Err(Refusal::NotFound));
        assert_eq!(ask(Relation::Party), Err(Refusal::NotYours));
        assert_eq!(ask(Relation::Lead), Err(Refusal::NotYours));
    }
}
