//! The service without its own check, in a build of its own (`--features unchecked`): its policy permits everything to
//! everybody and its queries ask for everything. What stands behind it, row-level security, keeps agencies apart.
//!
//! One door is not tried: whether an officer may open a case in an emergency is for the policy alone to say.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails where it stands")]

use lindung_domain::policy::{self, Act, Relations};
use lindung_domain::{Actor, Section};
use lindung_http::serve::Contract;
use lindung_tests::{Ref, Session, TestApp, action_body, case_body, referral_body};
use serde_json::{Value, json};

const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";

/// What is told of a case to whoever may see it, and to nobody else.
const CONTENT: [&str; 6] = [
    "A pupil is threatened",
    "The pupil told",
    "Manipulated photograph",
    "Aminah binti Contoh",
    "Afraid to go",
    "Words.",
];

/// A case at work, with everything that a path can name.
struct Work {
    case: Ref,
    referral: Ref,
    access: String,
    proposal: String,
    release: String,
    entry: String,
    consent: String,
    overridden: String,
    handoff: String,
    grant: String,
}

impl Work {
    async fn begun(app: &TestApp) -> Work {
        let (school, police) = (app.supervisor(SCHOOL).await, app.officer("KDN.PDRM.D11").await);
        let case = school.opens_case().await;
        let referral = school.refers(&case, &police).await;
        let referral = police.does(&referral, "accept", json!({})).await;
        police.does(&referral, "note", action_body("note")).await;
        let asked =
            json!({ "reference": case.body["reference"], "code": "other", "reason": "Somebody is in danger now." });
        let access = app.officer("KPWKM.JKM").await.post("/v1/emergency-accesses", &asked).await.is(201);
        let erase = json!({ "kind": "erase-child", "child": case.child_id(0), "reason": "By order of the court." });
        let proposal = school.post(&format!("{}/proposals", case.path), &erase).await.is(201);
        let consent = school.consents(case.child(0), &["KPWKM.JKM"], &["health"], app.now()).await.id;
        let until = (app.now() + chrono::Duration::days(1)).to_rfc3339();
        let mut risky = referral_body("KPWKM.JKM");
        risky["shares"] =
            json!([{ "section": "risk", "basis": { "kind": "override", "reason": "Danger.", "until": until } }]);
        school.refers_in(&case, &risky).await;
        let overrides = school.get(&format!("{}/overrides", case.path)).await;
        let overridden = overrides.items()[0]["id"].as_str().unwrap().to_owned();
        let released =
            json!({ "child": case.child_id(0), "representative": "guardian", "reason": "She asked for it." });
        let release = school.post(&format!("{}/accesses/release", case.path), &released).await.is(201);
        app.database.settle();
        let seen = school.get(&format!("{}/accesses", case.path)).await;
        let entry = seen.items().iter().find(|it| it["outcome"] == "permitted").unwrap().clone();
        let id = |it: &Value| it["id"].as_str().unwrap().to_owned();
        let offer = json!({ "to": "KPWKM.JKM", "keeps": "read-only", "reason": "Yours." });
        let handoff = id(&school.post(&format!("{}/handoffs", case.path), &offer).await.is(201).body);
        let grants = school.get(&format!("{}/grants", case.path)).await;
        let grant = id(grants.items().iter().find(|it| it["source"] == "referral").unwrap());
        app.sequence();
        app.notary().seals(&app.database, 5);
        let (access, proposal, release) = (id(&access.body), id(&proposal.body), id(&release.body));
        Work { referral, access, proposal, release, entry: id(&entry), consent, overridden, handoff, grant, case }
    }

    /// A path of the contract, about this.
    fn path(&self, path: &str, section: Section) -> String {
        let filled = [
            ("{case}", self.case.id.as_str()),
            ("{child}", self.case.child_id(0)),
            ("{referral}", &self.referral.id),
            ("{access}", &self.access),
            ("{proposal}", &self.proposal),
            ("{release}", &self.release),
            ("{entry}", &self.entry),
            ("{consent}", &self.consent),
            ("{override}", &self.overridden),
            ("{handoff}", &self.handoff),
            ("{grant}", &self.grant),
            ("{section}", section.as_str()),
            ("{request}", "0193b5f4-7a00-7c3e-9d55-0d8f6c2b1a01"),
            ("{subscription}", "0193b5f4-7a00-7c3e-9d55-0d8f6c2b1a01"),
            ("{delivery}", "0193b5f4-7a00-7c3e-9d55-0d8f6c2b1a01"),
            ("{notification}", "0193b5f4-7a00-7c3e-9d55-0d8f6c2b1a01"),
            ("{suspension}", "0193b5f4-7a00-7c3e-9d55-0d8f6c2b1a01"),
            ("{code}", "KPM"),
            ("{list}", "offence"),
            ("{tile}", "0/000.p/1"),
            ("{bundle}", "000.p/1"),
        ];
        // What has to be asked for between two sizes.
        let path = if path.ends_with("/consistency") { format!("{path}?from=0&to=1") } else { path.to_owned() };
        let filled = filled.into_iter().fold(path.clone(), |path, (name, value)| path.replace(name, value));
        assert!(!filled.contains('{'), "{path} has a parameter that this test does not know");
        filled
    }

    /// What gives away that there is such a case.
    fn traces(&self) -> Vec<&str> {
        let named = [&self.case.id, &self.referral.id, &self.access, &self.proposal, &self.release];
        let named = named.map(String::as_str);
        let told = [self.case.child_id(0), self.case.body["reference"].as_str().unwrap()];
        named.into_iter().chain(told).chain(CONTENT).collect()
    }
}

/// Every operation of the contract on `/v1`: method, path, name.
fn operations() -> Vec<(String, String, String)> {
    let document: Value = serde_json::from_str(Contract::known().unwrap().as_str()).unwrap();
    let operation = |path: &String, method: &String, it: &Value| {
        (method.to_uppercase(), path.clone(), it["operationId"].as_str().unwrap().to_owned())
    };
    let paths = document["paths"].as_object().unwrap().iter().filter(|it| it.0.starts_with("/v1/"));
    paths
        .flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |(method, it)| operation(path, method, it)))
        .collect()
}

/// The sections that a path may mean.
fn sections(path: &str) -> Vec<Section> {
    let of_child = path.contains("{child}");
    let all = Section::ALL.iter().copied().filter(|it| it.is_of_child() == of_child);
    all.take(if path.contains("{section}") { usize::MAX } else { 1 }).collect()
}

/// Reads whatever the contract lets be read; none of `traces` may be in any answer.
async fn sees_nothing(who: &Session, work: &Work, traces: &[&str]) {
    for (_, path, name) in operations().iter().filter(|it| it.0 == "GET") {
        for section in sections(path) {
            let path = work.path(path, section);
            let answer = who.get(&path).await;
            let text = answer.body.to_string();
            let told: Vec<&&str> = traces.iter().filter(|it| text.contains(**it)).collect();
            assert!(told.is_empty(), "{name} tells {} of {told:?}: {text}", who.agency);
            assert!([200, 403, 404].contains(&answer.status), "{name} answers {} {text}", answer.status);
        }
    }
}

/// A body that is taken where the operation is possible.
fn body(operation: &str, path: &str, section: Section, agency: &str, child: &str) -> Value {
    match operation {
        "amend_case" => json!({ "priority": "routine", "offences": [], "grounds": [], "techniques": [] }),
        "put_section" | "put_child_section" => match section {
            Section::Identity => case_body()["children"][0]["sections"]["identity"].clone(),
            Section::DigitalEvidence => case_body()["sections"]["digital-evidence"].clone(),
            _ => json!({ "text": "Overwritten." }),
        },
        "ask_for_handoff" | "decline_handoff" | "refuse_handoff" | "end_grant" => json!({ "reason": "So it is." }),
        "offer_case" => json!({ "to": agency, "keeps": "outcome-only", "reason": "Ours." }),
        "offer_handoff" => json!({ "keeps": "outcome-only", "reason": "As it is now." }),
        "accept_handoff" | "withdraw_handoff" => json!({}),
        "give_grant" => {
            json!({ "agency": agency, "sections": ["summary"], "purposes": ["protection"], "reason": "Ours." })
        }
        "shield_case" | "shield_child" => json!({ "admits": [agency] }),
        "close_case" => json!({ "outcome": "charged", "summary": "Done." }),
        "reopen_case" => json!({ "reason": "Again." }),
        "create_referral" | "amend_referral" => referral_body("KPWKM.JKM.WPKL"),
        "record_occurrence" => json!({ "kind": "examined", "occurredAt": "2026-11-24T01:00:00Z", "child": child }),
        "create_proposal" => json!({ "kind": "erase-child", "child": child, "reason": "By order of the court." }),
        "confirm_proposal" | "decline_proposal" | "confirm_emergency_access" => json!({}),
        "release_accesses" => json!({ "child": child, "representative": "parent", "reason": "They asked for it." }),
        "withhold_access" => json!({ "ground": "s15-f", "reason": "Somebody would be in danger." }),
        "create_consent" => lindung_tests::consent_body(&["KPWKM.JKM.WPKL"], &["risk"], chrono::DateTime::UNIX_EPOCH),
        "withdraw_consent" | "confirm_consent" => json!({}),
        "review_override" => json!({ "outcome": "justified", "note": "There was danger." }),
        "review_emergency_access" => json!({ "outcome": "justified", "note": "It was right to look." }),
        _ => action_body(path.rsplit('/').next().unwrap()),
    }
}

/// Tries whatever the contract lets be done to the case; to whom it is invisible there is nothing to do it to.
async fn changes_nothing(who: &Session, work: &Work) {
    let about = |path: &str| {
        ["{case}", "{referral}", "{proposal}", "{access}", "{consent}", "{override}", "{handoff}", "{grant}"]
            .iter()
            .any(|it| path.contains(it))
    };
    for (method, path, name) in operations().iter().filter(|it| it.0 != "GET" && about(&it.1)) {
        for section in sections(path) {
            let body = body(name, path, section, &who.agency, work.case.child_id(0));
            let key = lindung_persistence::Db::new_id().to_string();
            let headers = [("if-match", "*"), ("idempotency-key", key.as_str())];
            let headers = if method == "PUT" { &headers[..1] } else { &headers };
            let answer = who.send(method, &work.path(path, section), headers, Some(&body)).await;
            assert_eq!(answer.status, 404, "{name} by {}: {}", who.agency, answer.body);
        }
    }
}

/// Everything that is kept, but for who asked for what.
fn kept(app: &TestApp) -> Vec<Value> {
    let names = "select relname::text as name from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace \
                 and relname !~ '^(access_log|officers|spent_|idempotency_keys)' order by relname";
    let rows =
        |it: &Value| app.database.rows(&format!("select * from {} t order by t::text", it["name"].as_str().unwrap()));
    app.database.rows(names).iter().flat_map(rows).collect()
}

#[actix_web::test]
async fn the_service_itself_permits_everything() {
    let client = Actor::client("kk-system".parse().unwrap(), "KK.MCMC".parse().unwrap());
    assert!(Act::all().into_iter().all(|act| policy::permits(&client, act, &Relations::new()).is_some()));
    let app = TestApp::start().await;
    let officer = app.officer(SCHOOL).await;
    let case = officer.opens_case().await;
    // What takes a supervisor; see `policy`.
    officer.act_anyhow(&case, "close", &json!({ "outcome": "charged", "summary": "Done." })).await.is(200);
}

#[actix_web::test]
async fn row_level_security_keeps_agencies_apart() {
    let app = TestApp::start().await;
    let work = Work::begun(&app).await;
    let before = kept(&app);
    let strangers = [
        app.officer("KK.MCMC").await,
        app.supervisor("KPM.SEKOLAH.WBA0002").await,
        // Of an agency that has not tried anything: what it tried stands in its own log.
        app.auditor("AGC").await,
        app.administrator("KK.MCMC").await,
        app.client("KK.MCMC").await,
    ];
    for stranger in &strangers {
        sees_nothing(stranger, &work, &work.traces()).await;
        changes_nothing(stranger, &work).await;
    }
    assert_eq!(kept(&app), before);
}

#[actix_web::test]
async fn coordinators_get_no_content_and_nothing_of_what_is_shielded() {
    let app = TestApp::start().await;
    let (work, coordinator) = (Work::begun(&app).await, app.coordinator().await);
    let header = coordinator.get(&work.case.path).await.is(200);
    assert_eq!(header.body["reference"], work.case.body["reference"]);
    sees_nothing(&coordinator, &work, &CONTENT).await;

    app.supervisor(SCHOOL).await.shields(&work.case.path, &[SCHOOL]).await.is(200);
    let before = kept(&app);
    let hidden: Vec<&str> = work.traces().into_iter().filter(|it| *it != work.access).collect();
    sees_nothing(&coordinator, &work, &hidden).await;
    changes_nothing(&coordinator, &work).await;
    assert_eq!(kept(&app), before);
}
