//! Whether an answer has what a story expects of it.
//!
//! An object has at least the fields that are expected; a field expected as null is null or not
//! there. Of an array one says either some items that it has, in any order (`[…]`), or more with
//! `{"contains": […], "without": […], "count": n, "atLeast": n}`, each of which may be left out.
//! Everything else is equal or not.

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Items {
    #[serde(default)]
    contains: Vec<Value>,
    #[serde(default)]
    without: Vec<Value>,
    count: Option<usize>,
    at_least: Option<usize>,
}

/// Checks that `actual` has what is `expected`, or says where it first has not. `at` is the JSON
/// pointer of what is looked at.
pub(super) fn check(expected: &Value, actual: &Value, at: &str) -> Result<(), String> {
    match (expected, actual) {
        (Value::Array(contained), Value::Array(items)) => contains(contained, items, at),
        (Value::Object(_), Value::Array(items)) => {
            let expected: Items = serde_json::from_value(expected.clone()).map_err(|it| format!("{at}: {it}"))?;
            check_items(&expected, items, at)
        }
        (Value::Object(fields), Value::Object(_)) => fields.iter().try_for_each(|(name, expected)| {
            check(expected, actual.get(name).unwrap_or(&Value::Null), &format!("{at}/{name}"))
        }),
        _ if expected == actual => Ok(()),
        _ => Err(format!("{at}: expected {expected}, got {}", brief(actual))),
    }
}

fn check_items(expected: &Items, items: &[Value], at: &str) -> Result<(), String> {
    let found = items.len();
    match (expected.count, expected.at_least) {
        (Some(count), _) if found != count => return Err(format!("{at}: expected {count} items, got {found}")),
        (_, Some(least)) if found < least => return Err(format!("{at}: expected at least {least} items, got {found}")),
        _ => (),
    }
    contains(&expected.contains, items, at)?;
    for unwanted in &expected.without {
        if items.iter().any(|it| check(unwanted, it, at).is_ok()) {
            return Err(format!("{at}: one of {found} items is {unwanted}, and none should be"));
        }
    }
    Ok(())
}

fn contains(contained: &[Value], items: &[Value], at: &str) -> Result<(), String> {
    match contained.iter().find(|wanted| !items.iter().any(|it| check(wanted, it, at).is_ok())) {
        Some(wanted) => Err(format!("{at}: none of {} items is {wanted}", items.len())),
        None => Ok(()),
    }
}

/// An array or object that came where something else was expected, without all that is in it.
fn brief(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("{} items", items.len()),
        Value::Object(_) => "an object".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer() -> Value {
        json!({
            "status": "open",
            "count": 2,
            "items": [{ "agency": "KPM", "sections": ["identity", "risk"] }, { "agency": "KDN", "sections": [] }],
        })
    }

    fn matches(expected: Value) -> Result<(), String> {
        check(&expected, &answer(), "")
    }

    #[test]
    fn an_object_may_have_more_than_is_expected() {
        assert_eq!(matches(json!({ "status": "open" })), Ok(()));
        assert_eq!(matches(json!({ "count": 2, "absent": null })), Ok(()));
        assert_eq!(matches(json!({ "status": "closed" })), Err("/status: expected \"closed\", got \"open\"".into()));
        assert_eq!(matches(json!({ "absent": 1 })), Err("/absent: expected 1, got null".into()));
        assert_eq!(matches(json!({ "status": null })), Err("/status: expected null, got \"open\"".into()));
    }

    #[test]
    fn an_array_has_the_items_that_are_expected_in_any_order() {
        assert_eq!(matches(json!({ "items": [{ "agency": "KDN" }, { "sections": ["risk"] }] })), Ok(()));
        assert_eq!(matches(json!({ "items": [] })), Ok(()));
        let wrong = matches(json!({ "items": [{ "agency": "KDN", "sections": ["risk"] }] }));
        assert_eq!(wrong, Err("/items: none of 2 items is {\"agency\":\"KDN\",\"sections\":[\"risk\"]}".into()));
    }

    #[test]
    fn an_array_can_be_counted() {
        assert_eq!(
            matches(json!({ "items": { "count": 2, "atLeast": 1, "contains": [{ "agency": "KPM" }] } })),
            Ok(())
        );
        assert_eq!(matches(json!({ "items": { "count": 1 } })), Err("/items: expected 1 items, got 2".into()));
        assert_eq!(
            matches(json!({ "items": { "atLeast": 3 } })),
            Err("/items: expected at least 3 items, got 2".into())
        );
        assert!(matches(json!({ "items": { "atleast": 3 } })).unwrap_err().starts_with("/items: unknown field"));
    }

    #[test]
    fn an_array_can_be_expected_to_lack_something() {
        assert_eq!(matches(json!({ "items": { "without": [{ "agency": "KK" }] } })), Ok(()));
        assert!(matches(json!({ "items": { "without": [{ "agency": "KPM" }] } })).is_err());
    }

    #[test]
    fn other_kinds_do_not_match() {
        assert_eq!(matches(json!({ "items": "x" })), Err("/items: expected \"x\", got 2 items".into()));
        assert!(matches(json!({ "status": ["open"] })).is_err());
    }
}
