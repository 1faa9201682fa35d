//! What simpler ways of reading a log get wrong, and ours does not.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use lindung_tests::{Database, TestApp};

use super::{access, accesses, case, event, events, open, uuid};

/// What a reader that remembers the last id, and asks for those behind it, gets to see.
fn behind(database: &Database, cursor: &mut String) -> Vec<String> {
    let rows = database.rows(&format!("select id from access_log where id > '{cursor}' order by id"));
    let found: Vec<String> = rows.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect();
    found.last().inspect(|it| *cursor = (*it).clone());
    found
}

#[actix_web::test]
async fn a_reader_by_id_loses_what_commits_later() {
    let app = TestApp::start().await;
    let (mut slow, mut cursor) = (open(&app.database), uuid(0));
    slow.batch_execute(&access(1)).unwrap();
    app.database.execute(&access(2));
    app.sequence();
    assert_eq!(behind(&app.database, &mut cursor), [uuid(2)]);
    slow.batch_execute("commit").unwrap();
    app.sequence();
    assert_eq!(behind(&app.database, &mut cursor), Vec::<String>::new(), "the control: it never sees the first");
    assert_eq!(accesses(&app.database), [uuid(2), uuid(1)]);
}

#[actix_web::test]
async fn a_watermark_turns_the_events_of_a_case_around() {
    let app = TestApp::start().await;
    let case = case(&app).await;
    let before = events(&app.database).len();
    // It has its transaction's id before it waits for the case, whose next event somebody else writes meanwhile.
    let mut waiting = open(&app.database);
    waiting.batch_execute(&access(1)).unwrap();
    app.database.execute(&event(9, &case, 2));
    waiting.batch_execute(&event(8, &case, 3)).unwrap();
    waiting.batch_execute("commit").unwrap();
    app.sequence();
    let by_transaction =
        app.database.rows("select case_version as v from events where case_version > 1 order by xid, id");
    assert_eq!(by_transaction, [serde_json::json!({"v": 3}), serde_json::json!({"v": 2})], "the control");
    assert_eq!(events(&app.database)[before..], [uuid(9), uuid(8)]);
}

#[actix_web::test]
async fn an_idle_transaction_elsewhere_holds_nothing_up() {
    let app = TestApp::start().await;
    let elsewhere = Database::new();
    let mut idle = PgConnection::establish(&elsewhere.url).unwrap();
    idle.batch_execute("begin; select pg_current_xact_id()").unwrap();
    app.database.execute(&access(1));
    let below = "access_log where xid < pg_snapshot_xmin(pg_current_snapshot())";
    assert_eq!(app.database.count(below), 0, "the control: a watermark waits");
    assert_eq!(app.sequence().accesses, 1);
    assert_eq!(accesses(&app.database), [uuid(1)]);
    app.database.execute(&access(2));
    assert_eq!(app.sequence().accesses, 1);
    idle.batch_execute("rollback").unwrap();
    assert_eq!(app.sequence().accesses, 0);
}

#[actix_web::test]
async fn what_is_rolled_back_takes_no_number() {
    let app = TestApp::start().await;
    let mut conn = open(&app.database);
    conn.batch_execute(&access(1)).unwrap();
    conn.batch_execute(&format!("savepoint s; {}; rollback to s; {}", access(2), access(3))).unwrap();
    app.sequence();
    conn.batch_execute("commit").unwrap();
    app.database.execute(&format!("begin; {}; rollback", access(4)));
    app.database.execute(&access(5));
    app.sequence();
    assert_eq!(accesses(&app.database), [1, 3, 5].map(uuid));
}

#[actix_web::test]
async fn two_at_once_number_nothing_twice() {
    let app = TestApp::start().await;
    app.database.execute(&access(1));
    let mut leader = open(&app.database);
    leader.batch_execute("select from sequencers for update").unwrap();
    assert_eq!(app.sequence().accesses, 0, "another leads");
    leader.batch_execute("rollback").unwrap();
    assert_eq!(app.sequence().accesses, 1);
}
