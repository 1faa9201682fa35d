//! The service under test.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use actix_web::dev::ServerHandle;
use chrono::{DateTime, Duration, Utc};
use lindung_client::{Api, Bound, Credentials, Reply, Speaker};
use lindung_delivery::{Courier, Mailer, Sender};
use lindung_http::app::{App, Clock, Parts};
use lindung_http::keys::{self, TokenKeys};
use lindung_http::limits::Rates;
use lindung_http::upkeep::Upkeep;
use lindung_http::{queues, sealing};
use lindung_persistence::Sequenced;
use lindung_webhook::{Allow, SecretKey};
use serde_json::{Value, json};

use crate::database::{Database, credentials};
use crate::notary::Notary;
use crate::session::{Ref, Session};

/// When every test begins: the morning of 24 November 2026 in Kuala Lumpur.
const BEGINNING: i64 = 1_795_485_600;

/// The real server on a port of its own, over a database of its own.
pub struct TestApp {
    /// Its database.
    pub database: Database,
    /// The way to it over HTTP.
    pub api: Api,
    /// The private key of its access tokens (PKCS#8), so that a test can forge some.
    pub token_key: Vec<u8>,
    proofs_required: bool,
    app: App,
    clock: Arc<AtomicI64>,
    server: ServerHandle,
}

impl TestApp {
    /// Starts one.
    pub async fn start() -> Self {
        TestApp::over(Database::new()).await
    }

    /// Starts one in which an officer's token must be bound to a key.
    pub async fn start_requiring_proofs() -> Self {
        TestApp::built(Database::new(), |parts| parts.proofs_required = true).await
    }

    /// Starts one that limits how often one may ask.
    pub async fn start_limiting(rates: Rates) -> Self {
        TestApp::built(Database::new(), |parts| parts.rates = rates).await
    }

    /// Starts one that shows no child once sealing is behind for longer.
    pub async fn start_sealing_within(limit: std::time::Duration) -> Self {
        TestApp::built(Database::new(), |parts| parts.seal_limit = Some(limit)).await
    }

    /// Starts one whose webhooks go to the public internet alone.
    pub async fn start_public() -> Self {
        TestApp::built(Database::new(), |parts| parts.webhooks = Allow::Nothing).await
    }

    /// Starts one over this database.
    pub async fn over(database: Database) -> Self {
        TestApp::built(database, |_| {}).await
    }

    async fn built(database: Database, change: impl FnOnce(&mut Parts)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let clock = Arc::new(AtomicI64::new(BEGINNING * 1_000_000));
        let token_key = keys::new_pkcs8().unwrap();
        let mut parts = Parts {
            db: database.db(),
            clock: Clock::Set(clock.clone()),
            issuer: issuer.clone(),
            token_keys: TokenKeys::from_pkcs8(std::slice::from_ref(&token_key)).unwrap(),
            digest_key: [7; 32],
            webhook_key: SecretKey::new(&[9; 32]),
            webhooks: Allow::Loopback,
            proofs_required: false,
            rates: Rates::NONE,
            log_policy: Some(Notary::of(&origin_of(&issuer)).policy()),
            seal_limit: None,
        };
        change(&mut parts);
        let (proofs_required, app) = (parts.proofs_required, App::new(parts));
        let server = lindung_http::serve::serve(app.clone(), listener, 2).unwrap();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        TestApp { database, api: Api::new(&issuer).unwrap(), token_key, proofs_required, app, clock, server: handle }
    }

    /// Who signs and who witnesses checkpoints of its access log.
    pub fn notary(&self) -> Notary {
        Notary::of(&self.origin())
    }

    /// What its access log is called.
    pub fn origin(&self) -> String {
        origin_of(self.api.issuer())
    }

    /// The app's time.
    pub fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.clock.load(Ordering::SeqCst)).unwrap()
    }

    /// The app's time, whenever it is asked for.
    pub fn clock(&self) -> impl Fn() -> DateTime<Utc> + Send + 'static {
        let clock = self.clock.clone();
        move || DateTime::from_timestamp_micros(clock.load(Ordering::SeqCst)).unwrap()
    }

    /// Ends all waiting, as the service does when it is told to stop.
    pub fn stop_waiting(&self) {
        self.app.stop_waiting();
    }

    /// Somebody who delivers, with little patience.
    pub fn courier(&self, mailer: Option<Mailer>) -> Courier {
        self.courier_to(Allow::Loopback, mailer)
    }

    /// The same, who is let through to somewhere else.
    pub fn courier_to(&self, allow: Allow, mailer: Option<Mailer>) -> Courier {
        let patience = std::time::Duration::from_millis(500);
        Courier::new(lindung_delivery::Parts {
            db: self.database.worker(),
            sender: Sender::within(allow, patience, patience).unwrap(),
            mailer,
            key: SecretKey::new(&[9; 32]),
            issuer: self.api.issuer().to_owned(),
            now: Box::new(self.clock()),
        })
    }

    /// Numbers what has happened, and makes deliveries of it.
    pub fn fan_out(&self) {
        self.sequence();
        while self.database.worker().fan_out(self.now()).unwrap().more {}
    }

    /// Numbers what has happened, and makes notifications of it.
    pub fn notify(&self) {
        self.sequence();
        while self.database.worker().notify(self.now()).unwrap().more {}
    }

    /// Measures what waits to be delivered.
    pub async fn watch_queues(&self) {
        queues::watch(&self.app).await;
    }

    /// Lets time pass.
    pub fn wait(&self, time: Duration) {
        self.clock.fetch_add(time.num_microseconds().unwrap(), Ordering::SeqCst);
    }

    /// The credentials of the development client that speaks for an agency.
    pub fn credentials(&self, agency: &str) -> &'static Credentials {
        let found = credentials().iter().find(|it| it.speaks_for(agency));
        found.unwrap_or_else(|| panic!("no client speaks for {agency}"))
    }

    /// The service's housekeeping, with a daily budget of children for each officer.
    pub fn upkeep(&self, children_per_day: u32) -> Upkeep {
        Upkeep::new(self.app.clone(), children_per_day)
    }

    /// Looks whether the access log is sealed, as the service does every few seconds.
    pub async fn watch_sealing(&self) {
        sealing::watch(&self.app).await;
    }

    /// Runs the clocks once, at the app's time; tells how many passed a limit.
    pub fn work(&self) -> usize {
        let worked = self.database.worker().work(self.now()).unwrap();
        assert!(worked.failures.is_empty(), "{:?}", worked.failures);
        worked.passed
    }

    /// Gives events and accesses their numbers, once, at the app's time.
    pub fn sequence(&self) -> Sequenced {
        self.database.worker().sequence(self.now()).unwrap()
    }

    /// Signs somebody in; bound to a key where that is required.
    pub async fn speak(&self, speaker: &Speaker) -> Session {
        if self.proofs_required && speaker.officer.is_some() {
            return self.speak_bound(speaker).await;
        }
        let token = self.api.token_at(self.credentials(&speaker.agency), speaker, self.now()).await;
        Session::new(self.api.clone(), &speaker.agency, token.unwrap())
    }

    /// Signs somebody in, bound to a key of their own.
    pub async fn speak_bound(&self, speaker: &Speaker) -> Session {
        let bound = Bound::sign_in(&self.api, self.credentials(&speaker.agency), speaker, self.now()).await.unwrap();
        Session::bound(self.api.clone(), &speaker.agency, bound, self.clock.clone())
    }

    /// Signs in a person with roles and a purpose.
    pub async fn person(&self, agency: &str, id: &str, roles: &[&str], purpose: Option<&str>) -> Session {
        self.speak(&Speaker::officer(agency, id, &format!("Name of {id}"), roles, purpose)).await
    }

    /// An officer at work for the purpose that is usual in the agency.
    pub async fn officer(&self, agency: &str) -> Session {
        self.person(agency, "officer.one", &["officer"], Some(usual_purpose(agency))).await
    }

    /// A supervisor for the purpose that is usual in the agency.
    pub async fn supervisor(&self, agency: &str) -> Session {
        self.person(agency, "supervisor.one", &["supervisor"], Some(usual_purpose(agency))).await
    }

    /// A coordinator of the secretariat.
    pub async fn coordinator(&self) -> Session {
        self.person("PP", "coordinator.one", &["coordinator"], Some("coordination")).await
    }

    /// An auditor.
    pub async fn auditor(&self, agency: &str) -> Session {
        self.person(agency, "auditor.one", &["auditor"], Some("audit")).await
    }

    /// An administrator.
    pub async fn administrator(&self, agency: &str) -> Session {
        self.person(agency, "administrator.one", &["administrator"], None).await
    }

    /// The system of an agency, for nobody in particular.
    pub async fn client(&self, agency: &str) -> Session {
        self.speak(&Speaker::client(agency)).await
    }

    /// Has two supervisors of the lead erase the first child of a case; returns the proposal.
    pub async fn erases(&self, lead: &str, case: &Ref) -> String {
        let body = json!({ "kind": "erase-child", "child": case.child_id(0), "reason": "Ordered by the court." });
        let proposed = self.supervisor(lead).await.post(&format!("/v1/cases/{}/proposals", case.id), &body).await;
        let proposal = proposed.is(201).body["id"].as_str().unwrap().to_owned();
        let other = self.person(lead, "supervisor.two", &["supervisor"], Some(usual_purpose(lead))).await;
        other.post(&format!("/v1/proposals/{proposal}/confirm"), &json!({})).await.is(200);
        proposal
    }

    /// The access log of a case as the task force's auditor reads it: who, what, how it ended.
    pub async fn access_log(&self, case: &str) -> String {
        let auditor = self.auditor("PP").await;
        let written = self.database.count(&format!("access_log where case_ids @> array['{case}'::uuid]"));
        // A page ends before the oldest transaction that still runs, and those of other tests count too.
        let page = loop {
            let page = auditor.get(&format!("/v1/access-log?case={case}&limit=1000")).await;
            if page.items().len() >= usize::try_from(written).unwrap() {
                break page;
            }
        };
        let line = |it: &Value| {
            let of = |field: &str| it[field].as_str().unwrap_or("-").to_owned();
            let sections: Vec<&str> = it["sections"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            let line = [of("agency"), of("officer"), of("action"), of("outcome"), of("rule"), sections.join(",")];
            line.join(" ").trim_end().to_owned()
        };
        page.body["items"].as_array().unwrap().iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// Sends what no well-made client would.
    pub async fn raw(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Reply {
        self.api.request(method, path, None, headers, body).await.unwrap()
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // Told to stop at once; the runtime ends with the test.
        drop(self.server.stop(false));
    }
}

fn origin_of(issuer: &str) -> String {
    issuer.replacen("http://", "", 1) + "/v1/access-log"
}

/// What an agency usually acts for.
fn usual_purpose(agency: &str) -> &'static str {
    match agency.split('.').next() {
        Some("KPM") => "education-safeguarding",
        Some("KDN") => "investigation",
        Some("KK") => "content-removal",
        Some("KPWKM") => "protection",
        _ => "service-provision",
    }
}
