//! What nobody asks for nobody sees, and what another agency forges changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use lindung_domain::{Actor, Purpose, Role};
use lindung_tests::{Inside, TestApp, context, referral_body};
use serde_json::{Value, json};

use super::about_a_case;
use crate::policy::world::World;

/// A world with something in every table about a case.
async fn world(app: &TestApp) -> BTreeSet<String> {
    World::generate(app).await;
    let school = app.supervisor("KPM.SEKOLAH.WBA0001").await;
    let case = school.opens_case().await;
    let asked =
        json!({ "reference": case.body["reference"], "code": "other", "reason": "Somebody is in danger tonight." });
    app.officer("KPWKM.JKM").await.post("/v1/emergency-accesses", &asked).await.is(201);
    let proposed = json!({ "kind": "erase-child", "child": case.child_id(0), "reason": "By order of the court." });
    school.post(&format!("{}/proposals", case.path), &proposed).await.is(201);
    let released = json!({ "child": case.child_id(0), "representative": "guardian", "reason": "She asked for it." });
    school.post(&format!("{}/accesses/release", case.path), &released).await.is(201);
    app.database.settle();
    let seen = school.get(&format!("{}/accesses", case.path)).await;
    let entry = seen.items().iter().find(|it| it["outcome"] == "permitted").unwrap()["id"].as_str().unwrap().to_owned();
    let withheld = json!({ "ground": "s15-e", "reason": "It would tell of the investigation." });
    school.post(&format!("{}/accesses/{entry}/withhold", case.path), &withheld).await.is(200);
    let welfare = app.supervisor("KPWKM.JKM").await;
    let consent = school.consents(case.child(0), &["KPWKM.JKM"], &["health", "risk"], app.now()).await;
    let mut terms = referral_body("KPWKM.JKM");
    let until = (app.now() + chrono::Duration::days(1)).to_rfc3339();
    terms["shares"] = json!([
        { "section": "health", "basis": { "kind": "consent" } },
        { "section": "risk", "basis": { "kind": "override", "reason": "Danger.", "until": until } },
    ]);
    welfare.does(&school.refers_in(&case, &terms).await, "accept", json!({})).await;
    school.post(&format!("{}/withdraw", consent.path), &json!({})).await.is(200);
    welfare.post(&format!("{}/confirm", consent.path), &json!({})).await.is(200);
    let occurred = json!({ "kind": "examined", "occurredAt": app.now() - chrono::Duration::hours(1) });
    school.post(&format!("{}/occurrences", case.path), &occurred).await.is(201);
    let offer = json!({ "to": "KPWKM.JKM", "keeps": "outcome-only", "reason": "Yours." });
    school.post(&format!("{}/handoffs", case.path), &offer).await.is(201);
    let identifier = json!({ "system": "mykid", "value": "none-such" });
    school.post("/v1/status-checks", &json!({ "identifier": identifier, "careScheduled": true })).await.is(200);
    app.notify();
    let told = school.get("/v1/notifications").await;
    let told = told.items()[0]["links"]["self"].as_str().unwrap().to_owned();
    school.post(&format!("{told}/read"), &json!({})).await.is(200);
    let tables = about_a_case(&app.database);
    for table in &tables {
        assert!(app.database.count(table) > 0, "{table} is empty: nothing is shown by seeing nothing in it");
    }
    tables
}

/// An officer of an agency that is no party to anything.
fn stranger() -> Actor {
    let [client, agency, officer] = ["oscc-system", "KKM.OSCC.HKL", "dr.lim"];
    let (client, agency, officer) = (client.parse().unwrap(), agency.parse().unwrap(), officer.parse().unwrap());
    let roles = [Role::Officer, Role::Supervisor];
    Actor::officer(client, agency, officer, &roles, Some(Purpose::Protection)).unwrap()
}

fn seen(inside: &mut Inside, tables: &BTreeSet<String>) -> BTreeMap<String, Value> {
    let count = |it: &String| (it.clone(), inside.rows(&format!("select count(*) as n from {it}"))[0]["n"].clone());
    tables.iter().map(count).filter(|it| it.1 != 0).collect()
}

#[actix_web::test]
async fn without_a_context_nothing_is_seen() {
    let app = TestApp::start().await;
    let tables = world(&app).await;
    assert_eq!(seen(&mut app.database.inside("lindung_api", ""), &tables), BTreeMap::new());

    let client = app.credentials("KPM.SEKOLAH.WBA0001").client_id.parse().unwrap();
    let actor = Actor::client(client, "KPM.SEKOLAH.WBA0001".parse().unwrap());
    let mut inside = app.database.inside("lindung_api", &context(&actor, app.now()));
    assert!(seen(&mut inside, &tables).contains_key("cases"), "with one there is something to see");
    // What was set for a transaction is not unset after it, but empty.
    inside.goes_on();
    assert_eq!(inside.rows("select current_setting('lindung.agency') as it")[0]["it"], "");
    assert_eq!(seen(&mut inside, &tables), BTreeMap::new());
}

/// Every row of the tables.
fn everything(app: &TestApp, tables: &BTreeSet<String>) -> BTreeMap<String, Vec<Value>> {
    let rows = |it: &String| (it.clone(), app.database.rows(&format!("select * from {it} t order by t::text")));
    tables.iter().map(rows).collect()
}

#[actix_web::test]
async fn a_stranger_sees_and_changes_nothing() {
    let app = TestApp::start().await;
    let tables = world(&app).await;
    let before = everything(&app, &tables);
    let mut stranger = app.database.inside("lindung_api", &context(&stranger(), app.now()));
    assert_eq!(seen(&mut stranger, &tables), BTreeMap::new());
    let refused = |tried: Result<usize, String>, sql: &str| {
        let error = tried.expect_err(sql);
        assert!(error.contains("permission denied") || error.contains("row-level security"), "{sql}: {error}");
    };
    for (table, rows) in &before {
        let row = rows[0].to_string().replace('\'', "''");
        let column = rows[0].as_object().unwrap().keys().next().unwrap();
        // A row as it is, and the same in one's own name, wherever that is not the way to begin something of one's own.
        let forge = format!("insert into {table} select (jsonb_populate_record(null::{table}, '{row}'");
        refused(stranger.tries(&format!("{forge})).*")), &forge);
        if !["access_log", "cases", "emergency_accesses", "idempotency_keys"].contains(&table.as_str()) {
            let own = r#"::jsonb || '{"agency": "KKM.OSCC.HKL", "sender": "KKM.OSCC.HKL"}'"#;
            refused(stranger.tries(&format!("{forge}{own})).*")), &forge);
        }
        refused(stranger.tries(&format!("truncate {table}")), table);
        for sql in [format!("update {table} set {column} = {column}"), format!("delete from {table}")] {
            match stranger.tries(&sql) {
                Ok(changed) => assert_eq!(changed, 0, "{sql}"),
                error => refused(error, &sql),
            }
        }
    }
    stranger.goes_on();
    assert_eq!(everything(&app, &tables), before);
}
