//! Shields: a case or a child that is invisible except to those named.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::id::{AgencyCode, NotACode, OfficerId};
use crate::refusal::Invalid;

/// The most that one shield may name.
pub const ADMITTED_LIMIT: usize = 50;

/// Whom a shield admits: one officer of an agency, or whoever acts for it. As text, `KDN.PDRM.D11` or
/// `KDN.PDRM.D11/insp.tan`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Admitted {
    /// Of which agency.
    pub agency: AgencyCode,
    /// This officer only.
    pub officer: Option<OfficerId>,
}

impl fmt::Display for Admitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.officer {
            None => self.agency.fmt(f),
            Some(officer) => write!(f, "{}/{officer}", self.agency),
        }
    }
}

impl FromStr for Admitted {
    type Err = NotACode;
    fn from_str(text: &str) -> Result<Self, NotACode> {
        let (agency, officer) = match text.split_once('/') {
            None => (text, None),
            Some((agency, officer)) => (agency, Some(officer.parse()?)),
        };
        Ok(Admitted { agency: agency.parse()?, officer })
    }
}

impl TryFrom<String> for Admitted {
    type Error = NotACode;
    fn try_from(text: String) -> Result<Self, NotACode> {
        text.parse()
    }
}

impl From<Admitted> for String {
    fn from(admitted: Admitted) -> String {
        admitted.to_string()
    }
}

impl Actor {
    /// The names under which a shield may admit the actor.
    pub fn admitted_as(&self) -> Vec<Admitted> {
        let of = |officer| Admitted { agency: self.agency().clone(), officer };
        std::iter::once(of(None)).chain(self.officer_id().map(|it| of(Some(it.clone())))).collect()
    }
}

/// A shield that is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shield(Vec<Admitted>);

impl Shield {
    /// As it was saved.
    pub fn restore(admits: Vec<Admitted>) -> Self {
        Shield(admits)
    }

    /// One that the actor puts up.
    ///
    /// # Errors
    /// It names nobody, too many, or not the actor, who could not take it down again.
    pub fn of(mut admits: Vec<Admitted>, actor: &Actor) -> Result<Self, Invalid> {
        if admits.is_empty() || admits.len() > ADMITTED_LIMIT {
            return Err(Invalid::new("admits", "length", format!("must have 1 to {ADMITTED_LIMIT} items")));
        }
        admits.sort();
        admits.dedup();
        let shield = Shield(admits);
        if shield.admits(actor) {
            Ok(shield)
        } else {
            Err(Invalid::new("admits", "yourself", "must name you or your agency: nobody else could lift the shield"))
        }
    }

    /// Whether it lets the actor through.
    pub fn admits(&self, actor: &Actor) -> bool {
        actor.admitted_as().iter().any(|it| self.0.contains(it))
    }

    /// Whether it admits nobody whom `other` does not.
    pub fn is_within(&self, other: &Shield) -> bool {
        let through = |it: &Admitted| {
            other.0.contains(it) || other.0.contains(&Admitted { agency: it.agency.clone(), officer: None })
        };
        self.0.iter().all(through)
    }

    /// Whether it names the agency, or some officer of it.
    pub(crate) fn names_some_of(&self, agency: &AgencyCode) -> bool {
        self.0.iter().any(|it| it.agency == *agency)
    }

    /// Those whom it names.
    pub fn names(&self) -> &[Admitted] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Purpose, Role};

    fn named(text: &str) -> Admitted {
        text.parse().unwrap()
    }

    fn officer(agency: &str, id: &str) -> Actor {
        let (agency, id) = (agency.parse().unwrap(), id.parse().unwrap());
        Actor::officer("c".parse().unwrap(), agency, id, &[Role::Officer], Some(Purpose::Protection)).unwrap()
    }

    #[test]
    fn a_name_is_an_agency_or_one_of_its_officers() {
        let shield = Shield(vec![named("KDN.PDRM.D11/insp.tan"), named("KPWKM.JKM")]);
        assert!(shield.admits(&officer("KDN.PDRM.D11", "insp.tan")));
        assert!(!shield.admits(&officer("KDN.PDRM.D11", "insp.lim")));
        assert!(!shield.admits(&officer("KDN.PDRM.D11.KL", "insp.tan")), "units are agencies of their own");
        assert!(shield.admits(&officer("KPWKM.JKM", "anyone")));
        assert!(!shield.admits(&Actor::client("c".parse().unwrap(), "KDN.PDRM.D11".parse().unwrap())));
    }

    #[test]
    fn whoever_puts_one_up_is_named() {
        let me = officer("KDN.PDRM.D11", "insp.tan");
        assert_eq!(Shield::of(vec![named("KPWKM.JKM")], &me).unwrap_err().code, "yourself");
        assert_eq!(Shield::of(vec![], &me).unwrap_err().code, "length");
        assert!(Shield::of(vec![named("KDN.PDRM.D11")], &me).is_ok());
    }

    #[test]
    fn naming_one_officer_of_an_agency_is_within_naming_it() {
        let wide = Shield(vec![named("KPWKM.JKM")]);
        let narrow = Shield(vec![named("KPWKM.JKM/a")]);
        assert!(narrow.is_within(&wide) && !wide.is_within(&narrow));
    }
}
