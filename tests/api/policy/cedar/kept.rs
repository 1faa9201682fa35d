//! What is kept: over the generated world, row-level security shows the rows of which Cedar says that they may be read.

use std::collections::BTreeSet;

use lindung_domain::policy::Act;
use lindung_domain::{Actor, ChildId, Section};
use lindung_tests::{TestApp, context};
use serde_json::{Value, from_value};

use super::agreed;
use super::scene::{Asked, Decision, Scene};
use crate::policy::oracle::Oracle;
use crate::policy::world::World;
use crate::walls::alone::emergency;

/// The scene of a case as it is kept; its referral is the one that is asked about.
fn scenes(oracle: &Oracle, app: &TestApp) -> Vec<Scene> {
    let scene = |file: &lindung_domain::case::CaseFile| Scene {
        file: file.clone(),
        ..Scene::of(file.case.record().lead.as_str(), app.now())
    };
    oracle.files.iter().map(scene).collect()
}

fn child(row: &Value) -> Option<ChildId> {
    from_value(row["child_id"].clone()).unwrap()
}

/// The rows that are shown to the actor, of what there is.
fn held(app: &TestApp, actor: &Actor, sql: &str, all: &[Value], shown: impl Fn(&Value) -> bool) -> usize {
    let key = |it: &Value| it.to_string();
    let seen: BTreeSet<String> =
        app.database.inside("lindung_api", &context(actor, app.now())).rows(sql).iter().map(key).collect();
    let expected: BTreeSet<String> = all.iter().filter(|it| shown(it)).map(key).collect();
    assert_eq!(seen, expected, "{sql} for {actor:?}");
    seen.len()
}

#[actix_web::test]
async fn cedar_and_row_level_security_agree_on_what_is_read() {
    let app = TestApp::start().await;
    let world = World::generate(&app).await;
    // A third of them, each role in some agency; `walls::alone` has them all.
    let some = |(at, who): (usize, &Actor)| (at / 6 + at % 6) % 3 == 0 || who.agency().as_str() == "PP";
    let all: Vec<Actor> = world.actors(&app).await.into_iter().map(|it| it.1).collect();
    let mut actors: Vec<Actor> = all.iter().enumerate().filter(|it| some(*it)).map(|it| it.1.clone()).collect();
    actors.extend([emergency(&app, "shield is null").await, emergency(&app, "shield is not null").await]);
    let oracle = Oracle::load(&app);
    let scenes = scenes(&oracle, &app);
    let place = |row: &Value| {
        let is = |it: &Scene| row["case_id"] == it.file.case.record().id.to_string().as_str();
        scenes.iter().position(is).unwrap()
    };
    let tables = [
        "select case_id, child_id, section from sections",
        "select case_id, child_id, 'identity' as section from child_identities",
        "select case_id, id from referrals",
    ];
    let all = tables.map(|sql| app.database.rows(sql));
    let mut shown = [0; 3];
    for actor in &actors {
        let reads = |row: &Value| {
            let section: Section = from_value(row["section"].clone()).unwrap();
            let asked = Asked::Section(Act::ReadSection, section, child(row));
            agreed(actor, &scenes[place(row)], &[asked]) == [Decision::Permitted]
        };
        let knows = |row: &Value| {
            let referral = oracle.referrals.iter().find(|it| row["id"] == it.it.record().id.to_string().as_str());
            let scene = Scene { referral: referral.unwrap().it.clone(), ..scenes[place(row)].clone() };
            agreed(actor, &scene, &[Asked::OfReferral(Act::ReadReferral)]) != [Decision::NotFound]
        };
        shown[0] += held(&app, actor, tables[0], &all[0], reads);
        shown[1] += held(&app, actor, tables[1], &all[1], reads);
        shown[2] += held(&app, actor, tables[2], &all[2], knows);
    }
    assert!(shown.iter().all(|it| *it > 5), "{shown:?}");
}
