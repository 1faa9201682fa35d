//! Who may do what: one table, [`who`], and the one way to ask it, [`require`].
//!
//! An actor stands in [`Relation`]s to a thing; each act is open to certain roles in certain
//! relations. What no line opens is closed. A refusal is "not found" unless the actor's agency is
//! a party, so that nobody learns what exists.

mod table;
mod vocabulary;

#[cfg(all(feature = "unchecked", not(debug_assertions)))]
compile_error!("`unchecked` permits everything: it is for tests, and never for a release");

use std::collections::BTreeSet;

use crate::actor::{Actor, Purpose, Role};
use crate::refusal::Refusal;
use crate::section::Section;
use crate::values::codes;

pub use table::{obligations, who};
pub use vocabulary::{Act, Obligation, Relation};

codes! {
    /// To whom an act is open.
    pub enum Who {
        /// An officer or supervisor.
        Officer,
        /// A supervisor.
        Supervisor,
        /// A coordinator.
        Coordinator,
        /// An officer or a coordinator.
        OfficerOrCoordinator,
        /// An officer, or the client alone.
        OfficerOrClient,
        /// The client alone.
        Client,
        /// Whoever is no client alone, in whatever role.
        Person,
        /// An auditor.
        Auditor,
        /// An administrator.
        Administrator,
        /// Everybody who is known.
        Anyone,
        /// Nobody.
        Nobody,
    }
}

impl Who {
    fn admits(self, actor: &Actor) -> bool {
        match self {
            Who::Officer => actor.is_officer(),
            Who::Supervisor => actor.is(Role::Supervisor),
            Who::Coordinator => actor.is(Role::Coordinator),
            Who::OfficerOrCoordinator => actor.is_officer() || actor.is(Role::Coordinator),
            Who::OfficerOrClient => actor.is_officer() || actor.officer_id().is_none(),
            Who::Client => actor.officer_id().is_none(),
            Who::Person => actor.officer_id().is_some(),
            Who::Auditor => actor.is(Role::Auditor),
            Who::Administrator => actor.is(Role::Administrator),
            Who::Anyone => true,
            Who::Nobody => false,
        }
    }
}

/// All relations of an actor to one thing.
pub type Relations = BTreeSet<Relation>;

/// The relation that permits the act, for the access log; or none.
pub fn permits(actor: &Actor, act: Act, relations: &Relations) -> Option<Relation> {
    if cfg!(feature = "unchecked") {
        return Some(relations.first().copied().unwrap_or(Relation::Own));
    }
    relations.iter().copied().find(|it| who(act, *it).admits(actor) && serves(actor.purpose(), act, *it))
}

/// What is opened in an emergency is read, and nothing else is done for that purpose.
fn serves(purpose: Option<Purpose>, act: Act, relation: Relation) -> bool {
    let for_emergency = relation == Relation::Emergency || matches!(act, Act::ListCases | Act::ReadReference);
    purpose != Some(Purpose::Emergency) || for_emergency
}

/// Whether the actor may know that the thing exists.
fn knows(actor: &Actor, relations: &Relations) -> bool {
    relations.iter().any(|it| match it {
        Relation::Own | Relation::Trusted => false,
        Relation::Unshielded => actor.is(Role::Coordinator),
        Relation::Lead
        | Relation::Shown
        | Relation::Contributor
        | Relation::Onward
        | Relation::Party
        | Relation::Sender
        | Relation::Recipient
        | Relation::Listed
        | Relation::FormerRecipient
        | Relation::Administers
        | Relation::Oversight
        | Relation::Emergency
        | Relation::Colleague
        | Relation::Requester
        | Relation::Provider
        | Relation::Accessor
        | Relation::Addressee
        | Relation::Offeror
        | Relation::Maker
        | Relation::Told => true,
    })
}

/// Permits the act and names the relation that does.
///
/// # Errors
/// [`Refusal::NotYours`] to whoever may know that it exists, [`Refusal::NotFound`] to all others.
pub fn require(actor: &Actor, act: Act, relations: &Relations) -> Result<Relation, Refusal> {
    match permits(actor, act, relations) {
        Some(relation) => Ok(relation),
        None if knows(actor, relations) => Err(Refusal::NotYours),
        None => Err(Refusal::NotFound),
    }
}

/// A permission: by which rule, to which sections, and what goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    /// The relation that permits it, as the access log has it.
    pub rule: Relation,
    /// The sections that the actor may read, of whichever children.
    pub sections: BTreeSet<Section>,
    /// What whoever carries it out has to see to.
    pub obligations: &'static [Obligation],
}

/// The whole decision: subject and purpose are the actor's, `relations` and `sections` are the facts of the resource.
///
/// # Errors
/// As [`require`].
pub fn decide(actor: &Actor, act: Act, relations: &Relations, sections: BTreeSet<Section>) -> Result<Permit, Refusal> {
    let rule = require(actor, act, relations)?;
    let obligations = obligations(act, rule);
    let sections = if obligations.contains(&Obligation::HeaderOnly) { BTreeSet::new() } else { sections };
    Ok(Permit { rule, sections, obligations })
}

/// Permits an act that is about nobody's case: one's own lists, reference data, the access log.
///
/// # Errors
/// [`Refusal::NotYours`].
pub fn require_own(actor: &Actor, act: Act) -> Result<Relation, Refusal> {
    permits(actor, act, &Relations::from([Relation::Own])).ok_or(Refusal::NotYours)
}

/// Permits keeping an agency or unit; it is no secret that it exists.
///
/// # Errors
/// [`Refusal::NotYours`].
pub fn require_keeper(actor: &Actor, keeps: bool) -> Result<Relation, Refusal> {
    let relations = if keeps { Relations::from([Relation::Administers]) } else { Relations::new() };
    permits(actor, Act::KeepAgency, &relations).ok_or(Refusal::NotYours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    #[test]
    fn the_policy() {
        let mut table = String::new();
        for act in Act::all() {
            for relation in Relation::ALL {
                let who = who(act, *relation);
                if who != Who::Nobody {
                    let name = format!("{act:?}");
                    let owed: Vec<&str> = obligations(act, *relation).iter().map(|it| it.as_str()).collect();
                    let line = format!("{name:<30} {:<16} {:<22} {}", relation.as_str(), who.as_str(), owed.join(" "));
                    writeln!(table, "{}", line.trim_end()).unwrap();
                }
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn a_permission_says_by_which_rule_to_what_and_with_what_it_goes() {
        let actor = |agency: &str, role, purpose| {
            let officer = "o".parse().unwrap();
            Actor::officer("c".parse().unwrap(), agency.parse().unwrap(), officer, &[role], Some(purpose)).unwrap()
        };
        let all = || Section::ALL.iter().copied().collect::<BTreeSet<_>>();
        let ask = |actor: &Actor, relation| decide(actor, Act::ReadCase, &Relations::from([relation]), all()).unwrap();
        let coordinator = ask(&actor("PP", Role::Coordinator, Purpose::Coordination), Relation::Unshielded);
        assert_eq!(coordinator.obligations, [Obligation::HeaderOnly]);
        assert!(coordinator.sections.is_empty());
        let officer = ask(&actor("KK.MCMC", Role::Officer, Purpose::Protection), Relation::Shown);
        assert_eq!((officer.rule, officer.sections.len(), officer.obligations), (Relation::Shown, 11, &[][..]));
    }

    #[test]
    fn only_who_may_know_is_told_that_it_is_not_theirs() {
        let officer = Actor::officer(
            "c".parse().unwrap(),
            "KK.MCMC".parse().unwrap(),
            "o".parse().unwrap(),
            &[Role::Officer],
            Some(Purpose::Protection),
        )
        .unwrap();
        let ask = |relation| require(&officer, Act::CloseCase, &Relations::from([relation]));
        assert_eq!(ask(Relation::Unshielded), Err(Refusal::NotFound));
        assert_eq!(ask(Relation::Party), Err(Refusal::NotYours));
        assert_eq!(ask(Relation::Lead), Err(Refusal::NotYours));
    }
}
