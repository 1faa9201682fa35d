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

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// What comes of an answer with that head and body.
    fn answered(head: &str, body: &str) -> Result<Witnessed, Error> {
        let answer = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/w/", listener.local_addr().unwrap());
        let answering = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 1024];
            let length = stream.read(&mut asked).unwrap();
            // Whoever has read enough hangs up.
            stream.write_all(answer.as_bytes()).ok();
            String::from_utf8_lossy(&asked[..length]).into_owned()
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(Witness::new(&url).unwrap().add_checkpoint(b"old 0\n".to_vec()));
        assert!(answering.join().unwrap().starts_with("POST /w/add-checkpoint HTTP/1.1\r\n"));
        answer
    }

    #[test]
    fn answers_are_told_apart() {
        assert_eq!(answered("200 OK", "— w AAAA\n").unwrap(), Witnessed::Cosigned("— w AAAA\n".into()));
        assert_eq!(answered("409 Conflict", "17\n").unwrap(), Witnessed::Conflict(17));
        let refused = Witnessed::Refused { status: 403, why: "not you".to_owned() };
        assert_eq!(answered("403 Forbidden", "not\u{7} you\n").unwrap(), refused);
        for body in ["", "17", "-1\n", "18446744073709551616\n", "seventeen\n"] {
            assert!(matches!(answered("409 Conflict", body), Err(Error::NoAnswer { .. })), "{body:?}");
        }
    }

    #[test]
    fn nobody_else_is_asked_and_no_more_is_read() {
        let elsewhere = "302 Found\r\nlocation: http://127.0.0.1:1/";
        assert_eq!(answered(elsewhere, "").unwrap(), Witnessed::Refused { status: 302, why: String::new() });
        assert!(answered("200 OK", &"x".repeat(MAX_LENGTH)).is_ok());
        let refused = answered("200 OK", &"x".repeat(MAX_LENGTH + 1)).unwrap_err();
        assert!(refused.to_string().ends_with("the answer is too long"), "{refused}");
    }
}
