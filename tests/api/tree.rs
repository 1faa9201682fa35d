//! The access log as a transparency log, as auditors and others are served it.

mod erased;
mod openings;
mod sealing;
mod served;

use lindung_ledger::leaf::{Leaf, Opening};
use lindung_tests::{Answered, Notary, Session, TestApp};
use serde_json::Value;

const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";

/// A service, and who signs and witnesses its checkpoints.
async fn started() -> (TestApp, Notary) {
    let app = TestApp::start().await;
    let notary = app.notary();
    (app, notary)
}

/// What is there, as bytes.
async fn bytes(app: &TestApp, path: &str, reader: Option<&Session>) -> (u16, Vec<u8>) {
    let mut request = reqwest::Client::new().get(format!("{}{path}", app.api.issuer()));
    if let Some(reader) = reader {
        request = request.bearer_auth(&reader.token);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
}

/// The lines of a page of openings.
fn lines(page: &Answered) -> Vec<Value> {
    page.body.as_str().unwrap_or_default().lines().map(|it| serde_json::from_str(it).unwrap()).collect()
}

/// A line's leaf.
fn leaf(line: &Value) -> Leaf {
    Leaf::from_bytes(line["leaf"].as_str().unwrap().as_bytes()).unwrap()
}

/// What opens a line's leaf.
fn opening(line: &Value) -> Option<Opening> {
    use base64::Engine;
    let salt = base64::engine::general_purpose::STANDARD.decode(line["salt"].as_str()?).unwrap();
    let detail = line["detail"].as_str()?.as_bytes().to_vec();
    Some(Opening { salt: salt.try_into().unwrap(), detail })
}
