//! Units and contacts are kept by the administrators of those above them.

use lindung_tests::{Session, TestApp};
use rstest::rstest;
use serde_json::{Value, json};

fn unit(code: &str, parent: &str) -> Value {
    json!({
        "code": code, "parent": parent,
        "names": { "ms": "SMK Baharu (rekaan)", "en": "New Secondary School (fictitious)" },
        "contacts": [{ "desk": "Kaunselor", "telephone": "03-5550 0199", "hours": "24/7" }],
    })
}

fn kept(active: bool) -> Value {
    json!({
        "names": { "ms": "Nama baharu", "en": "New name" },
        "contacts": [{ "desk": "Meja", "telephone": "03-5550 0198", "hours": "24/7" }],
        "active": active,
    })
}

async fn post(by: &Session, key: &str, body: &Value) -> lindung_tests::Answered {
    by.send("POST", "/v1/agencies", &[("idempotency-key", key)], Some(body)).await
}

#[actix_web::test]
async fn an_administrator_registers_a_unit() {
    let app = TestApp::start().await;
    let education = app.administrator("KPM").await;
    let done = education.post("/v1/agencies", &unit("KPM.SEKOLAH.NEW1", "KPM.SEKOLAH")).await.is(201);
    assert_eq!(done.header("location"), Some("/v1/agencies/KPM.SEKOLAH.NEW1"));
    assert_eq!(done.header("etag"), Some("\"1\""));
    assert_eq!(
        done.body,
        json!({
            "code": "KPM.SEKOLAH.NEW1", "version": 1, "links": { "self": "/v1/agencies/KPM.SEKOLAH.NEW1" },
        })
    );
    let read = app.client("KK").await.get("/v1/agencies/KPM.SEKOLAH.NEW1").await.is(200);
    assert_eq!((&read.body["ministry"], &read.body["kind"]), (&json!("education"), &json!("unit")));
    assert_eq!((&read.body["contacts"][0]["desk"], &read.body["confidence"]), (&json!("Kaunselor"), &json!("setting")));

    education.post("/v1/agencies", &unit("KPM.SEKOLAH.NEW1", "KPM.SEKOLAH")).await.is_problem(409, "exists");
    education.post("/v1/agencies", &unit("KDN", "KPM.SEKOLAH")).await.is_problem(409, "exists");
    assert_eq!(app.database.rows("select ministry from agencies where code = 'KDN'"), [json!({ "ministry": "home" })]);
}

#[actix_web::test]
async fn a_unit_is_registered_below_one_that_is_the_administrators() {
    let app = TestApp::start().await;
    let (education, police) = (app.administrator("KPM").await, app.administrator("KDN.PDRM.D11").await);
    let of_school = unit("KPM.SEKOLAH.NEW1", "KPM.SEKOLAH");
    police.post("/v1/agencies", &of_school).await.is_problem(403, "not-yours-to-do");
    police.post("/v1/agencies", &unit("KDN.NEW1", "KDN.PDRM")).await.is_problem(403, "not-yours-to-do");
    police.post("/v1/agencies", &unit("KDN.NEW1", "KDN.PDRM.D11.KL")).await.is(201);
    education
        .post("/v1/agencies", &unit("KPM.NEW1", "KPM.NOWHERE"))
        .await
        .is_problem(422, "invalid")
        .about("parent", "unknown-agency");
    for other in
        [app.officer("KPM").await, app.supervisor("KPM").await, app.auditor("KPM").await, app.client("KPM").await]
    {
        other.post("/v1/agencies", &of_school).await.is_problem(403, "not-yours-to-do");
        other.put("/v1/agencies/KPM", 1, &kept(true)).await.is_problem(403, "not-yours-to-do");
    }
    assert_eq!(app.database.count("agencies where confidence = 'setting' and kind = 'unit'"), 1);
    let denied = app.database.count("access_log where action = 'register_unit' and outcome = 'denied'");
    assert_eq!(denied, 6);
}

#[actix_web::test]
async fn a_heading_without_a_parent_is_kept_by_the_secretariat() {
    let app = TestApp::start().await;
    let (secretariat, hospital) = (app.administrator("PP").await, app.administrator("KKM.OSCC.HKL").await);
    let clinic = unit("KKM.OSCC.NEW1", "KKM.OSCC");
    hospital.post("/v1/agencies", &clinic).await.is_problem(403, "not-yours-to-do");
    hospital.put("/v1/agencies/KKM.OSCC", 1, &kept(true)).await.is_problem(403, "not-yours-to-do");
    hospital.put("/v1/agencies/KKM.OSCC.HTAR", 1, &kept(true)).await.is_problem(403, "not-yours-to-do");
    hospital.put("/v1/agencies/KKM.OSCC.HKL", 1, &kept(true)).await.is(200);
    secretariat.post("/v1/agencies", &clinic).await.is(201);
    secretariat.put("/v1/agencies/KKM.OSCC", 1, &kept(true)).await.is(200);
    secretariat.put("/v1/agencies/KKM.OSCC.HTAR", 1, &kept(true)).await.is(200);
    // But no ministry, nor what stands below it.
    secretariat.put("/v1/agencies/KPM", 1, &kept(true)).await.is_problem(403, "not-yours-to-do");
    secretariat.put("/v1/agencies/KPM.SEKOLAH", 1, &kept(true)).await.is_problem(403, "not-yours-to-do");
    secretariat.put("/v1/agencies/SUHAKAM.OCC", 1, &kept(true)).await.is_problem(403, "not-yours-to-do");
}

#[actix_web::test]
async fn registering_is_repeated_safely_while_the_right_lasts() {
    let app = TestApp::start().await;
    let education = app.administrator("KPM").await;
    let new = unit("KPM.SEKOLAH.NEW1", "KPM.SEKOLAH");
    education.send("POST", "/v1/agencies", &[], Some(&new)).await.is_problem(400, "idempotency-key-required");
    let first = post(&education, "k", &new).await.is(201);
    let again = post(&education, "k", &new).await.is(201);
    assert_eq!((&again.body, again.header("location")), (&first.body, first.header("location")));
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), (None, Some("true")));
    post(&education, "k", &unit("KPM.SEKOLAH.NEW2", "KPM.SEKOLAH")).await.is_problem(422, "idempotency-key-reused");

    app.database.execute("update agencies set parent = null where code = 'KPM.JPN'");
    post(&education, "k", &new).await.is_problem(403, "not-yours-to-do");
    let logged = app.database.rows("select outcome from access_log where action = 'register_unit' order by xid, id");
    let outcomes: Vec<&str> = logged.iter().map(|it| it["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["invalid", "permitted", "replayed", "invalid", "denied"]);
}

#[actix_web::test]
async fn contacts_are_changed_from_the_version_that_is_known() {
    let app = TestApp::start().await;
    let education = app.administrator("KPM").await;
    let path = "/v1/agencies/KPM.SEKOLAH.WBA0001";
    education.send("PUT", path, &[], Some(&kept(true))).await.is_problem(428, "precondition-required");
    let stale = education.put(path, 7, &kept(true)).await.is_problem(412, "stale");
    assert_eq!((&stale.body["currentVersion"], stale.header("etag")), (&json!(1), Some("\"1\"")));
    let done = education.put(path, 1, &kept(true)).await.is(200);
    assert_eq!(done.body, json!({ "code": "KPM.SEKOLAH.WBA0001", "version": 2, "links": { "self": path } }));
    assert_eq!((done.header("etag"), done.header("location")), (Some("\"2\""), None));
    education.put(path, 1, &kept(true)).await.is_problem(412, "stale");

    let read = education.get(path).await.is(200);
    assert_eq!((&read.body["names"], &read.body["contacts"]), (&kept(true)["names"], &kept(true)["contacts"]));
    assert_eq!((&read.body["version"], &read.body["parent"]), (&json!(2), &json!("KPM.SEKOLAH")));

    // A later seeding of reference data leaves it.
    app.database.maintenance().seed_reference(app.now()).unwrap();
    assert_eq!(education.get(path).await.body, read.body);

    education.put("/v1/agencies/KPM.NOWHERE", 1, &kept(true)).await.is_problem(404, "not-found");
    let police = app.administrator("KDN").await;
    police.put(path, 1, &kept(true)).await.is_problem(403, "not-yours-to-do");
    app.administrator("KPM.SEKOLAH.WBA0001").await.put(path, 2, &kept(true)).await.is(200);
}

#[actix_web::test]
async fn an_agency_that_no_longer_takes_part_stays_on_the_list_and_is_asked_nothing() {
    let app = TestApp::start().await;
    let (education, school) = (app.administrator("KPM").await, app.officer("KPM.SEKOLAH.WBA0001").await);
    let police = app.officer("KDN.PDRM.D11").await;
    let case = police.opens_case().await;
    education.put("/v1/agencies/KPM.SEKOLAH.WBA0001", 1, &kept(false)).await.is(200);
    assert_eq!(education.get("/v1/agencies/KPM.SEKOLAH.WBA0001").await.is(200).body["active"], false);
    school.get("/v1/cases").await.is_problem(401, "unauthenticated");
    let asked = lindung_tests::referral_body("KPM.SEKOLAH.WBA0001");
    police.post(&format!("{}/referrals", case.path), &asked).await.is_problem(422, "invalid");
    education.put("/v1/agencies/KPM.SEKOLAH.WBA0001", 2, &kept(true)).await.is(200);
    school.get("/v1/cases").await.is(200);
}

#[rstest]
#[case("/code", json!("kpm.new"), 400, "code", "format")]
#[case("/code", json!("A".repeat(65)), 400, "code", "format")]
#[case("/parent", Value::Null, 400, "parent", "type")]
#[case("/names/ms", json!(""), 422, "names.ms", "length")]
#[case("/names/en", json!("x".repeat(201)), 422, "names.en", "length")]
#[case("/names/ms", json!("a\0b"), 400, "names.ms", "characters")]
#[case("/contacts", json!([{ "desk": "", "telephone": "1", "hours": "1" }]), 422, "contacts", "length")]
#[case("/contacts", json!([{ "desk": "x", "telephone": "1".repeat(41), "hours": "1" }]), 422, "contacts", "length")]
#[case("/contacts", json!(vec![json!({ "desk": "x", "telephone": "1", "hours": "1" }); 21]), 422, "contacts", "length")]
#[case("/contacts", json!([{ "desk": "x", "telephone": "1", "hours": "1", "fax": "1" }]), 400, "contacts[0].fax", "unknown")]
#[actix_web::test]
async fn a_field_that_cannot_be_taken_is_named(
    #[case] at: &str,
    #[case] value: Value,
    #[case] status: u16,
    #[case] field: &str,
    #[case] code: &str,
) {
    let app = TestApp::start().await;
    let mut body = unit("KPM.SEKOLAH.NEW1", "KPM.SEKOLAH");
    *body.pointer_mut(at).unwrap() = value;
    let slug = if status == 422 { "invalid" } else { "malformed" };
    app.administrator("KPM").await.post("/v1/agencies", &body).await.is_problem(status, slug).about(field, code);
    assert_eq!(app.database.count("agencies where code like '%NEW1'"), 0);
}
