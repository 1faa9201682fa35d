//! What waits to be delivered, measured for the operator.

use lindung_persistence::{Attempts, Queue};

use crate::app::App;
use crate::metrics;

/// Measures the queues. Where the database does not answer they stay as they were.
pub async fn watch(app: &App) {
    let now = app.now();
    match app.ask(move |db| db.queues(now)).await {
        Ok((queues, attempts)) => {
            for Queue { name, depth, oldest } in queues {
                let age = oldest.and_then(|it| (now - it).to_std().ok()).unwrap_or_default();
                metrics::queue(name, depth, age);
            }
            for Attempts { channel, outcome, count } in attempts {
                metrics::attempts(channel, outcome, count);
            }
        }
        Err(problem) => {
            let cause = problem.cause().unwrap_or_default();
            tracing::warn!(cause, "could not measure what waits to be delivered");
        }
    }
}
