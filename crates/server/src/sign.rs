//! Signing checkpoints of the access log, on a machine of its own with a key and a state of its own.

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use clap::{Args, Subcommand};
use lindung_http::Clock;
use lindung_ledger::key::LogSigner;
use lindung_ledger::policy::Policy;
use lindung_signer::{Courier, Parts, Signer};
use tokio::runtime::{self, Runtime};
use tokio::signal::unix::{SignalKind, signal};

use crate::Failure;
use crate::config::Config;
use crate::secrets;
use crate::serve::log;

/// How often a checkpoint is signed at most, and how often a witness that failed is tried again.
const EVERY: Duration = Duration::from_secs(10);
/// How often a courier looks for a new checkpoint.
const CARRIED_EVERY: Duration = Duration::from_secs(1);

/// How to sign.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Sign {
    #[command(subcommand)]
    command: Option<Command>,
    /// Sign what is there now, have it cosigned, and end.
    #[arg(long)]
    once: bool,
    /// Where the state was lost: begin from the signed checkpoint in this file, best the newest that a witness holds.
    #[arg(long, value_name = "FILE")]
    from_checkpoint: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key of the log in a new file, and print the public one.
    Key {
        /// The file.
        file: PathBuf,
    },
    /// Begin a log of which nothing was ever signed: make its state.
    Init,
}

/// Signs until it is told to stop, or once.
///
/// # Errors
/// The configuration lacks something; the state is missing, damaged or in use; with `--once` also that nothing may be
/// signed, and why.
pub fn sign(config: &Config, sign: Sign) -> Result<(), Failure> {
    if let Some(Command::Init) = sign.command {
        return Ok(Signer::begin(&config.log_origin()?, config.sign_state()?)?);
    }
    if let Some(Command::Key { file }) = sign.command {
        let origin = config.log_origin()?;
        let key = LogSigner::new(&origin, &secrets::random()?).map_err(|error| format!("{origin} {error}"))?;
        secrets::create(&file, key.to_text().as_bytes())?;
        println!("{}", key.vkey());
        return Ok(());
    }
    let (parts, folder) = (parts(config)?, config.sign_state()?);
    let couriers = Courier::all(&parts.db, &parts.policy)?;
    let mut signer = match &sign.from_checkpoint {
        None => Signer::open(parts, folder)?,
        Some(file) => Signer::begin_from(parts, folder, &read(file)?)?,
    };
    if sign.once {
        return once(&mut signer, couriers);
    }
    log(config)?;
    let mut threads = vec![Ticking::start(move || signed(&mut signer))];
    for courier in couriers {
        let runtime = runtime()?;
        threads.push(Ticking::start(move || carried(&courier, &runtime)));
    }
    runtime()?.block_on(async {
        let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        tracing::info!("signing");
        tokio::select! { _ = term.recv() => {} _ = int.recv() => {} }
        Ok::<_, std::io::Error>(())
    })?;
    threads.into_iter().for_each(Ticking::stop);
    Ok(())
}

fn parts(config: &Config) -> Result<Parts, Failure> {
    let policy = config.log_policy_file()?;
    let policy = Policy::parse(&read(policy)?).map_err(|error| format!("{}: {error}", policy.display()))?;
    let key = |path: PathBuf| {
        let key = LogSigner::parse(&secrets::text(&path)?);
        key.map_err(|error| Failure::from(format!("{}: it {error}", path.display())))
    };
    let keys = config.sign_keys()?.into_iter().map(key).collect::<Result<_, _>>()?;
    Ok(Parts { db: config.signer_db()?, keys, policy })
}

fn read(path: &PathBuf) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn runtime() -> Result<Runtime, Failure> {
    Ok(runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Signs and carries once. That a witness has not cosigned is told, and no failure: it is tried again.
fn once(signer: &mut Signer, couriers: Vec<Courier>) -> Result<(), Failure> {
    if let Some(size) = signer.sign(Clock::System.now())? {
        println!("signed: {size} leaves");
    }
    let carry = |courier: Courier| {
        let carried = runtime().and_then(|it| Ok(it.block_on(courier.carry())?));
        match carried {
            Ok(Some(size)) => println!("cosigned by {}: {size} leaves", courier.name()),
            Ok(None) => {}
            Err(error) => eprintln!("not cosigned by {}: {error}", courier.name()),
        }
    };
    let threads: Vec<_> = couriers.into_iter().map(|it| thread::spawn(move || carry(it))).collect();
    threads.into_iter().for_each(|it| drop(it.join()));
    Ok(())
}

/// What a tick is followed by: how long to wait, and what failed.
type Ticked = (Duration, Result<(), (String, Failure)>);

fn signed(signer: &mut Signer) -> Ticked {
    let result = signer.sign(Clock::System.now());
    if let Ok(Some(size)) = result {
        tracing::info!(size, "signed a checkpoint");
    }
    (EVERY, result.map(|_| ()).map_err(|error| ("no checkpoint is signed".to_owned(), error.into())))
}

fn carried(courier: &Courier, runtime: &Runtime) -> Ticked {
    match runtime.block_on(courier.carry()) {
        Ok(_) => (CARRIED_EVERY, Ok(())),
        Err(error) => (EVERY, Err((format!("{} has not cosigned", courier.name()), error.into()))),
    }
}

/// A thread that does something again and again; it ends after the tick that it is in.
struct Ticking {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Ticking {
    fn start(mut tick: impl FnMut() -> Ticked + Send + 'static) -> Self {
        let (stop, stopped) = channel();
        Ticking { stop, thread: thread::spawn(move || run(&mut tick, &stopped)) }
    }

    fn stop(self) {
        drop(self.stop);
        self.thread.join().ok();
    }
}

fn run(tick: &mut dyn FnMut() -> Ticked, stopped: &Receiver<()>) {
    // What fails is told once, until it fails otherwise.
    let (mut told, mut wait) = (None, Duration::ZERO);
    while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
        let (next, result) = tick();
        wait = next;
        let failed = result.err().map(|(what, error)| (what, error.to_string()));
        if let Some((what, error)) = &failed
            && failed != told
        {
            tracing::error!(%error, "{what}");
        }
        told = failed;
    }
}
