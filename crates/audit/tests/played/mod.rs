//! A service that serves an export, and no more of the API than a pull asks for.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::export::Export;

/// So many lines has a page.
const PAGE: usize = 100;

/// The service.
pub struct Played {
    /// Where it is.
    pub issuer: String,
    state: Arc<Mutex<State>>,
}

struct State {
    export: Export,
    asked: Vec<String>,
    /// How many more requests are answered.
    allowed: usize,
    /// For so many readings the list of accesses ends before its last.
    held_back: usize,
}

impl Played {
    /// Starts it on a port of its own; it ends with the test.
    pub async fn start(export: Export) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State { export, asked: Vec::new(), allowed: usize::MAX, held_back: 0 }));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&shared)));
            }
        });
        Played { issuer, state }
    }

    /// Serves another export from now on.
    pub fn serve(&self, export: Export) {
        self.state.lock().unwrap().export = export;
    }

    /// Answers so many requests more, and then none.
    pub fn allow(&self, requests: usize) {
        self.state.lock().unwrap().allowed = requests;
    }

    /// Tells of the last access only when the list was read so often: something that began earlier is still running.
    pub fn holds_back(&self, readings: usize) {
        self.state.lock().unwrap().held_back = readings;
    }

    /// How many requests had this in their path.
    pub fn asked(&self, part: &str) -> usize {
        self.state.lock().unwrap().asked.iter().filter(|it| it.contains(part)).count()
    }
}

async fn answer(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut request = Vec::new();
    // A body, if any, may stay unread: only the token endpoint gets one, and does not look at it.
    while !request.windows(4).any(|it| it == b"\r\n\r\n") {
        let mut part = [0; 4096];
        match stream.read(&mut part).await {
            Ok(length) if length > 0 => request.extend(&part[..length]),
            _ => return,
        }
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let path = request.split(' ').nth(1).unwrap().to_owned();
    let signed_in = request.to_ascii_lowercase().contains("\r\nauthorization: dpop t\r\n");
    let reply = {
        let mut state = state.lock().unwrap();
        if path != "/oauth2/token" {
            let Some(allowed) = state.allowed.checked_sub(1) else { return };
            state.allowed = allowed;
        }
        state.asked.push(path.clone());
        let held_back = state.held_back > 0;
        let answered = reply(&state.export, &path, signed_in, held_back);
        if path.starts_with("/v1/access-log?") && answered.0 == 200 {
            state.held_back = state.held_back.saturating_sub(1);
        }
        answered
    };
    let (status, kind, body) = reply;
    let head = format!(
        "HTTP/1.1 {status} .\r\ndate: Mon, 06 Jul 2026 09:00:00 GMT\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
}

fn reply(export: &Export, path: &str, signed_in: bool, held_back: bool) -> (u16, &'static str, Vec<u8>) {
    const JSON: &str = "application/json";
    if path == "/oauth2/token" {
        return (200, JSON, json!({ "access_token": "t" }).to_string().into_bytes());
    }
    let (path, query) =
        path.strip_prefix("/v1/access-log").unwrap().split_once('?').unwrap_or((&path["/v1/access-log".len()..], ""));
    let asked = |name: &str| {
        query.split('&').find_map(|it| it.strip_prefix(name)?.strip_prefix('=')).map(|it| it.parse().unwrap())
    };
    let lines = |name: &str| {
        String::from_utf8(export.files[name].clone()).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let entitled = path.starts_with("/tile/entries/") || path == "/openings" || path.is_empty();
    match path {
        _ if entitled && !signed_in => (401, JSON, Vec::new()),
        "" => {
            let (mut lines, from) = (lines("accesses.ndjson"), asked("cursor").unwrap_or(0));
            let mut up_to = "2026-07-06T09:00:01Z";
            if held_back {
                (_, up_to) = (lines.pop(), "2026-07-06T08:59:59Z");
            }
            let items = lines.iter().skip(from).take(PAGE).map(|it| serde_json::from_str::<Value>(it).unwrap());
            let mut page = json!({ "items": items.collect::<Vec<_>>(), "upTo": up_to });
            if from + PAGE < lines.len() {
                page["next"] = (from + PAGE).to_string().into();
            }
            (200, JSON, page.to_string().into_bytes())
        }
        "/openings" => {
            let from = asked("from").unwrap();
            let page =
                lines("openings.ndjson").iter().skip(from).take(PAGE).map(|it| format!("{it}\n")).collect::<String>();
            (200, "application/x-ndjson", page.into_bytes())
        }
        _ => match export.files.get(&path[1..]) {
            Some(bytes) => (200, "application/octet-stream", bytes.clone()),
            None if path.starts_with("/tile/entries/")
                && !export.files.keys().any(|it| it.starts_with("tile/entries/")) =>
            {
                (403, JSON, Vec::new())
            }
            // A narrower tile is the beginning of the one that there is now.
            None => match (path.split_once(".p/"), narrowed(export, path)) {
                (Some(_), Some(bytes)) => (200, "application/octet-stream", bytes),
                _ => (404, JSON, Vec::new()),
            },
        },
    }
}

fn narrowed(export: &Export, path: &str) -> Option<Vec<u8>> {
    let (tile, width) = path[1..].split_once(".p/")?;
    let whole = |name: &&String| *name == tile || name.starts_with(&format!("{tile}.p/"));
    let (name, bytes) = export.files.iter().find(|(name, _)| whole(name))?;
    let width: usize = width.parse().ok()?;
    if !name.starts_with("tile/entries/") {
        return Some(bytes.get(..width * 32)?.to_vec());
    }
    let mut end = 0;
    for _ in 0..width {
        end += 2 + usize::from(u16::from_be_bytes([*bytes.get(end)?, *bytes.get(end + 1)?]));
    }
    Some(bytes.get(..end)?.to_vec())
}
