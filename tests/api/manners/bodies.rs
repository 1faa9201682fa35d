//! Media: what is taken, what is answered, how large.

use lindung_tests::{TestApp, case_body};
use serde_json::json;

use super::NOBODY;

#[actix_web::test]
async fn what_cannot_be_accepted_is_not_answered() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let case = school.opens_case().await;
    for (accept, status) in [
        ("*/*", 200),
        ("application/json", 200),
        ("application/*", 200),
        ("text/html, application/json;q=0.1", 200),
        ("text/html", 406),
        ("application/json;q=0, */*", 406),
        ("*/*;q=0", 406),
        ("application/problem+json", 406),
        ("application/x-ndjson", 406),
        ("Aminah", 406),
    ] {
        let answered = school.send("GET", &case.path, &[("accept", accept)], None).await.is(status);
        if status == 406 {
            let answered = answered.is_problem(406, "not-acceptable");
            let id = answered.header("x-request-id").expect("an id");
            let rows = app.database.rows(&format!("select officer, outcome from access_log where request_id = '{id}'"));
            assert_eq!(json!(rows), json!([{ "officer": "officer.one", "outcome": "invalid" }]));
        }
    }
}

#[actix_web::test]
async fn the_access_log_comes_in_lines_too() {
    let app = TestApp::start().await;
    let auditor = app.auditor("PP").await;
    for (accept, media) in [
        ("application/x-ndjson", "application/x-ndjson"),
        ("application/x-ndjson, application/json;q=0.5", "application/x-ndjson"),
        ("application/json, application/x-ndjson;q=0.5", "application/json"),
        ("*/*", "application/json"),
    ] {
        let page = auditor.send("GET", "/v1/access-log", &[("accept", accept)], None).await.is(200);
        assert_eq!(page.header("content-type"), Some(media), "{accept}");
    }
    let refused = auditor.send("GET", "/v1/access-log", &[("accept", "text/csv")], None).await;
    refused.is_problem(406, "not-acceptable");
}

#[actix_web::test]
async fn a_body_is_plain_json() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let request = school.raw("POST", "/v1/cases").header("idempotency-key", "one").body(case_body().to_string());
    let json = ("content-type", "application/json");
    let cases: [(&[(&str, &str)], u16); 11] = [
        (&[json], 201),
        (&[("content-type", "application/json; charset=utf-8")], 201),
        (&[("content-type", "Application/JSON")], 201),
        (&[json, ("content-encoding", "identity")], 201),
        (&[("content-type", "text/plain")], 415),
        (&[("content-type", "application/x-www-form-urlencoded")], 415),
        (&[("content-type", "application/jsonp")], 415),
        (&[], 415),
        (&[("content-type", "")], 415),
        (&[json, ("content-encoding", "gzip")], 415),
        (&[json, ("content-encoding", "aminah")], 415),
    ];
    for (headers, status) in cases {
        let request = headers.iter().fold(request.clone(), |it, (name, value)| it.header(name, value));
        let wire = app.answers(&request).await;
        assert_eq!(wire.status, status, "{}", wire.body);
        if status == 415 {
            assert_eq!(wire.problem().as_deref(), Some("unsupported-media-type"));
        }
    }
    // All of them under one key: done once, and replayed.
    assert_eq!(app.database.count("cases"), 1);
}

#[actix_web::test]
async fn no_body_stands_for_an_empty_one() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let police = app.officer("KDN.PDRM.D11").await;
    let case = school.opens_case().await;
    let referral = school.refers(&case, &police).await;
    let received = police.send("POST", &format!("{}/receive", referral.path), &[("if-match", "*")], None).await;
    received.is(200);
    police.send("POST", &format!("{}/accept", referral.path), &[("if-match", "*")], Some(&json!({}))).await.is(200);
}

#[actix_web::test]
async fn a_body_of_a_mebibyte_is_read_and_one_byte_more_is_not() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    for (size, status) in [(1024 * 1024, 201), (1024 * 1024 + 1, 413), (3 * 1024 * 1024, 413)] {
        let mut body = case_body().to_string().into_bytes();
        body.resize(size, b' ');
        let request = school.raw("POST", "/v1/cases").header("idempotency-key", format!("of-{size}")).json(body);
        let wire = app.answers(&request).await;
        assert_eq!(wire.status, status, "{size}");
        assert!(status == 201 || wire.problem().as_deref() == Some("too-large"), "{}", wire.body);
    }
    assert_eq!(app.database.count("cases"), 1);
    assert_eq!(app.database.count("access_log where action = 'create_case' and outcome = 'invalid'"), 2);
}

#[actix_web::test]
async fn a_body_that_comes_in_pieces_is_measured_too() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let piece = format!("{:x}\r\n{}\r\n", 64 * 1024, " ".repeat(64 * 1024));
    let head = format!(
        "PUT /v1/cases/{NOBODY} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {}\r\n\
         if-match: *\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
        school.token
    );
    let wire = app.wire(format!("{head}{}0\r\n\r\n", piece.repeat(17)).as_bytes()).await.expect("an answer");
    assert_eq!((wire.status, wire.problem().as_deref()), (413, Some("too-large")));
    let wire = app.wire(format!("{head}2\r\n{{}}\r\n0\r\n\r\n").as_bytes()).await.expect("an answer");
    assert_eq!((wire.status, wire.problem().as_deref()), (400, Some("malformed")));
}
