//! Somebody who is signed in, what they ask, and what they are answered.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};
use lindung_client::{Api, Bound, Reply};
use lindung_persistence::Db;
use serde_json::{Value, json};

/// Somebody of an agency with an access token.
#[derive(Clone)]
pub struct Session {
    api: Api,
    /// The agency or unit spoken for.
    pub agency: String,
    /// The access token.
    pub token: String,
    /// The same with its key, and the app's time, where it is bound to one.
    bound: Option<(Bound, Arc<AtomicI64>)>,
}

/// A case or referral as its last answer told of it: its path and version.
#[derive(Debug, Clone)]
pub struct Ref {
    /// Its id.
    pub id: String,
    /// Where it is.
    pub path: String,
    /// Its version, as in its `ETag`.
    pub version: i64,
    /// The answer.
    pub body: Value,
}

/// An answer that says what it was an answer to when it is not the one expected.
#[derive(Debug)]
pub struct Answered {
    asked: String,
    reply: Reply,
}

impl Deref for Answered {
    type Target = Reply;
    fn deref(&self) -> &Reply {
        &self.reply
    }
}

impl Answered {
    /// Has this status.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} answered {}", self.asked, self.body);
        self
    }

    /// Is this problem, by status and slug.
    #[track_caller]
    pub fn is_problem(self, status: u16, slug: &str) -> Self {
        let found = (self.status, self.problem().unwrap_or_default());
        assert_eq!(found, (status, slug), "{} answered {}", self.asked, self.body);
        self
    }

    /// Is a problem about this field, with this code.
    #[track_caller]
    pub fn about(self, field: &str, code: &str) -> Self {
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        let named = errors.iter().any(|it| it["field"] == field && it["code"] == code);
        assert!(named, "{} does not name {field}: {code} in {}", self.asked, self.body);
        self
    }

    /// The thing that it tells of.
    #[track_caller]
    pub fn reference(self) -> Ref {
        assert!(self.status < 300, "{} answered {}", self.asked, self.body);
        let text = |pointer: &str| self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let version = self.body["version"].as_i64().unwrap_or_default();
        Ref { id: text("/id"), path: text("/links/self"), version, body: self.reply.body }
    }

    /// The items of a page.
    #[track_caller]
    pub fn items(&self) -> &Vec<Value> {
        assert_eq!(self.status, 200, "{} answered {}", self.asked, self.body);
        self.body["items"].as_array().expect("a page")
    }
}

impl Ref {
    /// Where its child is, when it is a case that was just opened.
    #[track_caller]
    pub fn child(&self, at: usize) -> &str {
        self.body["children"][at]["links"]["self"].as_str().expect("a child")
    }

    /// The id of its child, when it is a case that was just opened.
    #[track_caller]
    pub fn child_id(&self, at: usize) -> &str {
        self.body["children"][at]["id"].as_str().expect("a child")
    }

    /// Its version as `If-Match` wants it.
    pub fn tag(&self) -> String {
        format!("\"{}\"", self.version)
    }
}

impl Session {
    pub(crate) fn new(api: Api, agency: &str, token: String) -> Self {
        Session { api, agency: agency.to_owned(), token, bound: None }
    }

    pub(crate) fn bound(api: Api, agency: &str, bound: Bound, clock: Arc<AtomicI64>) -> Self {
        let token = bound.token().to_owned();
        Session { api, agency: agency.to_owned(), token, bound: Some((bound, clock)) }
    }

    /// Sends a request.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answered {
        let reply = match &self.bound {
            None => self.api.request(method, path, Some(&self.token), headers, body).await,
            Some((bound, clock)) => {
                let now = DateTime::from_timestamp_micros(clock.load(Ordering::SeqCst)).unwrap();
                bound.request(now, method, path, headers, body).await
            }
        };
        Answered { asked: format!("{} {method} {path}", self.agency), reply: reply.unwrap() }
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Answered {
        self.send("GET", path, &[], None).await
    }

    /// Creates, under a key of its own.
    pub async fn post(&self, path: &str, body: &Value) -> Answered {
        let key = Db::new_id().to_string();
        self.send("POST", path, &[("idempotency-key", &key)], Some(body)).await
    }

    /// Replaces, from a version.
    pub async fn put(&self, path: &str, version: i64, body: &Value) -> Answered {
        self.send("PUT", path, &[("if-match", &format!("\"{version}\""))], Some(body)).await
    }

    /// Makes a case or a child, at its path, invisible but to those named.
    pub async fn shields(&self, path: &str, admits: &[&str]) -> Answered {
        self.send("PUT", &format!("{path}/shield"), &[("if-match", "*")], Some(&json!({ "admits": admits }))).await
    }

    /// Takes an action on a case or referral, from the version of the reference.
    pub async fn act(&self, on: &Ref, action: &str, body: &Value) -> Answered {
        self.send("POST", &format!("{}/{action}", on.path), &[("if-match", &on.tag())], Some(body)).await
    }

    /// Takes an action, whatever the version is now.
    pub async fn act_anyhow(&self, on: &Ref, action: &str, body: &Value) -> Answered {
        self.send("POST", &format!("{}/{action}", on.path), &[("if-match", "*")], Some(body)).await
    }

    /// Takes an action as [`Session::act`] does; it must succeed.
    #[track_caller]
    pub fn does<'a>(&'a self, on: &'a Ref, action: &'a str, body: Value) -> impl Future<Output = Ref> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let answered = self.act(on, action, &body).await;
            assert_eq!(answered.status, 200, "at {caller}: {} answered {}", answered.asked, answered.body);
            answered.reference()
        }
    }

    /// Opens a case with one child.
    pub async fn opens_case(&self) -> Ref {
        self.post("/v1/cases", &case_body()).await.is(201).reference()
    }

    /// Refers a case to another agency.
    pub async fn refers(&self, case: &Ref, to: &Session) -> Ref {
        self.post(&format!("{}/referrals", case.path), &referral_body(&to.agency)).await.is(201).reference()
    }

    /// Records that sections of a child, at its path, may be given to agencies.
    pub async fn consents(&self, child: &str, recipients: &[&str], sections: &[&str], given_at: DateTime<Utc>) -> Ref {
        let body = consent_body(recipients, sections, given_at);
        self.post(&format!("{child}/consents"), &body).await.is(201).reference()
    }

    /// Refers a case in these terms.
    pub async fn refers_in(&self, case: &Ref, terms: &Value) -> Ref {
        self.post(&format!("{}/referrals", case.path), terms).await.is(201).reference()
    }

    /// Makes a referral of a case that is open to several.
    pub async fn refers_openly(&self, case: &Ref, to: &[&Session]) -> Ref {
        let mut body = referral_body("");
        let listed: Vec<&str> = to.iter().map(|it| it.agency.as_str()).collect();
        body.as_object_mut().unwrap().remove("recipient");
        body["openTo"] = json!(listed);
        self.post(&format!("{}/referrals", case.path), &body).await.is(201).reference()
    }
}

/// A case on sextortion with one child, as a school would open it.
pub fn case_body() -> Value {
    json!({
        "priority": "urgent",
        "offences": ["A792.15B"],
        "grounds": [],
        "techniques": ["sextortion", "deepfake"],
        "sections": {
            "summary": { "text": "A pupil is threatened with manipulated images." },
            "narrative": { "text": "The pupil told the counsellor on Monday." },
            "digital-evidence": { "items": [{ "description": "Manipulated photograph", "sha256": "a".repeat(64) }] },
        },
        "children": [{ "sections": {
            "identity": { "names": ["Aminah binti Contoh"], "identifiers": [{ "system": "mykid", "value": "120101141234" }] },
            "risk": { "text": "Afraid to go to school." },
        } }],
    })
}

/// A referral that shares the narrative for triage and the evidence on acceptance, for all purposes of work.
pub fn referral_body(recipient: &str) -> Value {
    let duty = json!({ "kind": "mandated-duty", "provision": "Act 792 s.19" });
    json!({
        "kind": "police-investigation",
        "priority": "urgent",
        "recipient": recipient,
        "request": "Please investigate.",
        "shares": [
            { "section": "narrative", "basis": duty, "triage": true },
            { "section": "digital-evidence", "basis": duty },
            { "section": "identity", "basis": duty },
        ],
        "purposes": ["investigation", "protection", "service-provision", "education-safeguarding", "content-removal"],
    })
}

/// A parent's consent that sections of a child's are given to agencies, for all purposes of work.
pub fn consent_body(recipients: &[&str], sections: &[&str], given_at: DateTime<Utc>) -> Value {
    json!({
        "capacity": "parent",
        "givenBy": "P-2026-0117",
        "sections": sections,
        "recipients": recipients,
        "purposes": ["investigation", "protection", "service-provision", "education-safeguarding", "content-removal"],
        "evidence": "Binder 7, form 3",
        "givenAt": given_at.to_rfc3339(),
    })
}

/// A body with which an action on a referral succeeds where it is possible.
pub fn action_body(action: &str) -> Value {
    match action {
        "amend" => referral_body("KPWKM.JKM"),
        "decline" | "reject" => json!({ "reason": "outside-mandate" }),
        "redirect" => json!({ "to": "KDN.PDRM.D11.KL", "reason": "Yours by area." }),
        "hold" | "request-cancel" | "decline-cancel" | "mark-entered-in-error" => json!({ "reason": "It must be." }),
        "ask" | "answer" | "note" => json!({ "text": "Words." }),
        "complete" => json!({ "outcome": "investigation-opened", "summary": "An investigation was opened." }),
        "fail" => json!({ "reason": "no-response" }),
        "cancel" => json!({ "reason": "no-longer-needed" }),
        "confirm-cancel" => json!({ "workDone": "Two interviews." }),
        _ => json!({}),
    }
}
