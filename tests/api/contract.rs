//! The contract: what the code says of itself, and whether that is so.

mod docs;
mod events;
mod guarded;
mod sources;
mod walked;
pub mod world;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lindung_http::serve::Contract;
use serde_json::Value;

/// The root of the project.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The contract, as a stranger reads it.
pub fn document() -> Value {
    serde_json::from_str(Contract::known().unwrap().as_str()).unwrap()
}

/// Every operation: its method, its path and what is said of it.
pub fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, operation)| (method.as_str(), path.as_str(), operation))
        })
        .collect()
}

/// Whether an operation needs no token, and says so.
pub fn is_open(operation: &Value) -> bool {
    operation["security"] == serde_json::json!([{}])
}

#[test]
fn the_contract_that_is_checked_in_is_the_codes() {
    let kept = std::fs::read_to_string(root().join("openapi/lindung.json")).unwrap_or_default();
    assert!(
        kept == Contract::known().unwrap().as_str(),
        "openapi/lindung.json is not what the code says: run `make openapi`"
    );
}

#[test]
fn it_is_openapi_3_1() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(document["info"]["description"].as_str().unwrap().len() > 1000);
    assert_eq!(document["security"], serde_json::json!([{ "bearer": [] }, { "dpop": [] }]));
    let scheme = |name: &str| document["components"]["securitySchemes"][name]["scheme"].clone();
    assert_eq!((scheme("bearer"), scheme("dpop")), ("bearer".into(), "dpop".into()));
}

#[test]
fn every_reference_leads_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|it| references(it, found));
            }
            Value::Array(items) => items.iter().for_each(|it| references(it, found)),
            _ => {}
        }
    }
    let (document, mut found) = (document(), BTreeSet::new());
    references(&document, &mut found);
    assert!(found.len() > 30);
    let lost: Vec<&&str> = found.iter().filter(|it| document.pointer(it.trim_start_matches('#')).is_none()).collect();
    assert_eq!(lost, [] as [&&str; 0]);
}

#[test]
fn every_operation_is_named_and_told_of() {
    let document = document();
    let tags: BTreeSet<&str> =
        document["tags"].as_array().unwrap().iter().filter_map(|it| it["name"].as_str()).collect();
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no name"));
        assert!(names.insert(name), "two operations are called {name}");
        assert!(operation["summary"].as_str().is_some_and(|it| it.ends_with(['.', '?'])), "{name} has no summary");
        let tagged = operation["tags"].as_array().unwrap();
        assert!(tagged.len() == 1 && tags.contains(tagged[0].as_str().unwrap()), "{name} has the tags {tagged:?}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(
                response["description"].as_str().is_some_and(|it| !it.is_empty()),
                "{name}: {status} tells nothing"
            );
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].is_string(), "{name}: {} has no description", parameter["name"]);
        }
    }
}

/// An operation is called like its handler: searching for one finds the other.
#[test]
fn every_operation_is_called_like_its_handler() {
    let source: String = sources::files("crates/http/src").into_iter().map(|it| it.text).collect();
    for (_, _, operation) in operations(&document()) {
        let name = operation["operationId"].as_str().unwrap();
        // Those of a referral's lifecycle are written by a macro, which is given their names.
        let handler = format!("async fn {name}(");
        let listed = format!("{name}(");
        assert!(
            source.contains(&handler) || source.matches(&listed).count() == 1 || source.contains(&format!(" {name} ")),
            "{name}"
        );
    }
}

#[test]
fn what_can_go_wrong_is_documented() {
    let document = document();
    for (method, path, operation) in operations(&document).into_iter().filter(|it| it.1.starts_with("/v1/")) {
        let told = operation["responses"].as_object().unwrap();
        let mut expected = vec!["400", "401", "403", "404", "406", "422", "429", "500", "503"];
        if method != "get" {
            expected.extend(["408", "409", "412", "413", "415", "428"]);
        }
        for status in expected {
            let content = told.get(status).and_then(|it| it.pointer("/content/application~1problem+json/schema/$ref"));
            assert_eq!(
                content.and_then(Value::as_str),
                Some("#/components/schemas/Problem"),
                "{method} {path}: {status}"
            );
        }
    }
}

/// What is sent has limits, and they are told.
#[test]
fn every_text_and_list_in_a_request_has_a_limit() {
    fn check(document: &Value, schema: &Value, at: &str, seen: &mut BTreeSet<String>, found: &mut BTreeSet<String>) {
        if let Some(reference) = schema["$ref"].as_str() {
            if seen.insert(reference.to_owned()) {
                let name = reference.rsplit('/').next().unwrap();
                check(document, document.pointer(&reference[1..]).unwrap(), name, seen, found);
            }
            return;
        }
        let is = |kind: &str| {
            schema["type"] == kind || schema["type"].as_array().is_some_and(|it| it.iter().any(|it| it == kind))
        };
        let has = |names: &[&str]| names.iter().any(|it| schema.get(it).is_some());
        if is("string") && !has(&["maxLength", "enum", "format", "pattern", "const"])
            || is("array") && !has(&["maxItems"])
        {
            found.insert(at.to_owned());
        }
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            check(document, inner, &format!("{at}.{name}"), seen, found);
        }
        for inner in ["oneOf", "anyOf", "allOf"].iter().flat_map(|it| schema[it].as_array().into_iter().flatten()) {
            check(document, inner, at, seen, found);
        }
        if let Some(items) = schema.get("items") {
            check(document, items, &format!("{at}[]"), seen, found);
        }
    }
    let (document, mut seen, mut found) = (document(), BTreeSet::new(), BTreeSet::new());
    for (_, _, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap();
        let bodies = operation["requestBody"]["content"].as_object();
        for body in bodies.into_iter().flat_map(|it| it.values()) {
            check(&document, &body["schema"], name, &mut seen, &mut found);
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten().filter(|it| it["in"] != "header") {
            check(&document, &parameter["schema"], &format!("{name}?{}", parameter["name"]), &mut seen, &mut found);
        }
    }
    assert_eq!(found, BTreeSet::new());
}
