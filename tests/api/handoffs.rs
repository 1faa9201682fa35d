//! Handoffs: the lead of a case, asked for, offered, and taken or not; until it is taken nothing moves.

mod acceptance;
mod clocks;
mod invariant;
mod lifecycle;

use lindung_tests::{Ref, Session, TestApp};
use serde_json::{Value, json};

const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";
const WELFARE: &str = "KPWKM.JKM";
const POLICE: &str = "KDN.PDRM.D11";

fn offer_to(agency: &str) -> Value {
    json!({ "to": agency, "keeps": "outcome-only", "reason": "She needs protection, not a school." })
}

/// Offers the case to somebody.
async fn offers(who: &Session, case: &Ref, to: &Session) -> Ref {
    who.post(&format!("{}/handoffs", case.path), &offer_to(&to.agency)).await.is(201).reference()
}

/// The school's and the welfare office's supervisors, and a case of the school's.
async fn two_sides(app: &TestApp) -> (Session, Session, Ref) {
    let (school, welfare) = (app.supervisor(SCHOOL).await, app.supervisor(WELFARE).await);
    let case = school.opens_case().await;
    (school, welfare, case)
}

/// The agency that leads the case, and that of the only live grant that comes from leading.
fn lead(app: &TestApp, case: &Ref) -> String {
    let rows = app.database.rows(&format!(
        "select c.lead_agency, (select jsonb_agg(g.agency) from grants g where g.case_id = c.id and g.source = 'lead' \
         and g.until is null) as holders from cases c where c.id = '{}'",
        case.id
    ));
    let lead = rows[0]["lead_agency"].as_str().unwrap().to_owned();
    assert_eq!(rows[0]["holders"], json!([lead]), "exactly one leads");
    lead
}
