//! Who asks, for whom, for what purpose. Knows nothing of tokens.

use crate::id::{AgencyCode, ClientId, OfficerId};
use crate::values::codes;

codes! {
    /// What an officer may act as.
    pub enum Role {
        /// Works on cases of their agency.
        Officer,
        /// An officer who also decides: closing, handoffs, reviews.
        Supervisor,
        /// Of the task-force secretariat: sees headers, reminds, escalates.
        Coordinator,
        /// Reads access logs and proofs, no case.
        Auditor,
        /// Keeps the units and contacts of their agency.
        Administrator,
    }

    /// What an access is for. A token carries one; another purpose needs another token.
    pub enum Purpose {
        /// Investigating an offence.
        Investigation,
        /// Protecting the child.
        Protection,
        /// Giving a service.
        ServiceProvision,
        /// Keeping the child safe at school.
        EducationSafeguarding,
        /// Having content removed.
        ContentRemoval,
        /// Emergency access, only while one is open.
        Emergency,
        /// Coordinating agencies, without any content.
        Coordination,
        /// Auditing accesses.
        Audit,
    }
}

impl Purpose {
    /// The purposes of work on a case; a lead's grant names all of them.
    pub const OF_WORK: &'static [Purpose] = &[
        Purpose::Investigation,
        Purpose::Protection,
        Purpose::ServiceProvision,
        Purpose::EducationSafeguarding,
        Purpose::ContentRemoval,
    ];
}

/// The agency whose coordinators see every unshielded header.
pub const SECRETARIAT: &str = "PP";

/// The agencies whose auditors see every access.
pub const OVERSIGHT: &[&str] = &[SECRETARIAT, "SUHAKAM.OCC"];

impl Role {
    /// The purposes that this role may act for. An administrator's acts are about no child and
    /// have none. Whether a case is open in an emergency, without which nobody acts for `emergency`, is
    /// for whoever makes the actor to know.
    pub fn purposes(self) -> &'static [Purpose] {
        match self {
            Role::Officer | Role::Supervisor => &[
                Purpose::Investigation,
                Purpose::Protection,
                Purpose::ServiceProvision,
                Purpose::EducationSafeguarding,
                Purpose::ContentRemoval,
                Purpose::Emergency,
            ],
            Role::Coordinator => &[Purpose::Coordination],
            Role::Auditor => &[Purpose::Audit],
            Role::Administrator => &[],
        }
    }

    /// Whether somebody of `agency` can have this role: coordinators are of the secretariat only.
    pub fn is_held_in(self, agency: &AgencyCode) -> bool {
        self != Role::Coordinator || agency.as_str() == SECRETARIAT
    }
}

/// Why nobody can act like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoSuchActor {
    /// The role is not one that this agency has.
    #[error("the role {0} cannot be held in this agency")]
    RoleOfAnotherAgency(Role),
    /// None of the roles goes with the purpose.
    #[error("none of the roles may act for the purpose")]
    PurposeOfAnotherRole,
    /// An officer needs a role.
    #[error("an officer needs at least one role")]
    NoRole,
}

/// Who asks: a client of an agency, mostly acting for an officer, always for one purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    client: ClientId,
    agency: AgencyCode,
    officer: Option<OfficerId>,
    roles: Vec<Role>,
    purpose: Option<Purpose>,
}

impl Actor {
    /// A client on its own behalf.
    pub fn client(client: ClientId, agency: AgencyCode) -> Self {
        Actor { client, agency, officer: None, roles: Vec::new(), purpose: Some(Purpose::Coordination) }
    }

    /// An officer for whom a client speaks. Only the roles that go with the purpose are kept.
    ///
    /// # Errors
    /// When the agency cannot have a role, or no role goes with the purpose.
    pub fn officer(
        client: ClientId,
        agency: AgencyCode,
        officer: OfficerId,
        roles: &[Role],
        purpose: Option<Purpose>,
    ) -> Result<Self, NoSuchActor> {
        if let Some(role) = roles.iter().find(|it| !it.is_held_in(&agency)) {
            return Err(NoSuchActor::RoleOfAnotherAgency(*role));
        }
        let fits = |role: &Role| purpose.map_or(role.purposes().is_empty(), |it| role.purposes().contains(&it));
        let active: Vec<Role> = roles.iter().copied().filter(fits).collect();
        match (roles.is_empty(), active.is_empty()) {
            (true, _) => Err(NoSuchActor::NoRole),
            (false, true) => Err(NoSuchActor::PurposeOfAnotherRole),
            (false, false) => Ok(Actor { client, agency, officer: Some(officer), roles: active, purpose }),
        }
    }

    /// The system that speaks.
    pub fn client_id(&self) -> &ClientId {
        &self.client
    }

    /// The agency or unit acted for.
    pub fn agency(&self) -> &AgencyCode {
        &self.agency
    }

    /// The officer acted for; none when the client acts alone.
    pub fn officer_id(&self) -> Option<&OfficerId> {
        self.officer.as_ref()
    }

    /// The roles that go with the purpose.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// The purpose of use.
    pub fn purpose(&self) -> Option<Purpose> {
        self.purpose
    }

    /// Whether the actor acts in this role now.
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// An officer at work on cases; a supervisor is one too.
    pub fn is_officer(&self) -> bool {
        self.is(Role::Officer) || self.is(Role::Supervisor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(agency: &str, roles: &[Role], purpose: Option<Purpose>) -> Result<Actor, NoSuchActor> {
        Actor::officer("c".parse().unwrap(), agency.parse().unwrap(), "o".parse().unwrap(), roles, purpose)
    }

    #[test]
    fn a_purpose_chooses_the_roles_that_are_active() {
        let both = [Role::Officer, Role::Auditor];
        assert_eq!(actor("KK.MCMC", &both, Some(Purpose::Audit)).unwrap().roles(), [Role::Auditor]);
        assert_eq!(actor("KK.MCMC", &both, Some(Purpose::Protection)).unwrap().roles(), [Role::Officer]);
    }

    #[test]
    fn impossible_actors_are_refused() {
        use NoSuchActor::*;
        assert_eq!(
            actor("KK.MCMC", &[Role::Coordinator], Some(Purpose::Coordination)),
            Err(RoleOfAnotherAgency(Role::Coordinator))
        );
        assert_eq!(actor("PP", &[Role::Coordinator], Some(Purpose::Protection)), Err(PurposeOfAnotherRole));
        assert_eq!(actor("KK", &[Role::Administrator], Some(Purpose::Protection)), Err(PurposeOfAnotherRole));
        assert_eq!(actor("KK", &[Role::Auditor], Some(Purpose::Emergency)), Err(PurposeOfAnotherRole));
        assert_eq!(actor("KK", &[Role::Officer], None), Err(PurposeOfAnotherRole));
        assert_eq!(actor("KK", &[], None), Err(NoRole));
    }
}
