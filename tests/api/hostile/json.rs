//! JSON that is none, or is of no shape that we know.

use lindung_tests::{TestApp, case_body};

use super::{is_well, opening, polite};

/// The body of a case with this JSON in place of its summary's text.
fn with_text(text: &[u8]) -> Vec<u8> {
    let body = case_body().to_string();
    let (before, after) = body.split_once("\"A pupil is threatened with manipulated images.\"").unwrap();
    [before.as_bytes(), text, after.as_bytes()].concat()
}

#[actix_web::test]
async fn no_text_that_is_none_gets_in() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    for text in [
        &br#""a\u0000b""#[..],
        br#""a\ud800""#,
        br#""\udc00\ud800""#,
        br#""\ud800\u0041""#,
        b"\"a\x00b\"",
        b"\"a\x1fb\"",
        b"\"\xc0\x80\"",
        b"\"\xe0\x80\xaf\"",
        b"\"\xed\xa0\x80\"",
        b"\"\xff\xfe\"",
        b"\"\xf5\x80\x80\x80\"",
        br#""\x41""#,
        b"\"never ends",
        b"1e999999999",
        b"-",
        b"00",
        b"NaN",
        b"Infinity",
        b"[]",
        b"{}",
        b"true",
        b"null",
        b"123456789012345678901234567890123456789012345678901234567890",
    ] {
        polite(&app, &opening(&school, with_text(text)), &[400]).await;
    }
    // To be sure that it was the text.
    polite(&app, &opening(&school, with_text(br#""\ud83d\ude00 a\\u0000b""#)), &[201]).await;
    assert_eq!(app.database.count("cases"), 1);
    is_well(&app, &school).await;
}

#[actix_web::test]
async fn no_document_that_is_none_gets_in() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let good = case_body().to_string();
    let nested = |open: &str, close: &str, levels: usize| format!("{}{}", open.repeat(levels), close.repeat(levels));
    for body in [
        String::new(),
        " ".to_owned(),
        "\0".to_owned(),
        "null".to_owned(),
        "\"case\"".to_owned(),
        "[]".to_owned(),
        format!("[{good}]"),
        format!("\u{feff}{good}"),
        format!("{good}{good}"),
        format!("{good},"),
        good.replace('"', "'"),
        good.replacen('{', "{\"priority\":\"urgent\",", 1),
        good.replacen("\"text\"", "\"text\":\"twice\",\"text\"", 1),
        good.replacen("{\"text\"", "{\"\\u0000\":1,\"text\"", 1),
        good.replacen("{\"text\"", "{\"__proto__\":{},\"text\"", 1),
        good.replacen("\"urgent\"", "[\"urgent\"]", 1),
        good.replacen("\"urgent\"", "{\"urgent\":null}", 1),
        // A struct's fields, in their order but without their names.
        "[\"urgent\", [], [], [], {}, [{}]]".to_owned(),
        good.replacen("\"children\":[{", "\"children\":[[{}],{", 1),
        nested("[", "]", 200),
        nested("[", "]", 100_000),
        nested("{\"sections\":", "1}", 200),
        nested("{\"sections\":", "1}", 50_000),
        "[".repeat(1024 * 1024),
        "{\"a\":".repeat(100_000),
        format!("{{\"offences\":[{}]}}", vec!["1"; 500_000].join(",")),
        format!("{{\"techniques\":[{}1]}}", "1,".repeat(500_000)),
        format!("[{}1]", "1,".repeat(500_000)),
        format!("{{{}\"a\":1}}", "\"a\":1,".repeat(150_000)),
    ] {
        polite(&app, &opening(&school, body), &[400]).await;
    }
    assert_eq!(app.database.count("cases"), 0);
    is_well(&app, &school).await;
}

#[actix_web::test]
async fn lists_have_their_limits() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let children = |count: usize| {
        let mut body = case_body();
        body["children"] = serde_json::json!(vec![serde_json::json!({}); count]);
        body.to_string()
    };
    polite(&app, &opening(&school, children(0)), &[422]).await;
    polite(&app, &opening(&school, children(51)), &[422]).await;
    polite(&app, &opening(&school, children(200_000)), &[422]).await;
    polite(&app, &opening(&school, children(50)), &[201]).await;
    is_well(&app, &school).await;
}

#[actix_web::test]
async fn a_section_is_no_back_door() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let case = school.opens_case().await;
    let child = case.child(0);
    for (section, body) in [
        (format!("{}/sections/plan", case.path), "[\"Watch.\"]".to_owned()),
        (format!("{}/sections/plan", case.path), "{\"text\":\"\\u0000\"}".to_owned()),
        (format!("{}/sections/plan", case.path), "{\"text\":\"Watch.\",\"x\":1}".to_owned()),
        (format!("{}/sections/plan", case.path), "{\"items\":[]}".to_owned()),
        (format!("{}/sections/plan", case.path), format!("{}1{}", "[".repeat(5000), "]".repeat(5000))),
        (format!("{}/sections/digital-evidence", case.path), "{\"items\":[[\"x\",null,null,null]]}".to_owned()),
        (format!("{child}/sections/identity"), "[[\"Aminah\"],[],null]".to_owned()),
        (format!("{child}/sections/identity"), "{\"names\":[\"A\"],\"identifiers\":[[\"mykid\",\"1\"]]}".to_owned()),
    ] {
        let request = school.raw("PUT", &section).header("if-match", "*").json(body);
        polite(&app, &request, &[400]).await;
    }
    is_well(&app, &school).await;
}
