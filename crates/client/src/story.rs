//! Stories: what happens in one case, step by step, over the real API. A story is a file; this
//! module knows how to read and play one, and nothing of what happens in it.

mod matching;
mod player;
mod transcript;
mod variables;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::assertion::{Officer, Speaker};
use crate::error::Error;

pub use player::{Played, Setting, play};
use variables::Variables;

/// The variable for what is outside of the service: where webhooks and mail come to, and can be looked at.
const OUTSIDE: &str = "outside";

/// A story, ready to be played.
#[derive(Debug, Clone)]
pub struct Story {
    title: String,
    actors: BTreeMap<String, Actor>,
    steps: Vec<Step>,
}

/// The file as it is written; actors and steps are read one by one, so that an error can name its place.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    actors: BTreeMap<String, Value>,
    steps: Vec<Value>,
}

/// Somebody who takes part: an officer, or a ministry's system alone where `officer` is not set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Actor {
    agency: String,
    officer: Option<String>,
    name: String,
    #[serde(default)]
    roles: Vec<String>,
    purpose: Option<String>,
    /// What they are, for people.
    title: String,
}

impl Actor {
    fn speaker(&self) -> Speaker {
        let officer = self.officer.clone().map(|id| Officer {
            id,
            name: self.name.clone(),
            roles: self.roles.clone(),
            purpose: self.purpose.clone(),
        });
        Speaker { agency: self.agency.clone(), officer }
    }
}

/// One request and the answer that it should get.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Step {
    /// How much time passes before it, as in `PT5H`: for what runs by the clock, and for nothing else.
    after: Option<String>,
    /// What the actor does, in words that follow their name.
    say: String,
    /// The actor's name in the file.
    #[serde(rename = "as")]
    actor: String,
    method: String,
    path: String,
    if_match: Option<String>,
    /// For so many seconds it is asked again until it is answered as expected: for what takes its time.
    within: Option<u64>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    expect: Expect,
    /// Variables, each with a JSON pointer into the answer or the name of a header field.
    #[serde(default)]
    keep: BTreeMap<String, String>,
    #[serde(default)]
    show: Vec<Show>,
}

/// The answer that a step should get.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    status: u16,
    /// The slug of the problem's type.
    problem: Option<String>,
    /// What the body has, as [`matching`] understands it.
    body: Option<Value>,
}

/// What the transcript shows of an answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Show {
    /// The value at a JSON pointer.
    One(String),
    /// A line for each item of the array at `each`, with some of its fields.
    Each(Each),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Each {
    each: String,
    fields: Vec<String>,
}

/// A step with its variables filled in.
struct Request<'a> {
    say: String,
    method: &'a str,
    path: String,
    headers: Vec<(&'a str, String)>,
    body: Option<Value>,
    expect: Expect,
}

impl Step {
    fn request(&self, variables: &Variables) -> Result<Request<'_>, String> {
        let fill = |it: &Option<Value>| it.as_ref().map(|it| variables.value(it)).transpose();
        let version = self.if_match.iter().map(|it| ("If-Match", it));
        let headers = self.headers.iter().map(|(name, it)| (name.as_str(), it)).chain(version);
        Ok(Request {
            say: variables.text(&self.say)?,
            method: &self.method,
            path: variables.text(&self.path)?,
            headers: headers.map(|(name, it)| Ok((name, variables.text(it)?))).collect::<Result<_, String>>()?,
            body: fill(&self.body)?,
            expect: Expect { body: fill(&self.expect.body)?, ..self.expect.clone() },
        })
    }
}

impl Story {
    /// Reads a story from a file.
    ///
    /// # Errors
    /// It cannot be read, or is no story; the error names the step.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
        Story::parse(&text)
    }

    /// Reads a story from JSON.
    ///
    /// # Errors
    /// It is no story; the error names the step.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let no = |at: &str, why: &dyn std::fmt::Display| Error::Story { at: at.to_owned(), why: why.to_string() };
        let File { title, actors, steps } = serde_json::from_str(text).map_err(|it| no("the story", &it))?;
        let actors: BTreeMap<String, Actor> = actors
            .into_iter()
            .map(|(name, value)| Ok((name.clone(), read(value).map_err(|it| no(&format!("actor {name}"), &it))?)))
            .collect::<Result<_, Error>>()?;
        let mut read_steps = Vec::with_capacity(steps.len());
        let mut known = Variables::default();
        known.keep(OUTSIDE, Value::Null);
        for (number, value) in (1..).zip(steps) {
            let said = value.get("say").and_then(Value::as_str).unwrap_or_default();
            let at = format!("step {number} ({said})");
            let step: Step = read(value).map_err(|it| no(&at, &it))?;
            if !actors.contains_key(&step.actor) {
                return Err(no(&at, &format!("there is no actor {:?}", step.actor)));
            }
            step.request(&known).map_err(|it| no(&at, &it))?;
            step.keep.keys().for_each(|name| known.keep(name, Value::Null));
            read_steps.push(step);
        }
        Ok(Story { title, actors, steps: read_steps })
    }
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, serde_json::Error> {
    serde_json::from_value(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeSet;

    fn error(step: Value) -> String {
        let good = json!({ "say": "looks", "as": "aida", "method": "GET", "path": "/", "expect": { "status": 200 } });
        let actors = json!({ "aida": { "agency": "KPM", "name": "Aida", "title": "counsellor" } });
        Story::parse(&json!({ "title": "t", "actors": actors, "steps": [good, step] }).to_string())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn an_unknown_field_is_an_error_that_names_the_step() {
        let step = json!({ "say": "asks", "as": "aida", "method": "GET", "path": "/", "expect": { "status": 200 }, "boby": 1 });
        let error = error(step);
        assert!(error.starts_with("step 2 (asks): unknown field `boby`"), "{error}");
    }

    #[test]
    fn so_is_one_within_an_expectation() {
        let step =
            json!({ "say": "asks", "as": "aida", "method": "GET", "path": "/", "expect": { "status": 200, "x": 1 } });
        let error = error(step);
        assert!(error.starts_with("step 2 (asks): unknown field `x`"), "{error}");
    }

    #[test]
    fn a_variable_has_to_be_kept_before_it_is_used() {
        let step =
            json!({ "say": "asks", "as": "aida", "method": "GET", "path": "/${x}", "expect": { "status": 200 } });
        assert_eq!(error(step), "step 2 (asks): no step before has kept \"x\"");
    }

    #[test]
    fn the_demo_is_stories() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/demo");
        Story::load(&folder.join("responsibility.json")).unwrap();
        Story::load(&folder.join("doors.json")).unwrap();
        let story = Story::load(&folder.join("story.json")).unwrap();
        let agencies: BTreeSet<&str> = story.actors.values().filter_map(|it| it.agency.split('.').next()).collect();
        assert!(["KPM", "KDN", "KPWKM", "KK"].iter().all(|it| agencies.contains(it)), "four ministries: {agencies:?}");
    }

    #[test]
    fn an_actor_has_to_be_introduced() {
        let step = json!({ "say": "asks", "as": "tan", "method": "GET", "path": "/", "expect": { "status": 200 } });
        assert_eq!(error(step), "step 2 (asks): there is no actor \"tan\"");
    }
}
