//! Pages of the log: each entry once, and none ever behind a cursor.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use futures::future::join_all;
use lindung_tests::{Answered, Session, TestApp};
use serde_json::{Value, json};

use super::{all, log};

fn up_to(page: &Answered) -> DateTime<Utc> {
    page.body["upTo"].as_str().unwrap().parse().unwrap()
}

/// Reads on from a cursor to the end; gives the ids that were found and the last cursor.
async fn read_on(auditor: &Session, mut cursor: Option<String>) -> (Vec<String>, Option<String>) {
    let mut found = Vec::new();
    loop {
        let after = cursor.as_ref().map_or(String::new(), |it| format!("&cursor={it}"));
        let page = auditor.get(&format!("/v1/access-log?limit=3&action=list_inbox{after}")).await.is(200);
        found.extend(all(&page, "id").iter().map(|it| (*it).to_owned()));
        match page.body["next"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return (found, cursor),
        }
    }
}

#[actix_web::test]
async fn a_reader_finds_every_entry_once_while_others_write() {
    let app = TestApp::start().await;
    let police = app.officer("KDN.PDRM.D11").await;
    let auditor = app.auditor("PP").await;
    let (mut found, mut cursor) = (Vec::new(), None);
    for _ in 0..6 {
        let writing = join_all((0..10).map(|_| police.get("/v1/inbox")));
        let (written, read) = futures::future::join(writing, read_on(&auditor, cursor.clone())).await;
        assert!(written.iter().all(|it| it.status == 200));
        // What a page without `next` held is read again from its own cursor.
        let (ids, last) = read;
        let full = ids.len() - ids.len() % 3;
        found.extend_from_slice(&ids[..full]);
        cursor = last;
    }
    app.database.settle();
    found.extend(read_on(&auditor, cursor).await.0);
    let rows = app.database.rows("select id from access_log where action = 'list_inbox' order by xid, id");
    let ids: Vec<&str> = rows.iter().filter_map(|it| it["id"].as_str()).collect();
    assert_eq!(ids.len(), 60);
    assert_eq!(found, ids);
    assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), 60);
}

#[actix_web::test]
async fn a_page_ends_before_the_oldest_transaction_that_runs() {
    let app = TestApp::start().await;
    let police = app.officer("KDN.PDRM.D11").await;
    let auditor = app.auditor("PP").await;
    police.get("/v1/inbox").await.is(200);
    assert_eq!(log(&app, &auditor, "action=list_inbox").await.items().len(), 1);

    let mut running = app.database.connection();
    running.batch_execute("begin; select pg_current_xact_id()").unwrap();
    let began: DateTime<Utc> =
        app.database.rows("select max(xact_start) as at from pg_stat_activity where state = 'idle in transaction' and datname = current_database()")[0]
            ["at"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
    police.get("/v1/inbox").await.is(200);
    police.get("/v1/inbox").await.is(200);
    let page = auditor.get("/v1/access-log?action=list_inbox").await;
    assert_eq!(page.items().len(), 1);
    assert!(up_to(&page) <= began, "{} {began}", up_to(&page));
    assert_eq!(page.header("lindung-up-to"), page.body["upTo"].as_str());

    running.batch_execute("commit").unwrap();
    let page = log(&app, &auditor, "action=list_inbox").await;
    assert_eq!(page.items().len(), 3);
    assert!(up_to(&page) > began);
}

#[actix_web::test]
async fn a_transaction_that_only_reads_holds_back_what_is_promised_but_no_entry() {
    let app = TestApp::start().await;
    let police = app.officer("KDN.PDRM.D11").await;
    let auditor = app.auditor("PP").await;
    let mut reading = app.database.connection();
    reading.batch_execute("begin; select 1").unwrap();
    let before: DateTime<Utc> =
        app.database.rows("select clock_timestamp() as at")[0]["at"].as_str().unwrap().parse().unwrap();
    police.get("/v1/inbox").await.is(200);
    let page = log(&app, &auditor, "action=list_inbox").await;
    assert_eq!(page.items().len(), 1);
    // It may still write, and began before.
    assert!(up_to(&page) < before);
}

#[actix_web::test]
async fn lines_are_the_items_of_the_document() {
    let app = TestApp::start().await;
    let police = app.officer("KDN.PDRM.D11").await;
    let auditor = app.auditor("PP").await;
    for _ in 0..3 {
        police.get("/v1/inbox").await.is(200);
    }
    let path = "/v1/access-log?action=list_inbox&limit=2";
    let document = log(&app, &auditor, "action=list_inbox&limit=2").await;
    let lines = auditor.send("GET", path, &[("accept", "application/x-ndjson")], None).await.is(200);
    assert_eq!(lines.header("content-type"), Some("application/x-ndjson"));
    let text = lines.body.as_str().unwrap();
    assert!(text.ends_with('\n'));
    let items: Vec<Value> = text.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    assert_eq!(json!(items), document.body["items"]);
    assert!(lines.header("lindung-up-to").unwrap().parse::<DateTime<Utc>>().unwrap() >= up_to(&document));
    let cursor = document.body["next"].as_str().unwrap();
    let link = format!("<{path}&cursor={cursor}>; rel=\"next\"");
    assert_eq!((lines.header("link"), document.header("link")), (Some(link.as_str()), Some(link.as_str())));

    let rest =
        auditor.send("GET", &format!("{path}&cursor={cursor}"), &[("accept", "application/x-ndjson")], None).await;
    assert_eq!(rest.body.as_str().unwrap().lines().count(), 1);
    assert_eq!(rest.header("link"), None);
}
