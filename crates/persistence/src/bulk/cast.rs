//! Who plays in the invented cases: the agencies that are registered, with invented officers.

use std::sync::Arc;

use diesel::RunQueryDsl;
use diesel::pg::PgConnection;
use diesel::sql_types::Text;
use lindung_domain::referral::Party;
use lindung_domain::values::ReferralKind;
use lindung_domain::{Actor, AgencyCode, Purpose, Role};
use lindung_vault::Vault;

use super::dice::Dice;
use super::{POLICE, SCHOOL};
use crate::error::Error;
use crate::sql::Sql;

/// Officers of each agency.
const OFFICERS: usize = 8;

/// An agency with its people.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) code: AgencyCode,
    pub(super) officers: Vec<Actor>,
    pub(super) supervisor: Actor,
    pub(super) purpose: Purpose,
    pub(super) kinds: &'static [ReferralKind],
    ministry: String,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Cast {
    members: Vec<Member>,
    pub(super) parties: Vec<Party>,
    /// With which the children of their cases are sealed.
    pub(super) vault: Arc<Vault>,
    school: usize,
    police: usize,
}

impl Cast {
    /// The agencies that can be parties, but for the offices that only watch.
    pub(super) fn load(conn: &mut PgConnection, vault: Arc<Vault>) -> Result<Self, Error> {
        let query = Sql::<(Text, Text, Text)>::new().with(
            "select a.code, a.ministry, coalesce((select c.id from clients c where a.code = c.agency or a.code = any(c.units) \
             order by c.id limit 1), 'invented') from agencies a where a.active and a.kind <> 'heading' \
             and a.ministry not in ('oversight', 'task-force') order by a.kind = 'organisation', a.code",
            [],
        );
        let found: Vec<(String, String, String)> = query.load(conn)?;
        let members = found
            .into_iter()
            .map(|(code, ministry, client)| member(&code, ministry, &client))
            .collect::<Result<Vec<_>, _>>()?;
        if members.len() < 5 {
            return Err(Error::Fault(
                "fewer than five agencies can be parties to a case: register some first".to_owned(),
            ));
        }
        let place = |code: &str| members.iter().position(|it| it.code.as_str() == code);
        let (school, police) = (place(SCHOOL).unwrap_or(0), place(POLICE).unwrap_or(1));
        let party = |it: &Member| Party { code: it.code.clone(), ministry: it.ministry.clone(), eligible: true };
        Ok(Cast { parties: members.iter().map(party).collect(), vault, school, police, members })
    }

    pub(super) fn school(&self) -> &Member {
        &self.members[self.school]
    }

    pub(super) fn member(&self, code: &AgencyCode) -> Option<&Member> {
        self.members.iter().find(|it| it.code == *code)
    }

    /// Somebody to lead a case.
    pub(super) fn lead(&self, dice: &mut Dice) -> &Member {
        &self.members[dice.place(self.members.len(), true)]
    }

    /// Somebody to refer to, other than `not`: a third of the time the police.
    pub(super) fn recipient(&self, dice: &mut Dice, not: &[&AgencyCode]) -> &Member {
        let mut at = if dice.chance(33) { self.police } else { dice.place(self.members.len(), true) };
        while not.contains(&&self.members[at].code) {
            at = (at + 1) % self.members.len();
        }
        &self.members[at]
    }

    /// Another of the same ministry, to pass a referral on to.
    pub(super) fn colleague(&self, of: &Member, not: &AgencyCode) -> Option<&Member> {
        self.members.iter().find(|it| it.ministry == of.ministry && it.code != of.code && it.code != *not)
    }
}

fn member(code: &str, ministry: String, client: &str) -> Result<Member, Error> {
    let unfit = || Error::Fault(format!("nobody can act for {code}"));
    let (purpose, kinds): (Purpose, &[ReferralKind]) = match ministry.as_str() {
        "education" => (
            Purpose::EducationSafeguarding,
            &[ReferralKind::SchoolSafeguarding, ReferralKind::Counselling, ReferralKind::EducationPlacement],
        ),
        "home" => (
            Purpose::Investigation,
            &[ReferralKind::PoliceInvestigation, ReferralKind::DigitalForensics, ReferralKind::ChildInterview],
        ),
        "women-family" => (
            Purpose::Protection,
            &[ReferralKind::WelfareAssessment, ReferralKind::InterimProtection, ReferralKind::FamilySupport],
        ),
        "communications" => {
            (Purpose::ContentRemoval, &[ReferralKind::ContentTakedown, ReferralKind::SubscriberInformation])
        }
        _ => (Purpose::ServiceProvision, &[ReferralKind::ForensicMedicalExamination]),
    };
    let agency: AgencyCode = code.parse().map_err(|_| unfit())?;
    let actor = |id: String, role| {
        let client = client.parse().map_err(|_| unfit())?;
        let officer = id.parse().map_err(|_| unfit())?;
        Actor::officer(client, agency.clone(), officer, &[role], Some(purpose)).map_err(|_| unfit())
    };
    Ok(Member {
        officers: (1..=OFFICERS).map(|it| actor(format!("officer.{it}"), Role::Officer)).collect::<Result<_, _>>()?,
        supervisor: actor("supervisor.1".to_owned(), Role::Supervisor)?,
        code: agency.clone(),
        purpose,
        kinds,
        ministry,
    })
}
