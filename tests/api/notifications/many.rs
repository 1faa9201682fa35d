//! Notifications of whoever hears of much: pages and marks of so many as are looked at.

use lindung_tests::{Session, TestApp};
use serde_json::{Value, json};

use super::{INBOX, POLICE, SCHOOL};

/// How many are looked at for what somebody has not read.
const LOOKED_AT: usize = 2000;

/// An officer of the police who hears of so many, and their inbox.
async fn hearing_of(app: &TestApp, many: usize) -> Session {
    let (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    school.refers(&school.opens_case().await, &police).await;
    app.notify();
    app.database.execute(&format!(
        "insert into notifications select (jsonb_populate_record(n, jsonb_build_object('id', gen_random_uuid(), 'number', -it, \
         'told_at', n.told_at - it * interval '1 second'))).* from notifications n, generate_series(1, {many} - 1) it where agency = '{POLICE}'"
    ));
    police
}

/// The items of the pages of what was not read, as many as each has.
async fn unread(who: &Session) -> Vec<usize> {
    let (mut pages, mut next) = (Vec::new(), Some(format!("{INBOX}?unread=true&limit=200")));
    while let Some(path) = next {
        let page = who.get(&path).await.is(200);
        pages.push(page.items().len());
        next = page.body["next"].as_str().map(|it| format!("{INBOX}?unread=true&limit=200&cursor={it}"));
    }
    pages
}

async fn reads_from(who: &Session, id: &Value) -> Value {
    let path = format!("{INBOX}/{}/read", id.as_str().unwrap());
    let answered = who.post(&path, &json!({ "older": true })).await.is(200);
    json!([answered.body["marked"], answered.body["next"]])
}

#[actix_web::test]
async fn what_was_not_read_is_found_behind_all_that_was() {
    let app = TestApp::start().await;
    let police = hearing_of(&app, 2 * LOOKED_AT + 1).await;
    let newest = police.get(&format!("{INBOX}?limit=1")).await.items()[0]["id"].clone();
    let in_order = "select id from notifications where agency = 'KDN.PDRM.D11' order by told_at desc, id desc";
    let ids = app.database.rows(in_order);
    let counts = async || {
        let counts = police.get(&format!("{INBOX}/counts")).await.is(200);
        json!([counts.body["unread"]["total"], counts.body["more"]])
    };
    assert_eq!(counts().await, json!([LOOKED_AT, true]));

    assert_eq!(reads_from(&police, &newest).await, json!([LOOKED_AT, ids[LOOKED_AT]["id"]]));
    assert_eq!(reads_from(&police, &newest).await, json!([0, ids[LOOKED_AT]["id"]]), "these are all marked");
    assert_eq!(counts().await, json!([0, true]));
    assert_eq!(unread(&police).await[..3], [0, 200, 200], "a page may be empty and lead on");
    assert_eq!(reads_from(&police, &ids[LOOKED_AT + 1]["id"]).await, json!([LOOKED_AT, null]));
    assert_eq!(unread(&police).await, [0, 1, 0], "and whoever follows finds the one that is left");
    app.database.execute(
        "update notifications set acknowledged_by = 'officer.two', acknowledged_at = told_at \
        where told_at > (select min(told_at) from notifications where agency = 'KDN.PDRM.D11')",
    );
    assert_eq!(police.get(&format!("{INBOX}/counts")).await.body["unacknowledged"]["total"], 1, "the oldest");
    assert_eq!(police.get(&format!("{INBOX}?unread=false&limit=1")).await.items()[0]["id"], newest);
}

#[actix_web::test]
async fn no_page_follows_where_all_were_looked_at() {
    let app = TestApp::start().await;
    let police = hearing_of(&app, LOOKED_AT - 1).await;
    let newest = police.get(&format!("{INBOX}?limit=1")).await.items()[0]["id"].clone();
    assert_eq!(police.get(&format!("{INBOX}/counts")).await.body["more"], false);
    assert_eq!(reads_from(&police, &newest).await, json!([LOOKED_AT - 1, null]));
    assert_eq!(unread(&police).await, [0]);
}
