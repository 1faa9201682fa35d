//! The access log: every access has its row, and nothing is answered without one.

mod auditors;
mod entries;
mod fail_closed;
mod filters;
mod pages;

use lindung_tests::{Answered, Session, TestApp};
use serde_json::Value;

/// An id that nothing has.
const NOBODY: &str = "0193b5f4-7a00-7c3e-9d55-0d8f6c2b1a01";

/// What the log has for this answer, without who, when and which.
fn entry(app: &TestApp, answered: &Answered) -> Value {
    let id = answered.header("x-request-id").expect("an id");
    let rows = app.database.rows(&format!(
        "select action, outcome, rule, target, case_ids, child_ids, sections, count from access_log where request_id = '{id}'"
    ));
    assert_eq!(rows.len(), 1, "rows of one request");
    rows[0].clone()
}

/// A page of the log that has all that was written before.
async fn log(app: &TestApp, auditor: &Session, query: &str) -> Answered {
    app.database.settle();
    auditor.get(&format!("/v1/access-log?{query}")).await.is(200)
}

/// A field of every item, as text.
fn all<'a>(page: &'a Answered, field: &str) -> Vec<&'a str> {
    page.items().iter().map(|it| it[field].as_str().unwrap_or("-")).collect()
}
