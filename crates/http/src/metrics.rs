//! Measurements for Prometheus. Labels are routes and codes, never anything that was sent.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

const SECONDS: &str = "http_request_duration_seconds";
const OVER_BUDGET: &str = "officers_over_budget";
const SEALING: &str = "access_log_sealing_lag_seconds";
const WITNESSES: &str = "access_log_witnesses";
const WITNESSES_NEEDED: &str = "access_log_witnesses_needed";
const DEPTH: &str = "delivery_queue_depth";
const OLDEST: &str = "delivery_queue_oldest_seconds";
const ATTEMPTS: &str = "delivery_attempts_lately";
const BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// The recorder of this process, installed when it is first needed.
fn recorder() -> Option<&'static PrometheusHandle> {
    let install = || {
        let builder = PrometheusBuilder::new().set_buckets(BUCKETS).ok()?;
        let handle = builder.install_recorder().ok()?;
        metrics::describe_histogram!(SECONDS, metrics::Unit::Seconds, "Time from head to answer, by route");
        metrics::describe_counter!("http_requests_total", "Answers, by method, route and status");
        metrics::describe_gauge!("database_connections", "Connections of the pool, by state");
        metrics::describe_gauge!(OVER_BUDGET, "Officers who have seen more children today than the budget allows");
        metrics::describe_gauge!(
            SEALING,
            metrics::Unit::Seconds,
            "How far the sealing of the access log is behind, by step"
        );
        metrics::describe_gauge!(WITNESSES, "Witnesses that have cosigned the newest checkpoint of the access log");
        metrics::describe_gauge!(WITNESSES_NEEDED, "Witnesses that a checkpoint of the access log needs at least");
        metrics::describe_gauge!(DEPTH, "What waits to be delivered, up to 10,000, by queue");
        metrics::describe_gauge!(OLDEST, metrics::Unit::Seconds, "For how long the oldest of a queue has been due");
        metrics::describe_gauge!(ATTEMPTS, "Attempts of the last ten minutes, by channel and outcome");
        Some(handle)
    };
    RECORDER.get_or_init(install).as_ref()
}

/// Counts an answer.
pub fn answered(method: &'static str, route: String, status: u16, took: Duration) {
    if recorder().is_none() {
        return;
    }
    let status = status.to_string();
    metrics::histogram!(SECONDS, "route" => route.clone()).record(took);
    metrics::counter!("http_requests_total", "method" => method, "route" => route, "status" => status).increment(1);
}

/// Tells how many officers have seen more children today than the budget allows.
pub fn over_budget(officers: usize) {
    if recorder().is_some() {
        metrics::gauge!(OVER_BUDGET).set(count(officers));
    }
}

/// Tells how far the sealing of the access log is behind.
pub fn sealing(sequencing: Duration, signing: Duration) {
    if recorder().is_some() {
        metrics::gauge!(SEALING, "step" => "sequencing").set(sequencing.as_secs_f64());
        metrics::gauge!(SEALING, "step" => "signing").set(signing.as_secs_f64());
    }
}

/// Tells how many witnesses have cosigned the newest checkpoint, and how many it needs at least.
pub fn witnesses(cosigned: usize, needed: usize) {
    if recorder().is_some() {
        metrics::gauge!(WITNESSES).set(count(cosigned));
        metrics::gauge!(WITNESSES_NEEDED).set(count(needed));
    }
}

/// Tells what waits in a queue, and for how long the oldest has.
pub fn queue(name: String, depth: i64, age: Duration) {
    if recorder().is_some() {
        metrics::gauge!(DEPTH, "queue" => name.clone()).set(count(depth.try_into().unwrap_or(0)));
        metrics::gauge!(OLDEST, "queue" => name).set(age.as_secs_f64());
    }
}

/// Tells how many attempts there were lately, by channel and outcome.
pub fn attempts(channel: String, outcome: String, number: i64) {
    if recorder().is_some() {
        let gauge = metrics::gauge!(ATTEMPTS, "channel" => channel, "outcome" => outcome);
        gauge.set(count(number.try_into().unwrap_or(0)));
    }
}

fn count(number: usize) -> u32 {
    number.try_into().unwrap_or(u32::MAX)
}

/// Everything measured, in Prometheus's text format.
pub fn render((connections, idle): (u32, u32)) -> String {
    let Some(recorder) = recorder() else { return String::new() };
    metrics::gauge!("database_connections", "state" => "idle").set(idle);
    metrics::gauge!("database_connections", "state" => "busy").set(connections.saturating_sub(idle));
    recorder.run_upkeep();
    recorder.render()
}
