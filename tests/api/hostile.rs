//! Bad input gets a polite 4xx: never a 5xx, a hang or a crash; and what was sent shows nowhere.

mod canary;
mod child;
mod connections;
mod json;
mod paths;
mod texts;
mod times;
mod unknown;

use lindung_tests::{Raw, Session, TestApp, Wire};

/// An id that nothing has.
const NOBODY: &str = "0193b5f4-7a00-7c3e-9d55-0d8f6c2b1a01";

/// A request whose answer must be one of these.
async fn polite(app: &TestApp, request: &Raw, statuses: &[u16]) -> Wire {
    let wire = app.answers(request).await;
    assert!(statuses.contains(&wire.status), "{request:?} answered {} {}", wire.status, wire.body);
    wire
}

/// The opening of a case with this body, sent as it is.
fn opening(session: &Session, body: impl AsRef<[u8]>) -> Raw {
    session.raw("POST", "/v1/cases").header("idempotency-key", "hostile").json(body)
}

/// The service is as well as before.
async fn is_well(app: &TestApp, session: &Session) {
    assert_eq!(app.answers(&Raw::new("GET", "/readyz")).await.status, 200);
    assert_eq!(app.answers(&session.raw("GET", "/v1/cases")).await.status, 200);
    assert_eq!(app.database.count("access_log where outcome = 'failed'"), 0);
}
