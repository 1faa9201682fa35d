//! What runs by itself, beside the service or alone.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use clap::Args;
use lindung_domain::clock::Span;
use lindung_http::Clock;
use lindung_persistence::{Db, Worked};
use tokio::signal::unix::{SignalKind, signal};

use crate::Failure;
use crate::config::{Config, Environment};
use crate::serve::log;

/// How often clocks are looked at.
const EVERY: Duration = Duration::from_secs(3);

/// How to work.
#[derive(Debug, Args)]
pub struct Work {
    /// Do what is due now, and end.
    #[arg(long)]
    once: bool,
    /// As if it were that much later: PTnH or PnD. In development only.
    #[arg(long, requires = "once")]
    ahead: Option<Span>,
}

/// Works until it is told to stop, or once.
///
/// # Errors
/// The configuration lacks something; with `--once` also that the database is not there, or the login may not do this.
pub fn work(config: &Config, work: &Work) -> Result<(), Failure> {
    let db = config.worker_db()?;
    if work.once {
        let passed = once(config, &db, work.ahead)?;
        println!("clocks that passed a limit: {passed}");
        return Ok(());
    }
    log(config)?;
    let worker = Worker::start(db);
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        tracing::info!("working");
        tokio::select! { _ = term.recv() => {} _ = int.recv() => {} }
        Ok::<_, std::io::Error>(())
    })?;
    worker.stop();
    Ok(())
}

/// Does what would be due so much later: lets time pass for clocks, in development.
///
/// # Errors
/// It is no time, the environment is another, or the database is not there.
pub fn pass(config: &Config, time: &str) -> Result<(), Failure> {
    once(config, &config.worker_db()?, Some(time.parse()?)).map(|_| ())
}

/// Does what is due now, or would be so much later; tells how many clocks passed a limit.
fn once(config: &Config, db: &Db, ahead: Option<Span>) -> Result<usize, Failure> {
    if ahead.is_some() && config.environment != Environment::Development {
        return Err("--ahead needs LINDUNG_ENVIRONMENT=development".into());
    }
    let now = Clock::System.now() + ahead.map(Span::elapsed).unwrap_or_default();
    let mut passed = 0;
    loop {
        let Worked { passed: some, failures, more } = db.work(now)?;
        passed += some;
        if let Some(error) = failures.into_iter().next() {
            return Err(error.into());
        }
        if !more {
            return Ok(passed);
        }
    }
}

/// The thread that works; it ends after the tick that it is in.
pub struct Worker {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Worker {
    /// Begins to work.
    pub fn start(db: Db) -> Self {
        let (stop, stopped) = channel();
        Worker { stop, thread: std::thread::spawn(move || tick(&db, &stopped)) }
    }

    /// Ends it, and waits for that.
    pub fn stop(self) {
        drop(self.stop);
        self.thread.join().ok();
    }
}

fn tick(db: &Db, stopped: &Receiver<()>) {
    // What keeps failing is told once, until it works again.
    let mut failing = false;
    let mut wait = Duration::ZERO;
    while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
        wait = EVERY;
        let errors = match db.work(Clock::System.now()) {
            Ok(Worked { passed, failures, more }) => {
                if passed > 0 {
                    tracing::info!(passed, "clocks passed a limit");
                }
                if more {
                    wait = Duration::ZERO;
                }
                failures
            }
            Err(error) => vec![error],
        };
        if let (Some(error), false) = (errors.first(), failing) {
            tracing::warn!(
                %error,
                "clocks are not run here: LINDUNG_WORKER_DATABASE_URL has to log in as lindung_worker; LINDUNG_WORK=off ends the tries"
            );
        }
        failing = !errors.is_empty();
    }
}
