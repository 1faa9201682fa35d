//! Row-level security alone, without the service in front: over the generated world, of every actor, it shows the rows
//! that the domain lets them know of, and no other.
//!
//! | rows | shown where the domain |
//! | --- | --- |
//! | `cases`, `grants` | does not answer "not found" for the case, or for one of its referrals |
//! | `children` | does not answer "not found" for a section of the child |
//! | `sections`, `child_identities` | permits reading the section |
//! | `referrals` | does not answer "not found" for the referral |
//! | `messages` | permits reading the messages of the referral, or of the case |
//! | `events` | hides neither the case nor the child by a shield, and the agency is among those told |

use std::collections::{BTreeMap, BTreeSet};

use lindung_domain::policy::{self, Act};
use lindung_domain::{Actor, ChildId, Purpose, Refusal, Role, Section};
use lindung_tests::{TestApp, context};
use serde_json::{Value, json};

use crate::policy::oracle::{Known, Oracle};
use crate::policy::world::World;

/// The tables that are compared, each with what tells a row of it.
const COMPARED: [(&str, &str); 8] = [
    ("cases", "id"),
    ("children", "id"),
    ("grants", "id"),
    ("events", "id"),
    ("messages", "id"),
    ("referrals", "id"),
    ("sections", "concat(case_id, child_id, section)"),
    ("child_identities", "child_id"),
];

type Rows = BTreeMap<&'static str, BTreeSet<String>>;

fn keys(rows: &[Value]) -> BTreeSet<String> {
    rows.iter().map(|it| it["key"].as_str().unwrap().to_owned()).collect()
}

/// What the domain lets the actor know of, among everything that there is.
struct Expected<'a> {
    app: &'a TestApp,
    oracle: &'a Oracle,
    actor: &'a Actor,
}

impl Expected<'_> {
    fn referral(&self, known: &Known, act: Act) -> Result<(), Refusal> {
        let asking = self.oracle.asking(self.actor);
        known.it.require_read(act, &self.oracle.files[known.file], &asking).map(drop)
    }

    fn case(&self, id: &Value) -> bool {
        let at = self.place(id);
        let relations = self.oracle.files[at].relations(&self.oracle.asking(self.actor));
        let of_referral = |it: &Known| it.file == at && self.referral(it, Act::ReadReferral) != Err(Refusal::NotFound);
        policy::require(self.actor, Act::ReadCase, &relations) != Err(Refusal::NotFound)
            || self.oracle.referrals.iter().any(of_referral)
    }

    fn section(&self, row: &Value, section: Section, child: Option<ChildId>) -> Result<(), Refusal> {
        let file = &self.oracle.files[self.place(&row["case_id"])];
        let relations = file.relations_to(section, child, &self.oracle.asking(self.actor));
        policy::require(self.actor, Act::ReadSection, &relations).map(drop)
    }

    fn child(&self, row: &Value, id: &Value) -> bool {
        self.section(row, Section::Risk, child(id)) != Err(Refusal::NotFound)
    }

    fn message(&self, row: &Value) -> bool {
        let Some(referral) = row["referral_id"].as_str() else {
            let relations = self.oracle.files[self.place(&row["case_id"])].relations(&self.oracle.asking(self.actor));
            return policy::permits(self.actor, Act::ReadMessages, &relations).is_some();
        };
        let known = self.oracle.referrals.iter().find(|it| it.it.record().id.to_string() == referral);
        self.referral(known.unwrap(), Act::ReadMessages).is_ok()
    }

    fn event(&self, row: &Value) -> bool {
        let told = row["recipients"].as_array().unwrap().iter().any(|it| *it == self.actor.agency().as_str());
        let child = (row["subject_type"] == "child").then(|| child(&row["subject_id"])).flatten();
        told && self.oracle.files[self.place(&row["case_id"])].tells(child, &self.oracle.asking(self.actor))
    }

    fn place(&self, case: &Value) -> usize {
        let is = |it: &lindung_domain::case::CaseFile| *case == it.case.record().id.to_string().as_str();
        self.oracle.files.iter().position(is).unwrap()
    }

    fn rows(&self) -> Rows {
        let known = |table: &str, row: &Value| match table {
            "cases" => self.case(&row["id"]),
            "grants" => self.case(&row["case_id"]),
            "children" => self.child(row, &row["id"]),
            "sections" => {
                let section = row["section"].as_str().unwrap().parse().unwrap();
                self.section(row, section, child(&row["child_id"])).is_ok()
            }
            "child_identities" => self.section(row, Section::Identity, child(&row["child_id"])).is_ok(),
            "referrals" => {
                let known = self.oracle.referrals.iter().find(|it| row["id"] == it.it.record().id.to_string().as_str());
                self.referral(known.unwrap(), Act::ReadReferral) != Err(Refusal::NotFound)
            }
            "messages" => self.message(row),
            "events" => self.event(row),
            other => panic!("{other}"),
        };
        let of = |(table, key): (&'static str, &str)| {
            let mut rows = self.app.database.rows(&format!("select *, ({key})::text as key from {table}"));
            rows.retain(|row| known(table, row));
            (table, keys(&rows))
        };
        COMPARED.into_iter().map(of).collect()
    }
}

fn child(id: &Value) -> Option<ChildId> {
    serde_json::from_value(id.clone()).unwrap()
}

/// Somebody who looks at a case in an emergency; what is shielded opens when a colleague agrees.
pub(crate) async fn emergency(app: &TestApp, of: &str) -> Actor {
    const AGENCY: &str = "KDN.PDRM.D11.SELANGOR";
    let reference =
        &app.database.rows(&format!("select reference from cases where {of} order by id desc"))[0]["reference"];
    let id = format!("insp.{}", reference.as_str().unwrap().to_lowercase());
    let [asking, colleague] = [&id, "insp.lim"].map(|it| app.person(AGENCY, it, &["officer"], Some("protection")));
    let body = json!({ "reference": reference, "code": "missing-child", "reason": "The child has not come home." });
    let asked = asking.await.post("/v1/emergency-accesses", &body).await;
    if asked.status == 202 {
        let confirm = format!("/v1/emergency-accesses/{}/confirm", asked.body["id"].as_str().unwrap());
        colleague.await.post(&confirm, &json!({})).await.is(200);
    }
    let client = app.credentials(AGENCY).client_id.parse().unwrap();
    let (agency, officer) = (AGENCY.parse().unwrap(), id.parse().unwrap());
    Actor::officer(client, agency, officer, &[Role::Officer], Some(Purpose::Emergency)).unwrap()
}

#[actix_web::test]
async fn it_shows_what_the_domain_lets_be_known() {
    let app = TestApp::start().await;
    let world = World::generate(&app).await;
    let mut actors: Vec<Actor> = world.actors(&app).await.into_iter().map(|it| it.1).collect();
    actors.extend([emergency(&app, "shield is null").await, emergency(&app, "shield is not null").await]);
    let oracle = Oracle::load(&app);
    let (mut shown, mut hidden) = (Rows::new(), Rows::new());
    for actor in actors {
        let mut inside = app.database.inside("lindung_api", &context(&actor, app.now()));
        let expected = Expected { app: &app, oracle: &oracle, actor: &actor }.rows();
        for (table, key) in COMPARED {
            let seen = keys(&inside.rows(&format!("select ({key})::text as key from {table}")));
            assert_eq!(seen, expected[table], "{table} for {actor:?}");
            let all = keys(&app.database.rows(&format!("select ({key})::text as key from {table}")));
            hidden.entry(table).or_default().extend(all.difference(&seen).cloned());
            shown.entry(table).or_default().extend(seen);
        }
    }
    // The question matters: of every table, something is shown to somebody and something is not.
    for (table, _) in COMPARED {
        assert!(
            shown[table].len() > 2 && hidden[table].len() > 2,
            "{table}: {} {}",
            shown[table].len(),
            hidden[table].len()
        );
    }
}
