//! Requests to the byte, such as no well-made client sends.

use std::fmt;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::app::TestApp;
use crate::session::Session;

/// A request as it goes over the wire, but for what it must have: a host, a length, the end of the connection.
#[derive(Clone)]
pub struct Raw {
    line: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl fmt::Debug for Raw {
    /// As far as it can be read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.body);
        let headers = self.headers.iter().filter(|it| it.0 != "authorization").map(|it| String::from_utf8_lossy(&it.1));
        let headers: String = headers.flat_map(|it| it.chars().take(80).chain([' ']).collect::<Vec<_>>()).collect();
        write!(f, "{:.200} {headers}{}", self.line, text.chars().take(300).collect::<String>())
    }
}

impl Raw {
    /// A request; the path goes out as it is.
    pub fn new(method: &str, path: &str) -> Self {
        Raw { line: format!("{method} {path} HTTP/1.1"), headers: Vec::new(), body: Vec::new() }
    }

    /// With a header field, whatever its bytes.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// With a body, whatever its bytes, that calls itself JSON.
    #[must_use]
    pub fn json(self, body: impl AsRef<[u8]>) -> Self {
        self.header("content-type", "application/json").body(body)
    }

    /// With a body that says nothing of itself.
    #[must_use]
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{}\r\nhost: lindung.example\r\nconnection: close\r\n", self.line).into_bytes();
        let length = ("content-length".to_owned(), self.body.len().to_string().into_bytes());
        for (name, value) in self.headers.iter().chain((!self.body.is_empty()).then_some(&length)) {
            bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        [&bytes, &b"\r\n"[..], &self.body].concat()
    }
}

/// What came back, up to the end of the connection.
#[derive(Debug)]
pub struct Wire {
    /// The status.
    pub status: u16,
    /// The status line and the header fields.
    pub head: String,
    /// What followed them.
    pub body: String,
}

impl Wire {
    /// A header field, if it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &&str| line.split_once(": ").is_some_and(|it| it.0.eq_ignore_ascii_case(name));
        self.head.lines().find(named).and_then(|it| it.split_once(": ")).map(|it| it.1)
    }

    /// The slug of a problem's type; nothing if it is no problem.
    pub fn problem(&self) -> Option<String> {
        let is_problem = self.header("content-type") == Some("application/problem+json");
        let body: Value = serde_json::from_str(&self.body).ok().filter(|_| is_problem)?;
        body["type"].as_str()?.strip_prefix("urn:lindung:problem:").map(str::to_owned)
    }
}

impl TestApp {
    /// A connection of one's own.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.api.issuer().trim_start_matches("http://")).expect("the service listens");
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    /// Sends bytes; gives all that comes back until the connection ends.
    pub async fn exchange(&self, bytes: &[u8]) -> String {
        let (mut stream, bytes) = (self.connect(), bytes.to_vec());
        let exchanged = tokio::task::spawn_blocking(move || {
            // The service may answer, and close, before it has read all.
            stream.write_all(&bytes).ok();
            let mut received = Vec::new();
            stream.read_to_end(&mut received).ok();
            String::from_utf8_lossy(&received).into_owned()
        });
        exchanged.await.unwrap()
    }

    /// Sends bytes; gives the answer. Nothing, if the connection ends without one.
    pub async fn wire(&self, bytes: &[u8]) -> Option<Wire> {
        let text = self.exchange(bytes).await;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Wire { status, head: head.to_owned(), body: body.to_owned() })
    }

    /// Sends a request; it must be answered.
    pub async fn answers(&self, request: &Raw) -> Wire {
        self.wire(&request.bytes()).await.unwrap_or_else(|| panic!("{} was not answered", request.line))
    }
}

impl Session {
    /// A request of theirs.
    pub fn raw(&self, method: &str, path: &str) -> Raw {
        Raw::new(method, path).header("authorization", format!("Bearer {}", self.token))
    }
}
