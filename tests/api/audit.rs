//! The access log before auditors: the real service, the real pull, the real verification.
//!
//! What an auditor holds the log against comes from elsewhere, as it has to: the policy and the witnesses' checkpoint are
//! never taken from what is pulled.

mod altered;
mod visits;

use std::fs;
use std::path::PathBuf;

use chrono::Duration;
use lindung_audit::pull::{Pulled, Session, pull};
use lindung_audit::verify::{Against, Verdict, verify};
use lindung_audit::{Failure, Folder};
use lindung_client::{Api, Speaker};
use lindung_tests::{Ref, TestApp};
use serde_json::json;

const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";
const POLICE: &str = "KDN.PDRM.D11";
const MCMC: &str = "KK.MCMC";

/// An auditor's own machine: what was kept, and what is pulled.
struct Desk(PathBuf);

impl Desk {
    /// One with the policy that the witnesses gave.
    fn of(app: &TestApp) -> Self {
        let folder = app.database.keys.join("desk");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("policy"), app.notary().policy_text()).unwrap();
        Desk(folder)
    }

    /// Keeps the newest checkpoint as the witnesses have it.
    fn keeps(&self, app: &TestApp) {
        let newest = "select note || (select string_agg(line, '' order by key) from access_cosignatures s where s.size = c.size) as text \
                      from access_checkpoints c order by size desc limit 1";
        fs::write(self.0.join("kept"), app.database.rows(newest)[0]["text"].as_str().unwrap()).unwrap();
    }

    /// Pulls into a folder of that name, as an auditor of the agency.
    async fn pulls(&self, app: &TestApp, agency: &str, name: &str) -> Result<Pulled, Failure> {
        let speaker = Speaker::officer(agency, "auditor.two", "An Auditor", &["auditor"], Some("audit"));
        let api = Api::new(app.api.issuer()).unwrap();
        let mut session = Session::new(api, app.credentials(agency).clone(), speaker, app.clock());
        pull(&mut session, &self.0.join(name), &mut |_, _, _| ()).await
    }

    /// Verifies that folder against the policy and, where one was kept, the checkpoint; counts a child's accesses.
    fn verifies(&self, name: &str, child: Option<&str>) -> Verdict {
        let against = Against {
            policy: Some(self.0.join("policy")),
            older: Some(self.0.join("kept")).filter(|it| it.exists()),
            child: child.map(|it| it.parse().unwrap()),
            ..Against::default()
        };
        verify(&Folder::new(self.0.join(name)), &against).unwrap()
    }

    /// Forgets that folder.
    fn clears(&self, name: &str) {
        fs::remove_dir_all(self.0.join(name)).unwrap();
    }
}

/// So many rounds of work, five minutes each and about 17 accesses: what is seen, changed and refused, by officers of
/// three agencies and by nobody. Everything gets its number.
async fn works(app: &TestApp, case: &Ref, rounds: usize) {
    for _ in 0..rounds {
        let (school, police, mcmc) = (app.officer(SCHOOL).await, app.officer(POLICE).await, app.officer(MCMC).await);
        for path in [case.path.as_str(), case.child(0), "/v1/cases", "/v1/agencies"] {
            for officer in [&school, &police] {
                officer.get(path).await;
                officer.get(&format!("{path}/sections/narrative")).await;
            }
            mcmc.get(path).await;
        }
        app.raw("GET", &case.path, &[], None).await;
        let refused = school.post(&format!("{}/referrals", case.path), &json!({})).await;
        assert!(refused.status >= 400);
        app.wait(Duration::minutes(5));
        app.sequence();
    }
}

/// A case of the school that the police take part in.
async fn shared_case(app: &TestApp) -> Ref {
    let (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    let case = school.opens_case().await;
    let referral = school.refers(&case, &police).await;
    police.does(&referral, "accept", json!({})).await;
    case
}

/// Seals the log as it is now, with so many witnesses; returns its size.
fn seals(app: &TestApp, witnesses: usize) -> u64 {
    app.notary().seals_at(&app.database, witnesses, u64::try_from(app.now().timestamp()).unwrap())
}
