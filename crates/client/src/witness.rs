//! A witness, as a log asks it (C2SP `tlog-witness`).
//!
//! It is somebody else's machine: it is given a few seconds and a few kilobytes, and what it answers is worth nothing
//! before its signature was checked, which is not done here.

use std::time::Duration;

use reqwest::{Client, Response};

use crate::api;
use crate::error::Error;

const TIMEOUT: Duration = Duration::from_secs(5);
/// The longest answer that is read, in bytes.
const MAX_LENGTH: usize = 64 * 1024;

/// What a witness answers to a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Witnessed {
    /// Lines of signatures, which are to be checked.
    Cosigned(Vec<u8>),
    /// It holds a checkpoint of this size, and not what the request builds on.
    Conflict(u64),
    /// It refuses, or cannot.
    Refused {
        /// The status of the answer.
        status: u16,
        /// The beginning of what it says.
        why: String,
    },
}

/// A witness at its submission prefix. Connections are kept.
#[derive(Debug, Clone)]
pub struct Witness {
    url: String,
    http: Client,
}

impl Witness {
    /// The witness at that URL. Follows no redirect, asks no proxy, and waits for 5 seconds.
    ///
    /// # Errors
    /// The machine's root certificates cannot be loaded.
    pub fn new(url: &str) -> Result<Self, Error> {
        let http = api::http(url, TIMEOUT)?;
        Ok(Witness { url: format!("{}/add-checkpoint", url.trim_end_matches('/')), http })
    }

    /// Asks it to cosign: `request` is the body of an add-checkpoint request.
    ///
    /// # Errors
    /// It does not answer, or too much.
    pub async fn add_checkpoint(&self, request: Vec<u8>) -> Result<Witnessed, Error> {
        let failed = |it: reqwest::Error| self.no_answer(api::reason(&it));
        let response = self.http.post(&self.url).body(request).send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let body = self.read(response).await?;
        let text = || String::from_utf8_lossy(&body);
        match status {
            200 => Ok(Witnessed::Cosigned(body)),
            409 => match text().strip_suffix('\n').and_then(|it| it.parse().ok()) {
                Some(size) => Ok(Witnessed::Conflict(size)),
                None => Err(self.no_answer("a conflict without a size".to_owned())),
            },
            _ => Ok(Witnessed::Refused {
                status,
                why: text().trim().chars().filter(|it| !it.is_control()).take(200).collect(),
            }),
        }
    }

    async fn read(&self, mut response: Response) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|it| self.no_answer(api::reason(&it)))? {
            if body.len() + chunk.len() > MAX_LENGTH {
                return Err(self.no_answer("the answer is too long".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn no_answer(&self, why: String) -> Error {
        Error::NoAnswer { request: format!("POST {}", self.url), why }
    }
}
