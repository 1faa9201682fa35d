//! Paths, queries and header fields that no client of ours would write.

use lindung_tests::{Raw, TestApp};

use super::{NOBODY, is_well, polite};

const REFUSED: [u16; 6] = [400, 401, 404, 405, 414, 431];

#[actix_web::test]
async fn odd_paths_lead_nowhere() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let case = school.opens_case().await;
    let id = &case.id;
    for path in [
        "/v1/cases/%00".to_owned(),
        "/v1/cases/%ff%fe".to_owned(),
        "/v1/cases/%".to_owned(),
        "/v1/cases/%zz".to_owned(),
        "/v1/cases/%2e%2e".to_owned(),
        format!("/v1/cases%2F{id}"),
        format!("/v1%2fcases/{id}"),
        format!("/v1/cases/{id}%00"),
        format!("/v1/cases/{id}%20"),
        format!("/v1/cases/{id}/"),
        format!("/v1/cases/{id}/../{id}"),
        format!("/v1/cases/%2530{id}"),
        format!("/v1/cases/{id};v=1"),
        format!("/v1//cases/{id}"),
        format!("/V1/cases/{id}"),
        "/v1/cases/\u{202e}".to_owned(),
        "/v1/agencies/KDN%00PDRM".to_owned(),
        "/v1/agencies/kdn.pdrm".to_owned(),
        format!("/v1/agencies/{}", "A".repeat(65)),
        "/v1/code-lists/offence%00".to_owned(),
        "/v1/code-lists/%27%3B--".to_owned(),
        format!("/v1/cases/{id}/sections/summary%00"),
        format!("/v1/cases/{}", "a/".repeat(5000)),
        format!("/v1/cases/{}", "a".repeat(20_000)),
        "*".to_owned(),
        "http://elsewhere.example/v1/cases/x".to_owned(),
    ] {
        polite(&app, &school.raw("GET", &path), &REFUSED).await;
    }
    is_well(&app, &school).await;
}

#[actix_web::test]
async fn an_id_is_the_same_however_it_is_written() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let case = school.opens_case().await;
    let encoded = case.id.replace('0', "%30");
    for path in [format!("/v1/cases/{}", case.id.to_uppercase()), format!("/v1/cases/{encoded}")] {
        let wire = polite(&app, &school.raw("GET", &path), &[200]).await;
        assert!(wire.body.contains(&case.id));
    }
    let read = app.database.rows(&format!(
        "select action, case_ids from access_log where action = 'get_case' and '{}' = any(case_ids)",
        case.id
    ));
    assert_eq!(read.len(), 2);
}

#[actix_web::test]
async fn odd_queries_are_refused() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let many = |it: &str, count: usize| vec![it; count].join("&");
    for query in [
        "%00=1".to_owned(),
        "reference=%00".to_owned(),
        "offence=%00".to_owned(),
        "cursor=%00".to_owned(),
        "limit=%31%00".to_owned(),
        "limit".to_owned(),
        "=".to_owned(),
        "a[b][c]=1".to_owned(),
        "limit=1;status=open".to_owned(),
        many("limit=1", 2),
        many("a=1", 5_000),
        (0..3_000).map(|it| format!("p{it}=1")).collect::<Vec<_>>().join("&"),
        format!("reference={}", "x".repeat(65)),
        format!("cursor={}", "A".repeat(20_000)),
        format!("{}=1", "x".repeat(20_000)),
    ] {
        polite(&app, &school.raw("GET", &format!("/v1/cases?{query}")), &[400, 414, 422]).await;
    }
    for query in ["", "&", "&&&", "reference=%ff", "reference=%27%3B--", "%6cimit=1", "limit=%31"] {
        polite(&app, &school.raw("GET", &format!("/v1/cases?{query}")), &[200]).await;
    }
    is_well(&app, &school).await;
}

#[actix_web::test]
async fn odd_header_fields_are_refused_or_passed_over() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let case = school.opens_case().await;
    for (name, value) in [
        ("accept-language", &b"\xff\xfe"[..]),
        ("accept-language", b"*;q=2, xx-yy-zz;;;,,,q=1"),
        ("traceparent", b"\xff"),
        ("traceparent", b"00-00-00-00"),
        ("x-request-id", b"'; drop table access_log; --"),
        ("x-forwarded-for", b"127.0.0.1"),
        ("x-http-method-override", b"DELETE"),
        ("cookie", b"a=b; c"),
        ("range", b"bytes=0-1"),
        ("if-none-match", b"*"),
        ("content-type", b"\xff/\xff"),
    ] {
        polite(&app, &school.raw("GET", &case.path).header(name, value), &[200]).await;
    }
    for (name, value) in [
        ("accept", &b"\xff"[..]),
        ("if-match", b"\xff"),
        ("if-match", b"\"\xff\""),
        ("idempotency-key", b"\xff"),
        ("idempotency-key", b""),
        ("idempotency-key", b"\"\""),
        ("idempotency-key", &[b'k'; 256]),
        ("content-type", b"\xff"),
        ("content-encoding", b"\xff"),
    ] {
        let request = school.raw("POST", &format!("{}/children", case.path)).header(name, value).body("{}");
        polite(&app, &request, &[400, 406, 415]).await;
    }
    let long = "x".repeat(60_000);
    polite(&app, &school.raw("GET", &case.path).header("x-long", &long), &[200, 431, 400]).await;
    polite(&app, &school.raw("GET", &case.path).header("x-long", "x".repeat(300_000)), &[431, 400]).await;
    let many = (0..200).fold(school.raw("GET", &case.path), |it, at| it.header(&format!("x-{at}"), "1"));
    polite(&app, &many, &[431, 400]).await;
    is_well(&app, &school).await;
}

#[actix_web::test]
async fn a_bearer_that_is_none_is_nobody() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let token = &school.token;
    let [head, claims, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    for value in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Basic {token}"),
        format!("Bearer {token}x"),
        format!("Bearer  {token}"),
        format!("Bearer {token}, Bearer {token}"),
        format!("Bearer {head}.{claims}."),
        format!("Bearer {head}..{signature}"),
        format!("Bearer {claims}.{claims}.{signature}"),
        format!("Bearer {}", "A".repeat(20_000)),
        format!("Bearer {}", "a.".repeat(2_000)),
        "Bearer \u{202e}".to_owned(),
    ] {
        let request = Raw::new("GET", &format!("/v1/cases/{NOBODY}")).header("authorization", value);
        assert_eq!(polite(&app, &request, &[401]).await.problem().as_deref(), Some("unauthenticated"));
    }
    polite(&app, &school.raw("GET", "/v1/cases").header("authorization", format!("Bearer {token}")), &[401]).await;
    is_well(&app, &school).await;
}
