//! Everything that a decision goes by, made in memory; and what Rust decides on it.

mod request;

use chrono::{DateTime, TimeDelta, Utc};
use lindung_domain::case::{self, Asking, Case, CaseFile, CaseStatus, Header};
use lindung_domain::consent::Bases;
use lindung_domain::data_sharing::DataSharing;
use lindung_domain::emergency::{self, EmergencyAccess, EmergencyCode, Trust};
use lindung_domain::grant::{Footing, Grant, Source};
use lindung_domain::handoff::{self, Handoff, HandoffStatus, Keeps};
use lindung_domain::message::{Message, MessageKind};
use lindung_domain::policy::{self, Act, Relation, Relations};
use lindung_domain::referral::{self, Action, Coded, Command, Referral, Route, Status, Terms};
use lindung_domain::refusal::Expected;
use lindung_domain::section::Section;
use lindung_domain::shield::Shield;
use lindung_domain::values::{CancelReason, FailReason, Outcome, Priority, ReferralKind, RejectReason};
use lindung_domain::{
    Actor, AgencyCode, CaseId, ChildId, EmergencyId, HandoffId, Purpose, ReferralId, Refusal, Version,
};
use lindung_persistence::Db;

use request::request;

/// The agency that leads where the actor's does not.
pub const OTHER: &str = "KPM.SEKOLAH.WBA0001";
/// An agency that is neither.
pub const THIRD: &str = "KPWKM.JKM";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    Permitted,
    NotYours,
    NotFound,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub enum Asked {
    Case(Act),
    Section(Act, Section, Option<ChildId>),
    /// An action on the referral.
    Referral(Action),
    /// Reading the referral.
    OfReferral(Act),
    Access(Act),
    Handoff(Act),
    DataRequest(Act),
    Agency(Act),
}

impl Asked {
    /// What an act is asked of; nothing for what depends on the state of a referral alone.
    pub fn every(act: Act) -> Option<Asked> {
        Some(match act {
            Act::ReadSection | Act::WriteSection => Asked::Section(act, Section::Narrative, None),
            Act::ReadReferral => Asked::OfReferral(act),
            Act::Referral(action) => Asked::Referral(action),
            // Of a record, by whoever made it or was told: no matter of the case.
            Act::RetractLate | Act::ConfirmWithdrawal | Act::ReviewOverride => return None,
            Act::ConfirmEmergency | Act::ReadEmergency | Act::ReviewEmergency => Asked::Access(act),
            Act::OpenCase | Act::ListCases | Act::ListReferrals | Act::ReadReference | Act::KeepAgency => {
                Asked::Agency(act)
            }
            Act::ListHandoffs => Asked::Agency(act),
            Act::AcceptHandoff | Act::DeclineHandoff | Act::RefuseHandoff | Act::WithdrawAsk | Act::WithdrawOffer => {
                Asked::Handoff(act)
            }
            Act::ReadHandoff => Asked::Handoff(act),
            Act::AskHandoff | Act::OfferHandoff | Act::ReadGrants | Act::GiveGrant | Act::EndGrant => Asked::Case(act),
            Act::ReadAccessLog | Act::OpenEmergency | Act::Suspend | Act::SearchChildren | Act::CheckStatus => {
                Asked::Agency(act)
            }
            Act::ReadCase | Act::AmendCase | Act::CloseCase | Act::ReadTimeline | Act::Refer | Act::ReadMessages => {
                Asked::Case(act)
            }
            Act::ListClocks | Act::ReadStatistics | Act::ReadFeed | Act::ReadNotifications => Asked::Agency(act),
            Act::RequestData | Act::ListDataRequests | Act::ReadRegister => Asked::Agency(act),
            Act::KeepNotificationRules | Act::KeepSubscriptions => Asked::Agency(act),
            Act::ReadDataRequest | Act::DecideDataRequest | Act::WithdrawDataRequest => Asked::DataRequest(act),
            Act::RecordOccurrence | Act::ReadOccurrences => Asked::Case(act),
            Act::Shield | Act::Unshield | Act::EraseChild | Act::ReadAccesses | Act::ReleaseAccesses => {
                Asked::Case(act)
            }
            Act::RecordConsent | Act::ReadConsent | Act::WithdrawConsent | Act::ReadOverrides => Asked::Case(act),
            // By the lead; that the agency whose access it was may too is no matter of the case.
            Act::WithholdAccess => Asked::Case(act),
        })
    }

    /// Its name in Cedar.
    pub fn action(self) -> String {
        match self {
            Asked::Referral(action) => format!("{action:?}"),
            Asked::Case(act)
            | Asked::Section(act, ..)
            | Asked::OfReferral(act)
            | Asked::Access(act)
            | Asked::Handoff(act)
            | Asked::DataRequest(act)
            | Asked::Agency(act) => {
                format!("{act:?}")
            }
        }
    }
}

#[derive(Debug, Clone)]
pub struct Scene {
    pub file: CaseFile,
    pub referral: Referral,
    pub access: EmergencyAccess,
    pub handoff: Handoff,
    pub request: DataSharing,
    pub trust: Trust,
    /// Whether an agency that is asked about is the actor's own, and whether they keep it.
    pub own: bool,
    pub kept: bool,
    pub now: DateTime<Utc>,
}

pub fn code(text: &str) -> AgencyCode {
    text.parse().unwrap()
}

/// A grant of everything, for all purposes of work, as a lead has it.
pub fn whole(case: CaseId, agency: &str, now: DateTime<Utc>) -> Grant {
    Grant {
        id: None,
        case,
        agency: code(agency),
        source: Source::Lead,
        referral: None,
        handoff: None,
        request: None,
        officer: None,
        chain: Vec::new(),
        reason: None,
        ground: None,
        sections: Section::ALL.to_vec(),
        contributes: Section::ALL.to_vec(),
        children: None,
        purposes: Purpose::OF_WORK.to_vec(),
        footing: Footing::Firm,
        onward: true,
        since: now - TimeDelta::days(1),
        until: None,
    }
}

impl Scene {
    /// A case with two children that `lead` leads, a referral of it to the third agency, and somebody's emergency access.
    pub fn of(lead: &str, now: DateTime<Utc>) -> Scene {
        let id = CaseId(Db::new_id());
        let header = Header { priority: Priority::Urgent, offences: vec![], grounds: vec![], techniques: vec![] };
        let case = case::Record {
            id,
            reference: "LDG-2026-000001".to_owned(),
            status: CaseStatus::Open,
            header,
            lead: code(lead),
            outcome: None,
            shield: None,
            version: Version::FIRST,
            created_at: now,
        };
        let file = CaseFile {
            case: Case::restore(case),
            grants: vec![whole(id, lead, now)],
            children: vec![ChildId(Db::new_id()), ChildId(Db::new_id())],
            shielded: Vec::new(),
            open_referrals: Vec::new(),
            handoffs: Vec::new(),
            parties: Vec::new(),
            bases: Bases::default(),
        };
        let terms = Terms {
            kind: ReferralKind::WelfareAssessment,
            priority: Priority::Urgent,
            route: Route::Named { recipient: Some(code(THIRD)), alternatives: Vec::new() },
            request: "Please.".to_owned(),
            children: None,
            shares: Vec::new(),
            contributes: Vec::new(),
            purposes: vec![Purpose::Protection],
            onward: false,
            retention_days: 0,
        };
        let referral = referral::Record {
            id: ReferralId(Db::new_id()),
            case: id,
            case_reference: "LDG-2026-000001".to_owned(),
            sender: code(lead),
            status: Status::Requested,
            terms,
            recipient: Some(code(THIRD)),
            listed: Vec::new(),
            former: Vec::new(),
            redirects: 0,
            awaiting_information: false,
            cancel_requested: false,
            assignee: None,
            due_at: None,
            outcome: None,
            reason: None,
            suggested: None,
            chain: Vec::new(),
            version: Version::FIRST,
            created_at: now,
            requested_at: Some(now),
            arrived_at: Some(now),
            updated_at: now,
        };
        let access = emergency::Record {
            id: EmergencyId(Db::new_id()),
            case: id,
            agency: code(THIRD),
            officer: "who.asked".parse().unwrap(),
            client: "client".parse().unwrap(),
            code: EmergencyCode::Other,
            reason: "Somebody is in danger tonight.".to_owned(),
            requested_at: now,
            confirmed_by: None,
            opened_at: None,
            until: None,
            review: None,
            review_note: None,
            reviewed_by: None,
            reviewed_at: None,
            version: Version::FIRST,
        };
        let trust = Trust { registered: true, overdue: false };
        let (referral, access) = (Referral::restore(referral), EmergencyAccess::restore(access));
        let handoff = handoff::Record {
            id: HandoffId(Db::new_id()),
            case: id,
            case_reference: "LDG-2026-000001".to_owned(),
            status: HandoffStatus::Offered,
            from: code(lead),
            to: code(THIRD),
            keeps: Some(Keeps::OutcomeOnly),
            ask_reason: None,
            offer_reason: None,
            answer_reason: None,
            manifest: None,
            version: Version::FIRST,
            created_at: now,
            offered_at: Some(now),
            ended_at: None,
        };
        let handoff = Handoff::restore(handoff);
        let request = request(now);
        Scene { file, referral, access, handoff, request, trust, own: true, kept: true, now }
    }

    /// With a shield of the case.
    pub fn shield(&mut self, admits: Option<&[String]>) {
        let shield = admits.map(|it| Shield::restore(it.iter().map(|it| it.parse().unwrap()).collect()));
        self.file.case = Case::restore(case::Record { shield, ..self.file.case.record().clone() });
    }

    /// With a shield of its first child.
    pub fn shield_child(&mut self, admits: &[String]) {
        let shield = Shield::restore(admits.iter().map(|it| it.parse().unwrap()).collect());
        self.file.shielded = vec![(self.file.children[0], shield)];
    }

    pub fn trusted(&self) -> bool {
        self.trust.registered && !self.trust.overdue
    }

    /// What Rust says.
    pub fn decide(&self, actor: &Actor, asked: Asked) -> Decision {
        let asking = Asking { actor, expected: Expected::Any, now: self.now };
        let file = &self.file;
        let decision = match asked {
            Asked::Case(act) => policy::require(actor, act, &file.relations(&asking)).map(drop),
            Asked::Section(act, section, child) => {
                policy::require(actor, act, &file.relations_to(section, child, &asking)).map(drop)
            }
            Asked::OfReferral(act) => self.referral.require_read(act, file, &asking).map(drop),
            Asked::Referral(action) => {
                let command = command(action, self.referral.record().terms.clone());
                self.referral.clone().apply(command, file, &asking).map(drop)
            }
            Asked::Access(act) => {
                policy::require(actor, act, &self.access.relations(file, self.trust, &asking)).map(drop)
            }
            Asked::Handoff(act) => policy::require(actor, act, &self.handoff.relations(file, &asking)).map(drop),
            Asked::DataRequest(act) => policy::require(actor, act, &self.request.relations(&asking)).map(drop),
            Asked::Agency(Act::OpenEmergency) => emergency::require_trust(self.trust, &asking).map(drop),
            Asked::Agency(Act::KeepAgency) => policy::require_keeper(actor, self.kept).map(drop),
            Asked::Agency(act) => {
                let oversees = lindung_domain::actor::OVERSIGHT.contains(&actor.agency().as_str());
                let relations: Relations = match act {
                    Act::Suspend => [(self.kept, Relation::Administers), (oversees, Relation::Oversight)],
                    Act::ReadAccessLog => [(self.own, Relation::Own), (oversees, Relation::Oversight)],
                    Act::ReadRegister => [(true, Relation::Own), (true, Relation::Unshielded)],
                    _ => [(true, Relation::Own), (false, Relation::Own)],
                }
                .into_iter()
                .filter_map(|(holds, relation)| holds.then_some(relation))
                .collect();
                policy::permits(actor, act, &relations).map(drop).ok_or(Refusal::NotYours)
            }
        };
        match decision {
            Err(Refusal::NotFound) => Decision::NotFound,
            Err(Refusal::NotYours) => Decision::NotYours,
            // Permitted, whether or not the state lets it be done: that is asked after.
            Ok(()) | Err(_) => Decision::Permitted,
        }
    }
}

/// Some command that is the action.
fn command(action: Action, terms: Terms) -> Command {
    let text = || Message { kind: MessageKind::Reason, code: None, text: "Words.".to_owned() };
    match action {
        Action::Amend => Command::Amend(Box::new(terms)),
        Action::Send => Command::Send,
        Action::Receive => Command::Receive,
        Action::Claim => Command::Claim,
        Action::Decline => Command::Decline(Coded::reject(RejectReason::NoCapacity, None).unwrap()),
        Action::Accept => Command::Accept { assignee: None, due_at: None },
        Action::Reject => {
            Command::Reject { reason: Coded::reject(RejectReason::NoCapacity, None).unwrap(), suggested: None }
        }
        Action::Redirect => Command::Redirect { to: code(OTHER), reason: text() },
        Action::Start => Command::Start,
        Action::Hold => Command::Hold(text()),
        Action::Resume => Command::Resume,
        Action::Ask => Command::Ask(text()),
        Action::Answer => Command::Answer(text()),
        Action::Note => Command::Note { text: text(), interim: None },
        Action::Complete => Command::Complete { outcome: Outcome::Other, summary: text() },
        Action::Fail => Command::Fail(Coded::fail(FailReason::NoResponse, None).unwrap()),
        Action::Cancel => Command::Cancel(Coded::cancel(CancelReason::ChildMoved, None).unwrap()),
        Action::RequestCancel => Command::RequestCancel(text()),
        Action::WithdrawCancel => Command::WithdrawCancel,
        Action::ConfirmCancel => Command::ConfirmCancel(text()),
        Action::DeclineCancel => Command::DeclineCancel(text()),
        Action::MarkEnteredInError => Command::MarkEnteredInError(text()),
        Action::Remind => Command::Remind(None),
        Action::Escalate => Command::Escalate(None),
    }
}
