//! What everybody may check the log by: checkpoint, tiles, proofs and policy.

use lindung_ledger::checkpoint::Signed;
use lindung_ledger::policy::Policy;
use lindung_ledger::tree::{Frontier, Hash, check_consistency, check_inclusion, from_bytes, leaf_hash};
use lindung_tests::TestApp;
use serde_json::{Value, json};

use super::{SCHOOL, bytes, started};

/// The newest checkpoint, and whether enough have witnessed it.
async fn checkpoint(app: &TestApp, query: &str) -> (Signed, String) {
    let reply = app.raw("GET", &format!("/v1/access-log/checkpoint{query}"), &[], None).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(reply.header("cache-control"), Some("max-age=5"));
    let signed = Signed::parse(reply.body.as_str().unwrap().as_bytes()).unwrap();
    (signed, reply.header("lindung-quorum").unwrap().to_owned())
}

#[actix_web::test]
async fn a_checkpoint_below_quorum_is_served_as_such() {
    let (app, notary) = started().await;
    let path = "/v1/access-log/checkpoint";
    assert_eq!(app.raw("GET", path, &[], None).await.status, 404, "there is none yet");
    let school = app.officer(SCHOOL).await;
    school.opens_case().await;
    app.sequence();
    let first = notary.seals(&app.database, 3);
    let (signed, quorum) = checkpoint(&app, "").await;
    assert_eq!((signed.checkpoint().size, quorum.as_str()), (first, "met"));
    assert_eq!(signed.checkpoint().origin, app.origin());
    school.opens_case().await;
    app.sequence();
    let second = notary.seals(&app.database, 2);
    let (newest, quorum) = checkpoint(&app, "").await;
    assert_eq!((newest.checkpoint().size, quorum.as_str()), (second, "below"));
    let (witnessed, quorum) = checkpoint(&app, "?witnessed=true").await;
    assert_eq!((witnessed.checkpoint().size, quorum.as_str()), (first, "met"));
    let policy = app.raw("GET", "/v1/access-log/policy", &[], None).await;
    let policy = Policy::parse(policy.body.as_str().unwrap().as_bytes()).unwrap();
    assert!(policy.status(&witnessed).unwrap().met);
    assert!(!policy.status(&newest).unwrap().met);
    let tree = app.raw("GET", "/v1/access-log/tree", &[], None).await.body;
    assert_eq!(tree["checkpoint"]["size"], second);
    assert_eq!(
        tree["checkpoint"]["cosigned"],
        json!([
            { "witness": "kdn", "at": "2026-11-24T02:01:40Z" }, { "witness": "kpm", "at": "2026-11-24T02:01:40Z" },
        ])
    );
    assert_eq!(
        [&tree["checkpoint"]["needed"], &tree["checkpoint"]["of"], &tree["checkpoint"]["met"]],
        [&json!(3), &json!(5), &json!(false)]
    );
    assert_eq!([&tree["witnessed"]["size"], &tree["witnessed"]["met"]], [&json!(first), &json!(true)]);
}

#[actix_web::test]
async fn tiles_and_proofs_lead_to_the_root_that_was_signed() {
    let (app, notary) = started().await;
    // As many refusals as make a full tile and more.
    for _ in 0..2 {
        app.database.execute(
            "insert into access_log (id, at, request_id, roles, action, outcome, case_ids, child_ids, sections, count) \
             select gen_random_uuid(), now(), gen_random_uuid(), '{}', 'get_case', 'denied', '{}', '{}', '{}', 0 from generate_series(1, 150)",
        );
        app.sequence();
        notary.seals(&app.database, 5);
    }
    let (signed, _) = checkpoint(&app, "").await;
    let (size, root) = (signed.checkpoint().size, signed.checkpoint().root);
    assert_eq!(size, 300);
    let mut frontier = Frontier::new();
    for path in ["0/000", "0/001.p/44"] {
        let (status, tile) = bytes(&app, &format!("/v1/access-log/tile/{path}"), None).await;
        assert_eq!(status, 200, "{path}");
        from_bytes(&tile).unwrap().into_iter().for_each(|it| frontier.push(it));
    }
    assert_eq!(frontier.root(), root);
    let (_, whole) = bytes(&app, "/v1/access-log/tile/0/000", None).await;
    assert_eq!(
        bytes(&app, "/v1/access-log/tile/0/000.p/150", None).await.1,
        whole[..150 * 32],
        "a part is a beginning"
    );
    assert_eq!(bytes(&app, "/v1/access-log/tile/1/000.p/1", None).await.0, 200);
    for none in [
        "0/001",
        "0/001.p/45",
        "0/002.p/1",
        "1/000.p/2",
        "0/0",
        "0/x009/x223/x372/x036/x854/x775/808",
        "0/x018/x446/x744/x073/x709/x551/615",
        "0/000.p/256",
        "0/000.p/0",
        "00/000",
        "64/000",
        "-1/000",
        "0/x000/000",
        "0",
        "",
        "0/000/",
    ] {
        assert_eq!(bytes(&app, &format!("/v1/access-log/tile/{none}"), None).await.0, 404, "{none}");
    }

    let auditor = app.auditor("PP").await;
    let (status, bundle) = bytes(&app, "/v1/access-log/tile/entries/001.p/44", Some(&auditor)).await;
    assert_eq!(status, 200);
    let leaves = lindung_ledger::bundle::decode(&bundle, 44).unwrap();
    let stored = app.database.leaves();
    assert_eq!(leaves, stored[256..300].iter().map(|it| it.as_bytes()).collect::<Vec<_>>());

    let proof = app.raw("GET", "/v1/access-log/consistency?from=150&to=300", &[], None).await.body;
    let hashes: Vec<Hash> =
        proof["hashes"].as_array().unwrap().iter().map(|it| Hash::parse_hash(it.as_str().unwrap()).unwrap()).collect();
    let mut older = Frontier::new();
    stored[..150].iter().for_each(|it| older.push(leaf_hash(it.as_bytes())));
    check_consistency(&hashes, 300, root, 150, older.root()).unwrap();
    for (query, status) in [
        ("from=1&to=301", 404),
        ("from=2&to=1", 400),
        ("from=-1&to=1", 400),
        ("from=1", 400),
        ("from=1&to=9007199254740993", 404),
    ] {
        let reply = app.raw("GET", &format!("/v1/access-log/consistency?{query}"), &[], None).await;
        assert_eq!(reply.status, status, "{query}: {}", reply.body);
    }

    let row = app
        .database
        .rows("select entry_id as id, convert_from(leaf, 'UTF8') as leaf from access_leaves where number = 42");
    let text = auditor.get(&format!("/v1/access-log/{}/proof", row[0]["id"].as_str().unwrap())).await.is(200);
    let proof: lindung_ledger::proof::Proof = text.body.as_str().unwrap().parse().unwrap();
    assert_eq!(proof.index, 42);
    assert_eq!(Signed::parse(proof.checkpoint.as_bytes()).unwrap(), signed);
    check_inclusion(&proof.hashes, size, root, 42, leaf_hash(row[0]["leaf"].as_str().unwrap().as_bytes())).unwrap();
}

#[actix_web::test]
async fn there_is_no_proof_before_a_checkpoint_covers_the_access() {
    let (app, notary) = started().await;
    let (school, auditor) = (app.officer(SCHOOL).await, app.auditor("PP").await);
    let seen = school.opens_case().await;
    let id = app.database.rows("select id from access_log")[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/access-log/{id}/proof");
    auditor.get(&path).await.is_problem(404, "not-found");
    app.sequence();
    notary.seals(&app.database, 5);
    auditor.get(&path).await.is(200);
    school.get(&seen.path).await.is(200);
    app.sequence();
    let id =
        app.database.rows("select id from access_log where action = 'get_case'")[0]["id"].as_str().unwrap().to_owned();
    let none = auditor.get(&format!("/v1/access-log/{id}/proof")).await.is_problem(503, "unavailable");
    assert!(none.header("retry-after").is_some());
    notary.seals(&app.database, 5);
    auditor.get(&format!("/v1/access-log/{id}/proof")).await.is(200);
    assert_eq!(school.get(&path).await.is_problem(403, "not-yours-to-do").body["errors"], Value::Null);
}
