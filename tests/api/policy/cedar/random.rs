//! Random questions: 300 in the suite, as many as `LINDUNG_TEST_REQUESTS` says elsewhere.

use lindung_domain::Section;
use lindung_domain::policy::Act;
use lindung_domain::referral::Status;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::agreed;
use super::matrix::{ACTORS, SHIELDS, SIDES, STANDINGS, actor, asked_by, granted, named, on_side, scene};
use super::scene::{Asked, Scene};

/// Grants of several sources at once, shields of the case and of a child, any state.
fn any_scene(agency: &'static str) -> impl Strategy<Value = Scene> {
    let shields = (select(&SHIELDS[..]), select(&SHIELDS[..]));
    let standings = (select(&STANDINGS[..]), subsequence(STANDINGS.to_vec(), 0..3));
    let referral = (select(&SIDES[..]), select(Status::ALL));
    let access = (select(&["its own", "a colleague's", "another agency's"][..]), any::<bool>());
    (standings, shields, referral, access, any::<(bool, bool, bool)>()).prop_map(
        move |((standing, others), (shield, child), (side, status), (asker, trusted), (own, kept, worn))| {
            let mut it = scene(agency, standing, shield);
            let further: Vec<_> = others.iter().filter_map(|of| granted(of, agency, &it)).collect();
            it.file.grants.extend(further);
            if let Some(names) = named(child, agency) {
                it.shield_child(&names);
            }
            // A grant of before, and one that is yet to begin.
            if worn && let Some(last) = it.file.grants.last_mut().filter(|_| standing != "lead") {
                last.until = own.then_some(it.now - chrono::TimeDelta::minutes(1));
                last.since = if own { last.since } else { it.now + chrono::TimeDelta::minutes(1) };
            }
            let mut it = asked_by(on_side(it, agency, side, status), agency, asker, trusted);
            (it.own, it.kept) = (own, kept);
            it
        },
    )
}

/// The question itself, of whatever section and child.
fn asked(scene: &Scene, act: Index, section: Index, of: Index) -> Asked {
    let children = &scene.file.children;
    match Asked::every(*act.get(&Act::all())) {
        Some(Asked::Section(act, ..)) => {
            let section = *section.get(Section::ALL);
            Asked::Section(act, section, section.is_of_child().then(|| *of.get(children)))
        }
        Some(Asked::Case(Act::ReadMessages)) if of.index(2) == 0 => Asked::OfReferral(Act::ReadMessages),
        Some(asked) => asked,
        None => Asked::OfReferral(Act::ReadReferral),
    }
}

#[expect(clippy::disallowed_methods, reason = "how many is for whoever runs the tests to say")]
fn requests() -> u32 {
    std::env::var("LINDUNG_TEST_REQUESTS").map_or(300, |it| it.parse().expect("LINDUNG_TEST_REQUESTS is a number"))
}

#[test]
fn rust_and_cedar_agree_on_whatever_is_asked() {
    let who = (0..ACTORS.len()).prop_flat_map(|at| (Just(at), any_scene(ACTORS[at].1)));
    let question = (who, any::<Index>(), any::<Index>(), any::<Index>());
    let config = ProptestConfig { cases: requests(), failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(((at, scene), act, section, of) in question)| {
        agreed(&actor(ACTORS[at]), &scene, &[asked(&scene, act, section, of)]);
    });
}
