//! Who hears of what is for administrators to say, and when it can wait.

use chrono::Duration;
use insta::assert_snapshot;
use lindung_tests::{Session, TestApp, referral_body};
use serde_json::{Value, json};

use super::{INBOX, POLICE, SCHOOL, heard, inspector};

const RULES: &str = "/v1/notification-rules";

#[actix_web::test]
async fn an_administrator_sees_and_changes_them_and_finds_the_way_back() {
    let app = TestApp::start().await;
    let admin = app.administrator(POLICE).await;
    let defaults = admin.get(RULES).await.is(200);
    assert_eq!((defaults.header("etag"), defaults.body["changed"].clone()), (Some("\"0\""), json!(false)));
    assert_snapshot!(defaults.body["rules"][0], @r#"{"types":["my.gov.lindung.referral.requested","my.gov.lindung.referral.redirected"],"by":"others","roles":["officer","supervisor"],"concerned":false,"urgent":false}"#);
    let same = json!({ "rules": defaults.body["rules"], "quietHours": defaults.body["quietHours"] });
    let kept = admin.put(RULES, 0, &same).await.is(200);
    assert_eq!((kept.header("etag"), kept.body["rules"].clone()), (Some("\"1\""), defaults.body["rules"].clone()));
    assert_eq!(kept.body["changed"], true);

    let (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    let case = school.opens_case().await;
    school.refers(&case, &police).await;
    app.notify();
    let own = json!({ "rules": [{ "types": ["my.gov.lindung.referral.requested"], "roles": ["supervisor"] }] });
    admin.put(RULES, 0, &own).await.is_problem(412, "stale");
    let changed = admin.put(RULES, 1, &own).await.is(200);
    assert_eq!(changed.body, admin.get(RULES).await.body);
    school.refers(&case, &police).await;
    app.notify();
    let supervisor = app.supervisor(POLICE).await;
    assert_eq!(heard(&police).await, "referral.requested", "what was told stays");
    assert_eq!(heard(&supervisor).await, "referral.requested referral.requested");

    admin.put(RULES, 2, &json!({ "rules": [] })).await.is(200);
    school.refers(&case, &police).await;
    app.notify();
    assert_eq!(heard(&supervisor).await, "referral.requested referral.requested", "nobody wants to know");
    let back = admin.post(&format!("{RULES}/reset"), &json!({})).await.is(200);
    assert_eq!((back.body["changed"].clone(), back.header("etag")), (json!(false), Some("\"4\"")));
    assert_eq!(back.body["rules"], defaults.body["rules"]);
    school.refers(&case, &police).await;
    app.notify();
    assert_eq!(heard(&police).await, "referral.requested referral.requested");
}

#[actix_web::test]
async fn what_cannot_be_is_refused_by_its_field() {
    let app = TestApp::start().await;
    let admin = app.administrator(POLICE).await;
    let rule = |changes: Value| {
        let mut rule = json!({ "types": ["my.gov.lindung.referral.*"], "roles": ["officer"] });
        rule.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        json!({ "rules": [rule] })
    };
    let quiet = |from: &str, until: &str| json!({ "rules": [], "quietHours": { "from": from, "until": until } });
    for (body, status, field, code) in [
        (rule(json!({ "types": [] })), 422, "rules[0].types", "length"),
        (rule(json!({ "roles": [] })), 422, "rules[0].roles", "required"),
        (rule(json!({ "roles": ["auditor"] })), 422, "rules[0].roles", "no-work"),
        (rule(json!({ "roles": ["coordinator"] })), 422, "rules[0].roles", "not-held"),
        (quiet("22:00", "22:00"), 422, "quietHours.until", "same"),
        (json!({ "rules": vec![rule(json!({}))["rules"][0].clone(); 101] }), 422, "rules", "length"),
    ] {
        admin
            .put(RULES, 0, &body)
            .await
            .is_problem(status, if status == 422 { "invalid" } else { "malformed" })
            .about(field, code);
    }
    for (body, field) in [
        (rule(json!({ "types": ["my.gov.lindung.none"] })), "rules[0].types[0]"),
        (rule(json!({ "roles": ["chief"] })), "rules[0].roles[0]"),
        (rule(json!({ "by": "nobody" })), "rules[0].by"),
        (rule(json!({ "loud": true })), "rules[0].loud"),
        (quiet("22:00", "6:00"), "quietHours.until"),
        (json!({}), "rules"),
    ] {
        let refused = admin.put(RULES, 0, &body).await.is_problem(400, "malformed");
        assert_eq!(refused.body["errors"][0]["field"], field, "{}", refused.body);
    }
    let twice = admin.put(RULES, 0, &rule(json!({ "roles": ["officer", "officer"] }))).await.is(200);
    assert_eq!(twice.body["rules"][0]["roles"], json!(["officer"]), "which is the same as once");
    for who in [app.supervisor(POLICE).await, app.officer(POLICE).await, app.client(POLICE).await] {
        who.get(RULES).await.is_problem(403, "not-yours-to-do");
        who.put(RULES, 0, &json!({ "rules": [] })).await.is_problem(403, "not-yours-to-do");
    }
    assert_eq!(app.administrator(SCHOOL).await.get(RULES).await.body["version"], 0, "each agency has its own");
}

/// It begins at ten in the morning in Malaysia.
#[actix_web::test]
async fn in_quiet_hours_only_what_cannot_wait_is_told() {
    let app = TestApp::start().await;
    let admin = app.administrator(POLICE).await;
    let defaults = admin.get(RULES).await.body["rules"].clone();
    let quiet = json!({ "from": "09:30", "until": "11:00" });
    admin.put(RULES, 0, &json!({ "rules": defaults, "quietHours": quiet })).await.is(200);
    let refer = async |school: &Session, priority: &str| {
        let mut terms = referral_body(POLICE);
        terms["priority"] = json!(priority);
        let case = school.opens_case().await;
        school.refers_in(&case, &terms).await
    };
    let school = app.officer(SCHOOL).await;
    for priority in ["routine", "immediate", "urgent"] {
        refer(&school, priority).await;
    }
    app.notify();
    let priorities = async || {
        let page = app.officer(POLICE).await.get(INBOX).await;
        page.items().iter().map(|it| it["priority"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(priorities().await, ["immediate"]);
    let hidden =
        app.database.rows("select id from notifications where priority = 'urgent' and agency = 'KDN.PDRM.D11'");
    let hidden = format!("{INBOX}/{}", hidden[0]["id"].as_str().unwrap());
    let police = app.officer(POLICE).await;
    police.get(&hidden).await.is_problem(404, "not-found");
    police.post(&format!("{hidden}/acknowledge"), &json!({})).await.is_problem(404, "not-found");
    assert_eq!(
        police.get(&format!("{INBOX}/counts")).await.body["unread"],
        json!({ "total": 1, "immediate": 1, "urgent": 0, "routine": 0 })
    );

    app.wait(Duration::hours(1) - Duration::microseconds(1));
    assert_eq!(priorities().await, ["immediate"]);
    app.wait(Duration::microseconds(1));
    assert_eq!(priorities().await, ["urgent", "routine", "immediate"], "and comes before what was told earlier");
    let told = app.officer(POLICE).await.get(INBOX).await.items()[0].clone();
    assert_eq!(
        (told["at"].as_str(), told["toldAt"].as_str()),
        (Some("2026-11-24T02:00:00Z"), Some("2026-11-24T03:00:00Z"))
    );
}

/// Where one officer is concerned, that one hears of it in place of all.
#[actix_web::test]
async fn a_rule_can_be_for_the_officer_concerned_alone() {
    let app = TestApp::start().await;
    let admin = app.administrator(POLICE).await;
    let alone = json!({ "rules": [{ "types": ["my.gov.lindung.referral.*"], "by": "anyone", "concerned": true }] });
    admin.put(RULES, 0, &alone).await.is(200);
    let (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    let sent = school.refers(&school.opens_case().await, &police).await;
    app.notify();
    assert_eq!(app.database.count("notifications where agency = 'KDN.PDRM.D11'"), 0);
    police.does(&sent, "accept", json!({ "assignee": "insp.one" })).await;
    app.notify();
    assert_eq!(
        (heard(&inspector(&app).await).await.as_str(), heard(&police).await.as_str()),
        ("referral.accepted", "")
    );
    let inspector = inspector(&app).await;
    assert_eq!(inspector.get(&format!("{INBOX}?mine=true")).await.items().len(), 1);
}
