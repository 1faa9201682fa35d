//! Leaves, and what opens them: for auditors, each as far as the access log is theirs.

use insta::assert_snapshot;
use lindung_ledger::leaf::{Detail, Leaf};
use serde_json::json;

use super::{SCHOOL, bytes, leaf, lines, opening, started};

#[actix_web::test]
async fn a_leaf_tells_who_and_when_and_only_its_opening_of_whom() {
    let (app, _) = started().await;
    let school = app.officer(SCHOOL).await;
    let case = school.opens_case().await;
    school.get(&format!("{}/sections/risk", case.child(0))).await;
    app.sequence();
    let auditor = app.auditor("PP").await;
    let lines = lines(&auditor.get("/v1/access-log/openings").await.is(200));
    assert_eq!(lines.len(), 2);
    for line in &lines {
        let (Leaf::Access(leaf), Some(opening)) = (leaf(line), opening(line)) else { panic!("{line}") };
        assert!(opening.opens(&leaf.detail));
        let text = line["leaf"].as_str().unwrap();
        for secret in [case.id.as_str(), case.child_id(0), "risk"] {
            assert!(!text.contains(secret), "{text}");
        }
        let detail = Detail::from_bytes(&opening.detail).unwrap();
        assert_eq!(detail.child_ids[0].to_string(), case.child_id(0));
        let row = app.database.rows(&format!("select to_jsonb(a) as a from access_log a where id = '{}'", leaf.id));
        let row = &row[0]["a"];
        assert_eq!(
            json!([
                leaf.request_id,
                leaf.client,
                leaf.agency,
                leaf.officer,
                leaf.roles,
                leaf.purpose,
                leaf.action,
                leaf.outcome,
                leaf.rule,
                leaf.count
            ]),
            json!([
                row["request_id"],
                row["client_id"],
                row["agency"],
                row["officer"],
                row["roles"],
                row["purpose"],
                row["action"],
                row["outcome"],
                row["rule"],
                row["count"]
            ])
        );
        assert_eq!(
            json!([detail.target, detail.case_ids, detail.child_ids, detail.sections]),
            json!([row["target"], row["case_ids"], row["child_ids"], row["sections"]])
        );
    }
    // The same number as in the log itself.
    app.database.settle();
    let log = auditor.get("/v1/access-log").await.is(200);
    let numbers: Vec<_> = log.items().iter().map(|it| it["number"].clone()).collect();
    assert_eq!(numbers, [json!(0), json!(1), json!(null)], "the last, of reading the openings, has none yet");
}

#[actix_web::test]
async fn every_auditor_reads_what_is_theirs() {
    let (app, _) = started().await;
    let (school, police) = (app.officer(SCHOOL).await, app.officer("KDN.PDRM.D11").await);
    let case = school.opens_case().await;
    school.refers(&case, &police).await;
    police.get(&case.path).await;
    app.raw("GET", &case.path, &[], None).await;
    app.sequence();
    let mut seen = String::new();
    for agency in ["PP", "SUHAKAM.OCC", "KDN.PDRM.D11", SCHOOL, "KK.MCMC"] {
        let auditor = app.auditor(agency).await;
        let page = auditor.get("/v1/access-log/openings").await.is(200);
        assert_eq!(page.header("content-type"), Some("application/x-ndjson"));
        let found: Vec<String> = lines(&page).iter().map(|it| it["number"].to_string()).collect();
        let (bundle, _) = bytes(&app, "/v1/access-log/tile/entries/000.p/4", Some(&auditor)).await;
        seen += &format!("{agency}: {}; bundle {bundle}\n", found.join(" "));
    }
    assert_snapshot!(seen, @r"
    PP: 0 1 2 3; bundle 200
    SUHAKAM.OCC: 0 1 2 3; bundle 200
    KDN.PDRM.D11: 2; bundle 403
    KPM.SEKOLAH.WBA0001: 0 1; bundle 403
    KK.MCMC: ; bundle 403
    ");
    let auditor = app.auditor("PP").await;
    let some = lines(&auditor.get("/v1/access-log/openings?from=1&limit=2").await.is(200));
    assert_eq!([&some[0]["number"], &some[1]["number"]], [&json!(1), &json!(2)]);
    auditor.get("/v1/access-log/openings?limit=1001").await.is(422).about("limit", "range");
    auditor.get("/v1/access-log/openings?from=-1").await.is(400);
    auditor.get("/v1/access-log/openings?form=1").await.is(400);
    school.get("/v1/access-log/openings").await.is_problem(403, "not-yours-to-do");
    assert_eq!(bytes(&app, "/v1/access-log/tile/entries/000.p/4", Some(&school)).await.0, 403);
    assert_eq!(bytes(&app, "/v1/access-log/tile/entries/000.p/4", None).await.0, 401);
    assert_eq!(bytes(&app, "/v1/access-log/tile/entries/000", Some(&auditor)).await.0, 404, "not so many yet");
}
