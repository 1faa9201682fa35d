//! The table of the policy: to whom each act is open, and what goes with it.

use super::{Act, Obligation, Relation, Who};
use crate::referral::Action;

/// To whom `act` is open in `relation`. This table is the policy; a test prints it.
pub fn who(act: Act, relation: Relation) -> Who {
    use Relation::{
        Accessor, Addressee, Administers, Colleague, Contributor, Emergency, FormerRecipient, Lead, Listed, Maker,
        Offeror, Onward, Oversight, Own, Provider, Recipient, Requester, Sender, Shown, Told, Trusted, Unshielded,
    };
    match (act, relation) {
        (Act::OpenCase, Own) => Who::Officer,
        (Act::ListCases, Own) => Who::OfficerOrCoordinator,
        (Act::ReadCase | Act::ReadTimeline, Lead | Shown | Emergency) => Who::Officer,
        (Act::ReadCase | Act::ReadTimeline, Unshielded) => Who::Coordinator,
        (Act::AmendCase, Lead) => Who::Officer,
        (Act::ReadSection, Lead | Shown | Emergency) => Who::Officer,
        (Act::WriteSection, Lead | Contributor) => Who::Officer,
        (Act::CloseCase, Lead) => Who::Supervisor,

        (Act::Refer, Lead | Onward) => Who::Officer,
        (Act::ListReferrals | Act::SearchChildren | Act::CheckStatus, Own) => Who::Officer,
        (Act::ReadReferral, Sender | Recipient | Listed | FormerRecipient | Lead) => Who::Officer,
        (Act::ReadReferral, Unshielded) => Who::Coordinator,
        (Act::ReadMessages, Sender | Recipient | Listed | FormerRecipient | Lead) => Who::Officer,

        (Act::Referral(action), relation) => who_acts(action, relation),
        (Act::RetractLate, Sender) => Who::Supervisor,

        (Act::ReadReference, Own) => Who::Anyone,
        (Act::KeepAgency, Administers) => Who::Administrator,
        (Act::ReadAccessLog, Own | Oversight) => Who::Auditor,

        (Act::Shield | Act::Unshield | Act::EraseChild, Lead) => Who::Supervisor,
        (Act::OpenEmergency, Trusted) | (Act::ConfirmEmergency, Colleague) => Who::Officer,
        (Act::ReadEmergency, Lead) | (Act::ReviewEmergency, Lead) => Who::Supervisor,
        (Act::ReadEmergency, Requester | Colleague) => Who::Officer,
        (Act::ReadEmergency, Own | Oversight) => Who::Auditor,
        (Act::Suspend, Administers | Oversight) => Who::Administrator,
        (Act::ReadAccesses | Act::ReleaseAccesses, Lead) => Who::Supervisor,
        (Act::WithholdAccess, Lead | Accessor) => Who::Supervisor,

        (Act::RecordConsent, Lead | Onward) => Who::Officer,
        (Act::ReadConsent, Lead | Onward | Maker | Told) => Who::Officer,
        (Act::WithdrawConsent, Lead | Maker) => Who::Officer,
        (Act::ConfirmWithdrawal, Told) => Who::Officer,
        (Act::ReadOverrides, Lead | Maker) => Who::Officer,
        (Act::ReviewOverride, Maker) => Who::Supervisor,
        (Act::RecordOccurrence | Act::ReadOccurrences, Lead | Shown) => Who::Officer,
        (Act::ListClocks | Act::ReadStatistics, Own) => Who::OfficerOrCoordinator,
        (Act::AskHandoff, Shown) => Who::Supervisor,
        (Act::OfferHandoff | Act::RefuseHandoff, Lead) => Who::Supervisor,
        (Act::AcceptHandoff | Act::DeclineHandoff | Act::WithdrawAsk, Addressee) => Who::Supervisor,
        (Act::WithdrawOffer, Lead) => Who::Supervisor,
        (Act::ReadHandoff, Lead | Addressee | Offeror) => Who::Officer,
        (Act::ReadHandoff, Unshielded) => Who::Coordinator,
        (Act::ListHandoffs, Own) => Who::Officer,
        (Act::ReadGrants, Lead | Shown) => Who::Officer,
        (Act::GiveGrant | Act::EndGrant, Lead) => Who::Supervisor,

        (Act::RequestData, Own) => Who::Officer,
        (Act::ListDataRequests, Own) => Who::OfficerOrCoordinator,
        (Act::ReadDataRequest, Requester | Provider) => Who::Officer,
        (Act::ReadDataRequest | Act::ReadRegister, Unshielded) => Who::Coordinator,
        (Act::DecideDataRequest, Provider) => Who::Supervisor,
        (Act::WithdrawDataRequest, Requester) => Who::Officer,
        (Act::ReadRegister, Own) => Who::Supervisor,

        (Act::ReadFeed, Own) => Who::Client,
        (Act::ReadNotifications, Own) => Who::Person,
        (Act::KeepNotificationRules | Act::KeepSubscriptions, Own) => Who::Administrator,
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

/// What goes with permitting `act` in `relation`; a test prints it beside the policy.
pub fn obligations(act: Act, relation: Relation) -> &'static [Obligation] {
    use Obligation::{HeaderOnly, MediaRestriction, Redact, Review, SecondPerson, TellLead};
    match (act, relation) {
        (
            Act::ReadCase | Act::ReadTimeline | Act::ReadReferral | Act::ReadHandoff | Act::ReadDataRequest,
            Relation::Unshielded,
        ) => &[HeaderOnly],
        (Act::OpenEmergency | Act::ConfirmEmergency, _) => &[TellLead, Review],
        (Act::Unshield | Act::EraseChild, _) => &[SecondPerson],
        (Act::ReviewOverride, _) => &[SecondPerson],
        (Act::ReleaseAccesses, _) => &[Redact, MediaRestriction],
        _ => &[],
    }
}
