//! Clocks: by when something has to be answered, and what it means when it is not.
//!
//! The table is `reference/clocks.json`: what starts, meets, pauses and voids each. [`moved`] goes by the kind of an
//! event and by nothing else, so that a new kind of thing needs only its line there. A clock is never edited: it starts,
//! pauses, passes to another holder and ends as events tell.

mod passing;
mod span;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::event::data::ClockMetData;
use crate::event::{Event, Kind, Stakes, Subject};
use crate::id::{AgencyCode, ClockId};
use crate::values::{Priority, codes};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

pub use passing::{Passed, passed};
pub use span::{NotASpan, Span};

codes! {
    /// Where a clock that has not ended stands.
    pub enum ClockState {
        /// It runs.
        Running,
        /// A question is unanswered: its limit moves by as long as that takes.
        Paused,
        /// Its limit has passed, and those concerned were told.
        Overdue,
    }

    /// How a clock ended.
    pub enum Ended {
        /// What it waited for happened, in time or late.
        Met,
        /// There is nothing to wait for any more.
        Void,
    }

    /// What the passing of a limit carries out by itself.
    pub enum OnLimit {
        /// The handoff expires.
        #[serde(rename = "handoff.expired")]
        HandoffExpired,
    }
}

/// One clock of the table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name.
    pub code: String,
    starts: Vec<Kind>,
    /// Of those, what voids the one that runs.
    #[serde(default)]
    restarts: Vec<Kind>,
    met_by: Vec<Kind>,
    void_by: Vec<Kind>,
    pauses: Option<Pauses>,
    limit: Limit,
    escalate_after: Limit,
    /// What passing the limit carries out.
    pub on_limit: Option<OnLimit>,
    /// The law that sets it, or `setting`.
    pub basis: String,
    /// How sure that is: `H`, `M`, `L` (unconfirmed), or `setting`.
    pub confidence: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pauses {
    from: Vec<Kind>,
    to: Vec<Kind>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Limit {
    One(Span),
    ByPriority(BTreeMap<Priority, Span>),
    Agreed(Agreed),
}

#[derive(Debug, Deserialize)]
enum Agreed {
    #[serde(rename = "agreed")]
    Agreed,
}

impl Limit {
    /// When it ends for what began then; a thing without a priority is in no hurry.
    fn from(&self, start: DateTime<Utc>, priority: Option<Priority>) -> Option<DateTime<Utc>> {
        match self {
            Limit::One(span) => span.after(start),
            Limit::ByPriority(spans) => spans.get(&priority.unwrap_or(Priority::Routine))?.after(start),
            Limit::Agreed(Agreed::Agreed) => None,
        }
    }
}

/// The table; a test reads all of it.
static TABLE: LazyLock<Vec<Rule>> = LazyLock::new(|| parse().unwrap_or_default());

fn parse() -> serde_json::Result<Vec<Rule>> {
    #[derive(Deserialize)]
    struct File {
        clocks: Vec<Rule>,
    }
    serde_json::from_str::<File>(include_str!("../reference/clocks.json")).map(|it| it.clocks)
}

/// Every clock there is.
pub fn table() -> &'static [Rule] {
    &TABLE
}

/// The clock of this name.
pub fn rule(code: &str) -> Option<&'static Rule> {
    table().iter().find(|it| it.code == code)
}

/// A clock on something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// Which of the table.
    pub code: String,
    /// On what it runs.
    pub subject: Subject,
    /// Who waits.
    pub asker: Option<AgencyCode>,
    /// Who has to act; nobody yet where it is open to several.
    pub holder: Option<AgencyCode>,
    /// How fast the thing has to move.
    pub priority: Option<Priority>,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// Its limit; none where no date was agreed.
    pub due_at: Option<DateTime<Utc>>,
    /// When its being overdue goes to the supervisors.
    pub escalate_at: Option<DateTime<Utc>>,
    /// Since when it pauses.
    pub paused_at: Option<DateTime<Utc>>,
    /// For how many seconds it has paused before.
    pub paused_for: i64,
    /// When it was found overdue.
    pub overdue_at: Option<DateTime<Utc>>,
    /// When that was escalated.
    pub escalated_at: Option<DateTime<Utc>>,
    /// How it ended, and when.
    pub ended: Option<(Ended, DateTime<Utc>)>,
}

/// A clock that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Its id.
    pub id: ClockId,
    /// The clock.
    pub clock: Clock,
}

/// How clocks move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClockChange {
    /// A new one.
    Start(Clock),
    /// One that ran is now as follows.
    Set(Running),
}

impl Clock {
    /// Where it stands, as long as it has not ended.
    pub fn state(&self) -> ClockState {
        match (self.overdue_at, self.paused_at) {
            (Some(_), _) => ClockState::Overdue,
            (None, Some(_)) => ClockState::Paused,
            (None, None) => ClockState::Running,
        }
    }

    fn started(rule: &Rule, subject: Subject, stakes: &Stakes, now: DateTime<Utc>) -> Self {
        let (priority, started_at) = (stakes.priority, stakes.at.unwrap_or(now));
        let due_at = match rule.limit {
            Limit::Agreed(_) => stakes.agreed,
            _ => rule.limit.from(started_at, priority),
        };
        let escalates_from = if matches!(rule.limit, Limit::Agreed(_)) { due_at } else { Some(started_at) };
        Clock {
            code: rule.code.clone(),
            subject,
            asker: stakes.asker.clone(),
            holder: stakes.holder.clone(),
            priority,
            started_at,
            due_at,
            escalate_at: escalates_from.and_then(|it| rule.escalate_after.from(it, priority)),
            paused_at: None,
            paused_for: 0,
            overdue_at: None,
            escalated_at: None,
            ended: None,
        }
    }

    /// Goes on after a pause: what is left is what was left.
    fn resume(&mut self, at: DateTime<Utc>) {
        let Some(since) = self.paused_at.take() else { return };
        let pause = (at - since).max(TimeDelta::zero());
        self.due_at = self.due_at.map(|it| it + pause);
        self.escalate_at = self.escalate_at.map(|it| it + pause);
        self.paused_for += pause.num_seconds();
    }

    fn end(&mut self, how: Ended, at: DateTime<Utc>) {
        self.resume(at);
        self.ended = Some((how, at));
    }

    /// What those concerned are told when it is met; nothing where there was no limit to meet.
    fn met(&self, at: DateTime<Utc>, cause: &Event) -> Option<Event> {
        let late = at > self.due_at?;
        let data = ClockMetData { clock: self.code.clone(), due_at: self.due_at, met_at: at, late };
        Some(Event::new(Kind::ClockMet, self.subject, cause.recipients.clone(), data))
    }

    /// Whether the fact ends it, and how.
    fn ended_by(&self, kind: Kind, at: DateTime<Utc>) -> Option<Ended> {
        let rule = rule(&self.code).filter(|_| at >= self.started_at)?;
        let is = |kinds: &[Kind]| kinds.contains(&kind);
        if is(&rule.met_by) { Some(Ended::Met) } else { is(&rule.void_by).then_some(Ended::Void) }
    }
}

/// How the clocks that run, and those that start, move by what happened; and what is told of those that were met.
pub fn moved(running: &[Running], events: &[Event], now: DateTime<Utc>) -> (Vec<ClockChange>, Vec<Event>) {
    let (mut clocks, mut started, mut told) = (running.to_vec(), Vec::new(), Vec::new());
    for (event, stakes) in events.iter().filter_map(|it| Some((it, it.stakes.as_ref()?))) {
        let (kind, at) = (event.kind, stakes.at.unwrap_or(now));
        let own = |it: &&mut Running| it.clock.subject == event.subject && it.clock.ended.is_none();
        for Running { clock, .. } in clocks.iter_mut().filter(own) {
            let Some(rule) = rule(&clock.code) else { continue };
            let is = |kinds: &[Kind]| kinds.contains(&kind);
            match clock.ended_by(kind, at) {
                Some(Ended::Met) => {
                    clock.end(Ended::Met, at);
                    told.extend(clock.met(at, event));
                }
                Some(Ended::Void) => clock.end(Ended::Void, at),
                None if stakes.over || is(&rule.restarts) => clock.end(Ended::Void, at),
                None => {
                    if let Some(Pauses { from, to }) = &rule.pauses {
                        if is(to) {
                            clock.resume(at);
                        } else if is(from) && clock.paused_at.is_none() {
                            clock.paused_at = Some(at);
                        }
                    }
                    // Whoever has to act now has the clock, and it goes on.
                    if stakes.at.is_none() {
                        (clock.asker, clock.holder) = (stakes.asker.clone(), stakes.holder.clone());
                    }
                }
            }
        }
        if let Some((from, to)) = &stakes.heir {
            for Running { clock, .. } in clocks.iter_mut().filter(|it| it.clock.ended.is_none()) {
                // What the former lead was asked itself, it still has to answer.
                let answers = !matches!(clock.subject, Subject::Referral(_));
                for side in [Some(&mut clock.asker), answers.then_some(&mut clock.holder)].into_iter().flatten() {
                    if side.as_ref() == Some(from) {
                        *side = Some(to.clone());
                    }
                }
            }
        }
        for rule in table().iter().filter(|it| it.starts.contains(&kind)) {
            let mut clock = Clock::started(rule, event.subject, stakes, now);
            // What is recorded late may have been answered before it was recorded.
            let ends = stakes.known.iter().filter_map(|it| Some((it.at, clock.ended_by(it.kind, it.at)?)));
            if let Some((at, how)) = ends.min_by_key(|it| it.0) {
                clock.end(how, at);
                if how == Ended::Met {
                    told.extend(clock.met(at, event));
                }
            }
            started.push(ClockChange::Start(clock));
        }
    }
    let changed = clocks.into_iter().zip(running).filter(|(after, before)| after != *before).map(|it| it.0);
    (started.into_iter().chain(changed.map(ClockChange::Set)).collect(), told)
}

#[cfg(test)]
mod tests;
