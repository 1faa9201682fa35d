//! Pages of lists: limits, opaque cursors, links (RFC 8288).

use std::collections::BTreeSet;

use lindung_tests::{Answered, TestApp, case_body};
use serde_json::{Value, json};

use super::NOBODY;

/// Where the link to the next page leads.
fn next(page: &Answered) -> Option<String> {
    let link = page.header("link")?;
    let (target, relation) = link.split_once(">; ").expect("a link");
    assert_eq!(relation, "rel=\"next\"");
    Some(target.trim_start_matches('<').to_owned())
}

#[actix_web::test]
async fn links_lead_through_the_list_with_the_same_filters() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let mut urgent = BTreeSet::new();
    for priority in ["urgent", "routine", "urgent", "urgent", "routine"] {
        let mut body = case_body();
        body["priority"] = json!(priority);
        let case = school.post("/v1/cases", &body).await.is(201).reference();
        if priority == "urgent" {
            urgent.insert(case.id);
        }
    }
    let mut at = Some("/v1/cases?priority=urgent&limit=2&technique=deepfake".to_owned());
    let (mut found, mut pages) = (Vec::new(), 0);
    while let Some(path) = at {
        assert!(path.starts_with("/v1/cases?priority=urgent&limit=2&technique=deepfake"), "{path}");
        let page = school.get(&path).await;
        found.extend(page.items().iter().filter_map(|it| it["id"].as_str()).map(str::to_owned));
        assert_eq!(page.body.get("next").is_some(), page.header("link").is_some());
        if let Some(cursor) = page.body["next"].as_str() {
            assert!(page.header("link").unwrap().contains(&format!("cursor={cursor}>")));
        }
        at = next(&page);
        pages += 1;
    }
    assert_eq!((found.len(), pages), (3, 2));
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), urgent);
}

const LISTS: [&str; 8] = [
    "/v1/cases",
    "/v1/inbox",
    "/v1/outbox",
    "/v1/agencies",
    "/v1/cases/{case}/timeline",
    "/v1/cases/{case}/messages",
    "/v1/cases/{case}/referrals",
    "/v1/referrals/{referral}/messages",
];

#[actix_web::test]
async fn a_page_is_asked_for_properly() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let police = app.officer("KDN.PDRM.D11").await;
    let case = school.opens_case().await;
    let referral = school.refers(&case, &police).await;
    for (query, status, field, code) in [
        ("limit=0", 422, "limit", "range"),
        ("limit=-1", 422, "limit", "range"),
        ("limit=201", 422, "limit", "range"),
        ("limit=abc", 400, "limit", "type"),
        ("limit=1.5", 400, "limit", "type"),
        ("limit=9223372036854775808", 400, "limit", "type"),
        ("limit=", 400, "limit", "type"),
        ("cursor=", 400, "cursor", "cursor"),
        ("cursor=Aminah", 400, "cursor", "cursor"),
        ("cursor=%20%20", 400, "cursor", "cursor"),
        ("cursor=e30x", 400, "cursor", "cursor"),
        ("cursor=e30", 400, "cursor", "cursor"),
        ("cursor=Ilx1MDAwMCI", 400, "cursor", "cursor"),
    ] {
        for list in LISTS {
            let path = list.replace("{case}", &case.id).replace("{referral}", &referral.id);
            school.get(&format!("{path}?{query}")).await.is(status).about(field, code);
        }
        let auditor = app.auditor("PP").await;
        let query = query.replace("limit=201", "limit=1001");
        auditor.get(&format!("/v1/access-log?{query}")).await.is(status).about(field, code);
    }
}

#[actix_web::test]
async fn a_cursor_is_good_in_its_own_list_only() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let case = school.opens_case().await;
    let cursor = |page: Answered| page.body["next"].as_str().expect("a full page").to_owned();
    let of_agencies = cursor(school.get("/v1/agencies?limit=1").await);
    let of_cases = cursor(school.get("/v1/cases?limit=1").await);
    school.get(&format!("/v1/cases?cursor={of_agencies}")).await.is(400).about("cursor", "cursor");
    school.get(&format!("{}/timeline?cursor={of_cases}", case.path)).await.is(400).about("cursor", "cursor");
}

#[actix_web::test]
async fn the_most_is_given_when_the_most_is_asked_for() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    for limit in [1, 200] {
        assert!(school.get(&format!("/v1/agencies?limit={limit}")).await.items().len() <= limit);
    }
    assert_eq!(school.get("/v1/inbox").await.items(), &Vec::<Value>::new());
    school.get(&format!("/v1/cases/{NOBODY}/timeline")).await.is_problem(404, "not-found");
}
