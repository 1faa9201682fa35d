//! What cannot be recorded is not answered: no case data leaves before its row is there (P1).

use futures::future::join_all;
use lindung_tests::{Answered, Ref, TestApp, case_body};
use serde_json::json;

use super::NOBODY;

/// A case that the police have, and one of theirs that they have been asked about.
struct Story {
    app: TestApp,
    case: Ref,
    referral: Ref,
}

impl Story {
    async fn begins() -> Self {
        let app = TestApp::start().await;
        let school = app.officer("KPM.SEKOLAH.WBA0001").await;
        let police = app.officer("KDN.PDRM.D11").await;
        let case = school.opens_case().await;
        let referral = school.refers(&case, &police).await;
        Story { app, case, referral }
    }

    /// Reads, lists, changes, refusals and misses, one of each.
    async fn goes_on(&self) -> Vec<Answered> {
        let Story { app, case, referral } = self;
        let school = app.officer("KPM.SEKOLAH.WBA0001").await;
        let police = app.officer("KDN.PDRM.D11").await;
        let auditor = app.auditor("PP").await;
        let plan = format!("{}/sections/plan", case.path);
        vec![
            school.get(&case.path).await,
            school.get(&format!("{}/sections/narrative", case.path)).await,
            school.get(&format!("{}/sections/identity", case.child(0))).await,
            school.get("/v1/cases").await,
            school.get(&format!("{}/timeline", case.path)).await,
            police.get("/v1/inbox").await,
            auditor.get("/v1/access-log").await,
            school.get("/v1/agencies").await,
            school.put(&plan, 0, &json!({ "text": "Watch." })).await,
            school.post("/v1/cases", &case_body()).await,
            school.post(&format!("{}/children", case.path), &json!({})).await,
            police.act(referral, "accept", &json!({})).await,
            school.act(referral, "accept", &json!({})).await,
            police.get(&plan).await,
            police.get(&format!("/v1/cases/{NOBODY}")).await,
            school.get("/v1/cases?x=1").await,
            school.put(&plan, 7, &json!({ "text": "Watch." })).await,
        ]
    }

    /// How much there is of everything that a change leaves behind.
    fn size(&self) -> Vec<i64> {
        let tables = ["cases", "children", "sections", "events", "grants", "messages", "idempotency_keys"];
        let changed = "referrals where status <> 'requested'";
        tables.iter().chain([&changed]).map(|it| self.app.database.count(it)).collect()
    }

    async fn tells_nothing(&self) {
        let before = self.size();
        for answered in self.goes_on().await {
            assert!(answered.status >= 500, "{answered:?}");
            assert!(answered.problem().is_some(), "{answered:?}");
            let text = answered.body.to_string();
            for word in ["Aminah", "counsellor", "LDG-", "sextortion", "not-found", self.case.id.as_str()] {
                assert!(!text.contains(word), "{answered:?}");
            }
        }
        assert_eq!(self.size(), before);
    }
}

#[actix_web::test]
async fn a_log_that_is_gone_ends_all_answers() {
    let story = Story::begins().await;
    story.app.database.execute("alter table access_log rename to elsewhere");
    story.tells_nothing().await;
    story.app.database.execute("alter table elsewhere rename to access_log");
    let statuses: Vec<u16> = story.goes_on().await.iter().map(|it| it.status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 200, 200, 201, 201, 200, 403, 403, 404, 400, 412]);
}

#[actix_web::test]
async fn a_log_that_takes_no_more_ends_all_answers() {
    let story = Story::begins().await;
    story.app.database.execute(
        "create function full_disk() returns trigger language plpgsql as \
         $$ begin raise exception 'could not extend file \"x\": No space left on device' using errcode = '53100'; end $$; \
         create trigger full_disk before insert on access_log for each row execute function full_disk()",
    );
    story.tells_nothing().await;
    story.app.database.execute("drop trigger full_disk on access_log");
    assert!(story.goes_on().await.iter().all(|it| it.status < 500));
}

#[actix_web::test]
async fn a_log_that_fails_only_at_the_end_of_the_transaction_ends_all_answers() {
    let story = Story::begins().await;
    story.app.database.execute(
        "create function at_last() returns trigger language plpgsql as $$ begin raise exception 'at last'; end $$; \
         create constraint trigger at_last after insert on access_log deferrable initially deferred \
         for each row execute function at_last()",
    );
    story.tells_nothing().await;
}

#[actix_web::test]
async fn whatever_is_received_while_connections_are_cut_has_its_row() {
    let story = Story::begins().await;
    let Story { app, case, .. } = &story;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let narrative = format!("{}/sections/narrative", case.path);
    let (mut received, mut cut) = (Vec::new(), 0);
    for _ in 0..12 {
        let reading = join_all((0..16).map(|at| school.get(if at % 2 == 0 { &narrative } else { &case.path })));
        let hanging_up = actix_web::rt::task::spawn_blocking({
            let mut conn = app.database.connection();
            move || {
                let cut = "select pg_terminate_backend(pid) from pg_stat_activity \
                           where datname = current_database() and pid <> pg_backend_pid()";
                for _ in 0..5 {
                    diesel::connection::SimpleConnection::batch_execute(&mut conn, cut).unwrap();
                }
            }
        });
        let (answers, hung_up) = futures::future::join(reading, hanging_up).await;
        hung_up.unwrap();
        for answered in answers {
            assert!(matches!(answered.status, 200 | 503), "{answered:?}");
            if answered.status == 200 {
                received.push(answered.header("x-request-id").unwrap().to_owned());
            } else {
                cut += 1;
            }
        }
    }
    assert!(cut > 0 && !received.is_empty(), "{cut} cut, {} received", received.len());
    for id in &received {
        let rows = format!("access_log where request_id = '{id}' and outcome = 'permitted'");
        assert_eq!(app.database.count(&rows), 1, "{id}");
    }
}
