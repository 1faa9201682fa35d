//! Webhooks: one signed request each, to where one may send, without following anybody anywhere.

use std::error::Error as StdError;
use std::io::ErrorKind;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use lindung_domain::subscription::DisabledReason;
use lindung_persistence::Ended;
use lindung_webhook::{Allow, Secret, Target};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER, USER_AGENT};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use tokio::time::timeout;
use uuid::Uuid;

use crate::resolver::{Forbidden, Resolver, Unknown};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long it all may take.
const WHOLE: Duration = Duration::from_secs(15);
/// How much of an answer is read, so that its connection can be used again: more is cut off.
const ANSWER_LIMIT: usize = 64 * 1024;
/// How long an answer's body may take to come once its status has.
const ANSWER_TIME: Duration = Duration::from_secs(1);
/// How many connections to one receiver are kept when they are idle.
const IDLE: usize = 32;

/// An event in CloudEvents' JSON format.
const CLOUD_EVENT: &str = "application/cloudevents+json";
/// What we call ourselves.
const AGENT: &str = concat!("Lindung/", env!("CARGO_PKG_VERSION"));

/// A message to send.
pub struct Message {
    /// Its id: the same whenever it is sent again.
    pub id: Uuid,
    /// The body.
    pub body: String,
    /// Whether it was sent before, and then again by hand.
    pub again: bool,
    /// The secrets that sign it.
    pub secrets: Vec<Secret>,
}

/// How sending went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// What that means.
    pub ended: Ended,
    /// What was answered.
    pub code: Option<i32>,
    /// What went wrong.
    pub problem: Option<&'static str>,
}

/// Sends webhooks.
#[derive(Clone)]
pub struct Sender {
    client: Client,
    allow: Allow,
}

impl Sender {
    /// A sender to the public internet, and to what else is allowed.
    ///
    /// # Errors
    /// TLS cannot be set up on this machine.
    pub fn new(allow: Allow) -> reqwest::Result<Self> {
        Sender::within(allow, CONNECT, WHOLE)
    }

    /// The same with other limits of time: to connect, and in all.
    ///
    /// # Errors
    /// TLS cannot be set up on this machine.
    pub fn within(allow: Allow, connect: Duration, whole: Duration) -> reqwest::Result<Self> {
        let client = Client::builder()
            .dns_resolver(std::sync::Arc::new(Resolver(allow)))
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(connect)
            .timeout(whole)
            .pool_max_idle_per_host(IDLE)
            .build()?;
        Ok(Sender { client, allow })
    }

    /// Sends a message now, once.
    pub async fn send(&self, url: &str, message: &Message, now: DateTime<Utc>) -> Sent {
        // What was allowed when it was registered need not be any more.
        let Ok(target) = Target::parse(url, self.allow) else { return failed("forbidden-address") };
        let (id, timestamp) = (message.id.to_string(), now.timestamp());
        let signatures: Vec<String> =
            message.secrets.iter().map(|it| it.sign(&id, timestamp, message.body.as_bytes())).collect();
        let mut request = self
            .client
            .post(target.url().clone())
            .header(CONTENT_TYPE, CLOUD_EVENT)
            .header(USER_AGENT, AGENT)
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signatures.join(" "));
        if message.again {
            request = request.header("lindung-again", "true");
        }
        match request.body(message.body.clone()).send().await {
            Ok(answer) => answered(answer, now).await,
            Err(error) => failed(problem(&error)),
        }
    }
}

fn failed(problem: &'static str) -> Sent {
    Sent { ended: Ended::Failed(None), code: None, problem: Some(problem) }
}

/// The status decides; the body is read as far as that makes the connection good for another request.
async fn answered(mut answer: Response, now: DateTime<Utc>) -> Sent {
    let (status, asked) = (answer.status(), retry_after(answer.headers(), now));
    let drained = timeout(ANSWER_TIME, async {
        let mut read = 0;
        while let Ok(Some(part)) = answer.chunk().await {
            read += part.len();
            if read > ANSWER_LIMIT {
                break;
            }
        }
    });
    drained.await.ok();
    let (ended, problem) = match status.as_u16() {
        200..=299 => (Ended::Delivered, None),
        410 => (Ended::Gone(DisabledReason::Gone), Some("gone")),
        300..=399 => (Ended::Failed(None), Some("redirect")),
        _ => (Ended::Failed(asked), Some("status")),
    };
    Sent { ended, code: Some(i32::from(status.as_u16())), problem }
}

/// For how long the receiver asks to be left alone (RFC 9110, 10.2.3): seconds, or a date.
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<TimeDelta> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = text.parse().ok().and_then(TimeDelta::try_seconds);
    seconds.or_else(|| Some(DateTime::parse_from_rfc2822(text).ok()?.to_utc() - now))
}

/// What went wrong, as a code: never what somebody wrote.
fn problem(error: &reqwest::Error) -> &'static str {
    let mut causes =
        std::iter::successors(Some(error as &(dyn StdError + 'static)), |it: &&(dyn StdError + 'static)| {
            (*it).source()
        });
    let found = causes.find_map(|it| {
        if it.is::<Forbidden>() {
            return Some("forbidden-address");
        }
        if it.is::<Unknown>() {
            return Some("dns");
        }
        let io = it.downcast_ref::<std::io::Error>()?;
        match io.kind() {
            ErrorKind::ConnectionRefused => Some("refused"),
            ErrorKind::TimedOut => Some("timeout"),
            // TLS tells what it dislikes in here.
            ErrorKind::InvalidData => Some("tls"),
            _ => None,
        }
    });
    match found {
        Some(found) => found,
        None if error.is_timeout() => "timeout",
        None => "connection",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    #[test]
    fn a_receiver_asks_to_be_left_alone_by_seconds_or_by_a_date() {
        let now = "2026-11-24T02:00:00Z".parse().unwrap();
        let asked = |text: &'static str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(text))]);
            retry_after(&headers, now).map(|it| it.num_seconds())
        };
        assert_eq!(asked("120"), Some(120));
        assert_eq!(asked("Tue, 24 Nov 2026 02:10:00 GMT"), Some(600));
        assert_eq!(asked("Tue, 24 Nov 2026 01:00:00 GMT"), Some(-3600));
        assert_eq!(asked("soon"), None);
        assert_eq!(asked("99999999999999999999"), None);
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
