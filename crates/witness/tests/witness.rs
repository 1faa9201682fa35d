//! The witness tried over HTTP, as a log does.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails where it stands")]

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use actix_web::dev::ServerHandle;
use actix_web::rt;
use futures::future::join_all;
use lindung_ledger::checkpoint::{Checkpoint, Signed};
use lindung_ledger::key::{Cosigner, LogSigner, Vkey};
use lindung_ledger::witness::AddCheckpoint;
use lindung_witness::{Error, Witness, file, serve};
use reqwest::{Client, Method, Response};
use tlog_tiles::{EMPTY_HASH, Hash, HashReader, prove_tree, stored_hashes, tree_hash};
use zeroize::Zeroizing;

const NOW: u64 = 1_700_000_000;

fn log() -> LogSigner {
    LogSigner::new("log.example/v1", &Zeroizing::new([1; 32])).unwrap()
}

fn cosigner() -> Cosigner {
    Cosigner::new("witness.example", &Zeroizing::new([2; 32])).unwrap()
}

/// A folder of its own, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        Folder(std::env::temp_dir().join(format!("lindung-witness-{}-{next}", std::process::id())))
    }

    fn begun() -> Self {
        let folder = Folder::new();
        Witness::begin(log().vkey(), &folder.0).unwrap();
        folder
    }

    fn witness(&self) -> Result<Witness, Error> {
        Witness::open(cosigner(), vec![log().vkey().clone()], &self.0)
    }

    /// The file of the log's state.
    fn state(&self) -> PathBuf {
        let files = std::fs::read_dir(&self.0).unwrap().map(|it| it.unwrap().path());
        files.into_iter().find(|it| it.file_name().unwrap().len() == 64).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// A witness that serves, until it is dropped.
struct Serving {
    url: String,
    http: Client,
    handle: ServerHandle,
}

impl Serving {
    fn start(witness: Witness) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = serve(Arc::new(witness), || NOW, listener, 2).unwrap();
        let handle = server.handle();
        rt::spawn(server);
        Serving { url, http: Client::builder().no_proxy().tls_certs_only([]).build().unwrap(), handle }
    }

    async fn add(&self, request: &AddCheckpoint) -> (u16, String) {
        let answer = self.send(request.to_bytes()).await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn send(&self, body: Vec<u8>) -> Response {
        self.http.post(format!("{}/add-checkpoint", self.url)).body(body).send().await.unwrap()
    }

    async fn stop(self) {
        self.handle.stop(false).await;
    }
}

struct Stored(Vec<Hash>);

impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|it| self.0[usize::try_from(*it).unwrap()]).collect())
    }
}

/// A request of a log whose entries from `fork` on are called by `name`.
fn request(old: u64, size: u64, fork: u64, name: &str) -> AddCheckpoint {
    let mut stored = Stored(Vec::new());
    for number in 0..size {
        let entry = format!("{number}{}", if number < fork { "" } else { name });
        let new = stored_hashes(number, entry.as_bytes(), &stored).unwrap();
        stored.0.extend(new);
    }
    let checkpoint = Checkpoint { origin: "log.example/v1".to_owned(), size, root: tree_hash(size, &stored).unwrap() };
    let proof = prove_tree(size, old, &stored).unwrap_or_default();
    AddCheckpoint { old, proof, checkpoint: checkpoint.sign(&[log()]).unwrap() }
}

fn next(old: u64, size: u64) -> AddCheckpoint {
    request(old, size, u64::MAX, "")
}

fn is_cosigned(signed: &Signed, answer: &str) -> bool {
    signed.cosignature(answer.as_bytes(), cosigner().vkey()) == Ok((answer.to_owned(), NOW))
}

#[actix_web::test]
async fn a_log_is_followed() {
    let folder = Folder::begun();
    let witness = Serving::start(folder.witness().unwrap());
    for (old, size) in [(0, 0), (0, 5), (5, 5), (5, 300)] {
        let request = next(old, size);
        let (status, answer) = witness.add(&request).await;
        assert_eq!(status, 200, "{answer}");
        assert!(is_cosigned(&request.checkpoint, &answer));
    }
    witness.stop().await;
}

#[actix_web::test]
async fn what_must_not_be_cosigned_is_refused() {
    let folder = Folder::begun();
    let witness = Serving::start(folder.witness().unwrap());
    assert_eq!(witness.add(&next(0, 5)).await.0, 200);

    let answer = witness.send(next(3, 9).to_bytes()).await;
    assert_eq!(
        (answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()),
        (409, "text/x.tlog.size")
    );
    assert_eq!(answer.text().await.unwrap(), "5\n");
    assert_eq!(witness.add(&request(5, 5, 4, "x")).await, (409, "5\n".to_owned()));
    assert_eq!(witness.add(&request(5, 9, 4, "x")).await.0, 422);
    assert_eq!(witness.add(&AddCheckpoint { old: 9, ..next(5, 5) }).await.0, 400);
    assert_eq!(witness.send(b"old 5\n".to_vec()).await.status(), 400);
    assert_eq!(witness.send(vec![0xff; 100]).await.status(), 400);

    let signed_by = |key: LogSigner| {
        let origin = key.vkey().name().to_owned();
        let checkpoint = Checkpoint { origin, size: 0, root: EMPTY_HASH }.sign(&[key]).unwrap();
        AddCheckpoint { old: 5, proof: vec![], checkpoint }
    };
    let other = |name: &str| LogSigner::new(name, &Zeroizing::new([9; 32])).unwrap();
    assert_eq!(witness.add(&signed_by(other("elsewhere.example"))).await.0, 404);
    assert_eq!(witness.add(&signed_by(other("log.example/v1"))).await.0, 403);

    // None of that has moved it.
    assert_eq!(witness.add(&next(5, 6)).await.0, 200);
    witness.stop().await;
}

#[actix_web::test]
async fn there_is_one_thing_to_ask() {
    let folder = Folder::begun();
    let witness = Serving::start(folder.witness().unwrap());
    for (method, path, status) in [
        (Method::GET, "/", 404),
        (Method::GET, "/add-checkpoint/", 404),
        (Method::POST, "/lock", 404),
        (Method::GET, "/add-checkpoint", 405),
        (Method::PUT, "/add-checkpoint", 405),
        (Method::HEAD, "/add-checkpoint", 405),
    ] {
        let answer = witness.http.request(method, format!("{}{path}", witness.url)).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
    }
    assert_eq!(witness.send(vec![b'x'; 64 * 1024 + 1]).await.status(), 413);
    let encoded = witness.http.post(format!("{}/add-checkpoint", witness.url)).header("content-encoding", "gzip");
    assert_eq!(encoded.body(next(0, 1).to_bytes()).send().await.unwrap().status(), 415);
    witness.stop().await;
}

#[actix_web::test]
async fn of_forks_at_the_same_time_one_is_cosigned() {
    for round in 0..8 {
        let folder = Folder::begun();
        let witness = Serving::start(folder.witness().unwrap());
        assert_eq!(witness.add(&next(0, 5)).await.0, 200);
        // Each fork has other entries from there on; some are longer than others.
        let forks: Vec<_> = (0..8).map(|it| request(5, 6 + it % 3, 5, &format!("{round}/{it}"))).collect();
        let answers = join_all(forks.iter().map(|it| witness.add(it))).await;
        let cosigned: Vec<usize> = (0..8).filter(|it| answers[*it].0 == 200).collect();
        assert_eq!(cosigned.len(), 1, "{answers:?}");
        let won = &forks[cosigned[0]].checkpoint;
        assert!(is_cosigned(won, &answers[cosigned[0]].1));
        let last = format!("{}\n", won.checkpoint().size);
        assert!(answers.iter().filter(|it| it.0 != 200).all(|it| *it == (409, last.clone())), "{answers:?}");
        witness.stop().await;
    }
}

#[test]
fn a_witness_goes_on_where_it_was_killed() {
    let folder = Folder::begun();
    let first = next(0, 5);
    let answer = folder.witness().unwrap().add_checkpoint(&first.to_bytes(), NOW).unwrap();
    assert!(is_cosigned(&first.checkpoint, &answer));
    // Killed after it had written and before it answered: the log asks again, and gets no other history cosigned.
    for _ in 0..2 {
        let witness = folder.witness().unwrap();
        assert!(witness.add_checkpoint(&request(0, 5, 0, "x").to_bytes(), NOW).is_err());
        assert!(witness.add_checkpoint(&request(5, 9, 0, "x").to_bytes(), NOW).is_err());
        let again = AddCheckpoint { old: 5, ..next(5, 5) };
        assert_eq!(witness.add_checkpoint(&again.to_bytes(), NOW).unwrap(), answer);
    }
    // Killed while it wrote: what is unfinished is not looked at.
    std::fs::write(folder.0.join(format!(".new-{}", folder.state().file_name().unwrap().display())), b"half").unwrap();
    let witness = folder.witness().unwrap();
    assert!(witness.add_checkpoint(&next(5, 6).to_bytes(), NOW).is_ok());
}

#[test]
fn what_cannot_be_written_is_not_cosigned() {
    let folder = Folder::begun();
    let witness = folder.witness().unwrap();
    let unfinished = folder.0.join(format!(".new-{}", folder.state().file_name().unwrap().display()));
    std::fs::create_dir(&unfinished).unwrap();
    assert!(witness.add_checkpoint(&next(0, 5).to_bytes(), NOW).is_err());
    std::fs::remove_dir(&unfinished).unwrap();
    assert!(witness.add_checkpoint(&request(0, 4, 0, "x").to_bytes(), NOW).is_ok());
}

#[test]
fn a_lost_state_is_no_beginning() {
    let folder = Folder::new();
    assert!(matches!(folder.witness(), Err(Error::Unknown(_))));
    Witness::begin(log().vkey(), &folder.0).unwrap();
    assert!(matches!(Witness::begin(log().vkey(), &folder.0), Err(Error::Known(_))));
    folder.witness().unwrap().add_checkpoint(&next(0, 5).to_bytes(), NOW).unwrap();
    assert!(matches!(Witness::begin(log().vkey(), &folder.0), Err(Error::Known(_))));

    let (state, good) = (folder.state(), std::fs::read(folder.state()).unwrap());
    for damaged in [&b""[..], b"nothing cosigned yet", &good[..good.len() - 1], &good[1..]] {
        std::fs::write(&state, damaged).unwrap();
        assert!(matches!(folder.witness(), Err(Error::Damaged(_))), "{damaged:?}");
    }
    std::fs::remove_file(&state).unwrap();
    assert!(matches!(folder.witness(), Err(Error::Unknown(_))));
}

#[test]
fn one_process_has_the_folder() {
    let folder = Folder::begun();
    let witness = folder.witness().unwrap();
    assert!(matches!(folder.witness(), Err(Error::InUse(_))));
    let other: Vkey = LogSigner::new("other.example", &Zeroizing::new([4; 32])).unwrap().vkey().clone();
    assert!(matches!(Witness::begin(&other, &folder.0), Err(Error::InUse(_))));
    drop(witness);
    Witness::begin(&other, &folder.0).unwrap();
}

#[test]
fn a_file_is_replaced_whole() {
    let folder = Folder::begun();
    let path = folder.0.join("x");
    file::replace(&path, b"long before").unwrap();
    file::replace(&path, b"after").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"after");
}
