//! Order without gaps: events and accesses get dense numbers, whatever commits when.

mod naive;
mod random;
mod restored;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use lindung_tests::{Database, TestApp};
use serde_json::Value;

/// A session in which a row stays uncommitted for as long as a test likes.
fn open(database: &Database) -> PgConnection {
    let mut conn = PgConnection::establish(&database.url).unwrap();
    conn.batch_execute("begin").unwrap();
    conn
}

/// An access with this id and nothing else to tell.
fn access(id: u32) -> String {
    format!(
        "insert into access_log (id, at, request_id, roles, action, outcome, case_ids, child_ids, sections, count) \
         values ('{}', '2026-11-24T02:00:00Z', gen_random_uuid(), '{{}}', 'get_case', 'permitted', '{{}}', '{{}}', '{{}}', 1)",
        uuid(id)
    )
}

fn uuid(id: u32) -> String {
    format!("00000000-0000-7000-8000-{id:012}")
}

/// An event of a case with this id.
fn event(id: u32, case: &str, version: i64) -> String {
    format!(
        "insert into events (id, kind, case_id, case_version, subject_type, subject_id, causation_id, at, data, recipients) \
         values ('{}', 'my.gov.lindung.case.amended', '{case}', {version}, 'case', '{case}', gen_random_uuid(), now(), '{{}}', '{{}}')",
        uuid(id)
    )
}

/// The ids of accesses in their order; the numbers are dense.
fn accesses(database: &Database) -> Vec<String> {
    dense(database.rows("select number, entry_id as id from access_leaves order by number"))
}

/// The ids of events in their order; the numbers are dense.
fn events(database: &Database) -> Vec<String> {
    dense(database.rows("select number, event_id as id from event_numbers order by number"))
}

fn dense(rows: Vec<Value>) -> Vec<String> {
    let number = |(at, row): (usize, Value)| {
        assert_eq!(row["number"], at, "a gap, or a number twice");
        row["id"].as_str().unwrap().to_owned()
    };
    rows.into_iter().enumerate().map(number).collect()
}

/// A case that was just opened, by its id; everything of it has its number.
async fn case(app: &TestApp) -> String {
    let case = app.officer("KPM.SEKOLAH.WBA0001").await.opens_case().await;
    app.sequence();
    case.id
}
