//! Rotation: a new version of the keys takes over while the service runs, and the old one can go.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lindung_domain::section::Identifier;
use lindung_persistence::{KeyUse, Rotated};
use lindung_tests::TestApp;
use lindung_vault::FileKeys;
use serde_json::json;

use super::{SCHOOL, content, identified, ids, opens, path};

#[actix_web::test]
async fn all_keys_and_indexes_come_to_the_current_version_and_the_old_one_can_go() {
    let app = TestApp::start().await;
    let school = app.officer(SCHOOL).await;
    let case = opens(&school).await;
    let db = app.database.maintenance();
    assert_eq!(db.key_uses().unwrap(), [KeyUse { version: 1, keys: 2, entries: 2 }]);
    assert_eq!(db.rotate_keys(&mut |_, _| {}).unwrap(), Rotated::default());
    FileKeys::add(&app.database.keys).unwrap();
    // What is found is found under either version of the index.
    let identifier = Identifier::new("mykid", "identity 1");
    let found = || identified(&app, SCHOOL, &identifier);
    assert_eq!(found(), [ids(&case, 1)]);

    let db = app.database.maintenance();
    let mut told = Vec::new();
    let rotated = db.rotate_keys(&mut |done, all| told.push((done, all))).unwrap();
    assert_eq!((rotated, told), (Rotated { children: 2, failed: Vec::new() }, vec![(2, 2)]));
    assert_eq!(db.key_uses().unwrap(), [KeyUse { version: 2, keys: 2, entries: 2 }]);
    assert_eq!(db.rotate_keys(&mut |_, _| {}).unwrap(), Rotated::default());
    fs::remove_file(app.database.keys.join("1.key")).unwrap();
    assert_eq!(app.database.db().missing_key().unwrap(), None);
    for child in [0, 1] {
        let seen = school.get(&path(&case, child, "identity")).await.is(200);
        assert_eq!(seen.body["content"], content("identity", &format!("identity {child}")));
    }
    assert_eq!(found(), [ids(&case, 1)]);
}

#[actix_web::test]
async fn one_key_that_does_not_open_does_not_keep_the_others() {
    let app = TestApp::start().await;
    let school = app.officer(SCHOOL).await;
    let case = opens(&school).await;
    let (broken, other) = (ids(&case, 0).1, ids(&case, 1).1);
    app.database.execute(&format!(
        "update child_keys set wrapped = set_byte(wrapped, 20, 255 - get_byte(wrapped, 20)) where child_id = '{broken}'"
    ));
    FileKeys::add(&app.database.keys).unwrap();
    let rotated = app.database.maintenance().rotate_keys(&mut |_, _| {}).unwrap();
    assert_eq!(rotated, Rotated { children: 1, failed: vec![broken] });
    let kept = app.database.rows("select child_id, kek_version from child_keys order by kek_version");
    let row = |child, version| json!({ "child_id": child, "kek_version": version });
    assert_eq!(kept, [row(broken, 1), row(other, 2)]);
}

#[actix_web::test]
async fn requests_go_on_while_keys_rotate() {
    let app = TestApp::start().await;
    let school = app.officer(SCHOOL).await;
    app.database.owner().fill(300, app.now(), &mut |_| {}).unwrap();
    let case = opens(&school).await;
    FileKeys::add(&app.database.keys).unwrap();
    let (db, ended) = (app.database.maintenance(), Arc::new(AtomicBool::new(false)));
    let rotating = std::thread::spawn({
        let ended = ended.clone();
        move || {
            let rotated = db.rotate_keys(&mut |_, _| {});
            ended.store(true, Ordering::SeqCst);
            rotated
        }
    });
    let mut version = 1;
    let identity = path(&case, 0, "identity");
    while !ended.load(Ordering::SeqCst) || version < 5 {
        school.put(&identity, version, &content("identity", &format!("number {version}"))).await.is(200);
        version += 1;
        assert_eq!(school.get(&identity).await.is(200).body["version"], version);
        opens(&school).await;
    }
    assert_eq!(rotating.join().unwrap().unwrap().failed, []);
    // Whatever began under the old version while it went on is found the next time.
    let db = app.database.maintenance();
    db.rotate_keys(&mut |_, _| {}).unwrap();
    let children = app.database.count("children");
    assert_eq!(db.key_uses().unwrap(), [KeyUse { version: 2, keys: children, entries: children }]);
    let identifier = Identifier::new("mykid", &format!("number {}", version - 1));
    let found = identified(&app, SCHOOL, &identifier);
    assert_eq!(found, [ids(&case, 0)]);
}
