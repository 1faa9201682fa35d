//! What tells of a child shows in no log line, no measurement and no problem, whatever goes wrong.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock};

use lindung_tests::{Raw, Session, TestApp, case_body};
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use super::NOBODY;

/// A child's name, what happened to it, its number. None has a character that a path or a label would lose.
const CANARIES: [&str; 3] = ["Kenarizah", "Kenaritahan", "990101147777"];

/// Every log line of this process, as the service writes it.
#[derive(Clone, Default)]
pub(super) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// What was written so far.
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;
    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Listens to every line from now on, those of tests that run beside this one too.
pub(super) fn lines() -> Lines {
    static LINES: OnceLock<Lines> = OnceLock::new();
    let listen = || {
        let lines = Lines::default();
        tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_writer(lines.clone())
            .with_max_level(tracing_subscriber::filter::LevelFilter::INFO)
            .init();
        lines
    };
    LINES.get_or_init(listen).clone()
}

fn silent(what: &str, text: &str) {
    for canary in CANARIES {
        assert!(!text.contains(canary), "{what} tells {canary}: {text}");
    }
}

/// The case with the canaries in it.
fn case() -> Value {
    let mut body = case_body();
    body["sections"]["narrative"] = json!({ "text": CANARIES[1] });
    let identity = json!({ "names": [CANARIES[0]], "identifiers": [{ "system": "mykid", "value": CANARIES[2] }] });
    body["children"][0]["sections"]["identity"] = identity;
    body
}

/// Requests that go wrong in all ways, with the canary wherever there is room for one.
fn wrong(session: &Session, case: &str, canary: &str) -> Vec<Raw> {
    let json = json!(canary).to_string();
    let open = |body: String| session.raw("POST", "/v1/cases").header("idempotency-key", canary).json(body);
    let put = |path: &str, body: String| session.raw("PUT", path).header("if-match", "*").json(body);
    let mut requests = vec![
        session.raw(canary, &format!("/v1/cases/{canary}")),
        Raw::new("GET", &format!("/{canary}")),
        Raw::new("GET", &format!("/docs/{canary}")),
        Raw::new("GET", &format!("/v1/cases/{NOBODY}")).header("authorization", format!("Bearer {canary}")),
        session.raw("GET", &format!("/v1/cases/{canary}")),
        session.raw("GET", &format!("/v1/{canary}")),
        session.raw("GET", &format!("/v1/agencies/{canary}")),
        session.raw("GET", &format!("/v1/code-lists/{canary}")),
        session.raw("GET", &format!("{case}/sections/{canary}")),
        session.raw("GET", &format!("{case}?x={canary}")),
        session.raw("GET", case).header("accept", canary),
        session.raw("GET", case).header("traceparent", canary).header("x-request-id", canary).header("accept", "x/y"),
        session.raw("PUT", case).header("if-match", canary).json(&json),
        session.raw("PUT", case).header("if-match", format!("\"{canary}\"")).json("{}"),
        put(&format!("{case}/sections/plan"), json!({ "text": [canary] }).to_string()),
        put(&format!("{case}/sections/plan"), json!({ "text": canary, "x": canary }).to_string()),
        put(&format!("{case}/sections/plan"), json!({ "text": canary.repeat(4000) }).to_string()),
        put(&format!("{case}/sections/plan"), json!({ "text": format!("{canary}\0") }).to_string()),
        put(&format!("{case}/sections/plan"), format!("{{\"text\":{json}")),
        session.raw("PUT", case).header("if-match", "*").header("content-type", canary).body(&json),
        session.raw("PUT", case).header("if-match", "*").header("content-encoding", canary).json(&json),
        open(json.clone()),
        open(format!("[{json}]")),
        open(canary.to_owned()),
        Raw::new("POST", "/oauth2/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("grant_type={canary}&assertion={canary}&client_id={canary}")),
    ];
    for field in ["limit", "status", "priority", "lead", "technique", "offence", "reference", "cursor"] {
        requests.push(session.raw("GET", &format!("/v1/cases?{field}={canary}%00")));
        requests.push(session.raw("GET", &format!("/v1/cases?{field}={}", canary.repeat(8))));
    }
    for at in ["/priority", "/offences/0", "/techniques/0", "/children/0/sections/identity/birthDate"] {
        let mut body = case_body();
        body["children"][0]["sections"]["identity"]["birthDate"] = json!("2012-01-01");
        *body.pointer_mut(at).unwrap() = json!(canary);
        requests.push(open(body.to_string()));
    }
    requests
}

#[actix_web::test]
async fn a_child_shows_in_no_log_line_measurement_or_problem() {
    let lines = lines();
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let opened = school.post("/v1/cases", &case()).await.is(201);
    silent("the answer to the opening", &opened.body.to_string());
    let case = opened.reference();
    for section in [format!("{}/sections/narrative", case.path), format!("{}/sections/identity", case.child(0))] {
        school.get(&section).await.is(200);
    }
    for canary in CANARIES {
        for request in wrong(&school, &case.path, canary) {
            let wire = app.answers(&request).await;
            assert!((400..500).contains(&wire.status), "{request:?} answered {} {}", wire.status, wire.body);
            silent(&format!("the answer to {request:?}"), &format!("{}{}", wire.head, wire.body));
        }
    }
    // The database itself complains, with the row that it could not take.
    app.database.execute("alter table sections add constraint no_plan check (section <> 'plan')");
    let body = json!({ "text": CANARIES[1] });
    let failed = school.put(&format!("{}/sections/plan", case.path), 0, &body).await.is_problem(500, "fault");
    silent("the fault", &failed.body.to_string());
    app.database.execute("alter table child_identities add constraint none check (false) not valid");
    let failed = school.post("/v1/cases", &self::case()).await.is_problem(500, "fault");
    silent("the fault", &failed.body.to_string());

    silent("/metrics", &app.answers(&Raw::new("GET", "/metrics")).await.body);
    let logged = lines.text();
    let ours = |it: &&str| it.contains("\"route\":\"/v1/cases/{case}/sections/{section}\"");
    assert!(logged.lines().filter(ours).count() > 10, "the lines were not caught:\n{logged}");
    assert!(logged.contains("no_plan"), "the cause of the fault was not logged");
    for line in logged.lines() {
        silent("a log line", line);
    }
}
