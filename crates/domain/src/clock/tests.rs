use std::collections::BTreeSet;
use std::fmt::Write;

use chrono::TimeDelta;
use uuid::Uuid;

use super::*;
use crate::event::Fact;
use crate::event::data::ErasureData;
use crate::id::ReferralId;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn code(text: &str) -> AgencyCode {
    text.parse().unwrap()
}

const NOW: &str = "2026-11-24T02:00:00Z";

fn event(kind: &str, stakes: Stakes) -> Event {
    let subject = Subject::Referral(ReferralId(Uuid::nil()));
    // What it carries means nothing to clocks.
    let data = ErasureData { by: code("KPM") };
    Event::new(kind.parse().unwrap(), subject, BTreeSet::from([code("KPM"), code("PP")]), data).with_stakes(stakes)
}

fn urgent(holder: &str) -> Stakes {
    Stakes {
        asker: Some(code("KPM")),
        holder: Some(code(holder)),
        priority: Some(Priority::Urgent),
        ..Stakes::default()
    }
}

/// Plays events, an hour apart, and tells after each how the clocks stand.
fn played(events: &[(&str, Stakes)]) -> String {
    let (mut clocks, mut told, mut now) = (Vec::<Running>::new(), String::new(), at(NOW));
    for (kind, stakes) in events {
        let (changes, met) = moved(&clocks, &[event(kind, stakes.clone())], now);
        for change in changes {
            match change {
                ClockChange::Start(clock) => {
                    clocks.push(Running { id: ClockId(Uuid::from_u128(clocks.len() as u128)), clock })
                }
                ClockChange::Set(running) => {
                    let known = clocks.iter_mut().find(|it| it.id == running.id).unwrap();
                    assert_eq!(known.clock.ended, None, "what has ended stays as it is");
                    *known = running;
                }
            }
        }
        writeln!(told, "{kind}").unwrap();
        for Running { clock, .. } in &clocks {
            let stands = clock.ended.map_or(clock.state().to_string(), |it| it.0.to_string());
            let due = clock.due_at.map_or("-".to_owned(), |it| it.format("%dT%H:%M").to_string());
            writeln!(told, "  {:<20} {:<12} {due} {stands}", clock.code, clock.holder.as_ref().unwrap().as_str())
                .unwrap();
        }
        met.iter().for_each(|it| writeln!(told, "  {} {}", it.kind, serde_json::to_string(&it.data).unwrap()).unwrap());
        now += TimeDelta::hours(1);
    }
    told
}

#[test]
fn the_clocks() {
    assert!(parse().is_ok(), "{:?}", parse().err());
    let mut lines = String::new();
    let names = |kinds: &[Kind]| kinds.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(" ");
    for it in table() {
        let Rule { code, starts, met_by, void_by, limit, escalate_after, basis, confidence, .. } = it;
        writeln!(lines, "{code}: {basis} ({confidence})\n  starts {}", names(starts)).unwrap();
        writeln!(lines, "  met by {}\n  void by {}", names(met_by), names(void_by)).unwrap();
        if let Some(Pauses { from, to }) = &it.pauses {
            writeln!(lines, "  pauses from {} to {}", names(from), names(to)).unwrap();
        }
        writeln!(lines, "  limit {limit:?}\n  escalates {escalate_after:?}").unwrap();
        if !it.restarts.is_empty() || it.on_limit.is_some() {
            writeln!(
                lines,
                "  restarts {:?}, then {:?}",
                it.restarts.iter().map(|it| it.as_str()).collect::<Vec<_>>(),
                it.on_limit
            )
            .unwrap();
        }
    }
    insta::assert_snapshot!(lines);
}

#[test]
fn hours_elapse_and_days_end_at_midnight_in_kuala_lumpur() {
    for (span, start, end) in [
        ("PT12H", "2026-11-24T15:59:59Z", "2026-11-25T03:59:59Z"),
        ("P3D", "2026-11-24T15:59:59Z", "2026-11-27T16:00:00Z"),
        ("P3D", "2026-11-24T16:00:00Z", "2026-11-28T16:00:00Z"),
        ("P3D", "2026-11-25T15:59:59.999999Z", "2026-11-28T16:00:00Z"),
        ("P7D", "2026-12-29T00:00:00Z", "2027-01-05T16:00:00Z"),
        ("P0D", "2026-11-24T02:00:00Z", "2026-11-24T16:00:00Z"),
    ] {
        assert_eq!(span.parse::<Span>().unwrap().after(at(start)), Some(at(end)), "{span} from {start}");
    }
    for wrong in ["", "P", "PD", "PT5M", "P5H", "PT5D", "P-1D", "P+1D", "P99999D", "PT8785H", "p3d", "P3D "] {
        assert_eq!(wrong.parse::<Span>(), Err(NotASpan), "{wrong}");
    }
    assert_eq!("PT5H".parse::<Span>().unwrap().elapsed(), TimeDelta::hours(5));
}

#[test]
fn a_referral_is_acknowledged_decided_and_completed() {
    let over = Stakes { over: true, ..urgent("MCMC") };
    let accepted = Stakes { agreed: Some(at("2026-12-01T00:00:00Z")), ..urgent("MCMC") };
    let events = [
        ("referral.requested", urgent("MCMC")),
        ("referral.received", urgent("MCMC")),
        ("referral.accepted", accepted),
        ("referral.noted", urgent("MCMC")),
        ("referral.completed", over),
    ];
    insta::assert_snapshot!(played(&events), @r#"
    referral.requested
      referral-acknowledge MCMC         25T02:00 running
      referral-decide      MCMC         27T16:00 running
    referral.received
      referral-acknowledge MCMC         25T02:00 met
      referral-decide      MCMC         27T16:00 running
      clock.met {"clock":"referral-acknowledge","dueAt":"2026-11-25T02:00:00Z","metAt":"2026-11-24T03:00:00Z","late":false}
    referral.accepted
      referral-acknowledge MCMC         25T02:00 met
      referral-decide      MCMC         27T16:00 met
      referral-complete    MCMC         01T00:00 running
      clock.met {"clock":"referral-decide","dueAt":"2026-11-27T16:00:00Z","metAt":"2026-11-24T04:00:00Z","late":false}
    referral.noted
      referral-acknowledge MCMC         25T02:00 met
      referral-decide      MCMC         27T16:00 met
      referral-complete    MCMC         01T00:00 running
    referral.completed
      referral-acknowledge MCMC         25T02:00 met
      referral-decide      MCMC         27T16:00 met
      referral-complete    MCMC         01T00:00 met
      clock.met {"clock":"referral-complete","dueAt":"2026-12-01T00:00:00Z","metAt":"2026-11-24T06:00:00Z","late":false}
    "#);
}

#[test]
fn a_question_pauses_and_a_redirect_goes_on_with_another() {
    let events = [
        ("referral.requested", urgent("MCMC")),
        ("referral.received", urgent("MCMC")),
        ("referral.asked", urgent("MCMC")),
        ("referral.answered", urgent("MCMC")),
        ("referral.asked", urgent("MCMC")),
        ("referral.redirected", urgent("JKM")),
        ("referral.redirected", urgent("D11")),
        ("referral.cancelled", Stakes { over: true, ..urgent("D11") }),
    ];
    insta::assert_snapshot!(played(&events), @r#"
    referral.requested
      referral-acknowledge MCMC         25T02:00 running
      referral-decide      MCMC         27T16:00 running
    referral.received
      referral-acknowledge MCMC         25T02:00 met
      referral-decide      MCMC         27T16:00 running
      clock.met {"clock":"referral-acknowledge","dueAt":"2026-11-25T02:00:00Z","metAt":"2026-11-24T03:00:00Z","late":false}
    referral.asked
      referral-acknowledge MCMC         25T02:00 met
      referral-decide      MCMC         27T16:00 paused
    referral.answered
      referral-acknowledge MCMC         25T02:00 met
      referral-decide      MCMC         27T17:00 running
    referral.asked
      referral-acknowledge MCMC         25T02:00 met
      referral-decide      MCMC         27T17:00 paused
    referral.redirected
      referral-acknowledge MCMC         25T02:00 met
      referral-decide      JKM          27T18:00 running
      referral-acknowledge JKM          25T07:00 running
    referral.redirected
      referral-acknowledge MCMC         25T02:00 met
      referral-decide      D11          27T18:00 running
      referral-acknowledge JKM          25T07:00 void
      referral-acknowledge D11          25T08:00 running
    referral.cancelled
      referral-acknowledge MCMC         25T02:00 met
      referral-decide      D11          27T18:00 void
      referral-acknowledge JKM          25T07:00 void
      referral-acknowledge D11          25T08:00 void
    "#);
}

#[test]
fn what_was_recorded_before_meets_what_is_recorded_later() {
    let fact = |kind: &str, time: &str| Fact { kind: format!("occurrence.{kind}").parse().unwrap(), at: at(time) };
    let ended = |known: Vec<Fact>| {
        let stakes = Stakes { at: Some(at("2026-11-23T08:00:00Z")), known, ..urgent("D11") };
        let (changes, told) = moved(&[], &[event("occurrence.custody-taken", stakes)], at(NOW));
        let [ClockChange::Start(clock)] = &changes[..] else { panic!("{changes:?}") };
        (clock.ended, told.len())
    };
    let (before, in_time, late) = ("2026-11-23T07:59:59Z", "2026-11-23T19:00:00Z", "2026-11-23T21:00:00Z");
    assert_eq!(ended(vec![]), (None, 0));
    assert_eq!(ended(vec![fact("brought-before-protector", before), fact("examined", in_time)]), (None, 0));
    let brought = fact("brought-before-protector", in_time);
    assert_eq!(ended(vec![fact("released", late), brought.clone()]), (Some((Ended::Met, at(in_time))), 1));
    assert_eq!(ended(vec![fact("released", before), fact("released", in_time)]), (Some((Ended::Void, at(in_time))), 0));
}

#[test]
fn an_heir_takes_the_place_of_the_former() {
    let (started, _) = moved(&[], &[event("referral.requested", urgent("MCMC"))], at(NOW));
    let running: Vec<Running> = started
        .into_iter()
        .map(|it| match it {
            ClockChange::Start(clock) => Running { id: ClockId(Uuid::nil()), clock },
            ClockChange::Set(running) => running,
        })
        .collect();
    let heir = Some((code("KPM"), code("JKM")));
    let subject = Subject::Case(crate::id::CaseId(Uuid::nil()));
    let accepted = Event { subject, ..event("handoff.accepted", Stakes { heir, ..Stakes::default() }) };
    let (changes, _) = moved(&running, &[accepted], at(NOW));
    let sides = |it: &ClockChange| match it {
        ClockChange::Set(it) => (it.clock.asker.clone(), it.clock.holder.clone()),
        ClockChange::Start(_) => panic!("{it:?}"),
    };
    let expected = (Some(code("JKM")), Some(code("MCMC")));
    assert_eq!(changes.iter().map(sides).collect::<Vec<_>>(), [expected.clone(), expected]);
}

#[test]
fn a_limit_passes_once() {
    let (started, _) = moved(&[], &[event("referral.requested", urgent("MCMC"))], at(NOW));
    let ClockChange::Start(clock) = started[0].clone() else { panic!() };
    let running = Running { id: ClockId(Uuid::nil()), clock };
    let told = |running: &Running, hours| {
        let passed = passed(running, BTreeSet::new(), true, at(NOW) + TimeDelta::hours(hours));
        passed.map(|it| (it.events.iter().map(|it| it.kind.as_str()).collect::<Vec<_>>().join(" "), it.running))
    };
    assert_eq!(told(&running, 23), None);
    let (kinds, overdue) = told(&running, 24).unwrap();
    assert_eq!((kinds.as_str(), told(&overdue, 35)), ("clock.overdue", None));
    let (kinds, escalated) = told(&overdue, 36).unwrap();
    assert_eq!((kinds.as_str(), told(&escalated, 999)), ("clock.escalated", None));
    assert_eq!(told(&running, 36).unwrap().0, "clock.overdue clock.escalated");
}
