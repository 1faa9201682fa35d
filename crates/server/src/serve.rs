//! The service: from the configuration to the last request that is still answered.

use std::net::TcpListener;
use std::num::NonZero;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use lindung_http::app::{App, Clock, Parts};
use lindung_http::upkeep::Upkeep;
use lindung_http::{queues, sealing};
use lindung_persistence::{Db, DbRole};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::Failure;
use crate::config::{Config, Environment, Switch};
use crate::secrets;
use crate::work::Worker;

/// How often it is measured what waits to be delivered.
const MEASURE_EVERY: Duration = Duration::from_secs(30);
/// How often the service keeps house.
const UPKEEP_EVERY: Duration = Duration::from_secs(60);

/// How often it looks whether sealing keeps up, and what waits to be delivered.
const SEALING_EVERY: Duration = Duration::from_secs(5);

/// Serves until it is told to stop; requests that have begun are still answered.
///
/// # Errors
/// The configuration lacks something, or the address is taken.
pub fn serve(config: Config) -> Result<(), Failure> {
    log(&config)?;
    let parts = Parts {
        db: db(&config)?,
        clock: Clock::System,
        issuer: config.issuer()?,
        token_keys: secrets::token_keys(&config)?,
        digest_key: secrets::digest_key(&config)?,
        webhook_key: secrets::webhook_key(&config)?,
        webhooks: config.webhooks(),
        proofs_required: config.environment != Environment::Development,
        rates: config.rates(),
        log_policy: config.log_policy()?,
        seal_limit: (config.seal_limit > 0).then(|| Duration::from_secs(config.seal_limit)),
    };
    let app = App::new(parts);
    let listener =
        TcpListener::bind(config.listen).map_err(|error| format!("cannot listen on {}: {error}", config.listen))?;
    let worker = (config.work == Switch::On).then(|| Worker::start(&config)).transpose()?;
    let cores = std::thread::available_parallelism().map_or(2, NonZero::get);
    let workers = if config.workers == 0 { cores } else { config.workers };
    actix_web::rt::System::new().block_on(async move {
        let server = lindung_http::serve::serve(app.clone(), listener, workers)?;
        let upkeep = Upkeep::new(app.clone(), config.children_per_day);
        let beside = [
            actix_web::rt::spawn(keep(upkeep)),
            actix_web::rt::spawn(watch(app.clone())),
            actix_web::rt::spawn(measure(app.clone())),
        ];
        let handle = server.handle();
        tracing::info!(listen = %config.listen, "serving");
        let waiting = app.clone();
        actix_web::rt::spawn(until_told_to_stop(handle, move || waiting.stop_waiting())?);
        let ended = server.await;
        beside.iter().for_each(|it| it.abort());
        worker.into_iter().for_each(Worker::stop);
        Ok(ended?)
    })
}

/// Stops a server once SIGTERM or Ctrl-C tells so, after `first`; requests that have begun are still answered.
///
/// # Errors
/// Signals cannot be listened for.
pub fn until_told_to_stop(server: ServerHandle, first: impl FnOnce()) -> std::io::Result<impl Future<Output = ()>> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! { _ = term.recv() => {} _ = int.recv() => {} }
        tracing::info!("stopping");
        first();
        server.stop(true).await;
    })
}

/// Logs as JSON on standard output from now on.
///
/// # Errors
/// The configuration's filter is none.
pub fn log(config: &Config) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&config.log).map_err(|error| format!("LINDUNG_LOG: {error}"))?;
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_env_filter(filter)
        .init();
    Ok(())
}

/// The database. That it cannot be reached yet is no reason not to start; that a key is missing is one.
fn db(config: &Config) -> Result<Db, Failure> {
    let db = config.db(DbRole::Api, secrets::vault(config)?)?;
    match db.missing_key() {
        Ok(None) => Ok(db),
        Ok(Some(version)) => {
            Err(format!("version {version} of the identity keys is missing: children in the database need it").into())
        }
        Err(error) => {
            tracing::warn!(%error, "could not check the identity keys against the database");
            Ok(db)
        }
    }
}

async fn keep(mut upkeep: Upkeep) {
    let mut ticks = tokio::time::interval(UPKEEP_EVERY);
    loop {
        ticks.tick().await;
        upkeep.run().await;
    }
}

async fn watch(app: App) {
    let mut ticks = tokio::time::interval(SEALING_EVERY);
    loop {
        ticks.tick().await;
        sealing::watch(&app).await;
    }
}

async fn measure(app: App) {
    let mut ticks = tokio::time::interval(MEASURE_EVERY);
    loop {
        ticks.tick().await;
        queues::watch(&app).await;
    }
}
