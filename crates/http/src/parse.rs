//! From text to values, naming the field that cannot be taken and never repeating what it held.

mod objects;

use lindung_domain::refusal::Invalid;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::Value;
use validator::{Validate, ValidationErrors, ValidationErrorsKind};

use crate::problem::Problem;
use objects::Strict;

/// A value from JSON.
///
/// # Errors
/// It is no JSON, or not of this shape: names the field.
pub fn json<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    if holds_nul(text) {
        let field = serde_json::from_slice(text).ok().and_then(|it: Value| nul_in(&it, "")).unwrap_or_default();
        return Err(Problem::malformed(named(&field), "characters", "must not contain U+0000"));
    }
    let mut from = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(Strict(&mut from)).map_err(|error| {
        let path = error.path().to_string();
        Problem::Malformed(explain(&path, &error.into_inner().to_string()))
    })?;
    from.end().map_err(|_| Problem::malformed("body", "syntax", "has something after the JSON value"))?;
    Ok(value)
}

/// A value of a certain shape from a JSON value, as part of a body.
///
/// # Errors
/// It is not of this shape: names the field.
pub fn value<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(Strict(value)).map_err(|error| {
        let path = error.path().to_string();
        Problem::Malformed(explain(&path, &error.into_inner().to_string()))
    })
}

/// A value from a query string or form.
///
/// # Errors
/// A parameter is unknown, stands twice, or is not of its kind: names it.
pub fn query<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    // A list is one parameter with commas, so a name that stands twice is a mistake.
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(text).map_err(|_| Problem::malformed("query", "syntax", "cannot be read"))?;
    for (name, value) in &pairs {
        if name.contains('\0') || value.contains('\0') {
            return Err(Problem::malformed(named(name), "characters", "must not contain U+0000"));
        }
    }
    let pairs = pairs.iter().map(|it| (it.0.as_str(), it.1.as_str()));
    let from = serde::de::value::MapDeserializer::<_, serde::de::value::Error>::new(pairs.map(|it| (it.0, Text(it.1))));
    serde_path_to_error::deserialize(from).map_err(|error| {
        let path = error.path().to_string();
        Problem::Malformed(explain(&path, &error.into_inner().to_string()))
    })
}

/// A parameter's text, which is read as whatever its field is.
struct Text<'a>(&'a str);

impl<'de> serde::de::IntoDeserializer<'de, serde::de::value::Error> for Text<'de> {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> serde::Deserializer<'de> for Text<'de> {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_option<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_i64<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_i64(self.0.parse().map_err(|_| Self::Error::custom("expected a whole number"))?)
    }

    fn deserialize_u64<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_u64(self.0.parse().map_err(|_| Self::Error::custom("expected a whole number, 0 or more"))?)
    }

    fn deserialize_bool<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_bool(self.0.parse().map_err(|_| Self::Error::custom("expected true or false"))?)
    }

    fn deserialize_newtype_struct<V: serde::de::Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: serde::de::Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_enum(serde::de::value::BorrowedStrDeserializer::new(self.0))
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

/// Whether a string in the JSON has U+0000 in it, which no PostgreSQL text can hold.
fn holds_nul(text: &[u8]) -> bool {
    let escape = b"\\u0000";
    text.windows(escape.len())
        .enumerate()
        .any(|(at, it)| it == escape && text[..at].iter().rev().take_while(|b| **b == b'\\').count() % 2 == 0)
}

fn nul_in(value: &Value, path: &str) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then(|| path.to_owned()),
        Value::Array(items) => items.iter().enumerate().find_map(|(at, it)| nul_in(it, &format!("{path}[{at}]"))),
        Value::Object(fields) => fields.iter().find_map(|(name, it)| {
            if name.contains('\0') {
                return Some(path.to_owned());
            }
            nul_in(it, &join(path, name))
        }),
        _ => None,
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() || path == "." { name.to_owned() } else { format!("{path}.{name}") }
}

/// A field's name, if it is one that can be shown.
fn named(field: &str) -> String {
    let plain = field.len() <= 200 && field.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-[]".contains(&b));
    if plain && !field.is_empty() && field != "." { field.to_owned() } else { "body".to_owned() }
}

/// What serde says, without any value that it repeats.
fn explain(path: &str, message: &str) -> Invalid {
    let quoted = || message.split('`').nth(1).unwrap_or_default();
    // The path of an unknown or missing field is that of the object around it, or the field's own.
    let inside = |name: &str| if path.ends_with(name) { named(path) } else { named(&join(path, name)) };
    if message.starts_with("unknown field") {
        return Invalid::new(inside(quoted()), "unknown", "is no field or parameter of this request");
    }
    if message.starts_with("missing field") {
        return Invalid::new(inside(quoted()), "required", "is required");
    }
    if message.starts_with("duplicate field") {
        return Invalid::new(inside(quoted()), "duplicate", "stands twice");
    }
    if message.starts_with("is not a") {
        return Invalid::new(named(path), "format", message.split(" at line").next().unwrap_or_default());
    }
    if message.starts_with("UUID parsing failed") {
        return Invalid::new(named(path), "format", "must be a UUID");
    }
    // What follows the last "expected" is ours, whatever the value before it was.
    let expected = message.rsplit_once("expected ").and_then(|it| it.1.split(" at line").next());
    match expected {
        Some(listed) if message.starts_with("unknown variant") => {
            Invalid::new(named(path), "unknown-code", format!("must be {listed}"))
        }
        Some(expected) if !message.contains("expected value") && !message.contains("expected `") => {
            Invalid::new(named(path), "type", format!("must be {expected}"))
        }
        _ => Invalid::new(named(path), "syntax", "cannot be read"),
    }
}

/// Checks what `Validate` declares.
///
/// # Errors
/// Every field that breaks a rule, by name and rule.
pub fn validated(value: &impl Validate) -> Result<(), Problem> {
    value.validate().map_err(|errors| {
        let mut found = Vec::new();
        collect(&errors, "", &mut found);
        found.sort_by(|a, b| a.field.cmp(&b.field));
        Problem::Invalid(found)
    })
}

/// validator's own rendering prints the rejected values: only fields and rules are taken.
fn collect(errors: &ValidationErrors, path: &str, found: &mut Vec<Invalid>) {
    for (field, kind) in errors.errors() {
        let field = join(path, &camel_case(field));
        match kind {
            ValidationErrorsKind::Field(rules) => found.extend(rules.iter().map(|rule| {
                let limit = |name: &str| rule.params.get(name).map(|it| format!("{name} {it}"));
                let limits: Vec<String> = ["min", "max"].into_iter().filter_map(limit).collect();
                let code = match rule.code.as_ref() {
                    "length" => "length",
                    "range" => "range",
                    _ => "invalid",
                };
                let message = if limits.is_empty() { "cannot be taken".to_owned() } else { limits.join(", ") };
                Invalid::new(field.clone(), code, message)
            })),
            ValidationErrorsKind::Struct(inner) => collect(inner, &field, found),
            ValidationErrorsKind::List(items) => {
                for (at, inner) in items {
                    collect(inner, &format!("{field}[{at}]"), found);
                }
            }
        }
    }
}

fn camel_case(field: &str) -> String {
    let mut parts = field.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |mut text, part| {
        let mut letters = part.chars();
        text.extend(letters.next().map(|it| it.to_ascii_uppercase()));
        text.extend(letters);
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lindung_domain::values::Priority;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    struct Outer {
        #[serde(default)]
        priority: Option<Priority>,
        #[serde(default)]
        inner_list: Vec<Inner>,
        #[serde(default)]
        limit: Option<i64>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only read")]
        name: String,
    }

    fn field(problem: Problem) -> (String, &'static str) {
        match problem {
            Problem::Malformed(it) => {
                assert!(!it.message.contains("Aminah"), "{}", it.message);
                (it.field, it.code)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_field_is_named_and_its_value_is_not_repeated() {
        let of = |text: &str| field(json::<Outer>(text.as_bytes()).unwrap_err());
        assert_eq!(of(r#"{"priority":"Aminah"}"#), ("priority".into(), "unknown-code"));
        assert_eq!(of(r#"{"innerList":[{"name":"x"},{"name":1}]}"#), ("innerList[1].name".into(), "type"));
        assert_eq!(of(r#"{"innerList":[{}]}"#), ("innerList[0].name".into(), "required"));
        assert_eq!(of(r#"{"innerList":[{"name":"x","age":"Aminah"}]}"#), ("innerList[0].age".into(), "unknown"));
        assert_eq!(of(r#"{"innerList":[{"name":"Aminah\u0000"}]}"#), ("innerList[0].name".into(), "characters"));
        assert_eq!(of(r#"{"limit":1,"limit":2}"#), ("limit".into(), "duplicate"));
        assert_eq!(of(r#"{"limit":"Aminah"}"#), ("limit".into(), "type"));
        assert_eq!(of(r#"{"innerList":[["Aminah"]]}"#), ("innerList[0]".into(), "type"));
        assert_eq!(of(r#"{"priority":{"urgent":null}}"#), ("priority".into(), "type"));
        assert_eq!(of(r#"["urgent",[],1]"#), ("body".into(), "type"));
        assert_eq!(of("{"), ("body".into(), "syntax"));
        assert_eq!(of("{} Aminah"), ("body".into(), "syntax"));
    }

    #[test]
    fn an_escaped_backslash_before_u0000_is_no_nul() {
        assert!(!holds_nul(br#"{"a":"\\u0000"}"#));
        assert!(holds_nul(br#"{"a":"\\\u0000"}"#));
    }

    #[test]
    fn parameters_are_read_by_kind() {
        let found: Outer = query("priority=urgent&limit=5").unwrap();
        assert_eq!((found.priority, found.limit), (Some(Priority::Urgent), Some(5)));
        assert!(found.inner_list.is_empty());
        let of = |text: &str| field(query::<Outer>(text).unwrap_err());
        assert_eq!(of("limit=Aminah"), ("limit".into(), "type"));
        assert_eq!(of("x=1"), ("x".into(), "unknown"));
        assert_eq!(of("limit=1&limit=2"), ("limit".into(), "duplicate"));
        assert_eq!(of("priority=a%00"), ("priority".into(), "characters"));
    }
}
