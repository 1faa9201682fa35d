//! What an event of each kind can look like: made of the types that real ones are made of.

use chrono::{DateTime, Utc};
use lindung_domain::case::CaseStatus;
use lindung_domain::consent::ConsentStatus;
use lindung_domain::data_sharing::{DataSharingStatus, RefusalGround, SharingPurpose};
use lindung_domain::emergency::{EmergencyCode, ReviewOutcome};
use lindung_domain::event::data::{
    CaseData, ClockData, ClockMetData, ConsentData, DataSharingData, EmergencyData, ErasureData, GrantData,
    HandoffData, OccurrenceData, OverrideData, ProposalData, ReferralData, ReleaseData, SectionData, ShieldData,
    StatusCheckData, WithheldData,
};
use lindung_domain::event::{Data, Event, Kind};
use lindung_domain::handoff::{HandoffStatus, Keeps};
use lindung_domain::proposal::ProposalKind;
use lindung_domain::referral::Status;
use lindung_domain::release::{Representative, WithholdGround};
use lindung_domain::values::{Outcome, Priority, ReferralKind};
use lindung_domain::{AgencyCode, DataSharingId, OccurrenceId, Purpose, ReferralId, ReleaseId, Section, Version};
use lindung_persistence::CloudEvent;
use uuid::{Uuid, uuid};

/// An id as in every example.
const ID: Uuid = uuid!("0193b5f4-7a00-7c3e-9d55-0d8f6c2b1a01");

/// When it all happens, in seconds since 1970: the morning of 24 November 2026 in Kuala Lumpur.
const AT: i64 = 1_795_485_600;

/// The time of the example, so many hours later.
fn at(hours: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(AT + hours * 3600, 0).unwrap_or_default()
}

/// What an event of this kind carries; nothing only if a code in here were none.
fn data(kind: Kind) -> Option<Data> {
    let (school, police): (AgencyCode, AgencyCode) =
        ("KPM.SEKOLAH.WBA0001".parse().ok()?, "KDN.PDRM.D11".parse().ok()?);
    let version = Version::FIRST.next();
    Some(match kind {
        Kind::CaseOpened | Kind::CaseAmended | Kind::CaseReopened | Kind::ChildAdded => {
            CaseData { status: CaseStatus::Open, priority: Priority::Urgent, lead: school, outcome: None, version }
                .into()
        }
        Kind::CaseClosed => CaseData {
            status: CaseStatus::Closed,
            priority: Priority::Urgent,
            lead: school,
            outcome: Some(Outcome::ServiceProvided),
            version,
        }
        .into(),
        Kind::CaseShielded | Kind::CaseUnshielded | Kind::ChildShielded | Kind::ChildUnshielded => {
            ShieldData { by: school, version }.into()
        }
        Kind::ChildErased => ErasureData { by: school }.into(),
        Kind::SectionWritten => SectionData { section: Section::Summary, by: school, version }.into(),
        Kind::HandoffAsked
        | Kind::HandoffOffered
        | Kind::HandoffAccepted
        | Kind::HandoffDeclined
        | Kind::HandoffRefused
        | Kind::HandoffWithdrawn
        | Kind::HandoffExpired => HandoffData {
            status: handoff(kind)?,
            from: school,
            to: police,
            keeps: (kind != Kind::HandoffAsked).then_some(Keeps::OutcomeOnly),
            manifest: (kind != Kind::HandoffAsked).then(|| "6f3b2c1d".to_owned()),
            version,
        }
        .into(),
        Kind::GrantGiven | Kind::GrantEnded => {
            GrantData { agency: police, until: Some(at(720)), request: Some(DataSharingId(ID)) }.into()
        }
        Kind::ClockMet => {
            let clock = "referral-decide".to_owned();
            ClockMetData { clock, due_at: Some(at(72)), met_at: at(5), late: false }.into()
        }
        Kind::ClockOverdue | Kind::ClockEscalated => ClockData {
            clock: "referral-acknowledge".to_owned(),
            due_at: Some(at(0)),
            holder: Some(police),
            priority: Some(Priority::Urgent),
        }
        .into(),
        Kind::ConsentRecorded => ConsentData { status: ConsentStatus::Given, by: school, version }.into(),
        Kind::ConsentWithdrawn | Kind::ConsentWithdrawalConfirmed => {
            ConsentData { status: ConsentStatus::Withdrawn, by: school, version }.into()
        }
        Kind::OverrideMade | Kind::OverrideReviewed => OverrideData {
            referral: ReferralId(ID),
            sections: vec![Section::Risk],
            until: at(720),
            review: (kind == Kind::OverrideReviewed).then_some(ReviewOutcome::Justified),
            version,
        }
        .into(),
        Kind::CustodyTaken
        | Kind::BroughtBeforeProtector
        | Kind::Released
        | Kind::ExaminationDirected
        | Kind::Examined
        | Kind::DirectionWithdrawn
        | Kind::PlacedInCare
        | Kind::ProtectorNotified => {
            OccurrenceData { occurrence: OccurrenceId(ID), occurred_at: at(-1), by: police }.into()
        }
        Kind::EmergencyRequested | Kind::EmergencyOpened | Kind::EmergencyReviewed => EmergencyData {
            code: *EmergencyCode::ALL.first()?,
            agency: police,
            until: (kind != Kind::EmergencyRequested).then(|| at(4)),
            review: (kind == Kind::EmergencyReviewed).then_some(ReviewOutcome::Justified),
            version,
        }
        .into(),
        Kind::ProposalMade | Kind::ProposalConfirmed | Kind::ProposalDeclined => {
            ProposalData { kind: ProposalKind::Unshield, version }.into()
        }
        Kind::AccessWithheld => WithheldData { ground: *WithholdGround::ALL.first()?, by: police }.into(),
        Kind::AccessesReleased => {
            let representative = *Representative::ALL.first()?;
            ReleaseData { release: ReleaseId(ID), representative, by: school }.into()
        }
        Kind::StatusChecked => {
            StatusCheckData { by: police, purpose: Some(Purpose::Protection), care_scheduled: false }.into()
        }
        Kind::DataRequestReceived
        | Kind::DataRequestGranted
        | Kind::DataRequestRefused
        | Kind::DataRequestDeferred
        | Kind::DataRequestWithdrawn => DataSharingData {
            status: request(kind)?,
            requester: police,
            provider: school,
            purpose: SharingPurpose::Threat,
            grounds: RefusalGround::ALL.iter().copied().take(usize::from(kind == Kind::DataRequestRefused)).collect(),
            deferred_until: (kind == Kind::DataRequestDeferred).then(|| at(720)),
            version,
        }
        .into(),
        _ => referral(kind, school, police, version).into(),
    })
}

fn handoff(kind: Kind) -> Option<HandoffStatus> {
    kind.as_str().split_once('.')?.1.parse().ok()
}

fn request(kind: Kind) -> Option<DataSharingStatus> {
    kind.as_str().split_once('.')?.1.parse().ok()
}

/// A referral of the school's to the police, after what happened.
fn referral(kind: Kind, sender: AgencyCode, police: AgencyCode, version: Version) -> ReferralData {
    let status = match kind {
        Kind::ReferralDrafted | Kind::ReferralAmended => Status::Draft,
        Kind::ReferralRequested | Kind::ReferralRedirected | Kind::ReferralDeclined => Status::Requested,
        Kind::ReferralReceived | Kind::ReferralClaimed => Status::Received,
        Kind::ReferralAccepted => Status::Accepted,
        Kind::ReferralRejected => Status::Rejected,
        Kind::ReferralHeld => Status::OnHold,
        Kind::ReferralCompleted => Status::Completed,
        Kind::ReferralFailed => Status::Failed,
        Kind::ReferralCancelled => Status::Cancelled,
        Kind::ReferralEnteredInError => Status::EnteredInError,
        _ => Status::InProgress,
    };
    let open = kind == Kind::ReferralDeclined;
    ReferralData {
        kind: ReferralKind::PoliceInvestigation,
        status,
        priority: Priority::Urgent,
        sender,
        recipient: (!open).then(|| police.clone()),
        open_to: open.then_some(police).into_iter().collect(),
        awaiting_information: kind == Kind::ReferralAsked,
        cancel_requested: kind == Kind::ReferralCancelRequested,
        outcome: (status == Status::Completed).then_some(Outcome::InvestigationOpened),
        reason: matches!(status, Status::Rejected | Status::Failed | Status::Cancelled).then(|| "other".to_owned()),
        version,
    }
}

/// An event of the kind, as it would come; nothing only if something in here were none.
pub(super) fn event(kind: Kind) -> Option<CloudEvent> {
    let (what, _) = kind.as_str().split_once('.')?;
    let subject = match what {
        "case" | "access" => format!("cases/{ID}"),
        "child" | "section" | "occurrence" | "accesses" | "status-check" => format!("children/{ID}"),
        "clock" => format!("referrals/{ID}"),
        "emergency-access" => format!("emergency-accesses/{ID}"),
        other => format!("{other}s/{ID}"),
    };
    let in_case = matches!(what, "grant" | "override" | "proposal").then(|| format!("cases/{ID}/{what}s"));
    let of_child = subject.starts_with("children/").then(|| format!("cases/{ID}/{subject}"));
    Some(CloudEvent {
        specversion: "1.0".to_owned(),
        id: ID,
        source: "https://lindung.example/v1".to_owned(),
        kind: kind.full(),
        link: format!("https://lindung.example/v1/{}", in_case.or(of_child).as_ref().unwrap_or(&subject)),
        subject,
        time: at(0),
        datacontenttype: "application/json".to_owned(),
        sequence: Some(format!("{:020}", 4711)),
        causationid: ID,
        caseid: (what != "data-sharing-request").then_some(ID),
        caseversion: 3,
        agency: (what != "clock").then(|| "KPM.SEKOLAH.WBA0001".to_owned()),
        data: serde_json::to_value(data(kind)?).ok()?,
    })
}

/// A subscription's test, as it would come.
pub(super) fn tested() -> Option<CloudEvent> {
    Some(CloudEvent {
        kind: format!("{}subscription.tested", Event::PREFIX),
        subject: format!("subscriptions/{ID}"),
        link: format!("https://lindung.example/v1/subscriptions/{ID}"),
        sequence: None,
        caseid: None,
        caseversion: 0,
        agency: None,
        data: serde_json::json!({}),
        ..event(Kind::CaseOpened)?
    })
}
