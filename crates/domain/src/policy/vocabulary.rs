//! The words of the policy: what can be asked, and how one can stand to it.

use crate::referral::Action;
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
        /// Has opened the case for this officer in an emergency, and it is still open.
        Emergency,
        /// Its client is trusted with emergencies, and none of this officer's lacks its review.
        Trusted,
        /// The same, beside the officer who asked for the emergency access.
        Colleague,
        /// Asked for it.
        Requester,
        /// Data is asked of it.
        Provider,
        /// Made the access that it is about.
        Accessor,
        /// A handoff is offered to it, or was asked for by it.
        Addressee,
        /// Leads, or led, the case that a handoff is about.
        Offeror,
        /// The record was made in its name.
        Maker,
        /// Was told that a consent on which it held something is withdrawn.
        Told,
    }

    /// What goes with a permission.
    pub enum Obligation {
        /// Nothing but the header is shown, without what was done to the child.
        HeaderOnly,
        /// The lead is told at once.
        TellLead,
        /// A supervisor of the lead reviews it, within 72 hours.
        Review,
        /// Another officer has to agree before it happens.
        SecondPerson,
        /// Officers are not named, nor what would hinder an investigation or endanger somebody (Act 864 s.15).
        Redact,
        /// Nothing of it may be published that could identify the child (Act 611 s.15).
        MediaRestriction,
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
    /// Make a case or a child invisible but to those named.
    Shield,
    /// Lift such a shield, or name more.
    Unshield,
    /// Forget who a child is.
    EraseChild,
    /// Open a case in an emergency.
    OpenEmergency,
    /// Agree to a colleague's emergency access to what is shielded.
    ConfirmEmergency,
    /// Read about an emergency access.
    ReadEmergency,
    /// Judge an emergency access.
    ReviewEmergency,
    /// Suspend an officer or a client, or let them act again.
    Suspend,
    /// Read who has seen a case.
    ReadAccesses,
    /// Release to a child's representative who has seen its case.
    ReleaseAccesses,
    /// Withhold an access from what is released.
    WithholdAccess,
    /// Ask the lead to hand a case over.
    AskHandoff,
    /// Offer a case to another agency.
    OfferHandoff,
    /// Take the lead of a case.
    AcceptHandoff,
    /// Do not take it.
    DeclineHandoff,
    /// Do not give it to whoever asked.
    RefuseHandoff,
    /// Take back what one asked for.
    WithdrawAsk,
    /// Take back what one offered.
    WithdrawOffer,
    /// Read a handoff.
    ReadHandoff,
    /// List the handoffs that one's agency asked for, was offered or offered.
    ListHandoffs,
    /// Read who may see what of a case.
    ReadGrants,
    /// Let an agency see something of a case, by hand.
    GiveGrant,
    /// End a grant by hand.
    EndGrant,
    /// Record what happened to a child outside the system.
    RecordOccurrence,
    /// Read what was recorded of that.
    ReadOccurrences,
    /// List the clocks that concern one's agency.
    ListClocks,
    /// Read how fast agencies answer.
    ReadStatistics,
    /// Record a consent on a child.
    RecordConsent,
    /// Read consents.
    ReadConsent,
    /// Record that a consent was withdrawn.
    WithdrawConsent,
    /// Confirm that one acts upon a withdrawal.
    ConfirmWithdrawal,
    /// Read what was disclosed without consent, and why.
    ReadOverrides,
    /// Judge a disclosure without consent.
    ReviewOverride,
    /// Find children by an identifier, in what one may read.
    SearchChildren,
    /// Ask whether a child is known anywhere.
    CheckStatus,
    /// Ask another agency for data.
    RequestData,
    /// List the data-sharing requests that one's agency made or was asked.
    ListDataRequests,
    /// Read a data-sharing request.
    ReadDataRequest,
    /// Grant, refuse or defer a data-sharing request.
    DecideDataRequest,
    /// Take back a data-sharing request.
    WithdrawDataRequest,
    /// Read the register of data-sharing requests (Act 864 s.21).
    ReadRegister,
    /// Read the feed of one's agency's events.
    ReadFeed,
    /// Read, and mark, what one is notified of.
    ReadNotifications,
    /// Say who is notified of what, and when.
    KeepNotificationRules,
    /// Keep where one's agency is told of events: webhooks and mail.
    KeepSubscriptions,
}

impl Act {
    /// Every act, in the order of the printed table.
    pub fn all() -> Vec<Act> {
        use Act::*;
        let mut all =
            vec![OpenCase, ListCases, ReadCase, AmendCase, ReadSection, WriteSection, CloseCase, ReadTimeline];
        all.extend([Refer, ListReferrals, ReadReferral, ReadMessages]);
        all.extend(Action::ALL.iter().copied().map(Referral));
        all.extend([RetractLate, ReadReference, KeepAgency, ReadAccessLog]);
        all.extend([Shield, Unshield, EraseChild, OpenEmergency, ConfirmEmergency, ReadEmergency, ReviewEmergency]);
        all.extend([Suspend, ReadAccesses, ReleaseAccesses, WithholdAccess, AskHandoff, OfferHandoff, AcceptHandoff]);
        all.extend([DeclineHandoff, RefuseHandoff, WithdrawAsk, WithdrawOffer, ReadHandoff, ListHandoffs]);
        all.extend([RecordConsent, ReadConsent, WithdrawConsent, ConfirmWithdrawal, ReadOverrides, ReviewOverride]);
        all.extend([ReadGrants, GiveGrant, EndGrant, RecordOccurrence, ReadOccurrences, ListClocks, ReadStatistics]);
        all.extend([SearchChildren, CheckStatus]);
        all.extend([
            RequestData,
            ListDataRequests,
            ReadDataRequest,
            DecideDataRequest,
            WithdrawDataRequest,
            ReadRegister,
        ]);
        all.extend([ReadFeed, ReadNotifications, KeepNotificationRules, KeepSubscriptions]);
        all
    }
}
