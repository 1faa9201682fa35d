//! A database that came to be in another cluster: its transactions' ids mean nothing there.

use lindung_tests::TestApp;

use super::{access, accesses, case, event, events, uuid};

/// From far in the future of this cluster.
const STRANGE: &str = "update access_log set xid = (xid::text::bigint + 1000000)::text::xid8; \
                       update events set xid = (xid::text::bigint + 1000000)::text::xid8";

#[actix_web::test]
async fn a_restored_database_goes_on_with_everything_that_had_no_number() {
    let app = TestApp::start().await;
    let case = case(&app).await;
    let (before, events_before) = (accesses(&app.database), events(&app.database));
    app.database.execute(&access(1));
    app.database.execute(&event(1, &case, 2));
    app.database.execute(STRANGE);
    app.database.execute("update sequencers set cluster = '42'");
    let first = app.sequence();
    assert!(first.restored, "{first:?}");
    assert_eq!((first.accesses, first.events), (1, 1));
    app.database.execute(&access(2));
    app.database.execute(&event(2, &case, 3));
    let then = app.sequence();
    assert!(!then.restored, "{then:?}");
    assert_eq!((then.accesses, then.events), (1, 1));
    assert_eq!(accesses(&app.database), [before, vec![uuid(1), uuid(2)]].concat());
    assert_eq!(events(&app.database), [events_before, vec![uuid(1), uuid(2)]].concat());
}

#[actix_web::test]
async fn what_is_numbered_is_never_numbered_again_where_transactions_begin_anew() {
    let app = TestApp::start().await;
    app.database.execute(&access(1));
    app.sequence();
    // As after a restore, when old rows have ids that new transactions are about to have.
    app.database.execute("update access_log set xid = (pg_current_xact_id()::text::bigint + 1)::text::xid8");
    app.database.execute(&access(2));
    assert_eq!(app.sequence().accesses, 1);
    assert_eq!(accesses(&app.database), [1, 2].map(uuid));
}
