//! What is done once a minute beside all requests: what has served its time is forgotten, and who
//! looks at very many children is told of.

use std::collections::HashSet;

use chrono::NaiveDate;
use lindung_persistence::OverBudget;

use crate::app::App;
use crate::day::{midnight, today};
use crate::metrics;
use crate::problem::Problem;

/// The service's own housekeeping.
pub struct Upkeep {
    app: App,
    /// How many children an officer may see in a day without an alarm; 0 raises none.
    children_per_day: u32,
    told: Told,
}

/// Of whom the operator was told, and on which day.
#[derive(Default)]
struct Told {
    day: NaiveDate,
    officers: HashSet<(String, String)>,
}

impl Upkeep {
    /// Of a service in which an officer may see so many children a day without an alarm; 0 raises none.
    pub fn new(app: App, children_per_day: u32) -> Self {
        Upkeep { app, children_per_day, told: Told::default() }
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
                Ok(over) => {
                    metrics::over_budget(over.len());
                    for OverBudget { agency, officer, children } in self.told.news(day, over) {
                        tracing::warn!(
                            agency,
                            officer,
                            children,
                            "an officer has seen more children than a day's budget"
                        );
                    }
                }
                Err(problem) => failed(&problem, "could not count the children that officers saw"),
            }
        }
    }
}

impl Told {
    /// Those whom the operator was not told of on this day, and now is.
    fn news(&mut self, day: NaiveDate, mut over: Vec<OverBudget>) -> Vec<OverBudget> {
        if day != self.day {
            *self = Told { day, officers: HashSet::new() };
        }
        over.retain(|it| self.officers.insert((it.agency.clone(), it.officer.clone())));
        over
    }
}

fn failed(problem: &Problem, what: &'static str) {
    let cause = problem.cause().unwrap_or_default();
    tracing::warn!(cause, "{what}");
}

#[cfg(test)]
mod tests {
    use chrono::Days;

    use super::*;

    #[test]
    fn the_operator_is_told_of_an_officer_once_a_day() {
        let over =
            |officer: &str, children| OverBudget { agency: "KPM".to_owned(), officer: officer.to_owned(), children };
        let (mut told, day) = (Told::default(), NaiveDate::default());
        assert_eq!(told.news(day, vec![over("a", 201)]), [over("a", 201)]);
        assert_eq!(told.news(day, vec![over("a", 202), over("b", 300)]), [over("b", 300)]);
        assert_eq!(told.news(day, vec![over("a", 203), over("b", 301)]), []);
        assert_eq!(told.news(day + Days::new(1), vec![over("a", 201)]), [over("a", 201)]);
    }
}
