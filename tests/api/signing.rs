//! The signer of the access log: it signs what continues what it signed, and nothing else, whatever the database has.

mod witnesses;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use lindung_ledger::checkpoint::{Checkpoint, Signed};
use lindung_ledger::key::LogSigner;
use lindung_ledger::policy::Policy;
use lindung_ledger::tree::{self, Frontier, Hash};
use lindung_persistence::{Db, DbRole, Settings};
use lindung_signer::{Error, Parts, Refused, Signer};
use lindung_tests::Database;
use lindung_vault::Vault;
use zeroize::Zeroizing;

const ORIGIN: &str = "lindung.example/v1/access-log";

/// A key of the log.
fn key(of: u8) -> LogSigner {
    LogSigner::new(ORIGIN, &Zeroizing::new([of; 32])).unwrap()
}

/// A log whose leaves a test sets as it likes, and its signer's folder.
struct Log {
    database: Database,
    folder: PathBuf,
}

impl Log {
    fn of(leaves: u64) -> Self {
        let database = Database::new();
        let folder = database.keys.join("signer");
        Signer::begin(ORIGIN, &folder).unwrap();
        let log = Log { database, folder };
        log.is(&named(leaves));
        log
    }

    /// Makes it these leaves, with the tiles that belong to them.
    fn is(&self, leaves: &[String]) {
        let hashes: Vec<Hash> = leaves.iter().map(|it| tree::leaf_hash(it.as_bytes())).collect();
        let mut sql = "delete from access_leaves; delete from access_tiles".to_owned();
        for (number, leaf) in leaves.iter().enumerate() {
            sql += &format!(
                "; insert into access_leaves (number, kind, entry_id, leaf, sequenced_at) \
                 values ({number}, 'access', gen_random_uuid(), convert_to('{leaf}', 'UTF8'), now())"
            );
        }
        for (tile, hashes) in tree::grow(0, &[], &hashes).unwrap() {
            let hex: String = tree::to_bytes(&hashes).iter().map(|it| format!("{it:02x}")).collect();
            sql += &format!("; insert into access_tiles values ({}, {}, '\\x{hex}')", tile.level, tile.index);
        }
        self.database.execute(&sql);
    }

    fn db(&self) -> Db {
        Db::new(Settings {
            url: self.database.url_as("lindung_signer"),
            role: DbRole::Signer,
            pool_size: 4,
            acquire_timeout: Duration::from_secs(10),
            vault: Arc::new(Vault::locked()),
        })
    }

    fn parts(&self, keys: Vec<LogSigner>) -> Parts {
        let logs: String = [1, 2].iter().map(|it| format!("log {}\n", key(*it).vkey())).collect();
        Parts { db: self.db(), keys, policy: Policy::parse(format!("{logs}quorum none\n").as_bytes()).unwrap() }
    }

    fn signer(&self) -> Result<Signer, Error> {
        Signer::open(self.parts(vec![key(1)]), &self.folder)
    }

    /// Signs once with the signer started anew.
    fn sign(&self) -> Result<Option<u64>, Error> {
        self.signer()?.sign(DateTime::UNIX_EPOCH)
    }

    /// What is refused, for which no checkpoint may have come to be.
    fn refused(&self) -> Refused {
        let before = self.notes();
        let mut signer = self.signer().unwrap();
        let error = signer.sign(DateTime::UNIX_EPOCH).unwrap_err();
        assert_eq!(signer.sign(DateTime::UNIX_EPOCH).unwrap_err().to_string(), error.to_string(), "and stays refused");
        assert_eq!(self.notes(), before);
        match error {
            Error::Refused(refused) => refused,
            other => panic!("{other}"),
        }
    }

    /// The notes of all checkpoints, in order.
    fn notes(&self) -> Vec<String> {
        let rows = self.database.rows("select note from access_checkpoints order by size");
        rows.into_iter().map(|it| it["note"].as_str().unwrap().to_owned()).collect()
    }
}

fn named(leaves: u64) -> Vec<String> {
    (0..leaves).map(|it| format!("{{\"n\":{it}}}")).collect()
}

fn root(leaves: &[String]) -> Hash {
    let mut tree = Frontier::new();
    leaves.iter().for_each(|it| tree.push(tree::leaf_hash(it.as_bytes())));
    tree.root()
}

#[test]
fn what_grows_is_signed() {
    let log = Log::of(0);
    for (leaves, signed) in [(0, Some(0)), (0, None), (3, Some(3)), (3, None), (300, Some(300)), (1300, Some(1300))] {
        log.is(&named(leaves));
        assert_eq!(log.sign().unwrap(), signed);
    }
    let notes = log.notes();
    let last = Signed::parse(notes[3].as_bytes()).unwrap();
    assert_eq!(*last.checkpoint(), Checkpoint { origin: ORIGIN.to_owned(), size: 1300, root: root(&named(1300)) });
    assert!(last.open(&[key(1).vkey().clone()]).is_ok());
}

#[test]
fn a_rotation_has_both_keys_sign() {
    let log = Log::of(3);
    let sign = |keys| Signer::open(log.parts(keys), &log.folder).unwrap().sign(DateTime::UNIX_EPOCH).unwrap();
    sign(vec![key(1)]);
    log.is(&named(4));
    sign(vec![key(1), key(2)]);
    log.is(&named(5));
    sign(vec![key(2)]);
    let keys = [key(1).vkey().clone(), key(2).vkey().clone()];
    let signed_by = |note: &String| Signed::parse(note.as_bytes()).unwrap().open(&keys).unwrap().logs.len();
    assert_eq!(log.notes().iter().map(signed_by).collect::<Vec<_>>(), [1, 2, 1]);

    let foreign = LogSigner::new("elsewhere.example", &Zeroizing::new([1; 32])).unwrap();
    for keys in [vec![], vec![key(3)], vec![key(1), foreign]] {
        assert!(matches!(Signer::open(log.parts(keys), &log.folder), Err(Error::Keys)));
    }
}

#[test]
fn what_was_rewritten_is_not_signed() {
    // Leaves and tiles together, as a whole: only what was signed before tells.
    for (at, leaves) in [(0, 300), (299, 300), (4, 400), (299, 400)] {
        let log = Log::of(300);
        log.sign().unwrap();
        let mut other = named(leaves);
        other[at] = "{}".to_owned();
        log.is(&other);
        assert_eq!(log.refused(), Refused::Rewritten { size: 300 }, "leaf {at} of {leaves}");
    }
}

#[test]
fn what_has_gone_is_missed() {
    let log = Log::of(300);
    log.sign().unwrap();
    log.is(&named(299));
    assert_eq!(log.refused(), Refused::Shrunk { signed: 300, found: 299 });
    log.is(&[]);
    assert_eq!(log.refused(), Refused::Shrunk { signed: 300, found: 0 });
    log.is(&named(310));
    log.database.execute("delete from access_leaves where number = 305");
    assert_eq!(log.refused(), Refused::Missing { number: 305 });
    log.is(&named(310));
    assert_eq!(log.sign().unwrap(), Some(310), "what is mended is signed again");
}

#[test]
fn tiles_are_those_of_the_leaves() {
    let log = Log::of(300);
    log.sign().unwrap();
    log.is(&named(310));
    log.database.execute("update access_leaves set leaf = '{}' where number = 309");
    assert_eq!(log.refused(), Refused::Tiles { size: 310 });
    log.is(&named(310));
    log.database.execute("update access_tiles set hashes = substr(hashes, 1, 32 * 53) where level = 0 and index = 1");
    assert_eq!(log.refused(), Refused::Tiles { size: 310 });
    log.database.execute("delete from access_tiles where level = 1");
    assert_eq!(log.refused(), Refused::Rewritten { size: 300 });
}

#[test]
fn checkpoints_that_others_put_there_are_noticed() {
    let log = Log::of(3);
    log.sign().unwrap();
    let put = |size: u64, by: u8, root: Hash| {
        let note = Checkpoint { origin: ORIGIN.to_owned(), size, root }.sign(&[key(by)]).unwrap();
        let note = String::from_utf8(note.to_bytes()).unwrap();
        log.database.execute(&format!(
            "insert into access_checkpoints values ({size}, '{note}', now()) \
             on conflict (size) do update set note = excluded.note"
        ));
    };
    put(3, 9, root(&named(3)));
    assert_eq!(log.refused(), Refused::Foreign { size: 3 });
    put(3, 1, root(&named(2)));
    assert_eq!(log.refused(), Refused::Rewritten { size: 3 });
    put(3, 1, root(&named(3)));
    put(5, 1, root(&named(5)));
    assert_eq!(log.refused(), Refused::Shrunk { signed: 5, found: 3 });
    log.is(&named(5));
    assert_eq!(log.sign().unwrap(), None, "it continues what was signed with the same key");
    log.is(&named(6));
    assert_eq!(log.sign().unwrap(), Some(6));
}

#[test]
fn after_a_crash_the_same_is_signed_again() {
    let log = Log::of(3);
    log.sign().unwrap();
    let notes = log.notes();
    // Killed between its own disk and the row.
    log.database.execute("delete from access_checkpoints");
    assert_eq!(log.sign().unwrap(), Some(3));
    assert_eq!(log.notes(), notes);
    log.database.execute("delete from access_checkpoints");
    log.is(&["{}".to_owned(), "{}".to_owned(), "{}".to_owned()]);
    assert_eq!(log.refused(), Refused::Rewritten { size: 3 }, "its own disk knows better");
}

#[test]
fn a_lost_state_is_no_beginning() {
    let log = Log::of(5);
    log.sign().unwrap();
    let checkpoint = log.notes().remove(0);
    let begin = |note: &str| Signer::begin_from(log.parts(vec![key(1)]), &log.folder, note.as_bytes()).map(|_| ());
    assert!(matches!(begin(&checkpoint), Err(Error::Stated)));

    log.is(&named(9));
    log.sign().unwrap();
    std::fs::remove_dir_all(&log.folder).unwrap();
    assert!(matches!(log.sign(), Err(Error::NoState)));
    let kept = log.database.rows("select size, note from access_checkpoints");
    log.database.execute("delete from access_checkpoints");
    assert!(matches!(log.sign(), Err(Error::NoState)), "nor where the database has forgotten too");
    for it in kept {
        let (size, note) = (&it["size"], it["note"].as_str().unwrap());
        log.database.execute(&format!("insert into access_checkpoints values ({size}, '{note}', now())"));
    }

    let forged = Checkpoint { origin: ORIGIN.to_owned(), size: 5, root: root(&named(5)) }.sign(&[key(9)]).unwrap();
    assert!(matches!(begin(&String::from_utf8(forged.to_bytes()).unwrap()), Err(Error::Checkpoint(_))));
    let mut rewritten = named(9);
    rewritten[4] = "{}".to_owned();
    log.is(&rewritten);
    assert!(matches!(begin(&checkpoint), Err(Error::Refused(Refused::Rewritten { size: 5 }))));
    assert!(matches!(log.sign(), Err(Error::NoState)), "a beginning that failed is none");

    log.is(&named(10));
    begin(&checkpoint).unwrap();
    assert_eq!(log.sign().unwrap(), Some(10));
}

#[test]
fn a_damaged_state_is_no_beginning_and_one_process_has_it() {
    let log = Log::of(5);
    let signer = log.signer().unwrap();
    assert!(matches!(log.signer(), Err(Error::InUse(_))));
    drop(signer);
    let state = log.folder.join("signed.json");
    let good = std::fs::read_to_string(&state).unwrap();
    for damaged in
        ["", "{}", &good.replace("lindung.example", "elsewhere.example"), &good.replace("\"size\":0", "\"size\":1")]
    {
        std::fs::write(&state, damaged).unwrap();
        assert!(matches!(log.signer(), Err(Error::Damaged(_))), "{damaged}");
    }
}

#[test]
fn what_the_disk_does_not_have_is_not_signed() {
    let log = Log::of(5);
    let mut signer = log.signer().unwrap();
    let unfinished = log.folder.join(".new-signed.json");
    std::fs::create_dir(&unfinished).unwrap();
    assert!(matches!(signer.sign(DateTime::UNIX_EPOCH), Err(Error::File { .. })));
    assert!(log.notes().is_empty());
    std::fs::remove_dir(&unfinished).unwrap();
    assert_eq!(signer.sign(DateTime::UNIX_EPOCH).unwrap(), Some(5));
}

#[test]
fn the_signer_changes_nothing() {
    let log = Log::of(5);
    log.sign().unwrap();
    for statement in [
        "update access_leaves set leaf = '{}'",
        "delete from access_leaves",
        "update access_tiles set hashes = ''",
        "update access_checkpoints set note = ''",
        "delete from access_checkpoints",
        "truncate access_checkpoints cascade",
        "update access_cosignatures set line = ''",
        "select * from access_openings",
        "select * from access_log",
    ] {
        let mut conn = PgConnection::establish(&log.database.url_as("lindung_signer")).unwrap();
        let refused = conn.batch_execute(statement).unwrap_err();
        assert!(refused.to_string().contains("permission denied"), "{statement}: {refused}");
    }
}
