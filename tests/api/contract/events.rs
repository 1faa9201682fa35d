//! The contract of what is told (AsyncAPI): that it is the code's, and that real events keep to it.

use std::collections::{BTreeMap, BTreeSet};

use lindung_domain::event::Kind;
use lindung_http::serve::Contract;
use lindung_tests::TestApp;
use serde_json::{Value, json};

use super::root;
use super::world::{POLICE, SCHOOL, WELFARE, World};

fn document() -> Value {
    serde_json::from_str(Contract::known().unwrap().of_events()).unwrap()
}

/// What checks a message of a kind: its payload's schema, with everything that it refers to.
fn validator(document: &Value, kind: &str) -> jsonschema::Validator {
    let mut schema = document["components"]["messages"][kind]["payload"].clone();
    schema["components"] = json!({ "schemas": document["components"]["schemas"] });
    jsonschema::draft202012::new(&schema).unwrap()
}

#[test]
fn the_events_that_are_checked_in_are_the_codes() {
    let kept = std::fs::read_to_string(root().join("openapi/events.json")).unwrap_or_default();
    assert!(
        kept == Contract::known().unwrap().of_events(),
        "openapi/events.json is not what the code says: run `make openapi`"
    );
}

#[test]
fn every_kind_is_there_with_an_example_that_is_one() {
    let document = document();
    assert_eq!(document["asyncapi"], "3.0.0");
    let messages = document["components"]["messages"].as_object().unwrap();
    let kinds: BTreeSet<&str> = messages.keys().map(String::as_str).collect();
    let known = Kind::ALL.iter().map(|it| it.as_str()).chain(["subscription.tested"]).collect();
    assert_eq!(kinds, known);
    for (kind, message) in messages {
        for example in message["examples"].as_array().unwrap() {
            let (check, payload) = (validator(&document, kind), &example["payload"]);
            let wrong: Vec<String> =
                check.iter_errors(payload).map(|it| format!("{}: {it}", it.instance_path())).collect();
            assert_eq!(wrong, [] as [String; 0], "{kind}");
            assert_eq!(payload["type"], format!("my.gov.lindung.{kind}"));
        }
    }
    let check = validator(&document, "case.opened");
    assert!(check.is_valid(&messages["case.opened"]["examples"][0]["payload"]));
    assert!(!check.is_valid(&messages["case.closed"]["examples"][0]["payload"]), "another type");
    let mut named = messages["case.opened"]["examples"][0]["payload"].clone();
    named["data"]["lead"] = json!(1);
    assert!(!check.is_valid(&named), "no agency");
}

#[actix_web::test]
async fn what_happens_is_as_it_is_told() {
    let (app, document) = (TestApp::start().await, document());
    World::new(&app, 0).await;
    app.wait(chrono::Duration::days(10));
    app.work();
    app.sequence();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for agency in [SCHOOL, POLICE, WELFARE, "PP"] {
        let page = app.client(agency).await.get("/v1/events?limit=200").await;
        for event in page.items() {
            let kind = event["type"].as_str().unwrap().trim_start_matches("my.gov.lindung.");
            let wrong: Vec<String> = validator(&document, kind).iter_errors(event).map(|it| format!("{it}")).collect();
            assert_eq!(wrong, [] as [String; 0], "{event}");
            *seen.entry(kind.to_owned()).or_default() += 1;
        }
    }
    assert!(seen.len() > 15, "{seen:?}");
}
