//! What is told when a limit passes. Nobody does that, so that nothing but this makes an event without a cause.

use std::collections::BTreeSet;

use super::{Clock, Running};
use crate::event::data::ClockData;
use crate::event::{Event, Kind, secretariat};
use crate::id::AgencyCode;
use chrono::{DateTime, Utc};

/// A clock whose limit has passed, with what those concerned are told of that.
#[derive(Debug, Clone, PartialEq)]
pub struct Passed {
    /// The clock as it is now.
    pub running: Running,
    /// What happened: at least one event.
    pub events: Vec<Event>,
}

/// What has passed of a clock by `now`; nothing where it pauses, has ended, or was told of already. Told are both sides,
/// those `entitled` to the thing that it runs on, and the secretariat where the case is not shielded.
pub fn passed(running: &Running, entitled: BTreeSet<AgencyCode>, shielded: bool, now: DateTime<Utc>) -> Option<Passed> {
    let mut running = running.clone();
    let clock = &mut running.clock;
    if clock.ended.is_some() || clock.paused_at.is_some() {
        return None;
    }
    let sides = clock.asker.iter().chain(&clock.holder).cloned();
    let told: BTreeSet<AgencyCode> = sides.chain(entitled).chain(secretariat().filter(|_| !shielded)).collect();
    let event = |clock: &Clock, kind: Kind| {
        let Clock { code, due_at, holder, priority, .. } = clock.clone();
        let data = ClockData { clock: code, due_at, holder, priority };
        Event::new(kind, clock.subject, told.clone(), data)
    };
    let mut events = Vec::new();
    if clock.overdue_at.is_none() && clock.due_at.is_some_and(|it| it <= now) {
        clock.overdue_at = Some(now);
        events.push(event(clock, Kind::ClockOverdue));
    }
    if clock.overdue_at.is_some() && clock.escalated_at.is_none() && clock.escalate_at.is_some_and(|it| it <= now) {
        clock.escalated_at = Some(now);
        events.push(event(clock, Kind::ClockEscalated));
    }
    (!events.is_empty()).then_some(Passed { running, events })
}
