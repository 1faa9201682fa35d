//! The course that an invented referral takes, so that every status occurs and inboxes fill up.

use lindung_domain::message::MessageKind;
use lindung_domain::referral::{Basis, Coded, Command, Referral, Route, Share, Terms};
use lindung_domain::values::{BasisKind, CancelReason, FailReason, Outcome, Priority, RejectReason};
use lindung_domain::{Purpose, ReferralId, Refusal, Section};

use super::Kind;
use super::cast::Member;
use super::story::Story;
use crate::error::Error;

/// In how many of a hundred steps a referral gets stuck.
const STUCK: u64 = 6;

/// Who takes a step.
enum By<'a> {
    Sender,
    Recipient,
    Listed(&'a Member),
}

/// The case's `n`th referral, from the lead to somebody, as far as it gets.
pub(super) fn refer(story: &mut Story<'_>, n: u64) -> Result<(), Error> {
    let (cast, lead) = (story.cast, story.lead);
    let first = cast.recipient(&mut story.dice, &[&lead.code]);
    let second = cast.recipient(&mut story.dice, &[&lead.code, &first.code]);
    let open = story.dice.chance(8);
    let route = if open {
        Route::Open(vec![first.code.clone(), second.code.clone()])
    } else {
        Route::Named { recipient: Some(first.code.clone()), alternatives: Vec::new() }
    };
    let (draft, officer) = (story.dice.chance(4), story.dice.pick(&lead.officers));
    let referral = ReferralId(story.id(Kind::Referral, n));
    let terms = terms(story, first, second, route);
    let change = Referral::make(referral, terms, draft, &story.file, &story.asking(officer))?;
    let mut made = story.happened(officer, Some(referral.0), change)?;
    let steps = match (draft, open) {
        (true, _) => Vec::new(),
        (_, true) => claimed(story, first, second)?,
        (_, false) => answered(story, first)?,
    };
    for (by, command) in steps {
        if story.dice.chance(STUCK) || !story.wait() {
            break;
        }
        let actor = match by {
            By::Sender => officer,
            By::Listed(member) => &member.supervisor,
            By::Recipient => {
                let recipient = made.record().recipient.as_ref().and_then(|it| cast.member(it));
                story.dice.pick(&recipient.ok_or(Refusal::NotFound)?.officers)
            }
        };
        let change = made.apply(command, &story.file, &story.asking(actor))?;
        made = story.happened(actor, Some(referral.0), change)?;
    }
    story.keep(&made)
}

fn terms(story: &mut Story<'_>, first: &Member, second: &Member, route: Route) -> Terms {
    let duty = |provision: &str| Basis {
        kind: BasisKind::MandatedDuty,
        provision: Some(provision.to_owned()),
        reason: None,
        until: None,
        consents: Vec::new(),
        record: None,
    };
    let mut purposes = vec![first.purpose];
    purposes.extend([second.purpose, Purpose::Protection].into_iter().filter(|it| *it != first.purpose));
    purposes.dedup();
    Terms {
        kind: *story.dice.pick(first.kinds),
        priority: *story.dice.pick(Priority::ALL),
        route,
        request: story.dice.sentences(1),
        children: None,
        shares: vec![
            Share { section: Section::Narrative, basis: Some(duty("Act 792 s.19")), triage: story.dice.chance(30) },
            Share { section: Section::Identity, basis: Some(duty("Act 611 s.29")), triage: false },
        ],
        contributes: Vec::new(),
        purposes,
        onward: false,
        retention_days: if story.dice.chance(50) { 30 } else { 0 },
    }
}

/// Of a referral that is open to two: one declines or nobody does, the other claims it.
fn claimed<'a>(story: &mut Story<'_>, first: &'a Member, second: &'a Member) -> Result<Vec<(By<'a>, Command)>, Error> {
    let mut steps = Vec::new();
    if story.dice.chance(30) {
        steps.push((
            By::Listed(first),
            Command::Decline(Coded::reject(RejectReason::NoCapacity, None).map_err(Refusal::from)?),
        ));
    }
    if story.dice.chance(75) {
        steps.push((By::Listed(second), Command::Claim));
        steps.extend(worked_on(story)?);
    }
    Ok(steps)
}

/// Of a referral to one agency: mostly it is accepted and worked on.
fn answered<'a>(story: &mut Story<'_>, to: &Member) -> Result<Vec<(By<'a>, Command)>, Error> {
    let reason = |story: &mut Story<'_>| story.said(MessageKind::Reason);
    Ok(match story.dice.below(100) {
        0..5 => {
            let code = *story.dice.pick(&[RejectReason::OutsideArea, RejectReason::Duplicate]);
            let reason = Coded::reject(code, None).map_err(Refusal::from)?;
            vec![(By::Recipient, Command::Reject { reason, suggested: None })]
        }
        5..8 => {
            let reason = Coded::cancel(CancelReason::NoLongerNeeded, None).map_err(Refusal::from)?;
            vec![(By::Recipient, Command::Receive), (By::Sender, Command::Cancel(reason))]
        }
        8..10 => vec![(By::Sender, Command::MarkEnteredInError(reason(story)))],
        roll => {
            // Who accepts at once need not acknowledge receipt first.
            let acknowledged = story.dice.chance(50).then_some((By::Recipient, Command::Receive));
            let mut steps: Vec<_> = acknowledged.into_iter().collect();
            if let (10..13, Some(colleague)) = (roll, story.cast.colleague(to, &story.lead.code)) {
                let (to, reason) = (colleague.code.clone(), reason(story));
                steps.push((By::Recipient, Command::Redirect { to, reason }));
            }
            steps.extend(worked_on(story)?);
            steps
        }
    })
}

fn worked_on<'a>(story: &mut Story<'_>) -> Result<Vec<(By<'a>, Command)>, Error> {
    let assignee = story.dice.pick(&story.lead.officers).officer_id().cloned();
    let mut steps = vec![(By::Recipient, Command::Accept { assignee, due_at: None }), (By::Recipient, Command::Start)];
    if story.dice.chance(10) {
        steps.push((By::Recipient, Command::Ask(story.said(MessageKind::Question))));
        steps.push((By::Sender, Command::Answer(story.said(MessageKind::Answer))));
    }
    if story.dice.chance(10) {
        steps.push((By::Recipient, Command::Hold(story.said(MessageKind::Reason))));
        steps.push((By::Recipient, Command::Resume));
    }
    steps.extend(match story.dice.below(100) {
        0..3 => vec![
            (By::Sender, Command::RequestCancel(story.said(MessageKind::Reason))),
            (By::Recipient, Command::ConfirmCancel(story.said(MessageKind::Summary))),
        ],
        3..10 => {
            let reason = Coded::fail(FailReason::NoResponse, None).map_err(Refusal::from)?;
            vec![(By::Recipient, Command::Fail(reason))]
        }
        _ => {
            let outcome =
                *story.dice.pick(&[Outcome::ServiceProvided, Outcome::InvestigationOpened, Outcome::ReferredOn]);
            vec![(By::Recipient, Command::Complete { outcome, summary: story.said(MessageKind::Summary) })]
        }
    });
    Ok(steps)
}
