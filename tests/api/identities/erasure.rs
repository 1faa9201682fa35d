//! Erasure: the key is destroyed for good; what stays tells that there was a child, and no more.

use lindung_domain::section::Identifier;
use lindung_tests::{Answered, Ref, TestApp};
use lindung_vault::FileKeys;
use serde_json::{Value, json};

use super::{SCHOOL, SECTIONS, content, identified, ids, opens, path};

/// Proposes an erasure as a supervisor of an agency.
async fn proposes(app: &TestApp, agency: &str, (case, child): (&str, &str)) -> Answered {
    let body = json!({ "kind": "erase-child", "child": child, "reason": "Ordered by the court." });
    app.supervisor(agency).await.post(&format!("/v1/cases/{case}/proposals"), &body).await
}

/// Erases as two supervisors of the lead do.
async fn erase(app: &TestApp, case: &Ref, child: usize) -> Answered {
    let proposed = proposes(app, SCHOOL, (&case.id, case.child_id(child))).await.is(201);
    let other = app.person(SCHOOL, "supervisor.two", &["supervisor"], Some("education-safeguarding")).await;
    other.post(&format!("/v1/proposals/{}/confirm", proposed.body["id"].as_str().unwrap()), &json!({})).await
}

#[actix_web::test]
async fn nothing_of_an_erased_child_opens_and_nothing_is_added() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer(SCHOOL).await, app.officer("KDN.PDRM.D11").await);
    let case = opens(&school).await;
    school.refers(&case, &police).await;
    let kept = app.database.rows("select * from child_keys order by child_id");
    erase(&app, &case, 0).await.is(200);

    for section in SECTIONS {
        let seen = school.get(&path(&case, 0, section)).await.is(200);
        let found = json!([seen.body["version"], seen.body["content"], seen.body["agency"]]);
        assert_eq!(found, json!([1, Value::Null, SCHOOL]));
        assert_eq!(seen.body["erasedAt"].as_str().unwrap()[..19], app.now().to_rfc3339()[..19]);
        let again = school.put(&path(&case, 0, section), 1, &content(section, "x")).await.is_problem(409, "not-now");
        assert_eq!(again.body["detail"], "the child was erased");
        school.get(&path(&case, 1, section)).await.is(200);
    }
    assert_eq!(school.get(&case.path).await.body["children"].as_array().unwrap().len(), 2);
    let tombstone = app
        .database
        .rows("select wrapped, kek_version, destroyed_at is null as kept from child_keys where wrapped is null");
    assert_eq!(tombstone, [json!({ "wrapped": null, "kek_version": null, "kept": false })]);
    assert_eq!(app.database.count("identity_indexes"), 1);
    let by = |value| {
        let identifier = Identifier::new("mykid", value);
        identified(&app, SCHOOL, &identifier)
    };
    assert_eq!((by("identity 0"), by("identity 1")), (vec![], vec![ids(&case, 1)]));

    // Whoever was shown the child is told, and the erasure is recorded.
    let event =
        json!({ "kind": "my.gov.lindung.child.erased", "subject_id": case.child_id(0), "data": { "by": SCHOOL } });
    let told = "select kind, subject_id, data from events where kind like '%erased' and recipients @> array['KDN.PDRM.D11', 'KPM.SEKOLAH.WBA0001']";
    assert_eq!(app.database.rows(told), [event]);
    assert_eq!(app.database.count(&format!("access_log where action = 'confirm_proposal' and outcome = 'permitted' and rule = 'lead' and child_ids = array['{}'::uuid]", case.child_id(0))), 1);

    // Neither a second time nor by rotation does a key come back, nor does a key that somebody kept fit in.
    erase(&app, &case, 0).await.is_problem(409, "not-now");
    FileKeys::add(&app.database.keys).unwrap();
    assert_eq!(app.database.maintenance().rotate_keys(&mut |_, _| {}).unwrap().children, 1);
    assert_eq!(app.database.count("child_keys where wrapped is null"), 1);
    assert_eq!(kept.len(), 2);
    let back = format!(
        "insert into child_keys select * from jsonb_populate_record(null::child_keys, '{}') on conflict (child_id) do update set wrapped = excluded.wrapped",
        kept.iter().find(|it| it["child_id"] == case.child_id(0)).unwrap()
    );
    let mut conn = app.database.connection();
    let refused = diesel::connection::SimpleConnection::batch_execute(&mut conn, &back).unwrap_err();
    assert!(refused.to_string().contains("child_keys_tombstone"), "{refused}");
}

#[actix_web::test]
async fn a_child_of_whom_nothing_was_known_can_be_erased() {
    let app = TestApp::start().await;
    let school = app.officer(SCHOOL).await;
    let body = json!({ "priority": "urgent", "children": [{}] });
    let case = school.post("/v1/cases", &body).await.is(201).reference();
    erase(&app, &case, 0).await.is(200);
    let seen = school.get(&path(&case, 0, "risk")).await.is(200);
    assert_eq!(json!([seen.body["version"], seen.body["content"]]), json!([0, Value::Null]));
    assert!(seen.body["erasedAt"].is_string());
    school.put(&path(&case, 0, "risk"), 0, &content("risk", "x")).await.is_problem(409, "not-now");
}

#[actix_web::test]
async fn only_a_supervisor_of_the_lead_erases() {
    let app = TestApp::start().await;
    let school = app.officer(SCHOOL).await;
    let case = opens(&school).await;
    let (other, child) = (opens(&school).await, case.child_id(0));
    proposes(&app, SCHOOL, (&case.id, other.child_id(0))).await.is_problem(404, "not-found");
    proposes(&app, "KPWKM.JKM", (&case.id, child)).await.is_problem(404, "not-found");
    school.refers(&case, &app.officer("KPWKM.JKM").await).await;
    proposes(&app, "KPWKM.JKM", (&case.id, child)).await.is_problem(403, "not-yours-to-do");
    // One alone does not.
    proposes(&app, SCHOOL, (&case.id, child)).await.is(201);
    assert_eq!(app.database.count("child_keys where wrapped is null"), 0);
}
