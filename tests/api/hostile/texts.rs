//! Text as people write it, and as attackers do: kept as it is, or refused.

use lindung_tests::{TestApp, case_body};
use serde_json::{Value, json};

use super::is_well;

#[actix_web::test]
async fn what_looks_like_code_is_only_text() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let case = school.opens_case().await;
    let section = format!("{}/sections/narrative", case.path);
    let texts = [
        "'; drop table cases; --",
        "\" or \"1\"=\"1",
        "$1 $2 ?::uuid ? ?? %s %n %x {} {0} {text} ${jndi:ldap://x} #{7*7} {{7*7}}",
        "\\ \\\\ \\n \\u0041 \\x41 E'\\000'",
        "<script>alert(1)</script>&amp;&lt;",
        "line\r\nX-Injected: yes\r\n\r\nbody\ttab",
        "\u{202e}tfel ot thgir\u{202c} \u{200b}\u{feff}zero\u{200d}width",
        "e\u{301} \u{e9} \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} \u{10ffff} \u{fffd}\u{fffe}",
        "../../etc/passwd\u{7}\u{1b}[31m",
        "null",
        "0",
    ];
    for (version, text) in (1..).zip(texts) {
        school.put(&section, version, &json!({ "text": text })).await.is(200);
        assert_eq!(school.get(&section).await.body["content"]["text"], text);
    }
    assert_eq!(app.database.count("cases"), 1);
    is_well(&app, &school).await;
}

/// A case with this value somewhere.
fn case_with(at: &str, value: Value) -> Value {
    let mut body = case_body();
    let identity = &mut body["children"][0]["sections"]["identity"];
    identity["birthDate"] = json!("2012-01-01");
    *body.pointer_mut(at).unwrap() = value;
    body
}

#[actix_web::test]
async fn a_text_at_its_limit_is_taken_and_one_character_more_is_not() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let identity = "/children/0/sections/identity";
    for (at, limit) in [
        ("/sections/summary/text", 20_000),
        ("/sections/narrative/text", 20_000),
        ("/children/0/sections/risk/text", 20_000),
        ("/sections/digital-evidence/items/0/description", 2_000),
        (&format!("{identity}/names/0"), 200),
        (&format!("{identity}/identifiers/0/value"), 64),
    ] {
        // Four bytes each.
        let of = |points: usize| case_with(at, json!("\u{1d518}".repeat(points)));
        let case = school.post("/v1/cases", &of(limit)).await.is(201).reference();
        school.get(&case.path).await.is(200);
        let field = at.trim_start_matches('/').replace("/0", "[0]").replace('/', ".");
        school.post("/v1/cases", &of(limit + 1)).await.is_problem(422, "invalid").about(&field, "length");
        school.post("/v1/cases", &case_with(at, json!(" "))).await.is_problem(422, "invalid").about(&field, "required");
    }
    is_well(&app, &school).await;
}

#[actix_web::test]
async fn a_name_has_no_character_that_cannot_be_seen() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let names = "/children/0/sections/identity/names/0";
    let value = "/children/0/sections/identity/identifiers/0/value";
    for hidden in
        ["\u{202e}", "\u{2066}", "\u{200b}", "\u{200f}", "\u{feff}", "\u{2060}", "\u{7}", "\u{85}", "\n", "\u{61c}"]
    {
        for at in [names, value] {
            let body = case_with(at, json!(format!("Ami{hidden}nah")));
            let field = at.trim_start_matches('/').replace("/0", "[0]").replace('/', ".");
            let refused = school.post("/v1/cases", &body).await.is_problem(422, "invalid").about(&field, "characters");
            assert!(!refused.body.to_string().contains("nah"));
        }
    }
    for name in ["نور عائشة", "陈美玲", "Nur'Ain binti Mohd. Ali @ Aliah", "சீதா", "O\u{308}zlem"] {
        school.post("/v1/cases", &case_with(names, json!(name))).await.is(201);
    }
    is_well(&app, &school).await;
}

#[actix_web::test]
async fn codes_and_hashes_are_of_their_kind() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let identity = "/children/0/sections/identity";
    for (at, value) in [
        ("/offences", json!(["x".repeat(100_000)])),
        ("/offences", json!(["'; drop table cases; --"])),
        ("/offences", json!(["A792.15B\u{200b}"])),
        ("/offences", json!(vec!["A792.15B"; 21])),
        ("/grounds", json!([""])),
        ("/sections/digital-evidence/items/0/sha256", json!("A".repeat(64))),
        ("/sections/digital-evidence/items", json!([])),
        (&format!("{identity}/names"), json!([])),
        (&format!("{identity}/names"), json!(vec!["A"; 21])),
        (&format!("{identity}/identifiers/0/system"), json!("MyKid")),
        (&format!("{identity}/identifiers/0/system"), json!("x".repeat(41))),
    ] {
        school.post("/v1/cases", &case_with(at, value)).await.is_problem(422, "invalid");
    }
    assert_eq!(app.database.count("cases"), 0);
    is_well(&app, &school).await;
}
