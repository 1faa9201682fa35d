//! The policy has two forms: the domain decides about what is loaded, SQL about what is read. Over a
//! generated world both must say the same, of every actor and everything there is.

mod cedar;
pub(crate) mod oracle;
pub(crate) mod world;

use std::collections::BTreeSet;

use futures::future::join_all;
use lindung_domain::Section;
use lindung_domain::policy::{self, Act};
use lindung_tests::{Answered, Session, TestApp};
use serde_json::json;

use oracle::Oracle;
use world::World;

fn ids(page: &Answered) -> BTreeSet<String> {
    let found: Vec<String> = page.items().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect();
    let distinct: BTreeSet<String> = found.iter().cloned().collect();
    assert_eq!(found.len(), distinct.len(), "something stands twice in a list");
    distinct
}

/// Everything that one actor may ask for, held against what the oracle says of it.
async fn hold(oracle: &Oracle, who: &Session, actor: &lindung_domain::Actor) -> usize {
    let mut seen = 0;
    let mut check = async |path: String, expected: u16| {
        who.get(&path).await.is(expected);
        seen += usize::from(expected == 200);
    };
    let mut cases = BTreeSet::new();
    for file in &oracle.files {
        let id = file.case.record().id.to_string();
        let path = format!("/v1/cases/{id}");
        let relations = file.relations(&oracle.asking(actor));
        let of = |act| oracle::status(policy::require(actor, act, &relations));
        check(path.clone(), of(Act::ReadCase)).await;
        check(format!("{path}/timeline"), of(Act::ReadTimeline)).await;
        check(format!("{path}/messages"), of(Act::ReadMessages)).await;
        check(format!("{path}/referrals"), of(Act::ReadCase)).await;
        let children = file.children.iter().map(|it| Some(*it));
        for (section, child) in [(Section::Summary, None), (Section::Narrative, None), (Section::Plan, None)]
            .into_iter()
            .chain(children.flat_map(|it| [(Section::Identity, it), (Section::Risk, it)]))
        {
            let relations = file.relations_to(section, child, &oracle.asking(actor));
            let expected = oracle::status(policy::require(actor, Act::ReadSection, &relations));
            let of = child.map_or(String::new(), |it| format!("/children/{it}"));
            check(format!("{path}{of}/sections/{section}"), expected).await;
        }
        if of(Act::ReadCase) == 200 {
            cases.insert(id);
        }
    }
    let may = |referral: &oracle::Known, act| {
        oracle::status(referral.it.require_read(act, &oracle.files[referral.file], &oracle.asking(actor)))
    };
    for referral in &oracle.referrals {
        let path = format!("/v1/referrals/{}", referral.it.record().id);
        check(path.clone(), may(referral, Act::ReadReferral)).await;
        check(format!("{path}/messages"), may(referral, Act::ReadMessages)).await;
    }
    let referrals = |of: &dyn Fn(&oracle::Known) -> bool| -> BTreeSet<String> {
        oracle.referrals.iter().filter(|it| of(it)).map(|it| it.it.record().id.to_string()).collect()
    };
    for case in &cases {
        let wanted = referrals(&|it| it.it.record().case.to_string() == *case && may(it, Act::ReadReferral) == 200);
        assert_eq!(ids(&who.get(&format!("/v1/cases/{case}/referrals?limit=200")).await), wanted, "{actor:?}");
    }
    // Lists: exactly what may be read, or nothing at all.
    let list = async |path: &str, act, wanted: BTreeSet<String>| {
        let page = who.get(path).await;
        match policy::require_own(actor, act) {
            Ok(_) => assert_eq!(ids(&page), wanted, "{path} for {actor:?}"),
            Err(_) => assert_eq!(page.status, 403, "{path} for {actor:?}"),
        }
    };
    list("/v1/cases?limit=200", Act::ListCases, cases).await;
    let with = |it: &oracle::Known| {
        let record = it.it.record();
        record.recipient.as_ref() == Some(actor.agency()) || record.listed.contains(actor.agency())
    };
    let inbox = referrals(&|it| it.it.record().status.is_open() && with(it) && may(it, Act::ReadReferral) == 200);
    list("/v1/inbox?limit=200", Act::ListReferrals, inbox).await;
    let outbox = referrals(&|it| it.it.record().sender == *actor.agency());
    list("/v1/outbox?limit=200", Act::ListReferrals, outbox).await;
    seen
}

#[actix_web::test]
async fn what_is_shown_is_what_the_domain_permits() {
    let app = TestApp::start().await;
    let world = World::generate(&app).await;
    let oracle = Oracle::load(&app);
    let seen =
        join_all(world.actors(&app).await.iter().map(async |(who, actor)| hold(&oracle, who, actor).await)).await;
    // The world is one in which the question matters: much is shown and much is not.
    let (shown, blind) = (seen.iter().sum::<usize>(), seen.iter().filter(|it| **it == 0).count());
    assert!(shown > 200 && blind > 3, "{seen:?}");
    let statuses = app.database.rows("select status, count(*) from referrals group by status");
    assert!(statuses.len() >= 6, "{statuses:?}");
}

#[actix_web::test]
async fn coordinators_see_headers_and_nothing_else() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer("KPM.SEKOLAH.WBA0001").await, app.officer("KDN.PDRM.D11").await);
    let coordinator = app.coordinator().await;
    let case = school.opens_case().await;
    school.refers(&case, &police).await;
    let seen = coordinator.get(&case.path).await.is(200);
    for hidden in ["offences", "grounds", "techniques"] {
        assert!(seen.body.get(hidden).is_none(), "{hidden}");
    }
    let header = json!([seen.body["status"], seen.body["priority"], seen.body["leadAgency"], seen.body["parties"]]);
    assert_eq!(header, json!(["open", "urgent", "KPM.SEKOLAH.WBA0001", ["KDN.PDRM.D11", "KPM.SEKOLAH.WBA0001"]]));
    assert_eq!(json!([seen.body["children"], seen.body["readableSections"]]), json!([[], []]));
    let item = &coordinator.get("/v1/cases").await.items()[0].clone();
    assert!(item.get("offences").is_none() && item.get("techniques").is_none());
    for (filter, field) in [("technique=sextortion", "technique"), ("offence=A792.15B", "offence")] {
        let refused = coordinator.get(&format!("/v1/cases?{filter}")).await;
        refused.is_problem(422, "invalid").about(field, "not-readable");
    }
    for path in [format!("{}/sections/summary", case.path), format!("{}/messages", case.path)] {
        coordinator.get(&path).await.is_problem(403, "not-yours-to-do");
    }
    for (path, body) in [("referrals", lindung_tests::referral_body("KK.MCMC")), ("children", json!({}))] {
        coordinator.post(&format!("{}/{path}", case.path), &body).await.is_problem(403, "not-yours-to-do");
    }
    let supervisor = app.supervisor("KPM.SEKOLAH.WBA0001").await;
    supervisor.shields(&case.path, &["KPM.SEKOLAH.WBA0001"]).await.is(200);
    coordinator.get(&case.path).await.is_problem(404, "not-found");
    assert!(coordinator.get("/v1/cases").await.items().is_empty());
}

#[actix_web::test]
async fn a_client_alone_acknowledges_and_reads_reference_data() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer("KPM.SEKOLAH.WBA0001").await, app.officer("KDN.PDRM.D11").await);
    let client = app.client("KDN.PDRM.D11").await;
    let case = school.opens_case().await;
    let sent = school.refers(&case, &police).await;
    for path in ["/v1/cases", "/v1/inbox", "/v1/outbox", "/v1/access-log", &case.path, &sent.path] {
        client.get(path).await.is_problem(403, "not-yours-to-do");
    }
    client.post("/v1/cases", &lindung_tests::case_body()).await.is_problem(403, "not-yours-to-do");
    for path in ["/v1/agencies", "/v1/code-lists", "/v1/code-lists/offence"] {
        client.get(path).await.is(200);
    }
    client.act(&sent, "accept", &json!({})).await.is_problem(403, "not-yours-to-do");
    client.does(&sent, "receive", json!({})).await;
}
