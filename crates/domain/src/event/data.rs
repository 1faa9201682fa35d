//! What events carry beside what all of them have: ids, codes, agencies and versions, and nothing else.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actor::Purpose;
use crate::case::CaseStatus;
use crate::consent::ConsentStatus;
use crate::data_sharing::{DataSharingStatus, RefusalGround, SharingPurpose};
use crate::emergency::{EmergencyCode, ReviewOutcome};
use crate::handoff::{HandoffStatus, Keeps};
use crate::id::{AgencyCode, DataSharingId, OccurrenceId, ReferralId, ReleaseId, Version};
use crate::proposal::ProposalKind;
use crate::referral::Status;
use crate::release::{Representative, WithholdGround};
use crate::section::Section;
use crate::values::{Outcome, Priority, ReferralKind};

/// Declares what kinds of events carry.
macro_rules! data {
    ($($(#[$doc:meta])* $variant:ident($name:ident) { $($(#[$item:meta])* $field:ident: $kind:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
            #[serde(rename_all = "camelCase")]
            pub struct $name { $($(#[$item])* pub $field: $kind,)* }

            impl From<$name> for Data {
                fn from(data: $name) -> Self {
                    Data::$variant(data)
                }
            }
        )*

        /// What an event carries.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[serde(untagged)]
        pub enum Data { $($(#[$doc])* $variant($name),)* }

        impl Data {
            /// The name of what it is.
            pub fn name(&self) -> &'static str {
                match self { $(Data::$variant(_) => stringify!($name),)* }
            }
        }
    };
}

data! {
    /// Of a case as it is now.
    Case(CaseData) {
        /// Whether it is open.
        status: CaseStatus,
        /// How fast it has to move.
        priority: Priority,
        /// The agency that leads it.
        lead: AgencyCode,
        /// How it was closed; null while it is open.
        outcome: Option<Outcome>,
        /// The case's version.
        version: Version,
    }
    /// Of a shield that was put up or lifted.
    Shield(ShieldData) {
        /// Which agency did it.
        by: AgencyCode,
        /// The case's version.
        version: Version,
    }
    /// Of an erasure.
    Erasure(ErasureData) {
        /// Which agency decided it.
        by: AgencyCode,
    }
    /// Of a section; never what it holds.
    Section(SectionData) {
        /// Which one.
        section: Section,
        /// Which agency wrote it.
        by: AgencyCode,
        /// The section's version.
        version: Version,
    }
    /// Of a referral as it is now.
    Referral(ReferralData) {
        /// What is asked.
        kind: ReferralKind,
        /// Where it stands.
        status: Status,
        /// How fast it has to move.
        priority: Priority,
        /// Who sent it.
        sender: AgencyCode,
        /// Who has it; null where it is open to several and nobody has claimed it.
        recipient: Option<AgencyCode>,
        /// Who may claim it.
        open_to: Vec<AgencyCode>,
        /// Whether a question is unanswered.
        awaiting_information: bool,
        /// Whether the sender asks to cancel it.
        cancel_requested: bool,
        /// With what it was completed.
        outcome: Option<Outcome>,
        /// The coded reason of how it ended, or of the last redirect or hold.
        reason: Option<String>,
        /// The referral's version.
        version: Version,
    }
    /// Of a handoff as it is now.
    Handoff(HandoffData) {
        /// Where it stands.
        status: HandoffStatus,
        /// Who leads, or led.
        from: AgencyCode,
        /// Who is to lead.
        to: AgencyCode,
        /// What the former lead keeps; null while it is only asked for.
        keeps: Option<Keeps>,
        /// The version of what is offered.
        manifest: Option<String>,
        /// The handoff's version.
        version: Version,
    }
    /// Of a grant.
    Grant(GrantData) {
        /// Who may see something of the case.
        agency: AgencyCode,
        /// Until when, if that is set.
        until: Option<DateTime<Utc>>,
        /// The data-sharing request that it rests on.
        request: Option<DataSharingId>,
    }
    /// Of a clock that ended because it was met.
    ClockMet(ClockMetData) {
        /// Which clock of the table.
        clock: String,
        /// Its limit.
        due_at: Option<DateTime<Utc>>,
        /// When it was met.
        met_at: DateTime<Utc>,
        /// Whether that was after the limit.
        late: bool,
    }
    /// Of a clock whose limit has passed.
    Clock(ClockData) {
        /// Which clock of the table.
        clock: String,
        /// Its limit.
        due_at: Option<DateTime<Utc>>,
        /// Who has to act; null where it is open to several.
        holder: Option<AgencyCode>,
        /// How fast the thing has to move.
        priority: Option<Priority>,
    }
    /// Of a consent.
    Consent(ConsentData) {
        /// Where it stands.
        status: ConsentStatus,
        /// Which agency recorded this.
        by: AgencyCode,
        /// The consent's version.
        version: Version,
    }
    /// Of a disclosure without consent.
    Override(OverrideData) {
        /// The referral that disclosed.
        referral: ReferralId,
        /// Which sections.
        sections: Vec<Section>,
        /// Until when.
        until: DateTime<Utc>,
        /// How it was judged.
        review: Option<ReviewOutcome>,
        /// The override's version.
        version: Version,
    }
    /// Of what happened to a child outside the system.
    Occurrence(OccurrenceData) {
        /// The record.
        occurrence: OccurrenceId,
        /// When it happened.
        occurred_at: DateTime<Utc>,
        /// Which agency recorded it.
        by: AgencyCode,
    }
    /// Of an emergency access.
    Emergency(EmergencyData) {
        /// Why.
        code: EmergencyCode,
        /// Whose officer it is.
        agency: AgencyCode,
        /// Until when the case is open to them.
        until: Option<DateTime<Utc>>,
        /// How it was judged.
        review: Option<ReviewOutcome>,
        /// The emergency access's version.
        version: Version,
    }
    /// Of a proposal.
    Proposal(ProposalData) {
        /// What is proposed.
        kind: ProposalKind,
        /// The proposal's version.
        version: Version,
    }
    /// Of an access that is withheld from releases.
    Withheld(WithheldData) {
        /// On what ground.
        ground: WithholdGround,
        /// Which agency decided it.
        by: AgencyCode,
    }
    /// Of a release to a child's representative.
    Release(ReleaseData) {
        /// The release.
        release: ReleaseId,
        /// To whom.
        representative: Representative,
        /// Which agency decided it.
        by: AgencyCode,
    }
    /// Of a status check.
    StatusCheck(StatusCheckData) {
        /// Which agency asked.
        by: AgencyCode,
        /// For what.
        purpose: Option<Purpose>,
        /// Whether it came with care that was planned.
        care_scheduled: bool,
    }
    /// Of a data-sharing request.
    DataSharing(DataSharingData) {
        /// Where it stands.
        status: DataSharingStatus,
        /// Who asks.
        requester: AgencyCode,
        /// Who is asked.
        provider: AgencyCode,
        /// For what.
        purpose: SharingPurpose,
        /// On what grounds it was refused.
        grounds: Vec<RefusalGround>,
        /// Until when the answer is put off.
        deferred_until: Option<DateTime<Utc>>,
        /// The request's version.
        version: Version,
    }
}
