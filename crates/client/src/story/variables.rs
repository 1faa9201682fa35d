//! Variables: what a step kept of its answer, for later steps to use as `${name}`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What was kept so far.
#[derive(Debug, Default)]
pub(super) struct Variables(BTreeMap<String, Value>);

impl Variables {
    pub(super) fn keep(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    /// The text with every `${name}` in it replaced; or the name that nobody kept.
    pub(super) fn text(&self, text: &str) -> Result<String, String> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, behind) = after.split_once('}').ok_or_else(|| format!("no }} closes the ${{ in {text:?}"))?;
            filled.push_str(before);
            filled.push_str(&plain(self.get(name)?));
            rest = behind;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// The value with every variable in its strings replaced. A string that is nothing but one
    /// variable becomes what was kept, number or object as it may be.
    pub(super) fn value(&self, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) => match text.strip_prefix("${").and_then(|it| it.strip_suffix('}')) {
                Some(name) if !name.contains('}') => self.get(name)?.clone(),
                _ => Value::String(self.text(text)?),
            },
            Value::Array(items) => Value::Array(items.iter().map(|it| self.value(it)).collect::<Result<_, _>>()?),
            Value::Object(fields) => {
                let filled = fields.iter().map(|(name, it)| Ok((name.clone(), self.value(it)?)));
                Value::Object(filled.collect::<Result<Map<_, _>, String>>()?)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        })
    }

    fn get(&self, name: &str) -> Result<&Value, String> {
        self.0.get(name).ok_or_else(|| format!("no step before has kept {name:?}"))
    }
}

/// A value as it stands in a text: strings without their quotes.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kept() -> Variables {
        let mut variables = Variables::default();
        variables.keep("case", json!("0193"));
        variables.keep("version", json!(3));
        variables
    }

    #[test]
    fn variables_stand_anywhere_in_a_text() {
        assert_eq!(kept().text("/v1/cases/${case}/x?v=${version}"), Ok("/v1/cases/0193/x?v=3".to_owned()));
        assert_eq!(kept().text("costs $5"), Ok("costs $5".to_owned()));
    }

    #[test]
    fn a_whole_string_becomes_the_value_itself() {
        let body = json!({ "items": [{ "v": "${version}", "text": "v${version} of ${case}" }] });
        assert_eq!(kept().value(&body), Ok(json!({ "items": [{ "v": 3, "text": "v3 of 0193" }] })));
        assert_eq!(kept().value(&json!("${case}${version}")), Ok(json!("01933")));
    }

    #[test]
    fn what_nobody_kept_is_an_error() {
        assert!(kept().text("${child}").is_err());
        assert!(kept().value(&json!({ "a": ["${child}"] })).is_err());
        assert!(kept().text("${case").is_err());
    }
}
