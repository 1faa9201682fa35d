//! How a transcript words what it tells.

use std::io::{self, Write};

use chrono::{DateTime, FixedOffset, Utc};
use reqwest::StatusCode;
use serde_json::Value;

use super::variables::plain;
use super::{Actor, Each, Expect, Show, Step};
use crate::api::Reply;

/// Seconds that Malaysia is ahead of UTC, all year.
const MALAYSIA: i32 = 8 * 3600;
/// The most characters that a failure shows of an answer.
const ANSWER_LIMIT: usize = 4000;

/// Who takes part, in the order of their first step.
pub(super) fn cast<'a>(actors: impl Iterator<Item = &'a Actor>, out: &mut impl Write) -> io::Result<()> {
    let mut told: Vec<&Actor> = Vec::new();
    writeln!(out, "Who takes part:")?;
    for actor in actors {
        if told.iter().any(|it| std::ptr::eq(*it, actor)) {
            continue;
        }
        let Actor { name, title, agency, purpose, .. } = actor;
        let purpose = purpose.as_ref().map(|it| format!(", for {it}")).unwrap_or_default();
        writeln!(out, "  {name}, {title} ({agency}{purpose})")?;
        told.push(actor);
    }
    Ok(())
}

/// That time passes.
pub(super) fn pause(time: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\n     … {time} pass without an answer")
}

/// Who did what, and when.
pub(super) fn deed(number: usize, at: DateTime<Utc>, actor: &Actor, say: &str, out: &mut impl Write) -> io::Result<()> {
    let Actor { name, title, agency, .. } = actor;
    writeln!(out, "\n{number:>3}. {}  {name} ({title}, {agency}) {say}", clock(at))
}

/// The answer, and what the step shows of it.
pub(super) fn answer(step: &Step, reply: &Reply, out: &mut impl Write) -> io::Result<()> {
    write!(out, "     ✓ {}", got(reply))?;
    let mut separator = ":";
    for shown in &step.show {
        if let Show::One(pointer) = shown {
            let value = reply.body.pointer(pointer).unwrap_or(&Value::Null);
            write!(out, "{separator} {} {}", label(pointer), readable(value))?;
            separator = ";";
        }
    }
    writeln!(out)?;
    for shown in &step.show {
        if let Show::Each(Each { each, fields }) = shown {
            for item in reply.body.pointer(each).and_then(Value::as_array).into_iter().flatten() {
                let told: Vec<String> =
                    fields.iter().filter_map(|it| item.get(it)).map(readable).filter(|it| !it.is_empty()).collect();
                writeln!(out, "       - {}", told.join("  "))?;
            }
        }
    }
    Ok(())
}

/// What was expected, what came instead, and why that is not the same.
pub(super) fn failure(step: &Step, expect: &Expect, reply: &Reply, why: &str, out: &mut impl Write) -> io::Result<()> {
    let wanted = match &expect.problem {
        Some(problem) => format!("{} {problem}", expect.status),
        None => named(expect.status),
    };
    writeln!(out, "     ✗ expected {wanted}, got {}", got(reply))?;
    writeln!(out, "       {} {}: {why}", step.method, step.path)?;
    if !reply.body.is_null() {
        let answer: String = format!("{:#}", reply.body).chars().take(ANSWER_LIMIT).collect();
        writeln!(out, "       the answer: {}", answer.replace('\n', "\n       "))?;
    }
    Ok(())
}

fn got(reply: &Reply) -> String {
    match reply.problem() {
        Some(problem) => format!("{} {problem}", reply.status),
        None => named(reply.status),
    }
}

fn named(status: u16) -> String {
    let name = StatusCode::from_u16(status).ok().and_then(|it| it.canonical_reason()).unwrap_or_default();
    format!("{status} {name}").trim_end().to_owned()
}

/// The last name in a pointer that is no place in an array.
fn label(pointer: &str) -> &str {
    pointer.rsplit('/').find(|it| it.parse::<usize>().is_err()).unwrap_or(pointer)
}

/// For people: times by the clock on the wall, lists with commas, nothing where there is nothing.
fn readable(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Array(items) => items.iter().map(readable).collect::<Vec<_>>().join(", "),
        Value::String(text) => {
            let words = |_| text.replace('\n', "\n       ");
            DateTime::parse_from_rfc3339(text).map_or_else(words, |it| clock(it.to_utc()))
        }
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => plain(value),
    }
}

fn clock(at: DateTime<Utc>) -> String {
    match FixedOffset::east_opt(MALAYSIA) {
        Some(zone) => at.with_timezone(&zone).format("%H:%M:%S").to_string(),
        None => at.format("%H:%M:%SZ").to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_told_for_people() {
        assert_eq!(readable(&json!("2026-03-02T01:30:00.123456Z")), "09:30:00");
        assert_eq!(readable(&json!(["deepfake", "sextortion"])), "deepfake, sextortion");
        assert_eq!(readable(&json!(3)), "3");
        assert_eq!(readable(&json!(null)), "");
    }

    #[test]
    fn a_value_is_called_by_its_field() {
        assert_eq!(label("/items/0/status"), "status");
        assert_eq!(label("/items/0"), "items");
    }
}
