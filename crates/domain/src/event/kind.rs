//! Every kind of event there is.

/// Declares kinds: how each is written, and which of [`super::data`] it carries.
macro_rules! kinds {
    ($($data:ident { $(#[doc = $doc:literal] $variant:ident = $text:literal,)* })*) => {
        /// What happened, in the past tense: the last parts of an event's type.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize,
            strum::Display, strum::EnumString, strum::IntoStaticStr,
        )]
        pub enum Kind { $($(
            #[doc = $doc]
            #[serde(rename = $text)]
            #[strum(serialize = $text)]
            $variant,
        )*)* }

        impl Kind {
            /// Every kind, by what it carries.
            pub const ALL: &'static [Kind] = &[$($(Kind::$variant),*),*];

            /// As it is written, as in `referral.accepted`; the full type has [`super::Event::PREFIX`] before it.
            pub fn as_str(self) -> &'static str {
                self.into()
            }

            /// What happened, in English and as a sentence.
            pub fn meaning(self) -> &'static str {
                match self { $($(Kind::$variant => $doc.trim_ascii(),)*)* }
            }

            /// The name of what its `data` is.
            pub fn data(self) -> &'static str {
                match self { $($(Kind::$variant => stringify!($data),)*)* }
            }
        }
    };
}

kinds! {
    CaseData {
        /// A case was opened.
        CaseOpened = "case.opened",
        /// The priority or the codes of a case were changed.
        CaseAmended = "case.amended",
        /// A case was closed, with an outcome.
        CaseClosed = "case.closed",
        /// A case was opened again.
        CaseReopened = "case.reopened",
        /// A child was added to a case.
        ChildAdded = "child.added",
    }
    ShieldData {
        /// A case was made invisible except to those named, or names fewer.
        CaseShielded = "case.shielded",
        /// The shield of a case was lifted, or names others.
        CaseUnshielded = "case.unshielded",
        /// A child was made invisible except to those named, or names fewer.
        ChildShielded = "child.shielded",
        /// The shield of a child was lifted, or names others.
        ChildUnshielded = "child.unshielded",
    }
    ErasureData {
        /// What was known of a child was erased for good.
        ChildErased = "child.erased",
    }
    SectionData {
        /// A section of a case or of a child was written.
        SectionWritten = "section.written",
    }
    ReferralData {
        /// A referral was drafted: its sender alone is told.
        ReferralDrafted = "referral.drafted",
        /// A draft was changed: its sender alone is told.
        ReferralAmended = "referral.amended",
        /// A referral was sent.
        ReferralRequested = "referral.requested",
        /// The recipient acknowledged receipt.
        ReferralReceived = "referral.received",
        /// One of several agencies took an open referral.
        ReferralClaimed = "referral.claimed",
        /// One of several agencies does not take an open referral.
        ReferralDeclined = "referral.declined",
        /// The recipient takes the referral on.
        ReferralAccepted = "referral.accepted",
        /// The recipient does not take the referral on.
        ReferralRejected = "referral.rejected",
        /// The recipient passed the referral on to another agency.
        ReferralRedirected = "referral.redirected",
        /// Work on a referral began.
        ReferralStarted = "referral.started",
        /// Work on a referral was put on hold.
        ReferralHeld = "referral.held",
        /// Work on a referral goes on.
        ReferralResumed = "referral.resumed",
        /// The recipient asked the sender something.
        ReferralAsked = "referral.asked",
        /// The sender answered.
        ReferralAnswered = "referral.answered",
        /// Either side wrote a note.
        ReferralNoted = "referral.noted",
        /// A referral was completed, with an outcome.
        ReferralCompleted = "referral.completed",
        /// Work on a referral ended without an outcome.
        ReferralFailed = "referral.failed",
        /// A referral was cancelled.
        ReferralCancelled = "referral.cancelled",
        /// The sender asks to cancel a referral on which work has begun.
        ReferralCancelRequested = "referral.cancel-requested",
        /// The sender does not ask for that any more.
        ReferralCancelWithdrawn = "referral.cancel-withdrawn",
        /// The recipient does not agree to cancel.
        ReferralCancelDeclined = "referral.cancel-declined",
        /// A referral should never have been.
        ReferralEnteredInError = "referral.entered-in-error",
        /// A coordinator reminded the agencies of a referral.
        ReferralReminded = "referral.reminded",
        /// A coordinator escalated a referral to the agencies' supervisors.
        ReferralEscalated = "referral.escalated",
    }
    HandoffData {
        /// An agency asked the lead to hand a case over.
        HandoffAsked = "handoff.asked",
        /// The lead offered a case to another agency, or offered it again as it is now.
        HandoffOffered = "handoff.offered",
        /// The lead of a case has moved.
        HandoffAccepted = "handoff.accepted",
        /// The addressee does not take the lead.
        HandoffDeclined = "handoff.declined",
        /// The lead does not give what was asked for.
        HandoffRefused = "handoff.refused",
        /// A handoff was taken back, or is moot.
        HandoffWithdrawn = "handoff.withdrawn",
        /// A handoff was not answered in time.
        HandoffExpired = "handoff.expired",
    }
    GrantData {
        /// An agency may see something of a case: by hand, or on a data-sharing request.
        GrantGiven = "grant.given",
        /// A grant was ended by hand.
        GrantEnded = "grant.ended",
    }
    ClockMetData {
        /// What a clock waited for happened, in time or late.
        ClockMet = "clock.met",
    }
    ClockData {
        /// The limit of a clock has passed.
        ClockOverdue = "clock.overdue",
        /// It has passed for so long that supervisors are told.
        ClockEscalated = "clock.escalated",
    }
    ConsentData {
        /// A consent was recorded.
        ConsentRecorded = "consent.recorded",
        /// A consent was withdrawn: what rested on it has ended.
        ConsentWithdrawn = "consent.withdrawn",
        /// An agency that was told of a withdrawal acts upon it.
        ConsentWithdrawalConfirmed = "consent.withdrawal-confirmed",
    }
    OverrideData {
        /// Something was disclosed without consent.
        OverrideMade = "override.made",
        /// A disclosure without consent was judged.
        OverrideReviewed = "override.reviewed",
    }
    OccurrenceData {
        /// A child was taken into temporary custody.
        CustodyTaken = "occurrence.custody-taken",
        /// A child was brought before a Protector or a court.
        BroughtBeforeProtector = "occurrence.brought-before-protector",
        /// A child was released from custody.
        Released = "occurrence.released",
        /// A medical examination of a child was directed.
        ExaminationDirected = "occurrence.examination-directed",
        /// A child was examined.
        Examined = "occurrence.examined",
        /// The direction to examine a child was withdrawn.
        DirectionWithdrawn = "occurrence.direction-withdrawn",
        /// A child was placed in somebody's care.
        PlacedInCare = "occurrence.placed-in-care",
        /// The Protector was notified of that.
        ProtectorNotified = "occurrence.protector-notified",
    }
    EmergencyData {
        /// An officer asked for an emergency access to what is shielded.
        EmergencyRequested = "emergency-access.requested",
        /// A case was opened to an officer in an emergency.
        EmergencyOpened = "emergency-access.opened",
        /// An emergency access was judged.
        EmergencyReviewed = "emergency-access.reviewed",
    }
    ProposalData {
        /// Something was proposed that takes two.
        ProposalMade = "proposal.made",
        /// A second person agreed to what was proposed.
        ProposalConfirmed = "proposal.confirmed",
        /// What was proposed is not done.
        ProposalDeclined = "proposal.declined",
    }
    WithheldData {
        /// An access is withheld from what is released to a child's representative.
        AccessWithheld = "access.withheld",
    }
    ReleaseData {
        /// A child's representative was told who has seen its file.
        AccessesReleased = "accesses.released",
    }
    StatusCheckData {
        /// An agency asked whether a child is known, unscheduled.
        StatusChecked = "status-check.made",
    }
    DataSharingData {
        /// An agency asks another for data.
        DataRequestReceived = "data-sharing-request.received",
        /// The data is shared.
        DataRequestGranted = "data-sharing-request.granted",
        /// The data is not shared.
        DataRequestRefused = "data-sharing-request.refused",
        /// The answer is put off to a later date.
        DataRequestDeferred = "data-sharing-request.deferred",
        /// The requester took the request back.
        DataRequestWithdrawn = "data-sharing-request.withdrawn",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_is_read_as_it_is_written() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert!(kind.meaning().ends_with('.') && !kind.meaning().starts_with(' '), "{kind}");
        }
        let texts: BTreeSet<&str> = Kind::ALL.iter().map(|it| it.as_str()).collect();
        assert_eq!(texts.len(), Kind::ALL.len());
    }
}
