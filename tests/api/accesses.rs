//! "Who has seen this file": for the lead's supervisors, and for a child's representative, who may be the suspect.

use lindung_tests::{Answered, Ref, Session, TestApp, case_body};
use serde_json::{Value, json};

const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";
const POLICE: &str = "KDN.PDRM.D11";
const WELFARE: &str = "KPWKM.JKM";

/// A case of the school's with two children, worked on by police and welfare office.
struct World {
    app: TestApp,
    school: Session,
    police: Session,
    welfare: Session,
    case: Ref,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::start().await;
        let (school, police) = (app.supervisor(SCHOOL).await, app.officer(POLICE).await);
        let welfare = app.officer(WELFARE).await;
        let mut body = case_body();
        body["children"].as_array_mut().unwrap().push(json!({ "sections": { "risk": { "text": "Calm." } } }));
        let case = school.post("/v1/cases", &body).await.is(201).reference();
        for who in [&police, &welfare] {
            let sent = school.refers(&case, who).await;
            let received = who.does(&sent, "receive", json!({})).await;
            who.does(&received, "accept", json!({})).await;
        }
        World { app, school, police, welfare, case }
    }

    fn at(&self) -> String {
        format!("{}/accesses", self.case.path)
    }

    fn child(&self, at: usize) -> String {
        format!("{}/sections/identity", self.case.child(at))
    }

    /// Every access to the case, once all that was written is in the log.
    async fn accesses(&self, who: &Session) -> Vec<Value> {
        self.app.database.settle();
        who.get(&format!("{}?limit=200", self.at())).await.items().clone()
    }

    /// The entry of the last access like this.
    async fn entry(&self, agency: &str, action: &str) -> String {
        let found = self.accesses(&self.school).await;
        let like = |it: &&Value| it["agency"] == agency && it["action"] == action;
        found.iter().rev().find(like).expect("an access")["id"].as_str().unwrap().to_owned()
    }

    fn asked(&self) -> Value {
        json!({ "child": self.case.child_id(0), "representative": "parent", "reason": "Asked in writing." })
    }

    async fn releases(&self) -> Answered {
        self.app.database.settle();
        let made = self.school.post(&format!("{}/release", self.at()), &self.asked()).await.is(201);
        let path = made.body["links"]["self"].as_str().unwrap().to_owned();
        assert_eq!(made.header("location"), Some(path.as_str()));
        self.school.send("GET", &path, &[("accept-language", "en")], None).await.is(200)
    }
}

/// A release in lines: which agency did what, and for which purpose.
fn lines(released: &Answered) -> Vec<String> {
    let text = |it: &Value, field: &str| it[field].as_str().unwrap_or("-").to_owned();
    let accesses = released.body["accesses"].as_array().unwrap();
    accesses.iter().map(|it| [text(it, "agency"), text(it, "what"), text(it, "purpose")].join(" | ")).collect()
}

fn withholding() -> Value {
    json!({ "ground": "s15-f", "reason": "It would tell where the child is now." })
}

#[actix_web::test]
async fn the_leads_supervisors_see_who_saw_or_tried() {
    let world = World::new().await;
    world.welfare.get(&world.child(0)).await.is(200);
    world.app.officer("KK.MCMC").await.get(&world.case.path).await.is(404);
    let found = world.accesses(&world.school).await;
    let line = |it: &Value| {
        ["agency", "officer", "action", "outcome", "purpose"].map(|of| it[of].as_str().unwrap_or("-")).join(" ")
    };
    let lines: Vec<String> = found.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "KPM.SEKOLAH.WBA0001 supervisor.one create_case permitted education-safeguarding",
            "KPM.SEKOLAH.WBA0001 supervisor.one create_referral permitted education-safeguarding",
            "KDN.PDRM.D11 officer.one receive_referral permitted investigation",
            "KDN.PDRM.D11 officer.one accept_referral permitted investigation",
            "KPM.SEKOLAH.WBA0001 supervisor.one create_referral permitted education-safeguarding",
            "KPWKM.JKM officer.one receive_referral permitted protection",
            "KPWKM.JKM officer.one accept_referral permitted protection",
            "KPWKM.JKM officer.one get_child_section permitted protection",
            "KK.MCMC officer.one get_case not-found content-removal",
        ]
    );
    let read = &found[7];
    assert_eq!(json!([read["sections"], read["children"]]), json!([["identity"], [world.case.child_id(0)]]));

    // It is itself an access, and pages go on from one another.
    let mut path = format!("{}?limit=4", world.at());
    let mut seen = Vec::new();
    for _ in 0..3 {
        world.app.database.settle();
        let page = world.school.get(&path).await;
        assert!(page.header("lindung-up-to").is_some());
        seen.extend(page.items().iter().map(|it| it["id"].clone()));
        let Some(next) = page.body["next"].as_str() else { break };
        path = format!("{}?limit=4&cursor={next}", world.at());
    }
    assert_eq!(seen[..9], found.iter().map(|it| it["id"].clone()).collect::<Vec<_>>());
    let last = world.accesses(&world.school).await.pop().unwrap();
    assert_eq!(json!([last["action"], last["outcome"], last["rule"]]), json!(["list_accesses", "permitted", "lead"]));
}

#[actix_web::test]
async fn nobody_else_sees_who_saw() {
    let world = World::new().await;
    let (police, at) = (world.app.supervisor(POLICE).await, world.at());
    let release = format!("{at}/release");
    for who in [&world.app.officer(SCHOOL).await, &police] {
        who.get(&at).await.is_problem(403, "not-yours-to-do");
        who.post(&release, &world.asked()).await.is_problem(403, "not-yours-to-do");
    }
    let (stranger, auditor) = (world.app.supervisor("KK.MCMC").await, world.app.auditor("PP").await);
    for who in [&stranger, &auditor, &world.app.administrator("PP").await, &world.app.client("KPM").await] {
        who.get(&at).await.is_problem(404, "not-found");
        who.post(&release, &world.asked()).await.is_problem(404, "not-found");
    }
    world.app.coordinator().await.get(&at).await.is_problem(403, "not-yours-to-do");
    let made = world.school.post(&release, &world.asked()).await.is(201);
    let path = made.body["links"]["self"].as_str().unwrap();
    police.get(path).await.is_problem(403, "not-yours-to-do");
    stranger.get(path).await.is_problem(404, "not-found");
    let other = world.school.opens_case().await;
    let elsewhere = path.replace(&world.case.id, &other.id);
    world.school.get(&elsewhere).await.is_problem(404, "not-found");
    let mut wrong = world.asked();
    wrong["child"] = json!(other.child_id(0));
    world.school.post(&release, &wrong).await.is_problem(404, "not-found");
    assert_eq!(world.app.database.count("releases"), 1);
}

#[actix_web::test]
async fn an_access_to_a_list_tells_of_no_other_case() {
    let world = World::new().await;
    let other = world.school.opens_case().await;
    world.school.get("/v1/cases").await.is(200);
    let found = world.accesses(&world.school).await;
    assert_eq!(found.last().unwrap()["action"], "list_cases");
    assert!(!serde_json::to_string(&found).unwrap().contains(&other.id));
}

#[actix_web::test]
async fn what_is_about_a_child_that_is_hidden_from_the_supervisor_does_not_show() {
    let world = World::new().await;
    let second = world.app.person(SCHOOL, "guru.two", &["supervisor"], Some("education-safeguarding")).await;
    let (hidden, open) = (world.case.child_id(0).to_owned(), world.case.child_id(1).to_owned());
    second.shields(world.case.child(0), &[&format!("{SCHOOL}/guru.two")]).await.is(200);
    second.get(&world.child(0)).await.is(200);
    world.welfare.get(&world.child(0)).await.is(404);
    let told = |all: &[Value], action: &str| all.iter().filter(|it| it["action"] == action).count();
    let (all, some) = (world.accesses(&second).await, world.accesses(&world.school).await);
    assert_eq!((told(&all, "get_child_section"), told(&all, "shield_child")), (2, 1));
    assert_eq!((told(&some, "get_child_section"), told(&some, "shield_child")), (0, 0));
    assert_eq!(some[0]["children"], json!([open]));
    assert!(!serde_json::to_string(&some).unwrap().contains(&hidden));
    let entry = all.iter().find(|it| it["action"] == "get_child_section").unwrap()["id"].as_str().unwrap();
    let withhold = format!("{}/{entry}/withhold", world.at());
    world.school.post(&withhold, &withholding()).await.is_problem(404, "not-found");
    second.post(&withhold, &withholding()).await.is(200);
    let release = format!("{}/release", world.at());
    world.school.post(&release, &world.asked()).await.is_problem(404, "not-found");
}

#[actix_web::test]
async fn a_release_tells_what_was_done_and_nothing_that_a_suspect_may_not_learn() {
    let world = World::new().await;
    world.police.get(&world.child(0)).await.is(200);
    world.welfare.get(&world.child(0)).await.is(200);
    world.welfare.get(&world.child(1)).await.is(200);
    world.welfare.get(&format!("{}/sections/digital-evidence", world.case.path)).await.is(200);
    world.welfare.get(&format!("{}/sections/plan", world.case.path)).await.is(403);
    world.app.coordinator().await.get(&world.case.path).await.is(200);
    world.app.officer("KK.MCMC").await.get(&world.case.path).await.is(404);
    world.app.notify();
    for told in [&world.police, &world.welfare] {
        told.get("/v1/notifications").await.is(200);
    }
    world.app.client(POLICE).await.get("/v1/events").await.is(200);
    let released = world.releases().await;
    assert_eq!(
        lines(&released),
        [
            "KPM.SEKOLAH.WBA0001 | Opened the case: Summary, Narrative, Digital evidence, Identity, Risk assessment | education-safeguarding",
            "KPM.SEKOLAH.WBA0001 | Worked on a referral | education-safeguarding",
            "KPM.SEKOLAH.WBA0001 | Worked on a referral | education-safeguarding",
            "KPWKM.JKM | Worked on a referral | protection",
            "KPWKM.JKM | Worked on a referral | protection",
            "KPWKM.JKM | Read the section: Identity | protection",
            "KPWKM.JKM | Read the section: Digital evidence | protection",
            "PP | Saw the case's header or children | coordination",
            "KPWKM.JKM | Read the timeline or messages | protection",
        ]
    );
    let body = released.body.to_string();
    for never in ["officer.one", "supervisor.one", "Name of", "-system", POLICE, "KK.MCMC", world.case.child_id(1)] {
        assert!(!body.contains(never), "{never} is in {body}");
    }
    assert!(released.body["notice"].as_str().unwrap().contains("Act 611 s.15"));
    assert_eq!(released.body["obligations"], json!(["redact", "media-restriction"]));
    let events = world.app.database.rows("select data, recipients from events where kind like '%accesses.released'");
    let data = json!({ "release": released.body["id"], "representative": "parent", "by": SCHOOL });
    assert_eq!(events, [json!({ "data": data, "recipients": [SCHOOL] })]);
    let log =
        "select action, child_ids from access_log where action in ('release_accesses', 'get_release') order by xid";
    let of = |action: &str| json!({ "action": action, "child_ids": [world.case.child_id(0)] });
    assert_eq!(world.app.database.rows(log), [of("release_accesses"), of("get_release")]);
}

/// What is read in one page with something of another child is about both.
#[actix_web::test]
async fn a_release_tells_of_pages_that_were_about_other_children_too() {
    let world = World::new().await;
    world.school.shields(world.case.child(1), &[SCHOOL, WELFARE]).await.is(200);
    world.app.notify();
    let supervisor = world.app.supervisor(WELFARE).await;
    let told = supervisor.get("/v1/notifications").await.is(200);
    let kinds: Vec<&Value> = told.items().iter().map(|it| &it["type"]).collect();
    assert_eq!(json!(kinds), json!(["my.gov.lindung.child.shielded", "my.gov.lindung.referral.requested"]));
    let released = lines(&world.releases().await);
    assert_eq!(released.last().map(String::as_str), Some("KPWKM.JKM | Read the timeline or messages | protection"));
}

#[actix_web::test]
async fn what_is_withheld_is_not_released_and_what_was_released_stays() {
    let world = World::new().await;
    world.welfare.get(&world.child(0)).await.is(200);
    let before = world.releases().await;
    let read = "KPWKM.JKM | Read the section: Identity | protection".to_owned();
    assert!(lines(&before).contains(&read));

    let withhold = format!("{}/{}/withhold", world.at(), world.entry(WELFARE, "get_child_section").await);
    world.welfare.post(&withhold, &withholding()).await.is_problem(403, "not-yours-to-do");
    world.app.officer(SCHOOL).await.post(&withhold, &withholding()).await.is_problem(403, "not-yours-to-do");
    for stranger in [POLICE, "KK.MCMC"] {
        world.app.supervisor(stranger).await.post(&withhold, &withholding()).await.is_problem(404, "not-found");
    }
    let mut wrong = withholding();
    wrong["ground"] = json!("s15-a");
    world.school.post(&withhold, &wrong).await.is_problem(400, "malformed").about("ground", "unknown-code");
    world.app.supervisor(WELFARE).await.post(&withhold, &withholding()).await.is(200);

    let after = world.releases().await;
    assert!(!lines(&after).contains(&read), "{:?}", lines(&after));
    let again = format!("{}/releases/{}", world.at(), before.body["id"].as_str().unwrap());
    let again = world.school.send("GET", &again, &[("accept-language", "en")], None).await.is(200);
    assert_eq!(again.body, before.body);
    let found = world.accesses(&world.school).await;
    let marked: Vec<&Value> = found.iter().filter(|it| it["withheld"] == json!(["s15-f"])).collect();
    assert_eq!(marked.len(), 1);
}

#[actix_web::test]
async fn an_access_that_was_made_in_an_emergency_can_be_withheld_by_its_agency_when_it_has_ended() {
    let world = World::new().await;
    let doctor = world.app.person("KKM.OSCC.HKL", "dr.lim", &["officer"], Some("service-provision")).await;
    let asked = json!({ "reference": world.case.body["reference"], "code": "other", "reason": "Unconscious child brought in." });
    doctor.post("/v1/emergency-accesses", &asked).await.is(201);
    let entry = world.entry("KKM.OSCC.HKL", "open_emergency_access").await;
    world.app.wait(chrono::Duration::hours(5));
    let chief = world.app.supervisor("KKM.OSCC.HKL").await;
    chief.get(&world.case.path).await.is_problem(404, "not-found");
    let withhold = format!("{}/{entry}/withhold", world.at());
    chief.post(&withhold, &withholding()).await.is(200);
    chief.get(&world.case.path).await.is_problem(404, "not-found");
    let other = format!("{}/{}/withhold", world.at(), world.entry_of_create().await);
    chief.post(&other, &withholding()).await.is_problem(404, "not-found");
}

impl World {
    async fn entry_of_create(&self) -> String {
        let rows = self.app.database.rows("select id from access_log where action = 'create_case'");
        rows[0]["id"].as_str().unwrap().to_owned()
    }
}

#[actix_web::test]
async fn behind_a_shield_the_leads_own_accesses_alone_are_released() {
    for child in [false, true] {
        let world = World::new().await;
        world.welfare.get(&world.child(0)).await.is(200);
        let path = if child { world.case.child(0).to_owned() } else { world.case.path.clone() };
        world.school.shields(&path, &[SCHOOL, WELFARE]).await.is(200);
        world.welfare.get(&world.child(0)).await.is(200);
        let released = lines(&world.releases().await);
        assert!(released.len() >= 3 && released.iter().all(|it| it.starts_with(SCHOOL)), "{released:?}");
        assert!(!released.iter().any(|it| it.to_lowercase().contains("shield")), "{released:?}");
    }
}

#[actix_web::test]
async fn a_release_is_made_once_and_read_in_two_languages_and_as_a_table() {
    let world = World::new().await;
    let (at, asked) = (format!("{}/release", world.at()), world.asked());
    world.school.send("POST", &at, &[], Some(&asked)).await.is_problem(400, "idempotency-key-required");
    world.app.database.execute("update agencies set name_ms = '=cmd()' where code = 'KPM.SEKOLAH.WBA0001'");
    world.app.database.settle();
    let first = world.school.send("POST", &at, &[("idempotency-key", "1")], Some(&asked)).await.is(201);
    let second = world.school.send("POST", &at, &[("idempotency-key", "1")], Some(&asked)).await.is(201);
    assert_eq!((&first.body, second.header("idempotency-replayed")), (&second.body, Some("true")));
    assert_eq!(world.app.database.count("releases"), 1);

    let path = first.body["links"]["self"].as_str().unwrap();
    let malay = world.school.get(path).await.is(200);
    assert_eq!(malay.header("content-language"), Some("ms"));
    assert_eq!(malay.body["accesses"][1]["what"], "Mengendalikan rujukan");
    let table = world.school.send("GET", path, &[("accept", "text/csv")], None).await.is(200);
    assert_eq!(table.header("content-type"), Some("text/csv; charset=utf-8"));
    let text = table.body.as_str().unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].contains("Akta 611 s.15") && lines[0].ends_with(",,,,"), "{text}");
    assert_eq!(lines[1], "at,agency,agencyName,what,purpose");
    assert!(lines[2].contains(",KPM.SEKOLAH.WBA0001,'=cmd(),"), "{text}");
    world.school.send("GET", path, &[("accept", "text/html")], None).await.is_problem(406, "not-acceptable");
    world.school.send("GET", &world.at(), &[("accept", "text/csv")], None).await.is_problem(406, "not-acceptable");
}
