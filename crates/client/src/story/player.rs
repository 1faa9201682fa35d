//! Plays a story against the service.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::matching::check;
use super::transcript;
use super::variables::Variables;
use super::{Actor, Expect, OUTSIDE, Request, Step, Story};
use crate::api::{Api, Reply};
use crate::credentials::Credentials;
use crate::error::Error;

/// How a story went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Played {
    /// How many steps the story has.
    pub steps: usize,
    /// How many of them were played.
    pub played: usize,
    /// How many were answered other than expected.
    pub failures: usize,
}

impl Played {
    /// Whether every step was answered as expected.
    pub fn is_good(&self) -> bool {
        self.failures == 0 && self.played == self.steps
    }
}

/// Where a story is played.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// The service.
    pub api: &'a Api,
    /// The clients who speak for the actors.
    pub credentials: &'a [Credentials],
    /// What is outside of the service, by its URL: where webhooks and mail come to, and can be looked at.
    pub outside: &'a Api,
}

/// How long before a step is asked again.
const AGAIN: Duration = Duration::from_millis(200);

/// Plays a story up to its end or to the first step that is answered other than expected, and writes to `out` a
/// transcript that a coordinator can read. `pass` lets time pass, where a step says how much.
///
/// # Errors
/// No client may speak for an actor, a token is refused, the service does not answer, or a step
/// uses what no step before it kept. A step that fails is no error.
pub async fn play(
    story: &Story,
    setting: Setting<'_>,
    pass: impl Fn(&str) -> Result<(), String>,
    out: &mut impl Write,
) -> Result<Played, Error> {
    let mut stage = Stage { setting, tokens: BTreeMap::new(), variables: Variables::default() };
    stage.variables.keep(OUTSIDE, Value::String(setting.outside.issuer().to_owned()));
    let mut played = Played { steps: story.steps.len(), played: 0, failures: 0 };
    writeln!(out, "{}\n", story.title)?;
    transcript::cast(story.steps.iter().filter_map(|it| story.actors.get(&it.actor)), out)?;
    for (number, step) in (1..).zip(&story.steps) {
        let wrong = |why: String| Error::Story { at: format!("step {number} ({})", step.say), why };
        let actor = story.actors.get(&step.actor).ok_or_else(|| wrong(format!("there is no actor {}", step.actor)))?;
        if let Some(time) = &step.after {
            transcript::pause(time, out)?;
            pass(time).map_err(wrong)?;
        }
        let request = step.request(&stage.variables).map_err(wrong)?;
        transcript::deed(number, crate::now(), actor, &request.say, out)?;
        let until = Instant::now() + Duration::from_secs(step.within.unwrap_or(0));
        let (reply, judged) = loop {
            let reply = stage.send(&step.actor, actor, &request).await?;
            let judged = stage.judge(step, &request.expect, &reply);
            if judged.is_ok() || Instant::now() >= until {
                break (reply, judged);
            }
            tokio::time::sleep(AGAIN).await;
        };
        played.played += 1;
        if let Err(why) = judged {
            played.failures += 1;
            transcript::failure(step, &request.expect, &reply, &why, out)?;
            writeln!(out, "\nStopped at step {number} of {}: it was answered other than expected.", played.steps)?;
            return Ok(played);
        }
        transcript::answer(step, &reply, out)?;
    }
    writeln!(out, "\nAll {} steps were answered as expected.", played.steps)?;
    Ok(played)
}

/// What the steps have in common.
struct Stage<'a> {
    setting: Setting<'a>,
    tokens: BTreeMap<String, String>,
    variables: Variables,
}

impl Stage<'_> {
    async fn send(&mut self, role: &str, actor: &Actor, request: &Request<'_>) -> Result<Reply, Error> {
        let Request { method, path, headers, body, .. } = request;
        let Setting { api, outside, .. } = self.setting;
        if let Some(path) = path.strip_prefix(outside.issuer()) {
            return outside.request(method, path, None, &[], body.as_ref()).await;
        }
        let token = self.token(role, actor).await?;
        let mut headers: Vec<(&str, &str)> = headers.iter().map(|(name, it)| (*name, it.as_str())).collect();
        // Every attempt to do something has a key of its own, so that it could be repeated safely.
        let key = crate::unique(crate::now());
        if *method == "POST" && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("idempotency-key")) {
            headers.push(("Idempotency-Key", &key));
        }
        api.request(method, path, Some(&token), &headers, body.as_ref()).await
    }

    /// The actor's token, asked for when they first act: a story ends before a token does.
    async fn token(&mut self, role: &str, actor: &Actor) -> Result<String, Error> {
        if let Some(token) = self.tokens.get(role) {
            return Ok(token.clone());
        }
        let credentials = self.setting.credentials.iter().find(|it| it.speaks_for(&actor.agency));
        let credentials = credentials.ok_or_else(|| Error::Nobody(actor.agency.clone()))?;
        let token = self.setting.api.token(credentials, &actor.speaker()).await?;
        self.tokens.insert(role.to_owned(), token.clone());
        Ok(token)
    }

    /// Whether the answer is the expected one; keeps of it what later steps need.
    fn judge(&mut self, step: &Step, expect: &Expect, reply: &Reply) -> Result<(), String> {
        if reply.status != expect.status {
            return Err("another status".to_owned());
        }
        if expect.problem.is_some() && reply.problem() != expect.problem.as_deref() {
            return Err("another problem".to_owned());
        }
        if let Some(body) = &expect.body {
            check(body, &reply.body, "")?;
        }
        for (name, from) in &step.keep {
            let kept = if from.starts_with('/') {
                reply.body.pointer(from).filter(|it| !it.is_null()).cloned()
            } else {
                reply.header(from).map(|it| Value::String(it.to_owned()))
            };
            self.variables.keep(name, kept.ok_or_else(|| format!("the answer has no {from} to keep as {name}"))?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::io::{BufRead, BufReader, Read};
    use std::net::TcpListener;
    use std::thread::{JoinHandle, spawn};

    /// A service that gives these answers in turn; when it is through, it tells what it was asked.
    fn service(answers: Vec<(&'static str, &'static str, Value)>) -> (String, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let asked = spawn(move || {
            let mut asked = Vec::new();
            for (status, fields, body) in answers {
                let mut stream = listener.accept().unwrap().0;
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut head, mut length) = (String::new(), 0);
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    if line.trim().is_empty() {
                        break;
                    }
                    if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    head.push_str(&line);
                }
                let mut sent = vec![0; length];
                reader.read_exact(&mut sent).unwrap();
                asked.push(format!("{head}\n{}", String::from_utf8(sent).unwrap()));
                let body = body.to_string();
                write!(
                    stream,
                    "HTTP/1.1 {status}\r\n{fields}Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                )
                .unwrap();
            }
            asked
        });
        (issuer, asked)
    }

    const JSON: &str = "Content-Type: application/json\r\nETag: \"7\"\r\n";
    const PROBLEM: &str = "Content-Type: application/problem+json\r\n";

    fn token() -> (&'static str, &'static str, Value) {
        ("200 OK", JSON, json!({ "access_token": "t0ken", "token_type": "Bearer", "expires_in": 600 }))
    }

    fn story() -> Story {
        let aida = json!({
            "agency": "KPM.SEKOLAH", "officer": "aida", "name": "Puan Aida", "roles": ["officer"],
            "purpose": "education-safeguarding", "title": "counsellor",
        });
        let opens = json!({
            "say": "opens a case", "as": "aida", "method": "POST", "path": "/v1/cases", "body": { "priority": "urgent" },
            "expect": { "status": 201, "body": { "status": "open" } },
            "keep": { "case": "/id", "version": "ETag" }, "show": ["/reference"],
        });
        let closes = json!({
            "say": "may not close it", "as": "aida", "method": "POST", "path": "/v1/cases/${case}/close",
            "ifMatch": "${version}", "expect": { "status": 403, "problem": "not-yours-to-do" },
        });
        let text = json!({ "title": "A story", "actors": { "aida": aida }, "steps": [opens, closes] });
        Story::parse(&text.to_string()).unwrap()
    }

    fn setting<'a>(api: &'a Api, credentials: &'a [Credentials]) -> Setting<'a> {
        Setting { api, credentials, outside: api }
    }

    async fn played(last: (&'static str, &'static str, Value)) -> (Played, String, Vec<String>) {
        let opened = ("201 Created", JSON, json!({ "id": "0193", "reference": "LDG-2026-000001", "status": "open" }));
        let (issuer, asked) = service(vec![token(), opened, last]);
        let credentials = Credentials::generate("kpm-system", "KPM", vec!["KPM.SEKOLAH".into()], vec![]).unwrap();
        let mut out = Vec::new();
        let api = Api::new(&issuer).unwrap();
        let played = play(&story(), setting(&api, &[credentials]), |_| Ok(()), &mut out).await.unwrap();
        (played, String::from_utf8(out).unwrap(), asked.join().unwrap())
    }

    #[tokio::test]
    async fn a_story_is_played_to_its_end() {
        let refused = json!({ "type": "urn:lindung:problem:not-yours-to-do", "status": 403 });
        let (played, transcript, asked) = played(("403 Forbidden", PROBLEM, refused)).await;
        assert_eq!(played, Played { steps: 2, played: 2, failures: 0 });
        assert!(played.is_good());
        for told in [
            "Puan Aida, counsellor (KPM.SEKOLAH, for education-safeguarding)",
            "Puan Aida (counsellor, KPM.SEKOLAH) opens a case\n     ✓ 201 Created: reference LDG-2026-000001",
            "may not close it\n     ✓ 403 not-yours-to-do\n",
            "All 2 steps were answered as expected.",
        ] {
            assert!(transcript.contains(told), "{told:?} is not in\n{transcript}");
        }
        assert!(asked[0].starts_with("POST /oauth2/token ") && asked[0].contains("grant-type%3Ajwt-bearer&assertion="));
        let (first, second) = (asked[1].to_lowercase(), asked[2].to_lowercase());
        assert!(first.contains("authorization: bearer t0ken") && first.contains("idempotency-key: 0"));
        assert!(second.starts_with("post /v1/cases/0193/close ") && second.contains("if-match: \"7\""));
    }

    #[tokio::test]
    async fn it_stops_where_the_answer_is_another() {
        let missing = json!({ "type": "urn:lindung:problem:not-found", "status": 404, "title": "Not found" });
        let (played, transcript, _) = played(("404 Not Found", PROBLEM, missing)).await;
        assert_eq!(played, Played { steps: 2, played: 2, failures: 1 });
        assert!(transcript.contains("✗ expected 403 not-yours-to-do, got 404 not-found"), "{transcript}");
        assert!(transcript.contains("\"title\": \"Not found\"") && transcript.contains("Stopped at step 2 of 2"));
    }

    #[tokio::test]
    async fn a_refused_token_is_an_error() {
        let (issuer, _asked) = service(vec![("401 Unauthorized", JSON, json!({ "error": "invalid_client" }))]);
        let credentials = Credentials::generate("kpm-system", "KPM.SEKOLAH", vec![], vec![]).unwrap();
        let (api, credentials) = (Api::new(&issuer).unwrap(), [credentials]);
        let error = play(&story(), setting(&api, &credentials), |_| Ok(()), &mut Vec::new()).await.unwrap_err();
        assert_eq!(error.to_string(), "no token for KPM.SEKOLAH from client kpm-system: 401 invalid_client");
    }

    #[tokio::test]
    async fn somebody_must_speak_for_an_actor() {
        let api = Api::new("http://127.0.0.1:9").unwrap();
        let error = play(&story(), setting(&api, &[]), |_| Ok(()), &mut Vec::new()).await.unwrap_err();
        assert!(matches!(error, Error::Nobody(agency) if agency == "KPM.SEKOLAH"));
    }
}
