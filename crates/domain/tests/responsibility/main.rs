//! Random sequences of commands on one case: at every instant exactly one agency is responsible, and nobody reads
//! anything without a live grant. 300 sequences of 80 steps in the suite; `LINDUNG_TEST_SEQUENCES` asks for more.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails where it stands")]
#![allow(clippy::disallowed_methods, reason = "how many sequences there are is for whoever runs it to say")]

mod world;

use lindung_domain::case::Asking;
use lindung_domain::grant::{Footing, Grant, Source};
use lindung_domain::handoff::HandoffStatus;
use lindung_domain::policy::{self, Act};
use lindung_domain::referral::{Referral, Status};
use lindung_domain::refusal::Expected;
use lindung_domain::{Actor, AgencyCode, ConsentId, Purpose, Section};
use proptest::prelude::*;

use world::{Step, World};

impl World {
    /// What must hold whatever was tried.
    fn holds(&self) {
        let lead = &self.file.case.record().lead;
        let leading = self.file.grants.iter().filter(|it| it.source == Source::Lead && it.is_live(self.now));
        let leading: Vec<&AgencyCode> = leading.map(|it| &it.agency).collect();
        assert_eq!(leading, [lead], "exactly one holds the lead");
        assert_eq!(self.led.last(), Some(lead), "and the events tell of no other");
        assert!(self.handoffs.iter().filter(|it| it.record().status == HandoffStatus::Offered).count() <= 1);

        let withdrawn =
            |id: &ConsentId| self.consents.iter().any(|it| it.record().id == *id && it.record().withdrawal.is_some());
        for grant in self.file.grants.iter().filter(|it| it.is_live(self.now)) {
            if let Footing::Consents(consents) = &grant.footing {
                assert!(!consents.iter().any(withdrawn), "a live grant rests on a withdrawn consent");
            }
        }
        self.people.iter().for_each(|it| self.sees_by_grants_alone(it));
    }

    fn sees_by_grants_alone(&self, actor: &Actor) {
        let asking = Asking { actor, expected: Expected::Any, now: self.now };
        let own = actor.agency();
        if self.file.decide(Act::ReadCase, &asking).is_ok() {
            assert!(self.has_reason_to_see(own), "{own} sees the case without a reason");
        }
        for section in Section::ALL {
            let child = section.is_of_child().then(|| self.file.children[0]);
            let relations = self.file.relations_to(*section, child, &asking);
            let given = |it: &Grant| {
                it.agency == *own
                    && it.since <= self.now
                    && it.until.is_none_or(|until| self.now < until)
                    && it.sections.contains(section)
                    && it.purposes.contains(&Purpose::Protection)
            };
            if policy::permits(actor, Act::ReadSection, &relations).is_some() {
                assert!(self.file.grants.iter().any(given), "{own} reads {section} without a live grant");
            }
        }
    }

    /// Whether something explains that the agency sees the case: it leads or led, was given it by hand, or is asked.
    fn has_reason_to_see(&self, agency: &AgencyCode) -> bool {
        let asked = |it: &Referral| it.record().status.is_open() && it.record().recipient.as_ref() == Some(agency);
        self.led.contains(agency) || self.by_hand.contains(agency) || self.referrals.iter().any(asked)
    }
}

fn sequences() -> u32 {
    std::env::var("LINDUNG_TEST_SEQUENCES").map_or(300, |it| it.parse().expect("LINDUNG_TEST_SEQUENCES is a number"))
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((0u8..22, 0usize..4, 0usize..4, 0usize..840, 0i64..90), 80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: sequences(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_agency_is_responsible_and_nobody_reads_without_a_live_grant(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
            world.holds();
        }
    }
}

#[test]
fn the_steps_get_somewhere() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut accepted, mut completed, mut withdrawn, mut onward) = (0, 0, 0, 0);
    for _ in 0..200 {
        let mut world = World::new();
        steps().new_tree(&mut runner).unwrap().current().into_iter().for_each(|it| world.step(it));
        accepted += world.led.len() - 1;
        completed += world.referrals.iter().filter(|it| it.record().status == Status::Completed).count();
        withdrawn += world.consents.iter().filter(|it| it.record().withdrawal.is_some()).count();
        onward += world.referrals.iter().filter(|it| !it.record().chain.is_empty()).count();
    }
    let reached = [accepted, completed, withdrawn, onward];
    assert!(reached.iter().all(|it| *it >= 10), "{reached:?}");
}
