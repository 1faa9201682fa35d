//! Requests to the service, as an auditor.

use std::time::Duration;

use chrono::{DateTime, Utc};
use lindung_client::{Api, Bound, Credentials, Reply, Speaker};

use crate::failure::Failure;

/// So often a request is made again that the service has no time for.
const ATTEMPTS: u32 = 8;
/// The longest wait in between, in seconds.
const LONGEST: u64 = 60;

/// An auditor who is signed in, and again whenever the token has run out.
pub struct Session {
    api: Api,
    credentials: Credentials,
    speaker: Speaker,
    /// The auditor's clock.
    now: Box<dyn Fn() -> DateTime<Utc> + Send>,
    bound: Option<Bound>,
}

impl Session {
    /// An auditor of the service, who signs in with the first request that needs it. `now` is the machine's clock.
    pub fn new(
        api: Api,
        credentials: Credentials,
        speaker: Speaker,
        now: impl Fn() -> DateTime<Utc> + Send + 'static,
    ) -> Self {
        Session { api, credentials, speaker, now: Box::new(now), bound: None }
    }

    /// Where the service is.
    pub(super) fn issuer(&self) -> &str {
        self.api.issuer()
    }

    /// The body of a path that has to be there; `signed_in` says whether it takes an auditor.
    pub(super) async fn get(&mut self, path: &str, signed_in: bool) -> Result<Vec<u8>, Failure> {
        Ok(self.get_dated(path, signed_in).await?.0)
    }

    /// The same, and when the service answered, by its own clock and where it says so.
    pub(super) async fn get_dated(
        &mut self,
        path: &str,
        signed_in: bool,
    ) -> Result<(Vec<u8>, Option<DateTime<Utc>>), Failure> {
        let reply = self.ask(path, signed_in).await?;
        if reply.status != 200 {
            return Err(refused(path, &reply));
        }
        let date = reply.header("date").and_then(|it| DateTime::parse_from_rfc2822(it).ok());
        Ok((reply.bytes, date.map(|it| it.to_utc())))
    }

    /// The same where the service may refuse it to this auditor: nothing then.
    pub(super) async fn get_if_allowed(&mut self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        let reply = self.ask(path, true).await?;
        match reply.status {
            200 => Ok(Some(reply.bytes)),
            403 => Ok(None),
            _ => Err(refused(path, &reply)),
        }
    }

    async fn ask(&mut self, path: &str, signed_in: bool) -> Result<Reply, Failure> {
        let (mut again, mut attempt) = (true, 1);
        loop {
            let reply = if signed_in {
                self.ask_signed_in(path).await?
            } else {
                self.api.request("GET", path, None, &[], None).await?
            };
            match reply.status {
                // Tokens live for minutes, and a pull may take longer.
                401 if signed_in && again => (again, self.bound) = (false, None),
                429 | 503 if attempt < ATTEMPTS => {
                    let told = reply.header("retry-after").and_then(|it| it.parse().ok());
                    tokio::time::sleep(Duration::from_secs(told.unwrap_or(1 << attempt).min(LONGEST))).await;
                    attempt += 1;
                }
                _ => return Ok(reply),
            }
        }
    }

    async fn ask_signed_in(&mut self, path: &str) -> Result<Reply, Failure> {
        let bound = match self.bound.take() {
            Some(bound) => bound,
            None => Bound::sign_in(&self.api, &self.credentials, &self.speaker, (self.now)()).await?,
        };
        let reply = bound.request((self.now)(), "GET", path, &[], None).await;
        self.bound = Some(bound);
        Ok(reply?)
    }
}

fn refused(path: &str, reply: &Reply) -> Failure {
    let problem = reply.problem().map_or(String::new(), |it| format!(" ({it})"));
    Failure::Answer { what: path.to_owned(), why: format!("the service answers {}{problem}", reply.status) }
}
