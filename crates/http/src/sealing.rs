//! Whether the sealing of the access log keeps up. Where it does not for too long, nobody is shown a child any more:
//! what was seen could otherwise be taken out of the log unseen.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lindung_persistence::{Db, Lag};

use crate::app::App;
use crate::{metrics, tree};

/// How long sealing may be behind, and whether it is behind for longer.
#[derive(Debug)]
pub(crate) struct Sealing {
    limit: Option<Duration>,
    behind: AtomicBool,
}

impl Sealing {
    /// Within a limit, if there is one.
    pub(crate) fn within(limit: Option<Duration>) -> Self {
        Sealing { limit, behind: AtomicBool::new(false) }
    }

    /// Whether it is behind for longer than it may.
    pub(crate) fn is_behind(&self) -> bool {
        self.behind.load(Ordering::Relaxed)
    }
}

/// Looks how far sealing is behind, measures it, and raises the alarm when that is too far. Where the database does not
/// answer it stays as it was.
pub async fn watch(app: &App) {
    let Lag { sequencing, signing } = match app.ask(Db::lag).await {
        Ok(lag) => lag,
        Err(problem) => {
            let cause = problem.cause().unwrap_or_default();
            return tracing::warn!(cause, "could not look how far sealing is behind");
        }
    };
    metrics::sealing(sequencing, signing);
    if let Ok(Some((cosigned, needed))) = tree::witnesses(app).await {
        metrics::witnesses(cosigned, needed);
    }
    let sealing = app.sealing();
    let behind = sealing.limit.is_some_and(|limit| sequencing.max(signing) > limit);
    let was_behind = sealing.behind.swap(behind, Ordering::Relaxed);
    let (sequencing, signing) = (sequencing.as_secs(), signing.as_secs());
    match (was_behind, behind) {
        (false, true) => {
            tracing::error!(sequencing, signing, "the access log is not sealed: nothing about a child is shown")
        }
        (true, false) => tracing::info!("the access log is sealed again"),
        _ => {}
    }
}
