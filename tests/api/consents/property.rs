//! Whatever is done, in whichever order: no live grant rests on a consent that is withdrawn or has expired.

use super::*;

const STEPS: usize = 60;

/// Numbers that are the same in every run (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(((self.0 >> 33) * sides as u64) >> 31).unwrap()
    }
}

#[actix_web::test]
async fn no_live_grant_rests_on_what_is_withdrawn_or_has_expired() {
    let app = TestApp::start().await;
    let (school, welfare) =
        (app.officer(SCHOOL).await, app.person(WELFARE, "w", &["officer"], Some("protection")).await);
    let case = case_of_two(&school).await;
    let mut dice = Dice(20_261_124);
    let (mut consents, mut referrals): (Vec<Ref>, Vec<Ref>) = (Vec::new(), Vec::new());
    let (mut held, mut ended) = (0, 0);
    for _ in 0..STEPS {
        match dice.roll(5) {
            0 => {
                let mut given = consent_body(&[WELFARE], &["risk", "narrative"], app.now());
                if dice.roll(2) == 0 {
                    given["expiresAt"] = json!((app.now() + Duration::seconds(3)).to_rfc3339());
                }
                let path = format!("{}/consents", case.child(dice.roll(2)));
                consents.push(school.post(&path, &given).await.is(201).reference());
            }
            1 => {
                let terms = by_consent(WELFARE, [&["risk"][..], &["narrative"], &["risk", "narrative"]][dice.roll(3)]);
                let made = school.post(&format!("{}/referrals", case.path), &terms).await;
                if made.status == 201 {
                    referrals.push(made.reference());
                }
            }
            2 | 3 if !referrals.is_empty() => {
                let on = &referrals[dice.roll(referrals.len())];
                let (action, body) = [
                    ("accept", json!({})),
                    ("accept", json!({})),
                    ("complete", json!({ "outcome": "service-provided", "summary": "Done." })),
                ][dice.roll(3)]
                .clone();
                welfare.act_anyhow(on, action, &body).await;
            }
            4 if !consents.is_empty() && dice.roll(2) == 0 => {
                let consent = &consents[dice.roll(consents.len())];
                ended +=
                    usize::from(school.post(&format!("{}/withdraw", consent.path), &json!({})).await.status == 200);
            }
            _ => app.wait(Duration::seconds(1)),
        }
        let now = app.now().to_rfc3339();
        let live = format!("grants g where (g.until is null or g.until > '{now}')");
        let out = "(w.withdrawn_at is not null or w.expires_at <= ";
        let resting =
            format!("{live} and exists (select from consents w where w.id = any(g.consents) and {out} '{now}'))");
        assert_eq!(app.database.count(&resting), 0);
        held += app.database.count(&format!("{live} and g.consents <> '{{}}'"));
    }
    assert!(held > 10 && ended > 1, "nothing was tried: {held} {ended}");
}
