//! What has one place in the code has one place.

use std::fs;
use std::path::Path;

use rstest::rstest;

use super::root;

/// A file of the code.
pub(super) struct File {
    path: String,
    pub(super) text: String,
}

/// Every Rust file under a folder of the project.
pub(super) fn files(folder: &str) -> Vec<File> {
    let (mut found, root) = (Vec::new(), root());
    collect(&root.join(folder), &root, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "{folder} has no code");
    found
}

fn collect(folder: &Path, root: &Path, found: &mut Vec<File>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, root, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            found.push(File { path: name, text: fs::read_to_string(&path).unwrap() });
        }
    }
}

/// The code without its comments: what is told of a rule does not break it.
fn code(text: &str) -> String {
    text.lines().filter(|it| !it.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n").to_lowercase()
}

#[rstest]
#[case::the_log_is_written("insert into access_log", "crates/persistence/src/access_log.rs")]
#[case::proofs_are_spent("insert into spent_proofs", "crates/persistence/src/proofs.rs")]
#[case::events_are_written("insert into events", "crates/persistence/src/events.rs")]
#[case::a_transaction_begins("begin_transaction", "crates/persistence/src/db/connection.rs")]
#[case::connections_are_taken("pool.get()", "crates/persistence/src/db/connection.rs")]
#[case::ids_are_made("uuid::now_v7()", "crates/persistence/src/db/connection.rs")]
#[case::work_may_block("web::block(", "crates/http/src/app.rs")]
#[case::an_error_becomes_an_answer("impl responseerror for", "crates/http/src/problem.rs")]
fn it_has_one_place(#[case] what: &str, #[case] place: &str) {
    let places: Vec<String> = files("crates")
        .into_iter()
        .flat_map(|it| std::iter::repeat_n(it.path, code(&it.text).matches(what).count()))
        .collect();
    assert_eq!(places, [place], "{what}");
}

/// Every other `transaction(` is the database's own, which begins it there.
#[test]
fn nothing_else_begins_a_transaction() {
    for File { path, text } in files("crates") {
        let code = code(&text);
        let raw = code.matches(".transaction(").count() - code.matches("self.transaction(").count();
        assert_eq!(raw, 0, "{path}");
        assert!(!code.contains("\"begin") || path == "crates/persistence/src/db/connection.rs", "{path} begins one");
        for word in ["build_transaction", "\"commit", "insert_into(events", "insert_into(access_log"] {
            assert!(!code.contains(word), "{path} has {word}");
        }
    }
}

/// Each crate knows only what it is about.
#[rstest]
#[case("crates/domain/src", &["diesel", "actix", "jsonwebtoken", "statuscode", "reqwest"])]
#[case("crates/persistence/src", &["actix", "jsonwebtoken", "statuscode", "reqwest"])]
#[case("crates/http/src", &["diesel", "reqwest"])]
#[case("crates/vault/src", &["lindung_", "diesel", "actix", "serde", "chrono"])]
#[case("crates/audit/src", &["lindung_domain", "lindung_persistence", "lindung_http", "diesel", "actix"])]
#[case("crates/client/src", &["lindung_domain", "lindung_persistence", "lindung_http", "diesel", "actix"])]
#[case("crates/ledger/src", &["lindung_", "diesel", "actix", "reqwest"])]
#[case("crates/witness/src", &["lindung_domain", "lindung_persistence", "lindung_http", "diesel", "reqwest"])]
#[case("crates/signer/src", &["lindung_domain", "lindung_http", "diesel", "actix", "reqwest"])]
fn a_crate_knows_nothing_of(#[case] folder: &str, #[case] absent: &[&str]) {
    for File { path, text } in files(folder) {
        let code = code(&text);
        for word in absent {
            assert!(!code.contains(word), "{path} knows {word}");
        }
    }
}

#[test]
fn no_file_is_long() {
    let all = files("crates").into_iter().chain(files("tests"));
    let long: Vec<(String, usize)> = all
        .map(|it| (it.path, it.text.lines().count()))
        .filter(|it| it.1 > 350 && it.0 != "crates/persistence/src/schema.rs")
        .collect();
    assert_eq!(long, [], "beyond 350 lines a file becomes a folder");
}
