//! Agencies and units: who reads them, in which language, and who keeps them.

mod keeping;

use lindung_client::Reply;
use lindung_tests::{Session, TestApp};
use rstest::rstest;
use serde_json::{Value, json};

fn codes(page: &[Value]) -> Vec<&str> {
    page.iter().map(|it| it["code"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn everybody_who_is_known_reads_all_of_them() {
    let app = TestApp::start().await;
    for reader in [app.client("KK").await, app.officer("KDN.PDRM").await, app.auditor("SUHAKAM.OCC").await] {
        let agency = reader.get("/v1/agencies/KKM.OSCC").await.is(200);
        let expected = json!({
            "code": "KKM.OSCC", "ministry": "partner", "kind": "heading",
            "name": "Pusat Krisis Sehenti", "language": "ms",
            "names": { "ms": "Pusat Krisis Sehenti", "en": "One-Stop Crisis Centre (hospital)" },
            "contacts": [], "confidence": "M", "active": true, "version": 1,
        });
        assert_eq!(agency.body, expected);
        assert_eq!((agency.header("etag"), agency.header("content-language")), (Some("\"1\""), Some("ms")));
    }
    let school = app.client("KPM").await.get("/v1/agencies/KPM.SEKOLAH.WBA0001").await.is(200);
    assert_eq!((&school.body["parent"], &school.body["kind"]), (&json!("KPM.SEKOLAH"), &json!("unit")));
    let desk =
        json!({ "desk": "Guru Bimbingan dan Kaunseling", "telephone": "03-5550 0105", "hours": "Mo-Fr 07:30-15:30" });
    assert_eq!((&school.body["contacts"], &school.body["confidence"]), (&json!([desk]), &json!("development")));
}

#[actix_web::test]
async fn a_list_is_read_page_by_page() {
    let app = TestApp::start().await;
    let reader = app.client("KK").await;
    let all = app.database.rows(r#"select code from agencies order by code collate "C""#);
    let (mut found, mut path, mut pages) = (Vec::new(), "/v1/agencies?limit=7".to_owned(), 0);
    loop {
        let page = reader.get(&path).await;
        found.extend(page.items().clone());
        assert!(page.items().len() <= 7);
        pages += 1;
        let Some(next) = page.body["next"].as_str() else {
            assert_eq!(page.header("link"), None);
            break;
        };
        path = format!("/v1/agencies?limit=7&cursor={next}");
        assert_eq!(page.header("link"), Some(format!("<{path}>; rel=\"next\"").as_str()));
    }
    assert_eq!(codes(&found), codes(&all));
    assert_eq!(pages, found.len() / 7 + 1);
    let logged = app.database.rows("select count from access_log where action = 'list_agencies' order by xid, id");
    assert_eq!(logged.len(), pages);
    assert_eq!(logged[0], json!({ "count": 7 }));
}

#[actix_web::test]
async fn those_under_one_are_listed() {
    let app = TestApp::start().await;
    let reader = app.client("KK").await;
    let schools = reader.get("/v1/agencies?parent=KPM.SEKOLAH").await;
    assert_eq!(codes(schools.items()), ["KPM.SEKOLAH.WBA0001", "KPM.SEKOLAH.WBA0002"]);
    assert_eq!(codes(reader.get("/v1/agencies?parent=KPM.SEKOLAH&limit=1").await.items()), ["KPM.SEKOLAH.WBA0001"]);
    assert!(reader.get("/v1/agencies?parent=KPM.NOWHERE").await.items().is_empty());
}

#[rstest]
#[case("limit=0", 422, "limit", "range")]
#[case("limit=201", 422, "limit", "range")]
#[case("limit=x", 400, "limit", "type")]
#[case("parent=kpm", 400, "parent", "format")]
#[case("cursor=x", 400, "cursor", "cursor")]
#[case("page=2", 400, "page", "unknown")]
#[actix_web::test]
async fn a_parameter_that_cannot_be_taken_is_named(
    #[case] query: &str,
    #[case] status: u16,
    #[case] field: &str,
    #[case] code: &str,
) {
    let app = TestApp::start().await;
    let reply = app.client("KK").await.get(&format!("/v1/agencies?{query}")).await;
    reply.is_problem(status, if status == 422 { "invalid" } else { "malformed" }).about(field, code);
}

#[actix_web::test]
async fn what_is_not_there_is_not_found_and_logged() {
    let app = TestApp::start().await;
    let reader = app.client("KK").await;
    reader.get("/v1/agencies/KPM.NOWHERE").await.is_problem(404, "not-found");
    reader.get("/v1/agencies/kpm").await.is_problem(400, "malformed").about("code", "format");
    let logged =
        app.database.rows("select target, outcome from access_log where action = 'get_agency' order by xid, id");
    let expected =
        [json!({ "target": "KPM.NOWHERE", "outcome": "not-found" }), json!({ "target": "kpm", "outcome": "invalid" })];
    assert_eq!(logged, expected);
}

/// What is preferred, and the language of the answer (RFC 9110, 12.5.4).
#[rstest]
#[case("ms", "ms")]
#[case("ms-MY", "ms")]
#[case("en", "en")]
#[case("EN-gb", "en")]
#[case("fr", "ms")]
#[case("*", "ms")]
#[case("en-GB;q=0.5, ms;q=0.1", "en")]
#[case("ms;q=0.1, en-GB;q=0.5", "en")]
#[case("en;q=0.5, ms", "ms")]
#[case("fr, en;q=0.1", "en")]
#[case("en;q=0.5, *", "ms")]
#[case("en, *;q=0.1", "en")]
#[case("en;q=0", "ms")]
#[case("en;q=0, fr", "ms")]
#[case(";;;", "ms")]
#[actix_web::test]
async fn labels_are_in_the_preferred_language(#[case] preferred: &str, #[case] language: &str) {
    let app = TestApp::start().await;
    let reader = app.client("KK").await;
    let list = in_language(&reader, "/v1/agencies?parent=KPWKM", preferred).await;
    let one = in_language(&reader, "/v1/agencies/KPWKM.JKM", preferred).await;
    let name = match language {
        "en" => "Department of Social Welfare (Protectors)",
        _ => "Jabatan Kebajikan Masyarakat",
    };
    for (reply, agency) in [(&list, &list.body["items"][0]), (&one, &one.body)] {
        assert_eq!(reply.header("content-language"), Some(language));
        assert_eq!((&agency["name"], &agency["language"]), (&json!(name), &json!(language)));
    }
}

async fn in_language(reader: &Session, path: &str, preferred: &str) -> Reply {
    let reply = reader.send("GET", path, &[("accept-language", preferred)], None).await.is(200);
    Reply::clone(&reply)
}
