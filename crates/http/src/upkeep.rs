//! What is done once a minute beside all requests: what has served its time is forgotten, and who
//! looks at very many children is told of.

use std::collections::HashSet;

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use lindung_persistence::OverBudget;

use crate::app::App;
use crate::metrics;
use crate::problem::Problem;

/// Malaysia has one time, eight hours ahead of UTC, all year round.
const AHEAD: Duration = Duration::hours(8);

/// The service's own housekeeping.
pub struct Upkeep {
    app: App,
    /// How many children an officer may see in a day without an alarm; 0 raises none.
    children_per_day: u32,
    day: NaiveDate,
    /// Whom the operator was told of today.
    told: HashSet<(String, String)>,
}

impl Upkeep {
    /// Of a service in which an officer may see so many children a day without an alarm; 0 raises none.
    pub fn new(app: App, children_per_day: u32) -> Self {
        Upkeep { app, children_per_day, day: NaiveDate::MIN, told: HashSet::new() }
    }

    /// Does all of it, once. What fails is logged and done the next time.
    pub async fn run(&mut self) {
        let now = self.app.now();
        self.app.limits().shrink();
        match self.app.ask(move |db| db.forget_expired(now)).await {
            Ok(0) => {}
            Ok(forgotten) => tracing::info!(forgotten, "forgot what has served its time"),
            Err(problem) => failed(&problem, "could not forget what has served its time"),
        }
        if self.children_per_day > 0 {
            let (day, budget) = (today(now), self.children_per_day);
            match self.app.ask(move |db| db.over_budget(midnight(day), budget)).await {
                Ok(over) => self.alarm(day, over),
                Err(problem) => failed(&problem, "could not count the children that officers saw"),
            }
        }
    }

    /// Raises an alarm for each officer, once a day.
    fn alarm(&mut self, day: NaiveDate, over: Vec<OverBudget>) {
        if day != self.day {
            (self.day, self.told) = (day, HashSet::new());
        }
        metrics::over_budget(over.len());
        for OverBudget { agency, officer, children } in over {
            if self.told.insert((agency.clone(), officer.clone())) {
                tracing::warn!(agency, officer, children, "an officer has seen more children than a day's budget");
            }
        }
    }
}

fn failed(problem: &Problem, what: &'static str) {
    let cause = problem.cause().unwrap_or_default();
    tracing::warn!(cause, "{what}");
}

/// The day in Kuala Lumpur.
fn today(now: DateTime<Utc>) -> NaiveDate {
    (now + AHEAD).date_naive()
}

/// When a day begins there.
fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc() - AHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_kuala_lumpur() {
        for (now, begin) in [
            ("2026-11-24T15:59:59Z", "2026-11-23T16:00:00Z"),
            ("2026-11-24T16:00:00Z", "2026-11-24T16:00:00Z"),
            ("2026-11-25T02:00:00Z", "2026-11-24T16:00:00Z"),
        ] {
            assert_eq!(midnight(today(now.parse().unwrap())), begin.parse::<DateTime<Utc>>().unwrap(), "{now}");
        }
    }
}
