//! Checkpoints on their way to real witnesses, and cosignatures on their way back.

use std::net::TcpListener;
use std::path::Path;

use actix_web::dev::ServerHandle;
use lindung_ledger::key::Cosigner;
use lindung_signer::{Courier, NotCarried};
use lindung_witness::Witness;

use super::*;

fn cosigner(of: u8) -> Cosigner {
    Cosigner::new(&format!("witness.example/{of}"), &Zeroizing::new([of; 32])).unwrap()
}

/// A witness of the log that serves, where it was begun or goes on.
fn witness(of: u8, folder: &Path) -> (String, ServerHandle) {
    let witness = Witness::open(cosigner(of), vec![key(1).vkey().clone()], folder).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = lindung_witness::serve(Arc::new(witness), || 1_700_000_000, listener, 1).unwrap();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    (url, handle)
}

fn begun(of: u8, folder: &Path) -> (String, ServerHandle) {
    Witness::begin(key(1).vkey(), folder).unwrap();
    witness(of, folder)
}

/// The log's policy: these witnesses at their URLs, of whom two have to have seen a checkpoint.
fn policy(urls: &[&str]) -> Policy {
    let mut text = format!("log {}\n", key(1).vkey());
    for (of, url) in (11..).zip(urls) {
        text += &format!("witness w{of} {} {url}\n", cosigner(of).vkey());
    }
    let names: Vec<String> = (11..).zip(urls).map(|(of, _)| format!("w{of}")).collect();
    Policy::parse(format!("{text}group q 2 {}\nquorum q\n", names.join(" ")).as_bytes()).unwrap()
}

/// How the newest checkpoint stands, as it is put together from the rows.
fn met(log: &Log, policy: &Policy) -> (bool, usize) {
    let mut signed = Signed::parse(log.notes().pop().unwrap().as_bytes()).unwrap();
    let lines = "select line from access_cosignatures where size = (select max(size) from access_checkpoints)";
    for row in log.database.rows(lines) {
        signed.add(row["line"].as_str().unwrap()).unwrap();
    }
    let status = policy.status(&signed).unwrap();
    (status.met, status.cosigned.len())
}

/// An address at which nobody is.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[actix_web::test]
async fn witnesses_cosign_and_one_that_is_down_is_waited_for() {
    let log = Log::of(5);
    let folder = |of| log.folder.join(format!("w{of}"));
    let (one, two) = (begun(11, &folder(11)), begun(12, &folder(12)));
    let policy = policy(&[&one.0, &nobody(), &two.0]);
    // The third of the policy is another key than what answers there: what it says is not counted.
    let couriers = Courier::all(&log.db(), &policy).unwrap();
    log.sign().unwrap();
    assert_eq!(met(&log, &policy), (false, 0));
    assert_eq!(couriers[0].carry().await.unwrap(), Some(5));
    assert_eq!(couriers[0].carry().await.unwrap(), None, "it has cosigned that");
    assert!(matches!(couriers[1].carry().await, Err(NotCarried::NoAnswer(_))));
    assert!(matches!(couriers[2].carry().await, Err(NotCarried::Checkpoint(_))));
    assert_eq!(met(&log, &policy), (false, 1));

    let policy = self::policy(&[&one.0, &two.0]);
    let couriers = Courier::all(&log.db(), &policy).unwrap();
    // Witness 12 has cosigned what was not kept above: it says from where to go on.
    assert_eq!(couriers[1].carry().await.unwrap(), Some(5));
    assert_eq!(met(&log, &policy), (true, 2));

    for leaves in [6, 300, 700] {
        log.is(&named(leaves));
        log.sign().unwrap();
        for courier in &couriers {
            assert_eq!(courier.carry().await.unwrap(), Some(leaves));
        }
        assert_eq!(met(&log, &policy), (true, 2));
    }
    one.1.stop(false).await;
    two.1.stop(false).await;
}

#[actix_web::test]
async fn a_witness_that_missed_checkpoints_catches_up() {
    let log = Log::of(5);
    let folder = log.folder.join("w11");
    let (url, handle) = begun(11, &folder);
    let policy = policy(&[&url, &nobody()]);
    let couriers = Courier::all(&log.db(), &policy).unwrap();
    log.sign().unwrap();
    couriers[0].carry().await.unwrap();
    // Its cosignatures are lost here, and it missed one.
    log.database.execute("delete from access_cosignatures");
    for leaves in [8, 13] {
        log.is(&named(leaves));
        log.sign().unwrap();
    }
    assert_eq!(couriers[0].carry().await.unwrap(), Some(13));
    handle.stop(false).await;
}

#[actix_web::test]
async fn a_log_that_was_set_back_whole_is_not_cosigned() {
    let log = Log::of(9);
    let folder = log.folder.join("w11");
    let (url, handle) = begun(11, &folder);
    let policy = policy(&[&url, &nobody()]);
    let couriers = Courier::all(&log.db(), &policy).unwrap();
    log.sign().unwrap();
    couriers[0].carry().await.unwrap();

    // Database and signer, all but the witness: first to less than it has seen, then to something else.
    let set_back = |leaves: &[String]| {
        log.database.execute("delete from access_cosignatures; delete from access_checkpoints");
        std::fs::remove_file(log.folder.join("signed.json")).unwrap();
        Signer::begin(ORIGIN, &log.folder).unwrap();
        log.is(leaves);
        log.sign().unwrap();
    };
    set_back(&named(4));
    assert!(matches!(couriers[0].carry().await, Err(NotCarried::Ahead { held: 9, newest: 4 })));
    let mut other = named(9);
    other[0] = "{}".to_owned();
    set_back(&other);
    assert!(matches!(couriers[0].carry().await, Err(NotCarried::Refused { status: 409, .. })));
    other.push("{}".to_owned());
    set_back(&other);
    assert!(matches!(couriers[0].carry().await, Err(NotCarried::Refused { status: 422, .. })));
    assert_eq!(log.database.count("access_cosignatures"), 0);
    handle.stop(false).await;
}
