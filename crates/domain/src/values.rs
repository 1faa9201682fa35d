//! Closed code lists. Each code's text is its kebab-case name; labels live in the reference data.

use chrono::TimeDelta;

/// Declares closed code lists: one type for the domain, the wire and the database text.
macro_rules! codes {
    ($($(#[$doc:meta])* pub enum $name:ident { $($(#[$item:meta])* $variant:ident),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize, utoipa::ToSchema,
            strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray,
        )]
        #[serde(rename_all = "kebab-case")]
        #[strum(serialize_all = "kebab-case")]
        pub enum $name { $($(#[$item])* $variant),* }

        impl $name {
            /// Every code of the list, in its order.
            pub const ALL: &'static [$name] = &[$($name::$variant),*];

            /// The code as it is written on the wire and in the database.
            pub fn as_str(self) -> &'static str {
                self.into()
            }
        }
    )*};
}
pub(crate) use codes;

/// Malaysia has one time, so far ahead of UTC, all year round.
pub const MALAYSIA: TimeDelta = TimeDelta::hours(8);

codes! {
    /// How fast a case or referral has to move.
    pub enum Priority {
        /// Within the hour.
        Immediate,
        /// Within the day.
        Urgent,
        /// In turn.
        Routine,
    }

    /// A technique seen in a case.
    pub enum Technique {
        /// Synthetic images or voices.
        Deepfake,
        /// Befriending for abuse.
        Grooming,
        /// Extortion with intimate images.
        Sextortion,
        /// Live transmission.
        Livestream,
        /// A virtual private network.
        Vpn,
        /// Encrypted channels or devices.
        Encryption,
        /// Evidence was deleted.
        DeletedEvidence,
    }

    /// What one agency asks of another.
    pub enum ReferralKind {
        /// Police investigation.
        PoliceInvestigation,
        /// Assessment by a Protector.
        WelfareAssessment,
        /// Interim protection.
        InterimProtection,
        /// Safeguarding at school.
        SchoolSafeguarding,
        /// Counselling.
        Counselling,
        /// Support of the family.
        FamilySupport,
        /// Forensic medical examination.
        ForensicMedicalExamination,
        /// Taking content down.
        ContentTakedown,
        /// Subscriber information.
        SubscriberInformation,
        /// Digital forensics.
        DigitalForensics,
        /// Interview of a child.
        ChildInterview,
        /// Placement at a school.
        EducationPlacement,
    }

    /// How a referral was completed or a case closed.
    pub enum Outcome {
        /// The service was given.
        ServiceProvided,
        /// Assessed, nothing more to do.
        AssessedNoFurtherAction,
        /// An investigation was opened.
        InvestigationOpened,
        /// Somebody was charged.
        Charged,
        /// A protection order was made.
        ProtectionOrder,
        /// The content was removed.
        ContentRemoved,
        /// The information was supplied.
        InformationSupplied,
        /// Referred on to another body.
        ReferredOn,
        /// The family declined.
        DeclinedByFamily,
        /// The recipient became the lead.
        ResponsibilityTaken,
        /// Something else, told in the summary.
        Other,
    }

    /// Why a referral was rejected, or a listed agency declined it.
    pub enum RejectReason {
        /// Not this agency's mandate.
        OutsideMandate,
        /// Not this agency's area.
        OutsideArea,
        /// No capacity.
        NoCapacity,
        /// Referred already.
        Duplicate,
        /// Not enough to act upon.
        InsufficientInformation,
        /// Conflict of interest.
        ConflictOfInterest,
        /// Known to the agency already.
        AlreadyKnown,
        /// Something else; needs text.
        Other,
    }

    /// Why a sender cancelled a referral.
    pub enum CancelReason {
        /// No longer needed.
        NoLongerNeeded,
        /// Sent in error.
        SentInError,
        /// Consent was withdrawn.
        ConsentWithdrawn,
        /// The child moved.
        ChildMoved,
        /// Something else; needs text.
        Other,
    }

    /// Why the work on a referral failed.
    pub enum FailReason {
        /// The child could not be found.
        ChildNotLocated,
        /// The service is not available.
        ServiceUnavailable,
        /// Nobody answered.
        NoResponse,
        /// Something else; needs text.
        Other,
    }

    /// What a disclosure rests on.
    pub enum BasisKind {
        /// Consent of the child or its representative.
        Consent,
        /// A duty to share that a law states.
        MandatedDuty,
        /// Without consent, for a stated reason and until a stated day.
        Override,
    }
}

/// The provisions that oblige to share: mandated reporters (Child Act 2001 [Act 611], ss.27 to 29), and whoever knows of a
/// sexual offence against a child (Sexual Offences against Children Act 2017 [Act 792], s.19).
pub const DUTIES: &[&str] = &["Act 611 s.27", "Act 611 s.28", "Act 611 s.29", "Act 792 s.19"];
