//! The feed: every event to whoever is told of it, once and in its order, by pages, by waiting and as a stream.

mod stream;

use std::collections::BTreeMap;

use insta::assert_snapshot;
use lindung_tests::{Dice, Session, TestApp, action_body, referral_body};
use serde_json::{Value, json};

const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";
const POLICE: &str = "KDN.PDRM.D11";
const WELFARE: &str = "KPWKM.JKM";
const MCMC: &str = "KK.MCMC";

/// The whole feed from a place on, by pages of so many; and the place behind it.
async fn walked(client: &Session, query: &str, limit: usize, from: Option<String>) -> (Vec<Value>, String) {
    let (mut events, mut after) = (Vec::new(), from);
    loop {
        let place = after.as_ref().map_or(String::new(), |it| format!("&after={it}"));
        let page = client.get(&format!("/v1/events?limit={limit}{query}{place}")).await;
        assert!(page.items().len() <= limit);
        events.extend(page.items().iter().cloned());
        let next = page.body["next"].as_str().unwrap().to_owned();
        if page.body["more"] == false {
            return (events, next);
        }
        assert_ne!(after.as_ref(), Some(&next), "where there is more, it goes on");
        after = Some(next);
    }
}

fn line(event: &Value) -> String {
    let kind = event["type"].as_str().unwrap().trim_start_matches("my.gov.lindung.");
    format!("{} {kind} {}", event["caseversion"], event["agency"].as_str().unwrap_or("-"))
}

fn lines(events: &[Value]) -> String {
    events.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What an agency should be told, from the events themselves.
fn due(app: &TestApp, agency: &str) -> Vec<Value> {
    let query = "select e.id from events e join event_numbers n on n.event_id = e.id where '{}' = any(e.recipients) order by n.number";
    app.database.rows(&query.replace("{}", agency)).into_iter().map(|it| it["id"].clone()).collect()
}

fn ids(events: &[Value]) -> Vec<Value> {
    events.iter().map(|it| it["id"].clone()).collect()
}

#[actix_web::test]
async fn each_agency_follows_what_it_is_told_and_whoever_lost_a_claim_hears_of_it() {
    let app = TestApp::start().await;
    let (school, police, welfare) = (app.officer(SCHOOL).await, app.officer(POLICE).await, app.officer(WELFARE).await);
    let case = school.opens_case().await;
    let open = school.refers_openly(&case, &[&police, &welfare]).await;
    let claimed = police.does(&open, "claim", json!({})).await;
    police.does(&claimed, "accept", json!({})).await;

    let follows = app.client(WELFARE).await;
    let (none, place) = walked(&follows, "", 50, None).await;
    assert_eq!(none, [] as [Value; 0], "what has no number is not told yet");
    app.sequence();
    let (told, after) = walked(&follows, "", 1, Some(place)).await;
    assert_snapshot!(lines(&told), @"
    2 referral.requested KPM.SEKOLAH.WBA0001
    3 referral.claimed KDN.PDRM.D11
    4 clock.met KDN.PDRM.D11
    ");
    let event = &told[0];
    let referral = format!("referrals/{}", open.id);
    let issuer = app.api.issuer();
    assert_eq!(
        *event,
        json!({
            "specversion": "1.0", "id": event["id"], "source": format!("{issuer}/v1"),
            "type": "my.gov.lindung.referral.requested", "subject": referral, "time": "2026-11-24T02:00:00Z",
            "datacontenttype": "application/json", "sequence": "00000000000000000001", "causationid": event["causationid"],
            "caseid": case.id, "caseversion": 2, "agency": SCHOOL, "link": format!("{issuer}/v1/{referral}"),
            "data": {
                "kind": "police-investigation", "status": "requested", "priority": "urgent", "sender": SCHOOL, "recipient": null,
                "openTo": [POLICE, WELFARE], "awaitingInformation": false, "cancelRequested": false, "outcome": null,
                "reason": null, "version": 1,
            },
        })
    );
    assert_eq!(walked(&follows, "", 50, Some(after.clone())).await, (vec![], after), "each once");
    for agency in [SCHOOL, POLICE, WELFARE, "PP", MCMC] {
        let client = app.client(agency).await;
        for limit in [1, 2, 200] {
            assert_eq!(ids(&walked(&client, "", limit, None).await.0), due(&app, agency), "{agency} by {limit}");
        }
    }
}

#[actix_web::test]
async fn who_is_told_nothing_comes_further_and_costs_no_access() {
    let app = TestApp::start().await;
    let school = app.officer(SCHOOL).await;
    let (mcmc, teacher) = (app.client(MCMC).await, app.client(SCHOOL).await);
    let case = school.opens_case().await;
    app.sequence();
    let before = app.database.count("access_log");
    let (none, place) = walked(&mcmc, "", 50, None).await;
    let (_, later) = walked(&mcmc, "&type=my.gov.lindung.clock.*", 50, Some(place.clone())).await;
    assert_eq!((none.len(), &later), (0, &place));
    assert_eq!(app.database.count("access_log"), before, "nothing was told");
    school.put(&format!("{}/sections/plan", case.path), 0, &json!({ "text": "Plan." })).await.is(200);
    app.sequence();
    assert_ne!(walked(&mcmc, "", 50, Some(place)).await.1, later, "it moved on");

    let before = app.database.count("access_log");
    assert_eq!(teacher.get("/v1/events").await.items().len(), 2);
    assert_eq!(app.database.count("access_log"), before + 1);
    let row = &app.database.rows(
        "select action, outcome, rule, agency, officer, case_ids, count from access_log order by id desc limit 1",
    )[0];
    assert_eq!(
        *row,
        json!({ "action": "follow_feed", "outcome": "permitted", "rule": "own", "agency": SCHOOL, "officer": null, "case_ids": [case.id], "count": 2 })
    );
}

#[actix_web::test]
async fn what_is_wanted_can_be_told() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    let (one, two) = (school.opens_case().await, school.opens_case().await);
    let first = school.refers(&one, &police).await;
    let second = school.refers(&one, &police).await;
    school.refers(&two, &police).await;
    police.does(&first, "receive", json!({})).await;
    app.sequence();
    let client = app.client(POLICE).await;
    let of = |query: String| {
        let client = client.clone();
        async move { walked(&client, &query, 2, None).await.0.len() }
    };
    let all = of(String::new()).await;
    assert_eq!(of(format!("&case={}", two.id)).await, 1);
    assert_eq!(of(format!("&referral={}", second.id)).await, 1);
    assert_eq!(of(format!("&referral={}&type=my.gov.lindung.referral.received", first.id)).await, 1);
    assert_eq!(of("&type=my.gov.lindung.referral.*,my.gov.lindung.clock.met".to_owned()).await, all);
    assert_eq!(of("&type=my.gov.lindung.handoff.*".to_owned()).await, 0);
    assert_eq!(of(format!("&case={}", first.id)).await, 0, "a case that there is not has no events");
    let latest = client.get("/v1/events?after=latest").await;
    assert_eq!((latest.items().len(), latest.body["more"].clone()), (0, json!(false)));
    police.does(&second, "receive", json!({})).await;
    app.sequence();
    let after = latest.body["next"].as_str().unwrap();
    assert_eq!(
        lines(client.get(&format!("/v1/events?after={after}")).await.items()),
        "6 referral.received KDN.PDRM.D11\n7 clock.met KDN.PDRM.D11"
    );

    for (query, field, code) in [
        ("type=referral.accepted", "type", "unknown-type"),
        ("type=my.gov.lindung.*.accepted", "type", "unknown-type"),
        ("type=my.gov.lindung.referral.*,", "type", "unknown-type"),
        ("after=none", "after", "cursor"),
        ("after=WyJvdGhlciIsMV0", "after", "cursor"),
        ("case=1", "case", "format"),
    ] {
        client.get(&format!("/v1/events?{query}")).await.is_problem(400, "malformed").about(field, code);
    }
    client.get("/v1/events?wait=31").await.is_problem(422, "invalid").about("wait", "range");
    client.get("/v1/events?limit=0").await.is_problem(422, "invalid").about("limit", "range");
    // The cursor ["feed",99999]: of a database that was set back since.
    client.get("/v1/events?after=WyJmZWVkIiw5OTk5OV0").await.is_problem(422, "invalid").about("after", "ahead");
}

#[actix_web::test]
async fn a_shield_and_an_erasure_hide_what_was_told_and_lifting_it_shows_it_again() {
    let app = TestApp::start().await;
    let (school, police) = (app.supervisor(SCHOOL).await, app.officer(POLICE).await);
    let second = app.person(SCHOOL, "guru.two", &["supervisor"], Some("education-safeguarding")).await;
    let case = school.opens_case().await;
    let sent = school.refers(&case, &police).await;
    let received = police.does(&sent, "receive", json!({})).await;
    police.does(&received, "accept", json!({})).await;
    app.sequence();
    let (client, own) = (app.client(POLICE).await, app.client(SCHOOL).await);
    let all = walked(&client, "", 50, None).await.0.len();
    assert!(all > 3);

    school.shields(&case.path, &[SCHOOL]).await.is(200);
    app.sequence();
    assert_eq!(walked(&client, "", 50, None).await.0.len(), 0);
    assert!(walked(&own, "", 50, None).await.0.len() > all, "those named go on");
    let proposed = json!({ "kind": "unshield", "reason": "It is over." });
    let proposal = school.post(&format!("{}/proposals", case.path), &proposed).await.reference();
    second.post(&format!("/v1/proposals/{}/confirm", proposal.id), &json!({})).await.is(200);
    app.sequence();
    let (shown, _) = walked(&client, "", 50, None).await;
    assert_eq!(shown.len(), all + 2, "{}", lines(&shown));

    let child =
        |events: &[Value]| events.iter().filter(|it| it["subject"].as_str().unwrap().starts_with("children/")).count();
    school.put(&format!("{}/sections/risk", case.child(0)), 1, &json!({ "text": "High." })).await.is(200);
    app.sequence();
    assert_eq!(child(&walked(&own, "", 50, None).await.0), 1);
    app.erases(SCHOOL, &case).await;
    app.sequence();
    let (left, _) = walked(&own, "&type=my.gov.lindung.child.*,my.gov.lindung.section.*", 50, None).await;
    assert_eq!(left.iter().map(|it| it["type"].as_str().unwrap()).collect::<Vec<_>>(), ["my.gov.lindung.child.erased"]);
}

#[actix_web::test]
async fn only_the_system_of_an_agency_follows_it_and_only_while_it_may() {
    let app = TestApp::start().await;
    let officer = app.officer(POLICE).await;
    officer.get("/v1/events").await.is_problem(403, "not-yours-to-do");
    let client = app.client(POLICE).await;
    client.get("/v1/events").await.is(200);
    app.database.execute("update clients set active = false where agency = 'KDN'");
    client.get("/v1/events").await.is_problem(401, "unauthenticated");
}

#[actix_web::test]
async fn however_it_is_walked_everybody_is_told_everything_once_and_in_order() {
    let app = TestApp::start().await;
    let mut dice = Dice::new(20261126);
    let agencies = [SCHOOL, POLICE, WELFARE, MCMC, "PP"];
    let mut places: BTreeMap<&str, (Option<String>, Vec<Value>)> = agencies.map(|it| (it, (None, Vec::new()))).into();
    let school = app.supervisor(SCHOOL).await;
    let (mut cases, mut referrals) = (vec![school.opens_case().await], Vec::new());
    let pick = |dice: &mut Dice, many: usize| usize::try_from(dice.below(many as u64)).unwrap();
    for _ in 0..120 {
        match dice.below(6) {
            0 => cases.push(school.opens_case().await),
            1 => {
                let to = [POLICE, WELFARE, MCMC][pick(&mut dice, 3)];
                let case = &cases[pick(&mut dice, cases.len())];
                let asked = school.post(&format!("{}/referrals", case.path), &referral_body(to)).await;
                if asked.status == 201 {
                    referrals.push((to, asked.reference()));
                }
            }
            // Half of these are refused, and leave nothing.
            2 | 3 if !referrals.is_empty() => {
                let at = pick(&mut dice, referrals.len());
                let (to, referral) = referrals[at].clone();
                let action = ["receive", "accept", "start", "ask", "note", "complete"][pick(&mut dice, 6)];
                let done = app.officer(to).await.act_anyhow(&referral, action, &action_body(action)).await;
                assert!([200, 409].contains(&done.status), "{}", done.body);
            }
            4 => drop(app.sequence()),
            _ => {
                let agency = agencies[pick(&mut dice, agencies.len())];
                let limit = 1 + pick(&mut dice, 5);
                let (place, told) = places.get_mut(agency).unwrap();
                let (events, next) = walked(&app.client(agency).await, "", limit, place.take()).await;
                told.extend(events);
                *place = Some(next);
            }
        }
    }
    app.sequence();
    for (agency, (place, mut told)) in places {
        told.extend(walked(&app.client(agency).await, "", 7, place).await.0);
        assert_eq!(ids(&told), due(&app, agency), "{agency}");
        let mut versions: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for event in &told {
            versions.entry(event["caseid"].to_string()).or_default().push(event["caseversion"].as_i64().unwrap());
        }
        assert!(versions.values().all(|it| it.is_sorted()), "{versions:?}");
    }
}
