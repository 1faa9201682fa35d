//! Exports to try the tools with, made with published crates alone: what verifies them shares nothing with what made them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Duration, SecondsFormat, Utc};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use signed_note::{Note, Signature, key_id};
use tlog_tiles::{Checkpoint, Error, Hash, HashReader, Tile};

/// Of the log that is made here.
pub const ORIGIN: &str = "audit.example/v1/access-log";
/// The child that some of the accesses show.
pub const CHILD: &str = "0197c8a0-0000-7000-8000-00000000c41d";
const WITNESSES: [&str; 5] = ["kpm", "kdn", "kpwkm", "kk", "commissioner"];

/// One entry: what was hashed, what opens it, and how the API tells of it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The canonical bytes.
    pub leaf: Vec<u8>,
    /// Salt and detail, unless they were erased.
    pub opening: Option<([u8; 32], String)>,
    /// As the access log has it; none for an erasure.
    pub access: Option<Value>,
}

/// A log: its entries in order.
#[derive(Debug, Clone)]
pub struct Log(pub Vec<Entry>);

fn canonical(value: &Value) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value).unwrap()
}

/// An id that goes by the number.
pub fn id(kind: u8, number: usize) -> String {
    format!("0197c8a0-00{kind:02x}-7000-8000-{number:012x}")
}

fn at(number: usize) -> DateTime<Utc> {
    let start: DateTime<Utc> = "2026-07-06T00:00:00Z".parse().unwrap();
    start + Duration::minutes(7 * i64::try_from(number).unwrap())
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

impl Entry {
    /// The access of that number. The same number makes the same entry.
    pub fn access(number: usize) -> Self {
        Self::made(number, |_| ())
    }

    /// The same, but that something about the access, as the API tells it, is otherwise.
    pub fn made(number: usize, change: impl Fn(&mut Value)) -> Self {
        let agency = ["KPM", "KDN.PDRM.D11", "KPWKM.JKM"][number % 3];
        let children = if number.is_multiple_of(5) { vec![CHILD.to_owned()] } else { vec![id(3, number % 40)] };
        let mut access = json!({
            "id": id(1, number), "at": time(at(number)), "requestId": id(2, number), "clientId": format!("{agency}.system"),
            "agency": agency, "officer": format!("officer-{}", number % 7), "roles": ["officer"], "purpose": "protection",
            "action": "get_section", "outcome": "permitted", "rule": "grant", "target": id(4, number % 50),
            "caseIds": [id(4, number % 50)], "childIds": children, "sections": ["identity"], "count": 1,
        });
        change(&mut access);
        let detail = json!({ "target": access["target"], "caseIds": access["caseIds"], "childIds": access["childIds"],
                             "sections": access["sections"] });
        let detail = String::from_utf8(canonical(&detail)).unwrap();
        let salt: [u8; 32] = Sha256::digest(format!("salt {number}")).into();
        let tagged = [b"lindung.my/access-detail/v1\n", &salt[..], detail.as_bytes()].concat();
        let leaf = json!({
            "type": "access", "id": access["id"], "at": access["at"], "requestId": access["requestId"],
            "client": access["clientId"], "agency": access["agency"], "officer": access["officer"],
            "roles": access["roles"], "purpose": access["purpose"], "action": access["action"],
            "outcome": access["outcome"], "rule": access["rule"], "count": access["count"],
            "detail": STANDARD.encode(Sha256::digest(tagged)),
        });
        Entry { leaf: canonical(&leaf), opening: Some((salt, detail)), access: Some(access) }
    }

    /// Destroys its opening, and what the API tells of whom it is.
    pub fn erase(&mut self) {
        self.opening = None;
        if let Some(access) = &mut self.access {
            access["target"] = Value::Null;
            for field in ["caseIds", "childIds", "sections"] {
                access[field] = json!([]);
            }
        }
    }

    /// An erasure of the openings of these entries, on the word of two officers.
    pub fn erasure(number: usize, entries: &[[usize; 2]], officers: [&str; 2]) -> Self {
        let approvers = officers.map(|it| json!({ "agency": "KPWKM.JKM", "officer": it }));
        let leaf = json!({ "type": "erasure", "id": id(1, number), "at": time(at(number)), "proposal": id(5, number),
                           "approvers": approvers, "entries": entries });
        Entry { leaf: canonical(&leaf), opening: None, access: None }
    }
}

impl Log {
    /// A log of so many entries; where there is room, the openings of 3 to 5 were erased by entry 200.
    pub fn of(size: usize) -> Self {
        let mut entries: Vec<Entry> = (0..size).map(Entry::access).collect();
        if size > 200 {
            entries[200] = Entry::erasure(200, &[[3, 5]], ["first", "second"]);
            entries[3..=5].iter_mut().for_each(Entry::erase);
        }
        Log(entries)
    }

    /// The root.
    pub fn root(&self) -> Hash {
        tlog_tiles::tree_hash(self.0.len() as u64, &self.hashes()).unwrap()
    }

    /// Its checkpoint, signed by the log and cosigned by that many of its five witnesses.
    pub fn checkpoint(&self, witnesses: usize) -> String {
        Self::checkpoint_of(self.0.len(), self.root(), witnesses)
    }

    /// The same for whoever knows the root already.
    pub fn checkpoint_of(size: usize, root: Hash, witnesses: usize) -> String {
        let checkpoint = Checkpoint::new(ORIGIN, size as u64, root, "").unwrap();
        let text = checkpoint.to_bytes();
        let signature = log_key().sign(&text).to_bytes().to_vec();
        let mut lines = vec![Signature::new(ORIGIN.to_owned(), number_of(ORIGIN, 1, &log_key()), signature).unwrap()];
        for name in WITNESSES.iter().take(witnesses) {
            let (time, key) = (u64::try_from(at(size).timestamp()).unwrap(), witness_key(name));
            let message = [format!("cosignature/v1\ntime {time}\n").as_bytes(), &text].concat();
            let signature = [&time.to_be_bytes()[..], &key.sign(&message).to_bytes()].concat();
            let name = witness_name(name);
            lines.push(Signature::new(name.clone(), number_of(&name, 4, &key), signature).unwrap());
        }
        String::from_utf8(Note::new(&text, &lines).unwrap().to_bytes()).unwrap()
    }

    /// An export of it under a checkpoint, which need not be its own.
    pub fn export(&self, checkpoint: &str) -> Export {
        let (size, hashes) = (self.0.len() as u64, self.hashes());
        let mut files = BTreeMap::from([
            ("checkpoint".to_owned(), checkpoint.as_bytes().to_vec()),
            ("policy".to_owned(), policy("quorum").into_bytes()),
        ]);
        for mut tile in Tile::new_tiles(8, 0, size) {
            let hashes = tile.read_data(&hashes).unwrap();
            files.insert(tile.path().replacen("tile/8/", "tile/", 1), hashes);
            if tile.level() == 0 {
                let first = usize::try_from(tile.level_index()).unwrap() * 256;
                let entries = &self.0[first..first + tile.width() as usize];
                tile.set_is_data();
                let bundle = entries.iter().flat_map(|it| {
                    let length = u16::try_from(it.leaf.len()).unwrap().to_be_bytes();
                    length.into_iter().chain(it.leaf.iter().copied())
                });
                files.insert(tile.path().replacen("tile/8/data/", "tile/entries/", 1), bundle.collect());
            }
        }
        let (mut openings, mut accesses) = (String::new(), String::new());
        for (number, entry) in self.0.iter().enumerate() {
            let (salt, detail) = entry.opening.clone().unzip();
            let leaf = String::from_utf8_lossy(&entry.leaf);
            let salt = salt.map(|it| STANDARD.encode(it));
            openings += &format!("{}\n", json!({ "number": number, "leaf": leaf, "salt": salt, "detail": detail }));
            if let Some(mut access) = entry.access.clone() {
                access["number"] = number.into();
                accesses += &format!("{access}\n");
            }
        }
        files.insert("openings.ndjson".to_owned(), openings.into_bytes());
        files.insert("accesses.ndjson".to_owned(), accesses.into_bytes());
        Export { files }
    }

    fn hashes(&self) -> Hashes {
        let mut hashes = Hashes(Vec::new());
        for (number, entry) in self.0.iter().enumerate() {
            let more = tlog_tiles::stored_hashes(number as u64, &entry.leaf, &hashes).unwrap();
            hashes.0.extend(more);
        }
        hashes
    }
}

struct Hashes(Vec<Hash>);

impl HashReader for Hashes {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        Ok(indexes.iter().map(|it| self.0[usize::try_from(*it).unwrap()]).collect())
    }
}

fn key(name: &str) -> SigningKey {
    SigningKey::from_bytes(&Sha256::digest(name).into())
}

fn log_key() -> SigningKey {
    key("the log")
}

fn witness_key(name: &str) -> SigningKey {
    key(name)
}

fn witness_name(name: &str) -> String {
    format!("{name}.example/witness")
}

fn material(algorithm: u8, key: &SigningKey) -> Vec<u8> {
    [&[algorithm][..], key.verifying_key().as_bytes()].concat()
}

fn number_of(name: &str, algorithm: u8, key: &SigningKey) -> u32 {
    key_id(name, &material(algorithm, key))
}

/// A policy with the log and its five witnesses: `quorum` is three of them, `none` asks for none.
pub fn policy(quorum: &str) -> String {
    let vkey = |name: &str, algorithm, key: &SigningKey| {
        format!("{name}+{:08x}+{}", number_of(name, algorithm, key), STANDARD.encode(material(algorithm, key)))
    };
    let mut text = format!("log {}\n", vkey(ORIGIN, 1, &log_key()));
    for name in WITNESSES {
        text += &format!("witness {name} {}\n", vkey(&witness_name(name), 4, &witness_key(name)));
    }
    text + &format!("group quorum 3 {}\nquorum {quorum}\n", WITNESSES.join(" "))
}

/// The files of an export.
#[derive(Debug, Clone)]
pub struct Export {
    /// By their paths in the folder.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Export {
    /// Written to a folder of its own, which goes with the answer.
    pub fn write(&self) -> Folder {
        let folder = Folder::new();
        for (path, bytes) in &self.files {
            let path = folder.0.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        folder
    }

    /// The same under another checkpoint.
    pub fn under(&self, checkpoint: &str) -> Self {
        let mut files = self.files.clone();
        files.insert("checkpoint".to_owned(), checkpoint.as_bytes().to_vec());
        Export { files }
    }

    /// The same, with the entry bundles of another.
    pub fn with_entries_of(&self, other: &Export) -> Self {
        let entries = |it: &&String| it.starts_with("tile/entries/");
        let mut files = self.files.clone();
        files.retain(|path, _| !entries(&path));
        files.extend(other.files.iter().filter(|(path, _)| entries(path)).map(|(path, it)| (path.clone(), it.clone())));
        Export { files }
    }

    /// The same without the entry bundles: what an auditor of a single agency gets.
    pub fn without_entries(mut self) -> Self {
        self.files.retain(|path, _| !path.starts_with("tile/entries/"));
        self
    }
}

/// A folder that is removed when it is dropped.
#[derive(Debug)]
pub struct Folder(pub PathBuf);

impl Folder {
    /// An empty one.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("lindung-audit-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Folder(path)
    }

    /// A file in it.
    pub fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl AsRef<Path> for Folder {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
