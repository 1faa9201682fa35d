//! Status checks, after the NHS's Child Protection - Information Sharing: whoever cares for a child asks whether some
//! agency has a case of it, and learns whom to call.
//!
//! Whether the asker may be told of the case is not decided here: who is not, gets the answer of whom nobody knows. No
//! check holds the identifier that was asked for.

use crate::actor::Actor;
use crate::case::{Asking, CaseFile};
use crate::event::data::StatusCheckData;
use crate::event::{Change, Event, Kind, Subject};
use crate::id::{CaseId, ChildId, StatusCheckId};
use crate::policy::{self, Act, Relation};
use crate::refusal::Refusal;

/// A check that somebody makes of a child, which may be known or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusCheck {
    /// Its id.
    pub id: StatusCheckId,
    /// Whether the child was expected: what is unexpected is told to the lead.
    pub care_scheduled: bool,
    /// The keyed token of the identifier that was asked for.
    pub token: Vec<u8>,
}

/// A check of a child that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownChecked {
    /// The check.
    pub check: StatusCheck,
    /// The case.
    pub case: CaseId,
    /// The child in it.
    pub child: ChildId,
}

impl StatusCheck {
    /// Permits checks, whoever is asked about.
    ///
    /// # Errors
    /// [`Refusal::NotYours`].
    pub fn permit(actor: &Actor) -> Result<Relation, Refusal> {
        policy::require_own(actor, Act::CheckStatus)
    }

    /// Makes the check of a child that is known: one that was not scheduled is told to the case's lead, and to nobody
    /// else.
    ///
    /// # Errors
    /// Not theirs.
    pub fn of_known(
        self,
        child: ChildId,
        file: &CaseFile,
        asking: &Asking<'_>,
    ) -> Result<Change<KnownChecked>, Refusal> {
        let rule = StatusCheck::permit(asking.actor)?;
        let record = file.case.record();
        let scheduled = self.care_scheduled;
        let checked = KnownChecked { check: self, case: record.id, child };
        if scheduled {
            return Ok(Change::untold(checked, rule));
        }
        let (by, purpose) = (asking.actor.agency().clone(), asking.actor.purpose());
        let data = StatusCheckData { by, purpose, care_scheduled: scheduled };
        let event = Event::new(Kind::StatusChecked, Subject::Child(child), [record.lead.clone()].into(), data);
        Ok(Change::new(checked, rule, event))
    }
}
