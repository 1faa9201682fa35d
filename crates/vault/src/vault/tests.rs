use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;

use super::*;
use crate::FileKeys;

/// A folder that goes when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("lindung-vault-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
        let folder = Folder(std::env::temp_dir().join(name));
        FileKeys::add(&folder.0).unwrap();
        folder
    }

    fn vault(&self) -> Vault {
        Vault::new(FileKeys::open(&self.0).unwrap()).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn place(child: u8) -> Place {
    Place::new("child_keys", "wrapped", &[&[child]])
}

#[test]
fn a_key_is_unwrapped_at_its_place_and_under_its_version_alone() {
    let folder = Folder::new();
    let vault = folder.vault();
    let (key, wrapped) = vault.new_key(&place(1)).unwrap();
    let sealed = key.seal(&place(1), b"x").unwrap();
    assert_eq!(vault.unwrap(&wrapped, &place(1)).unwrap().open(&place(1), &sealed).unwrap(), b"x");
    assert_eq!(vault.unwrap(&wrapped, &place(2)).err(), Some(Error::DoesNotOpen));
    assert_eq!(FileKeys::add(&folder.0), Ok(2));
    let other = Wrapped { version: 2, ..wrapped.clone() };
    assert_eq!(vault.unwrap(&other, &place(1)).err(), Some(Error::DoesNotOpen));
    assert_eq!(vault.unwrap(&Wrapped { version: 3, ..wrapped }, &place(1)).err(), Some(Error::NoVersion(3)));
}

#[test]
fn a_version_that_is_added_is_used_at_once_and_an_old_one_can_go() {
    let folder = Folder::new();
    let vault = folder.vault();
    let (key, old) = vault.new_key(&place(1)).unwrap();
    let sealed = key.seal(&place(1), b"x").unwrap();
    let before = vault.token("mykid", "1").unwrap();
    FileKeys::add(&folder.0).unwrap();
    // The clock of a file system may stand still between the two, until a version is met that is not known.
    vault.unwrap(&Wrapped { version: 2, bytes: vec![0; 60] }, &place(1)).err().unwrap();
    assert_eq!(vault.current(), Ok(2));
    let new = vault.wrap(&key, &place(1)).unwrap();
    assert_eq!(new.version, 2);
    let tokens = vault.tokens("mykid", "1").unwrap();
    assert_eq!(tokens, [before.clone(), vault.token("mykid", "1").unwrap()]);
    assert_ne!(tokens[1].bytes, before.bytes);
    fs::remove_file(folder.0.join("1.key")).unwrap();
    let vault = folder.vault();
    assert_eq!(vault.unwrap(&new, &place(1)).unwrap().open(&place(1), &sealed).unwrap(), b"x");
    assert_eq!(vault.unwrap(&old, &place(1)).err(), Some(Error::NoVersion(1)));
}

#[test]
fn a_folder_that_is_not_as_it_should_be_says_so() {
    let told = |found: Result<FileKeys, Error>| found.err().unwrap().to_string();
    let folder = Folder::new();
    fs::write(folder.0.join("notes.txt"), "not a key").unwrap();
    assert_eq!(folder.vault().versions(), Ok(vec![1]));
    fs::write(folder.0.join("2.key"), "short").unwrap();
    assert!(told(FileKeys::open(&folder.0)).ends_with("2.key has not 32 bytes"));
    fs::remove_file(folder.0.join("1.key")).unwrap();
    fs::remove_file(folder.0.join("2.key")).unwrap();
    assert!(told(FileKeys::open(&folder.0)).contains("has no identity key"));
    assert!(told(FileKeys::open(&folder.0.join("nowhere"))).contains("nowhere is missing"));
    assert_eq!(Vault::locked().new_key(&place(1)).err(), Some(Error::Locked));
}

#[test]
fn nothing_of_a_key_shows_in_debug_output() {
    assert_eq!(format!("{:?}", Folder::new().vault()), "Vault(…)");
}

proptest! {
    #[test]
    fn a_token_stands_for_one_register_and_value(a in "[ab]{0,3}", b in "[ab]{0,3}", c in "[ab]{0,3}", d in "[ab]{0,3}") {
        let folder = Folder::new();
        let vault = folder.vault();
        let equal = vault.token(&a, &b).unwrap() == vault.token(&c, &d).unwrap();
        prop_assert_eq!(equal, (a, b) == (c, d));
        prop_assert_eq!(vault.token("a", "b").unwrap().bytes.len(), TOKEN);
    }
}
