//! What runs by itself, beside the service or alone.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use clap::Args;
use lindung_delivery::{Courier, Parts, Round};
use lindung_domain::clock::Span;
use lindung_http::Clock;
use lindung_persistence::{Db, Error, FannedOut, Notified, Sequenced, Worked};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::Failure;
use crate::config::{Config, Environment};
use crate::secrets;
use crate::serve::log;

/// How often clocks are looked at.
const CLOCKS: Duration = Duration::from_secs(3);
/// How often notifications are made.
const NOTIFY: Duration = Duration::from_secs(1);
/// How often events and accesses are numbered, and deliveries made of the former.
const SEQUENCE: Duration = Duration::from_millis(200);

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
        let Sequenced { events, accesses, erasures, restored: _ } = db.sequence(Clock::System.now())?;
        println!("clocks that passed a limit: {passed}");
        println!("numbered: {events} events, {accesses} accesses, {erasures} erasures");
        let mut made = 0;
        loop {
            let FannedOut { deliveries, more } = db.fan_out(Clock::System.now())?;
            made += deliveries;
            if !more {
                break;
            }
        }
        let mut told = 0;
        let failure = loop {
            let Notified { notifications, failure, more } = db.notify(Clock::System.now())?;
            told += notifications;
            if !more {
                break failure;
            }
        };
        println!("notifications: {told}");
        let courier = courier(config, db)?;
        let Round { delivered, failed } = runtime()?.block_on(courier.round())?;
        println!("deliveries: {made} made, {delivered} arrived, {failed} did not");
        return failure.map_or(Ok(()), |it| Err(it.into()));
    }
    log(config)?;
    let worker = Worker::start(config)?;
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

/// The threads that work; each ends after the tick that it is in.
pub struct Worker {
    stop: Vec<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl Worker {
    /// Begins to work.
    ///
    /// # Errors
    /// The configuration lacks something.
    pub fn start(config: &Config) -> Result<Self, Failure> {
        let db = config.worker_db()?;
        let (courier, runtime) = (courier(config, db.clone())?, runtime()?);
        let mut worker = Worker { stop: Vec::new(), threads: Vec::new() };
        worker.repeat(CLOCKS, db.clone(), clocks);
        worker.repeat(SEQUENCE, db.clone(), sequence);
        worker.repeat(NOTIFY, db, notify);
        worker.deliver(courier, runtime);
        Ok(worker)
    }

    fn deliver(&mut self, courier: Courier, runtime: Runtime) {
        let (stop, stopped) = channel::<()>();
        self.stop.push(stop);
        self.threads.push(std::thread::spawn(move || {
            let (tell, told) = watch::channel(false);
            // It is told by the end of the channel, as the other threads are.
            let waiting = runtime.spawn_blocking(move || {
                stopped.recv().ok();
                tell.send(true).ok();
            });
            runtime.block_on(async {
                courier.run(told).await;
                waiting.await.ok();
            });
        }));
    }

    fn repeat(&mut self, every: Duration, db: Db, tick: fn(&Db) -> Tick) {
        let (stop, stopped) = channel();
        self.stop.push(stop);
        self.threads.push(std::thread::spawn(move || repeat(every, &db, tick, &stopped)));
    }

    /// Ends it, and waits for that.
    pub fn stop(self) {
        drop(self.stop);
        self.threads.into_iter().for_each(|it| drop(it.join()));
    }
}

/// Who delivers.
fn courier(config: &Config, db: Db) -> Result<Courier, Failure> {
    let mailer = config.mailer()?;
    if mailer.is_none() {
        tracing::warn!("mail waits: neither LINDUNG_SMTP_URL nor LINDUNG_MAIL_FOLDER is set");
    }
    Ok(Courier::new(Parts {
        db,
        sender: lindung_delivery::Sender::new(config.webhooks())?,
        mailer,
        key: secrets::webhook_key(config)?,
        issuer: config.issuer()?,
        now: Box::new(|| Clock::System.now()),
    }))
}

/// How many threads may wait at once: for the database, and each name that is looked up holds one until it is found or not,
/// longer than whoever wanted it waits.
const WAITING: usize = 2048;

fn runtime() -> Result<Runtime, Failure> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    Ok(runtime.worker_threads(2).max_blocking_threads(WAITING).thread_name("deliveries").enable_all().build()?)
}

/// What a tick came to.
struct Tick {
    /// Whether there may be more at once.
    more: bool,
    error: Option<Error>,
}

fn clocks(db: &Db) -> Tick {
    match db.work(Clock::System.now()) {
        Ok(Worked { passed, failures, more }) => {
            if passed > 0 {
                tracing::info!(passed, "clocks passed a limit");
            }
            Tick { more, error: failures.into_iter().next() }
        }
        Err(error) => Tick { more: false, error: Some(error) },
    }
}

fn sequence(db: &Db) -> Tick {
    match db.sequence(Clock::System.now()) {
        Ok(Sequenced { restored, erasures, .. }) => {
            if restored {
                tracing::warn!("the database is in another cluster than before: numbers go on from what it holds");
            }
            if erasures > 0 {
                tracing::info!(erasures, "erased of whom accesses tell");
            }
            // What is in the feed is on its way at once.
            match db.fan_out(Clock::System.now()) {
                Ok(FannedOut { more, .. }) => Tick { more, error: None },
                Err(error) => Tick { more: false, error: Some(error) },
            }
        }
        Err(error) => Tick { more: false, error: Some(error) },
    }
}

fn notify(db: &Db) -> Tick {
    match db.notify(Clock::System.now()) {
        Ok(Notified { more, failure, .. }) => Tick { more, error: failure },
        Err(error) => Tick { more: false, error: Some(error) },
    }
}

fn repeat(every: Duration, db: &Db, tick: fn(&Db) -> Tick, stopped: &Receiver<()>) {
    // What keeps failing is told once, until it works again.
    let mut failing = false;
    let mut wait = Duration::ZERO;
    while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
        let Tick { more, error } = tick(db);
        wait = if more { Duration::ZERO } else { every };
        if let (Some(error), false) = (&error, failing) {
            tracing::warn!(
                %error,
                "what runs by itself does not: LINDUNG_WORKER_DATABASE_URL has to log in as lindung_worker; LINDUNG_WORK=off ends the tries"
            );
        }
        failing = error.is_some();
    }
}
