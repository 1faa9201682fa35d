//! A witness of transparency logs, as a ministry runs it beside nothing else of Lindung: it needs no database.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use lindung_http::Clock;
use lindung_ledger::key::{Cosigner, Kind, Vkey};
use lindung_witness::Witness as Witnessing;

use crate::Failure;
use crate::config::Config;
use crate::secrets;
use crate::serve::{log, until_told_to_stop};

/// Threads that speak HTTP: logs ask once in ten seconds.
const WORKERS: usize = 2;

/// How to witness.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Witness {
    #[command(subcommand)]
    command: Option<Command>,
    /// The witness's name, which its key has to have.
    #[arg(long)]
    name: Option<String>,
    /// The file with its private key.
    #[arg(long, required = true)]
    key: Option<PathBuf>,
    /// The folder with what it has cosigned. It must never be set back: not from a backup, not from a snapshot.
    #[arg(long, required = true)]
    state: Option<PathBuf>,
    /// The public keys of the logs that it witnesses, as `name+id+key`.
    #[arg(long, required = true, num_args = 1.., value_parser = log_key)]
    log: Vec<Vkey>,
    /// Where it listens.
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a witness's key in a new file, and print the public one.
    Key {
        /// What the witness is called, as in `witness.example/w1`: without a scheme, spaces or plus.
        name: String,
        /// The file.
        file: PathBuf,
    },
    /// Begin to witness a log that this key has never cosigned. Where the state was lost, make a new key instead.
    Init {
        /// The folder with what the witness has cosigned.
        #[arg(long)]
        state: PathBuf,
        /// The public keys of the logs.
        #[arg(long, required = true, num_args = 1.., value_parser = log_key)]
        log: Vec<Vkey>,
    },
}

fn log_key(text: &str) -> Result<Vkey, Failure> {
    Ok(text.parse::<Vkey>().and_then(|it| it.of(Kind::Log)).map_err(|error| format!("it {error}"))?)
}

/// Witnesses until it is told to stop, or prepares that.
///
/// # Errors
/// A key is none, the state is missing, damaged or in use, or the address is taken.
pub fn witness(config: &Config, witness: Witness) -> Result<(), Failure> {
    match witness.command {
        Some(Command::Key { name, file }) => {
            let key = Cosigner::new(&name, &secrets::random()?).map_err(|error| format!("{name} {error}"))?;
            secrets::create(&file, key.to_text().as_bytes())?;
            println!("{}", key.vkey());
        }
        Some(Command::Init { state, mut log }) => {
            // A rotation gives a log two keys, and it is still one log.
            log.sort_by(|a, b| a.name().cmp(b.name()));
            log.dedup_by(|a, b| a.name() == b.name());
            log.iter().try_for_each(|it| Witnessing::begin(it, &state))?;
        }
        None => {
            let (Some(key), Some(state)) = (witness.key, witness.state) else { return Err("--key and --state".into()) };
            let text = secrets::text(&key)?;
            let cosigner = Cosigner::parse(&text).map_err(|error| format!("{}: it {error}", key.display()))?;
            if witness.name.is_some_and(|it| it != cosigner.vkey().name()) {
                return Err(format!("the key of {} is another's", key.display()).into());
            }
            serve(config, Witnessing::open(cosigner, witness.log, &state)?, witness.listen)?;
        }
    }
    Ok(())
}

fn serve(config: &Config, witness: Witnessing, listen: SocketAddr) -> Result<(), Failure> {
    log(config)?;
    let listener = TcpListener::bind(listen).map_err(|error| format!("cannot listen on {listen}: {error}"))?;
    actix_web::rt::System::new().block_on(async move {
        let clock = || Clock::System.now().timestamp().try_into().unwrap_or_default();
        let server = lindung_witness::serve(Arc::new(witness), clock, listener, WORKERS)?;
        tracing::info!(%listen, "witnessing");
        actix_web::rt::spawn(until_told_to_stop(server.handle(), || {})?);
        Ok(server.await?)
    })
}
