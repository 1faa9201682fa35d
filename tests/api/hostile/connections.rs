//! HTTP that is none, and connections that end too soon.

use std::io::Write;
use std::net::Shutdown;

use lindung_tests::TestApp;
use serde_json::json;

use super::{NOBODY, is_well};

#[actix_web::test]
async fn what_is_no_http_gets_a_400_or_nothing() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let head = format!(
        "PUT /v1/cases/{NOBODY} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nif-match: *\r\n",
        school.token
    );
    for bytes in [
        "\r\n\r\n".to_owned(),
        "GET\r\n\r\n".to_owned(),
        "GET /v1/cases\r\n\r\n".to_owned(),
        "GET /v1/cases HTTP/9.9\r\n\r\n".to_owned(),
        "GET /v1/\0cases HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(),
        "GET /v1/ cases HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0".repeat(40),
        "GET /v1/cases HTTP/1.1\r\nhost x\r\n\r\n".to_owned(),
        "GET /v1/cases HTTP/1.1\r\nho\0st: x\r\n\r\n".to_owned(),
        format!("{head}content-length: -1\r\n\r\n"),
        format!("{head}content-length: 99999999999999999999\r\n\r\n"),
        format!("{head}content-length: 2\r\ncontent-length: 3\r\n\r\n{{}}"),
        format!("{head}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{{}}"),
        format!("{head}transfer-encoding: gzip\r\n\r\n"),
        format!("{head}content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{{}}\r\n0\r\n\r\n"),
        format!("{head}content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n{}\r\n", "f".repeat(40)),
    ] {
        let mut stream = app.connect();
        stream.write_all(bytes.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let answer = tokio::task::spawn_blocking(move || {
            let mut answer = Vec::new();
            std::io::Read::read_to_end(&mut stream, &mut answer).ok();
            String::from_utf8_lossy(&answer).into_owned()
        });
        let answer = answer.await.unwrap();
        let polite = answer.is_empty() || answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.0 4");
        assert!(polite, "{bytes:?} was answered {answer}");
    }
    is_well(&app, &school).await;
}

#[actix_web::test]
async fn requests_in_one_go_are_answered_in_their_order() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let request = |path: &str, more: &str| {
        format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n{more}\r\n", school.token)
    };
    let mut bytes = String::new();
    for at in 0..20 {
        bytes += &request(if at % 2 == 0 { "/v1/inbox" } else { "/v1/no-such" }, "");
    }
    bytes += &request("/v1/outbox", "connection: close\r\n");
    let answers = app.exchange(bytes.as_bytes()).await;
    let statuses: Vec<&str> = answers.split("HTTP/1.1 ").skip(1).filter_map(|it| it.split(' ').next()).collect();
    let expected: Vec<&str> = (0..21).map(|at| if at % 2 == 0 { "200" } else { "404" }).collect();
    assert_eq!(statuses, expected);
    assert_eq!(app.database.count("access_log where action = 'list_inbox'"), 10);
}

#[actix_web::test]
async fn a_body_that_breaks_off_changes_nothing() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let case = school.opens_case().await;
    let plan = json!({ "text": "Watch." }).to_string();
    let head = format!(
        "PUT {}/sections/plan HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {}\r\nif-match: *\r\n\
         content-type: application/json\r\n",
        case.path, school.token
    );
    for bytes in [
        format!("{head}content-length: {}\r\n\r\n{plan}", plan.len() + 1),
        format!("{head}content-length: 1000000\r\n\r\n"),
        format!("{head}transfer-encoding: chunked\r\n\r\n{:x}\r\n{plan}\r\n", plan.len()),
        format!("{head}transfer-encoding: chunked\r\n\r\n{:x}\r\n{plan}", plan.len() + 10),
        head.clone(),
    ] {
        for _ in 0..10 {
            let mut stream = app.connect();
            stream.write_all(bytes.as_bytes()).unwrap();
            drop(stream);
        }
    }
    school.get(&format!("{}/sections/plan", case.path)).await.is(200);
    assert_eq!(school.get(&format!("{}/sections/plan", case.path)).await.body["version"], 0);
    is_well(&app, &school).await;
}

#[actix_web::test]
async fn whoever_sends_nothing_keeps_nobody_waiting() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let mut idle = Vec::new();
    for at in 0..200 {
        let mut stream = app.connect();
        stream.write_all(&b"POST /v1/cases HTTP/1.1\r\nhost: x\r\n"[..at % 34]).unwrap();
        idle.push(stream);
    }
    is_well(&app, &school).await;
    drop(idle);
}
