//! Data-sharing requests (Act 864): asked, answered within a time, and registered.

mod granting;
mod lifecycle;
mod register;

use lindung_tests::{Ref, Session, TestApp};
use serde_json::{Value, json};

const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";
const POLICE: &str = "KDN.PDRM.D11";

/// What is asked of the school.
fn asking() -> Value {
    json!({
        "dataRequested": "Pupils threatened with images since August.",
        "purpose": "A864.13.b",
        "purposeText": "To find whoever threatens them.",
        "provider": SCHOOL,
        "handling": "Kept sealed, by two officers.",
    })
}

/// Asks the school for data.
async fn asks(who: &Session) -> Ref {
    who.post("/v1/data-sharing-requests", &asking()).await.is(201).reference()
}

/// The school's supervisor and an officer of the police, who has asked.
async fn two_sides(app: &TestApp) -> (Session, Session, Ref) {
    let (school, police) = (app.supervisor(SCHOOL).await, app.officer(POLICE).await);
    let request = asks(&police).await;
    (school, police, request)
}

/// What is granted of a case.
fn sharing(case: &Ref, sections: &[&str]) -> Value {
    json!({
        "shares": [{ "case": case.id, "sections": sections }],
        "purposes": ["investigation"],
        "until": "2026-12-24T00:00:00Z",
    })
}

fn refusal() -> Value {
    json!({ "grounds": ["A864.15.e"], "reason": "It is before the court." })
}

/// The kinds of what happened to a request, in its order.
fn told(app: &TestApp, request: &Ref) -> Vec<String> {
    let rows = app.database.rows(&format!(
        "select replace(kind, 'my.gov.lindung.', '') as kind, case_version from events where subject_id = '{}' order by case_version",
        request.id
    ));
    assert!(rows.iter().enumerate().all(|(at, it)| it["case_version"] == at + 1), "{rows:?}");
    rows.iter().map(|it| it["kind"].as_str().unwrap().to_owned()).collect()
}
