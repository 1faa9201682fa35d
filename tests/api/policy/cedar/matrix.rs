//! Every role, relation, act, state and purpose: the ones that decide differently, each with each other.

use std::collections::BTreeMap;
use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use lindung_domain::data_sharing::{self, DataSharing, Demand};
use lindung_domain::emergency::{self, EmergencyAccess, Trust};
use lindung_domain::grant::{Grant, Source};
use lindung_domain::handoff::{self, Handoff};
use lindung_domain::policy::Act;
use lindung_domain::referral::{self, Referral, Status};
use lindung_domain::{Actor, Purpose, Role, Section};

use super::agreed;
use super::scene::{Asked, Decision, OTHER, Scene, THIRD, code, whole};

const OFFICER: &str = "who.asks";

/// Who asks: a column of the matrix.
pub const ACTORS: [(&str, &str, &[Role], Option<Purpose>); 9] = [
    ("officer", "KDN.PDRM.D11", &[Role::Officer], Some(Purpose::Protection)),
    ("supervisor", "KDN.PDRM.D11", &[Role::Supervisor], Some(Purpose::Protection)),
    ("other purpose", "KDN.PDRM.D11", &[Role::Officer, Role::Supervisor], Some(Purpose::Investigation)),
    ("emergency", "KDN.PDRM.D11", &[Role::Officer, Role::Supervisor], Some(Purpose::Emergency)),
    ("auditor", "KDN.PDRM.D11", &[Role::Auditor], Some(Purpose::Audit)),
    ("administrator", "KDN.PDRM.D11", &[Role::Administrator], None),
    ("client", "KDN.PDRM.D11", &[], Some(Purpose::Coordination)),
    ("coordinator", "PP", &[Role::Coordinator], Some(Purpose::Coordination)),
    ("PP auditor", "PP", &[Role::Auditor], Some(Purpose::Audit)),
];

/// How the agency of whoever asks stands to the case.
pub const STANDINGS: [&str; 8] =
    ["no grant", "lead", "shown", "onward", "a child", "ended", "a colleague's emergency", "own emergency"];

pub const SHIELDS: [&str; 4] = ["", "shielded", "shielded, named", "shielded, agency named"];

/// How the agency stands to the referral.
pub const SIDES: [&str; 5] = ["outside", "sender", "recipient", "listed", "former"];

pub fn actor((_, agency, roles, purpose): (&str, &str, &[Role], Option<Purpose>)) -> Actor {
    let client = "client".parse().unwrap();
    if roles.is_empty() {
        return Actor::client(client, code(agency));
    }
    Actor::officer(client, code(agency), OFFICER.parse().unwrap(), roles, purpose).unwrap()
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_485_600, 0).unwrap()
}

/// What the standing gives.
pub fn granted(standing: &str, agency: &str, scene: &Scene) -> Option<Grant> {
    let (now, whole) = (scene.now, whole(scene.file.case.record().id, agency, scene.now));
    let shown = Grant {
        source: Source::Referral,
        sections: vec![Section::Summary, Section::Narrative, Section::Identity],
        contributes: vec![Section::Narrative],
        purposes: vec![Purpose::Protection],
        onward: false,
        ..whole.clone()
    };
    let emergency = |officer: &str| Grant {
        source: Source::BreakGlass,
        officer: Some(officer.parse().unwrap()),
        contributes: Vec::new(),
        purposes: vec![Purpose::Emergency],
        onward: false,
        until: Some(now + TimeDelta::hours(1)),
        ..whole.clone()
    };
    match standing {
        "shown" => Some(shown),
        "onward" => Some(Grant { onward: true, ..shown }),
        "a child" => Some(Grant { children: Some(vec![scene.file.children[1]]), ..shown }),
        "ended" => Some(Grant { until: Some(now), ..shown }),
        "a colleague's emergency" => Some(emergency("some.one.else")),
        "own emergency" => Some(emergency(OFFICER)),
        _ => None,
    }
}

/// Whom a shield names.
pub fn named(shield: &str, agency: &str) -> Option<Vec<String>> {
    match shield {
        "" => None,
        "shielded" => Some(vec![THIRD.to_owned()]),
        "shielded, named" => Some(vec![format!("{agency}/{OFFICER}")]),
        _ => Some(vec![agency.to_owned()]),
    }
}

/// The scene of an agency that stands so to a case.
pub fn scene(agency: &str, standing: &str, shield: &str) -> Scene {
    let mut scene = Scene::of(if standing == "lead" { agency } else { OTHER }, now());
    let given = granted(standing, agency, &scene);
    scene.file.grants.extend(given);
    scene.shield(named(shield, agency).as_deref());
    scene
}

/// The scene with the agency on a side of the referral, which has this status.
pub fn on_side(mut scene: Scene, agency: &str, side: &str, status: Status) -> Scene {
    let sent = status != Status::Draft;
    let before = scene.referral.record().clone();
    let own = |it: &str| (side == it).then(|| code(agency));
    scene.referral = Referral::restore(referral::Record {
        status,
        sender: own("sender").unwrap_or_else(|| code(OTHER)),
        recipient: if side == "listed" { None } else { own("recipient").or(Some(code(THIRD))) },
        listed: own("listed").into_iter().collect(),
        former: own("former").into_iter().collect(),
        requested_at: sent.then_some(scene.now),
        ..before
    });
    scene
}

/// The states of a referral that decide: not sent, sent, past its receipt.
const REFERRALS: [(Status, &str); 4] =
    [(Status::Draft, ""), (Status::Requested, ""), (Status::Completed, ""), (Status::Requested, "shielded")];

/// The scene with an emergency access that was asked for by whoever asks now, or by a colleague of theirs, or elsewhere.
pub fn asked_by(mut scene: Scene, agency: &str, asker: &str, trusted: bool) -> Scene {
    let before = scene.access.record().clone();
    let agency = if asker == "another agency's" { THIRD } else { agency };
    let officer = if asker == "its own" { OFFICER } else { "who.asked" };
    scene.access = EmergencyAccess::restore(emergency::Record {
        agency: code(agency),
        officer: officer.parse().unwrap(),
        ..before
    });
    scene.trust = Trust { registered: true, overdue: !trusted };
    scene
}

fn titled(parts: &[&str]) -> String {
    parts.iter().filter(|it| !it.is_empty()).copied().collect::<Vec<_>>().join(", ")
}

/// Rows of the matrix that are equal stand together: their cells, and the acts that have them.
#[derive(Default)]
struct Block(BTreeMap<Vec<&'static str>, Vec<String>>);

impl Block {
    fn add(&mut self, name: String, cells: Vec<Decision>) {
        let cell = |it: Decision| match it {
            Decision::Permitted => "yes",
            Decision::NotYours => "no",
            Decision::NotFound => ".",
        };
        self.0.entry(cells.into_iter().map(cell).collect()).or_default().push(name);
    }

    fn print(self, title: &str, matrix: &mut BTreeMap<String, Vec<String>>) {
        let mut text = String::new();
        for (cells, names) in self.0 {
            let cells: String = cells.iter().zip(ACTORS).map(|(it, of)| format!("{it:<w$} ", w = of.0.len())).collect();
            writeln!(text, "  {cells} {}", names.join(" ")).unwrap();
        }
        matrix.entry(text).or_default().push(title.to_owned());
    }
}

/// The block of a scene: `asks` are about one thing in it.
fn block(scene: impl Fn(&str) -> Scene, asks: impl Fn(&Scene) -> Vec<Asked>) -> Block {
    let mut columns = Vec::new();
    let mut names = Vec::new();
    for actor in ACTORS.map(actor) {
        let scene = scene(actor.agency().as_str());
        let asked = asks(&scene);
        columns.push(agreed(&actor, &scene, &asked));
        names = asked.into_iter().map(Asked::action).collect();
    }
    let mut block = Block::default();
    for (at, name) in names.into_iter().enumerate() {
        block.add(name, columns.iter().map(|it| it[at]).collect());
    }
    block
}

fn every(of: impl Fn(&Asked) -> bool) -> Vec<Asked> {
    Act::all().into_iter().filter_map(Asked::every).filter(of).collect()
}

fn printed(matrix: BTreeMap<String, Vec<String>>) -> String {
    let mut blocks: Vec<(Vec<String>, String)> = matrix.into_iter().map(|(text, titles)| (titles, text)).collect();
    blocks.sort();
    let head: String = ACTORS.iter().map(|it| format!("{} ", it.0)).collect();
    let blocks = blocks.into_iter().map(|(titles, text)| format!("{}\n  {head}\n{text}", titles.join("\n")));
    // What an editor would strip is not there to begin with.
    let text = blocks.collect::<Vec<_>>().join("\n");
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn of_cases() {
    let mut matrix = BTreeMap::new();
    for standing in STANDINGS {
        for shield in SHIELDS {
            let block = block(|it| scene(it, standing, shield), |_| every(|it| matches!(it, Asked::Case(_))));
            block.print(&titled(&[standing, shield]), &mut matrix);
        }
    }
    insta::assert_snapshot!(printed(matrix));
}

#[test]
fn of_sections() {
    let mut matrix = BTreeMap::new();
    for standing in STANDINGS {
        for (of, shield, section) in [
            ("narrative", "", Section::Narrative),
            ("plan", "", Section::Plan),
            ("identity", "", Section::Identity),
            ("identity of a shielded child", "shielded", Section::Identity),
            ("identity of a shielded child, named", "shielded, named", Section::Identity),
        ] {
            let scene = |agency: &str| {
                let mut scene = scene(agency, standing, "");
                if let Some(named) = named(shield, agency) {
                    scene.shield_child(&named);
                }
                scene
            };
            let asks = |scene: &Scene| {
                let child = section.is_of_child().then(|| scene.file.children[0]);
                [Act::ReadSection, Act::WriteSection].map(|act| Asked::Section(act, section, child)).to_vec()
            };
            block(scene, asks).print(&titled(&[standing, of]), &mut matrix);
        }
    }
    insta::assert_snapshot!(printed(matrix));
}

#[test]
fn of_referrals() {
    let mut matrix = BTreeMap::new();
    let mut asked = every(|it| matches!(it, Asked::Referral(_) | Asked::OfReferral(_)));
    asked.push(Asked::OfReferral(Act::ReadMessages));
    for standing in ["no grant", "lead", "onward"] {
        for side in SIDES {
            for (status, shield) in REFERRALS {
                let scene = |agency: &str| on_side(scene(agency, standing, shield), agency, side, status);
                block(scene, |_| asked.clone()).print(&titled(&[side, standing, status.as_str(), shield]), &mut matrix);
            }
        }
    }
    insta::assert_snapshot!(printed(matrix));
}

#[test]
fn of_emergency_accesses() {
    let mut matrix = BTreeMap::new();
    for standing in ["no grant", "lead", "shown"] {
        for (asker, trusted) in
            [("its own", true), ("a colleague's", true), ("a colleague's", false), ("another agency's", true)]
        {
            for shield in ["", "shielded"] {
                let scene = |agency: &str| asked_by(scene(agency, standing, shield), agency, asker, trusted);
                let trust = if trusted { "trusted" } else { "not trusted" };
                block(scene, |_| every(|it| matches!(it, Asked::Access(_))))
                    .print(&titled(&[asker, trust, standing, shield]), &mut matrix);
            }
        }
    }
    insta::assert_snapshot!(printed(matrix));
}

#[test]
fn of_handoffs() {
    let mut matrix = BTreeMap::new();
    for standing in ["no grant", "lead", "shown"] {
        for side in ["addressee", "offeror", "neither"] {
            for shield in ["", "shielded", "shielded, agency named"] {
                let scene = |agency: &str| {
                    let mut scene = scene(agency, standing, shield);
                    let record = scene.handoff.record().clone();
                    let (from, to) = match side {
                        "addressee" => (code(OTHER), code(agency)),
                        "offeror" => (code(agency), code(THIRD)),
                        _ => (code(OTHER), code(THIRD)),
                    };
                    scene.handoff = Handoff::restore(handoff::Record { from, to, ..record });
                    scene
                };
                block(scene, |_| every(|it| matches!(it, Asked::Handoff(_))))
                    .print(&titled(&[side, standing, shield]), &mut matrix);
            }
        }
    }
    insta::assert_snapshot!(printed(matrix));
}

#[test]
fn of_data_sharing_requests() {
    let mut matrix = BTreeMap::new();
    for side in ["requester", "provider", "neither"] {
        let scene = |agency: &str| {
            let mut scene = scene(agency, "no grant", "");
            let record = scene.request.record().clone();
            let (requester, provider) = match side {
                "requester" => (code(agency), code(THIRD)),
                "provider" => (code(OTHER), code(agency)),
                _ => (code(OTHER), code(THIRD)),
            };
            let demand = Demand { provider, ..record.demand };
            scene.request = DataSharing::restore(data_sharing::Record { requester, demand, ..record });
            scene
        };
        block(scene, |_| every(|it| matches!(it, Asked::DataRequest(_)))).print(side, &mut matrix);
    }
    insta::assert_snapshot!(printed(matrix));
}

#[test]
fn of_what_is_about_no_case() {
    let mut matrix = BTreeMap::new();
    for (own, kept, trusted) in [(true, true, true), (false, true, false), (false, false, true)] {
        let scene = |agency: &str| {
            let mut scene = asked_by(scene(agency, "no grant", ""), agency, "another agency's", trusted);
            (scene.own, scene.kept) = (own, kept);
            scene
        };
        let title = [
            if own { "own agency" } else { "another agency" },
            if kept { "kept" } else { "" },
            if trusted { "trusted" } else { "" },
        ];
        block(scene, |_| every(|it| matches!(it, Asked::Agency(_)))).print(&titled(&title), &mut matrix);
    }
    insta::assert_snapshot!(printed(matrix));
}
