//! A mail server that answers as it is told (RFC 5321), and keeps what it took.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::mortal::Mortal;

/// What a mail server answers to one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply(pub u16);

#[derive(Default)]
struct State {
    /// How the next recipients are met; then all are taken.
    replies: VecDeque<Reply>,
    mails: Vec<String>,
}

/// A mail server on a port of its own.
pub struct MailServer {
    listening: Mortal,
    state: Arc<Mutex<State>>,
}

impl MailServer {
    /// Starts one that takes everything.
    pub async fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let own = state.clone();
        let served = move |it| serve(it, own.clone()).map(|_| ());
        MailServer { listening: Mortal::start(served).await, state }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.listening.port)
    }

    /// Answers the next recipients like this.
    pub fn replies(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state.lock().unwrap().replies = replies.into_iter().collect();
    }

    /// The mails that it took.
    pub fn mails(&self) -> Vec<String> {
        self.state.lock().unwrap().mails.clone()
    }

    /// Is down.
    pub async fn goes_down(&mut self) {
        self.listening.dies().await;
    }

    /// Is up again, on the same port.
    pub async fn comes_up(&mut self) {
        self.listening.comes_back().await;
    }
}

async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.write_all(b"220 ready\r\n").await.ok()?;
    loop {
        line.clear();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let verb = line.split([' ', ':']).next()?.trim().to_uppercase();
        let reply = match verb.as_str() {
            "RCPT" => state.lock().unwrap().replies.pop_front().map_or(250, |it| it.0),
            "DATA" => 354,
            "QUIT" => 221,
            _ => 250,
        };
        stream.write_all(format!("{reply} so be it\r\n").as_bytes()).await.ok()?;
        if verb == "DATA" {
            let mut mail = String::new();
            loop {
                line.clear();
                stream.read_line(&mut line).await.ok().filter(|it| *it > 0)?;
                if line == ".\r\n" {
                    break;
                }
                mail.push_str(&line);
            }
            state.lock().unwrap().mails.push(mail);
            stream.write_all(b"250 taken\r\n").await.ok()?;
        }
        if verb == "QUIT" {
            return None;
        }
    }
}
