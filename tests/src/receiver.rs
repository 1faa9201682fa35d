//! Somebody at the other end of a webhook, who behaves in some way.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::mortal::Mortal;

/// How a receiver behaves with one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manner {
    /// Answers with this status.
    Answers(u16),
    /// Answers with this status and a header field.
    Says(u16, &'static str, String),
    /// Takes the request, and never says anything.
    Hangs,
    /// Answers byte by byte, and never comes to an end.
    Drips,
    /// Answers 200, and then sends so many megabytes.
    Floods(usize),
    /// Hangs up before it answers.
    HangsUp,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// Method and path.
    pub line: String,
    /// The header fields, with names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Received {
    /// A header field.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|it| it.0 == name).map(|it| it.1.as_str())
    }
}

#[derive(Default)]
struct State {
    /// How the next requests are met; the last manner stays.
    manners: VecDeque<Manner>,
    received: Vec<Received>,
}

/// A receiver on a port of its own.
pub struct Receiver {
    listening: Mortal,
    state: Arc<Mutex<State>>,
}

impl Receiver {
    /// Starts one with this manner.
    pub async fn start(manner: Manner) -> Self {
        let state = Arc::new(Mutex::new(State { manners: [manner].into(), received: Vec::new() }));
        let own = state.clone();
        Receiver { listening: Mortal::start(move |it| serve(it, own.clone())).await, state }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.listening.port)
    }

    /// Behaves like this from now on, once each, and like the last for good.
    pub fn behaves(&self, manners: impl IntoIterator<Item = Manner>) {
        self.state.lock().unwrap().manners = manners.into_iter().collect();
    }

    /// What came so far.
    pub fn received(&self) -> Vec<Received> {
        self.state.lock().unwrap().received.clone()
    }

    /// Is there no more: connections are refused.
    pub async fn dies(&mut self) {
        self.listening.dies().await;
    }

    /// Is there again, on the same port.
    pub async fn comes_back(&mut self) {
        self.listening.comes_back().await;
    }
}

/// Serves one request of a connection, which then ends.
async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let Some(received) = read(&mut stream).await else { return };
    let manner = {
        let mut state = state.lock().unwrap();
        state.received.push(received);
        if state.manners.len() > 1 { state.manners.pop_front().unwrap() } else { state.manners[0].clone() }
    };
    let head = |status: u16, field: String| format!("HTTP/1.1 {status} X\r\n{field}connection: close\r\n");
    let answer = |status, field| head(status, field) + "content-length: 0\r\n\r\n";
    match manner {
        Manner::Answers(status) => drop(stream.write_all(answer(status, String::new()).as_bytes()).await),
        Manner::Says(status, name, value) => {
            drop(stream.write_all(answer(status, format!("{name}: {value}\r\n")).as_bytes()).await);
        }
        Manner::Hangs => std::future::pending().await,
        Manner::Drips => {
            for byte in head(200, String::new()).bytes().cycle() {
                if stream.write_all(&[byte]).await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Manner::Floods(megabytes) => {
            let length = format!("content-length: {}\r\n", megabytes * 1024 * 1024);
            stream.write_all((head(200, length) + "\r\n").as_bytes()).await.ok();
            let part = vec![b'x'; 1024 * 1024];
            for _ in 0..megabytes {
                if stream.write_all(&part).await.is_err() {
                    return;
                }
            }
        }
        Manner::HangsUp => {}
    }
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).await.ok().filter(|it| *it > 0)?;
        bytes.extend_from_slice(&part[..count]);
        let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let headers: Vec<(String, String)> = head
            .lines()
            .skip(1)
            .filter_map(|it| it.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let length = headers.iter().find(|it| it.0 == "content-length").and_then(|it| it.1.parse().ok()).unwrap_or(0);
        if bytes.len() < end + 4 + length {
            continue;
        }
        let body = String::from_utf8_lossy(&bytes[end + 4..end + 4 + length]).into_owned();
        return Some(Received { line: head.lines().next()?.to_owned(), headers, body });
    }
}
