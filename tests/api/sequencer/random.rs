//! Many writers that roll back, go back to savepoints and are cut off, and a sequencer that is cut off too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, RunQueryDsl};
use lindung_tests::{Database, Dice, TestApp};
use serde_json::Value;

use super::{access, accesses, events};

const WRITERS: usize = 6;
const TRANSACTIONS: usize = 150;

/// Writes an access and the next event of a case, in one of many ways; what fails is not written.
fn write(conn: &mut PgConnection, dice: &mut Dice, case: &str) -> Result<(), diesel::result::Error> {
    let id = |dice: &mut Dice| u32::try_from(dice.below(1 << 31)).unwrap();
    conn.batch_execute("begin")?;
    // Sometimes the transaction's id is older than the wait for the case.
    if dice.below(2) == 0 {
        conn.batch_execute(&access(id(dice)))?;
    }
    if dice.below(3) == 0 {
        conn.batch_execute(&format!("savepoint s; {}; rollback to savepoint s", access(id(dice))))?;
    }
    conn.batch_execute(&format!("select from cases where id = '{case}' for no key update"))?;
    for _ in 0..=dice.below(2) {
        // Ids come from processes whose clocks differ: they tell nothing.
        conn.batch_execute(&format!(
            "update cases set event_count = event_count + 1 where id = '{case}';
             insert into events (id, kind, case_id, case_version, subject_type, subject_id, causation_id, at, data, recipients)
             select gen_random_uuid(), 'my.gov.lindung.case.amended', id, event_count, 'case', id, gen_random_uuid(), now(), '{{}}', '{{}}'
             from cases where id = '{case}'"
        ))?;
    }
    if dice.below(2) == 0 {
        conn.batch_execute(&format!("savepoint t; {}; release savepoint t", access(id(dice))))?;
    }
    conn.batch_execute(if dice.below(4) == 0 { "rollback" } else { "commit" })
}

/// A session; where it is cut off before it begins, another.
fn connected(database: &Database) -> PgConnection {
    loop {
        if let Ok(conn) = PgConnection::establish(&database.url) {
            return conn;
        }
    }
}

fn writer(database: &Database, seed: u64, cases: &[String], written: &AtomicUsize) {
    let (mut dice, mut conn) = (Dice::new(seed), connected(database));
    for _ in 0..TRANSACTIONS {
        let case = &cases[usize::try_from(dice.below(cases.len() as u64)).unwrap()];
        if write(&mut conn, &mut dice, case).is_err() && conn.batch_execute("rollback").is_err() {
            conn = connected(database);
        }
        written.fetch_add(1, Ordering::SeqCst);
    }
}

/// Cuts off one session after another, whoever's it is, as writers go on; returns how many.
fn killer(database: &Database, seed: u64, written: &AtomicUsize) -> usize {
    let (mut dice, mut conn, mut killed) = (Dice::new(seed), database.connection(), 0);
    for next in (0..WRITERS * TRANSACTIONS - 50).step_by(10) {
        while written.load(Ordering::SeqCst) < next {
            thread::yield_now();
        }
        let one = format!(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() \
             order by md5(pid::text || '{}') limit 1",
            dice.below(1 << 30)
        );
        killed += diesel::sql_query(one).execute(&mut conn).unwrap();
    }
    killed
}

fn ids(rows: Vec<Value>) -> BTreeSet<String> {
    rows.into_iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn nothing_is_lost_or_doubled_and_a_case_keeps_its_order() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let mut cases = Vec::new();
    for _ in 0..3 {
        cases.push(school.opens_case().await.id);
    }
    let (database, now) = (&app.database, app.now());
    let (written, cut, stop) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let killed = thread::scope(|scope| {
        let (cases, written, stop, cut) = (&cases, &written, &stop, &cut);
        let writers: Vec<_> =
            (0..WRITERS).map(|it| scope.spawn(move || writer(database, it as u64, cases, written))).collect();
        for _ in 0..2 {
            scope.spawn(move || {
                let worker = database.worker();
                while !stop.load(Ordering::SeqCst) {
                    if worker.sequence(now).is_err() {
                        cut.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
        let killed = killer(database, 7, written);
        writers.into_iter().for_each(|it| it.join().unwrap());
        stop.store(true, Ordering::SeqCst);
        killed
    });
    app.sequence();
    let (numbered, events) = (accesses(database), events(database));
    println!(
        "{} accesses and {} events in order; {} sessions cut off, {} ticks among them",
        numbered.len(),
        events.len(),
        killed,
        cut.into_inner()
    );
    assert_eq!(numbered.iter().cloned().collect::<BTreeSet<_>>(), ids(database.rows("select id from access_log")));
    assert_eq!(events.iter().cloned().collect::<BTreeSet<_>>(), ids(database.rows("select id from events")));
    let mut last: BTreeMap<String, i64> = BTreeMap::new();
    for row in database.rows(
        "select case_id, case_version from events join event_numbers n on n.event_id = events.id order by n.number",
    ) {
        let (case, version) = (row["case_id"].as_str().unwrap().to_owned(), row["case_version"].as_i64().unwrap());
        let before = last.insert(case, version).unwrap_or(0);
        assert_eq!(version, before + 1, "the order of a case");
    }
}
