//! A world in which every operation of the contract has something real to be about, and a body that is good.

use chrono::Duration;
use lindung_tests::{Ref, Session, TestApp, case_body, consent_body};
use serde_json::{Value, json};

pub const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";
pub const POLICE: &str = "KDN.PDRM.D11";
pub const WELFARE: &str = "KPWKM.JKM";
pub const HOSPITAL: &str = "KKM.OSCC.HKL";

/// A case of the school's: the police works on it and may read its narrative; the welfare office works on it and may
/// read and write its plan and the child's risk; a doctor has looked in an emergency; a suspension stands beside it.
pub struct World<'a> {
    app: &'a TestApp,
    pub case: Ref,
    /// What path parameters stand for.
    ids: Vec<(&'static str, String)>,
}

fn terms(to: &str, sections: &[&str]) -> Value {
    let duty = json!({ "kind": "mandated-duty", "provision": "Act 792 s.19" });
    let shares: Vec<Value> = sections.iter().map(|it| json!({ "section": it, "basis": duty })).collect();
    json!({
        "kind": "welfare-assessment", "priority": "urgent", "recipient": to, "request": "Please.", "shares": shares,
        "purposes": ["investigation", "protection"],
        "contributes": if sections.len() > 1 { json!(sections) } else { json!([]) },
    })
}

/// A consent that was withdrawn, on which the welfare office held the child's contacts; and the override by which it has
/// its schooling.
async fn withdrawn(app: &TestApp, school: &Session, welfare: &Session, case: &Ref) -> (String, String) {
    let officer = app.officer(SCHOOL).await;
    let given = consent_body(&[WELFARE], &["contacts"], app.now());
    let consent = officer.post(&format!("{}/consents", case.child(0)), &given).await.is(201).reference();
    let until = (app.now() + Duration::days(30)).to_rfc3339();
    let mut body = terms(WELFARE, &[]);
    body["shares"] = json!([
        { "section": "contacts", "basis": { "kind": "consent" } },
        { "section": "education", "basis": { "kind": "override", "reason": "She is in danger.", "until": until } },
    ]);
    body["purposes"] = json!(["protection"]);
    welfare.does(&officer.refers_in(case, &body).await, "accept", json!({})).await;
    school.post(&format!("{}/withdraw", consent.path), &json!({})).await.is(200);
    let overrides = school.get(&format!("{}/overrides", case.path)).await;
    (consent.id, overrides.items()[0]["id"].as_str().unwrap().to_owned())
}

/// A subscription of the home ministry's, and something that was delivered to it. Those before it have ended: there is a
/// limit to how many there are.
async fn subscribed(app: &TestApp) -> (String, String) {
    app.database.execute("update subscriptions set status = 'ended', reason = null");
    let admin = app.administrator("KDN").await;
    let hook = json!({ "channel": "webhook", "url": "https://hooks.example.my/" });
    let made = admin.post("/v1/subscriptions", &hook).await.is(201).reference();
    let tested = admin.post(&format!("{}/test", made.path), &json!({})).await.is(202).reference();
    app.database.execute("update deliveries set status = 'delivered', settled_at = now() where status = 'pending'");
    (made.id, tested.id)
}

/// What somebody asks of another agency.
fn asks_for_data(provider: &str) -> Value {
    json!({
        "dataRequested": "Pupils threatened with images since August.", "purpose": "A864.13.b", "purposeText": "To find the sender.",
        "provider": provider, "handling": "By two officers.",
    })
}

impl<'a> World<'a> {
    /// A new one; `n` makes its doctor another than those before.
    pub async fn new(app: &'a TestApp, n: usize) -> World<'a> {
        let (school, police) = (app.supervisor(SCHOOL).await, app.officer(POLICE).await);
        let welfare = app.officer(WELFARE).await;
        let mut body = case_body();
        body["sections"]["plan"] = json!({ "text": "Move her to another class." });
        let case = school.post("/v1/cases", &body).await.is(201).reference();
        let (consent, overridden) = withdrawn(app, &school, &welfare, &case).await;
        let mut referral = String::new();
        for (who, sections) in [(&welfare, &["plan", "risk"][..]), (&police, &["narrative"])] {
            let sent = school.refers_in(&case, &terms(&who.agency, sections)).await;
            let received = who.does(&sent, "receive", json!({})).await;
            referral = who.does(&received, "accept", json!({})).await.id;
        }
        let asked =
            json!({ "reference": case.body["reference"], "code": "other", "reason": "Unconscious child brought in." });
        let doctor = app.person(HOSPITAL, &format!("dr.{n}"), &["officer"], Some("service-provision")).await;
        let access = doctor.post("/v1/emergency-accesses", &asked).await.is(201).reference().id;
        let child = case.child_id(0).to_owned();
        let erasing = json!({ "kind": "erase-child", "child": child, "reason": "The law says so." });
        let proposal = school.post(&format!("{}/proposals", case.path), &erasing).await.is(201).reference().id;
        let releasing = json!({ "child": child, "representative": "lawyer", "reason": "Asked for." });
        let release = school.post(&format!("{}/accesses/release", case.path), &releasing).await.is(201).reference().id;
        let suspended = json!({ "agency": POLICE, "officer": format!("suspect.{n}"), "reason": "Under inquiry." });
        let suspension =
            app.administrator("KDN").await.post("/v1/suspensions", &suspended).await.is(201).reference().id;
        let entry =
            format!("select id from access_log where action = 'create_case' and case_ids = array['{}'::uuid]", case.id);
        let entry = app.database.rows(&entry)[0]["id"].as_str().unwrap().to_owned();
        let offer = json!({ "to": WELFARE, "keeps": "read-only", "reason": "Yours." });
        let handoff = school.post(&format!("{}/handoffs", case.path), &offer).await.is(201).reference().id;
        let grants = school.get(&format!("{}/grants", case.path)).await;
        let held = grants.items().iter().rfind(|it| it["agency"] == POLICE).unwrap().clone();
        let grant = held["id"].as_str().unwrap().to_owned();
        let asked = app.officer(POLICE).await.post("/v1/data-sharing-requests", &asks_for_data(SCHOOL)).await;
        let request = asked.is(201).reference().id;
        let (subscription, delivery) = subscribed(app).await;
        app.notify();
        let notified = format!(
            "select id from notifications where subject_id = '{proposal}' and kind = 'my.gov.lindung.proposal.made'"
        );
        let notification = app.database.rows(&notified)[0]["id"].as_str().unwrap().to_owned();
        app.notary().seals(&app.database, 5);
        let ids = vec![
            ("handoff", handoff),
            ("grant", grant),
            ("case", case.id.clone()),
            ("child", child),
            ("referral", referral),
            ("access", access),
            ("proposal", proposal),
            ("release", release),
            ("suspension", suspension),
            ("entry", entry),
            ("consent", consent),
            ("override", overridden),
            ("request", request),
            ("subscription", subscription),
            ("delivery", delivery),
            ("notification", notification),
        ];
        World { app, case, ids }
    }

    /// The path of an operation, about what is here.
    pub fn path(&self, template: &str) -> String {
        self.path_with(template, |_, id| id.to_owned())
    }

    /// The same with other ids.
    pub fn path_with(&self, template: &str, id: impl Fn(&str, &str) -> String) -> String {
        let of_child = template.contains("{child}");
        let mut path = template.replace("{section}", if of_child { "risk" } else { "plan" });
        path = path.replace("{code}", POLICE).replace("{list}", "offence");
        path = path.replace("{tile}", "0/000.p/1").replace("{bundle}", "000.p/1");
        for (name, known) in &self.ids {
            path = path.replace(&format!("{{{name}}}"), &id(name, known));
        }
        assert!(!path.contains('{'), "{path} has a parameter that this test does not know");
        path
    }

    /// A body that is good for an operation; the path tells which.
    pub fn body(&self, name: &str, n: usize) -> Option<Value> {
        let admits = json!({ "admits": [SCHOOL, POLICE, WELFARE] });
        Some(match name {
            "ask_for_handoff" | "decline_handoff" | "refuse_handoff" | "end_grant" => json!({ "reason": "So it is." }),
            "offer_case" => json!({ "to": HOSPITAL, "keeps": "outcome-only", "reason": "Yours." }),
            "offer_handoff" => json!({ "keeps": "outcome-only", "reason": "As it is now." }),
            "accept_handoff" | "withdraw_handoff" => json!({}),
            "give_grant" => {
                json!({ "agency": HOSPITAL, "sections": ["summary"], "purposes": ["protection"], "reason": "They treat her." })
            }
            "create_case" => case_body(),
            "amend_case" => json!({ "priority": "routine", "offences": [], "grounds": [], "techniques": [] }),
            "add_child" | "send_referral" | "receive_referral" | "claim_referral" | "accept_referral" => json!({}),
            "start_referral" | "resume_referral" | "withdraw_cancel_referral" => json!({}),
            "confirm_cancel_referral" => json!({ "workDone": "Nothing yet." }),
            "confirm_proposal" | "decline_proposal" | "confirm_emergency_access" | "lift_suspension" => json!({}),
            "put_section" | "put_child_section" => json!({ "text": "Written." }),
            "shield_case" | "shield_child" => admits,
            "close_case" => json!({ "outcome": "charged", "summary": "Done." }),
            "reopen_case" | "hold_referral" | "request_cancel_referral" | "decline_cancel_referral" => {
                json!({ "reason": "So it is." })
            }
            "mark_referral_entered_in_error" => json!({ "reason": "A mistake." }),
            "record_occurrence" => json!({ "kind": "examined", "occurredAt": "2026-11-24T01:00:00Z" }),
            "create_proposal" => json!({ "kind": "erase-child", "child": self.case.child_id(0), "reason": "The law." }),
            "create_referral" | "amend_referral" => terms(HOSPITAL, &["narrative"]),
            "withhold_access" => json!({ "ground": "s15-c", "reason": "It tells how we work." }),
            "release_accesses" => {
                json!({ "child": self.case.child_id(0), "representative": "child", "reason": "Asked." })
            }
            "open_emergency_access" => {
                json!({ "reference": self.case.body["reference"], "code": "other", "reason": "Unconscious child brought in." })
            }
            "create_consent" => consent_body(&[HOSPITAL], &["health"], self.app.now()),
            "withdraw_consent" | "confirm_consent" => json!({}),
            "review_override" => json!({ "outcome": "justified", "note": "There was danger." }),
            "review_emergency_access" => json!({ "outcome": "justified", "note": "Seen." }),
            "check_status" => {
                json!({ "identifier": { "system": "mykid", "value": "120101141234" }, "careScheduled": false })
            }
            "search_children" => json!({ "identifier": { "system": "mykid", "value": "120101141234" } }),
            "request_data" => asks_for_data(HOSPITAL),
            "grant_data_request" => json!({
                "shares": [{ "case": self.case.id, "sections": ["summary"] }], "purposes": ["investigation"],
                "until": "2027-01-01T00:00:00Z",
            }),
            "refuse_data_request" => json!({ "grounds": ["A864.15.e"], "reason": "It is before the court." }),
            "defer_data_request" => json!({ "reason": "So many files.", "until": "2027-01-01T00:00:00Z" }),
            "withdraw_data_request" => json!({}),
            "create_subscription" => json!({ "channel": "webhook", "url": "https://hooks.example.my/" }),
            "change_subscription" => json!({ "url": "https://hooks.example.my/other" }),
            "pause_subscription" | "resume_subscription" | "end_subscription" | "rotate_secret" => json!({}),
            "test_subscription" | "redeliver" => json!({}),
            "read_notification" | "acknowledge_notification" | "reset_notification_rules" => json!({}),
            "change_notification_rules" => json!({ "rules": [] }),
            "replay_subscription" => json!({ "fromNumber": 0 }),
            "create_suspension" => {
                json!({ "agency": POLICE, "officer": format!("other.{n}"), "reason": "Under inquiry." })
            }
            "register_unit" => {
                json!({ "code": format!("KDN.PDRM.D11.X{n}"), "parent": POLICE, "names": { "ms": "Unit", "en": "Unit" }, "contacts": [] })
            }
            "change_agency" => json!({ "names": { "ms": "Nama", "en": "Name" }, "contacts": [], "active": true }),
            "answer_referral" | "ask_referral" | "note_referral" => json!({ "text": "What?" }),
            "cancel_referral" => json!({ "reason": "child-moved" }),
            "reject_referral" | "decline_referral" => json!({ "reason": "no-capacity" }),
            "redirect_referral" => json!({ "to": HOSPITAL, "reason": "Yours." }),
            "complete_referral" => json!({ "outcome": "charged", "summary": "Done." }),
            "fail_referral" => json!({ "reason": "no-response" }),
            "remind_referral" | "escalate_referral" => json!({}),
            _ => return None,
        })
    }

    /// Sends an operation's request, about what is here.
    pub async fn asks(
        &self,
        who: &Session,
        (method, path): (&str, &str),
        body: Option<&Value>,
    ) -> lindung_tests::Answered {
        let key = lindung_persistence::Db::new_id().to_string();
        let headers = [("idempotency-key", key.as_str()), ("if-match", "*")];
        let headers = if method == "get" { &headers[..0] } else { &headers[..] };
        who.send(&method.to_uppercase(), path, headers, body).await
    }

    /// Everybody of the walk, by the names of its columns; whoever may do most comes last.
    pub async fn crowd(app: &TestApp) -> Vec<(&'static str, Session)> {
        vec![
            ("stranger", app.officer("KK.MCMC").await),
            ("wrong", app.officer(POLICE).await),
            ("granted", app.officer(WELFARE).await),
            ("coordinator", app.coordinator().await),
            ("auditor", app.auditor("KPM").await),
            ("administrator", app.administrator("KDN").await),
            ("client", app.client("KPM").await),
            ("officer", app.officer(SCHOOL).await),
            ("supervisor", app.supervisor(SCHOOL).await),
        ]
    }

    /// The app that it is in.
    pub fn app(&self) -> &TestApp {
        self.app
    }
}
