//! A handoff as it is first made, and as it is offered.

use super::{Handoff, HandoffStatus, Keeps, Manifest, Record};
use crate::case::{Asking, CaseFile};
use crate::id::{AgencyCode, HandoffId, Version};
use crate::refusal::{Invalid, Refusal};

impl Record {
    pub(super) fn new(
        id: HandoffId,
        status: HandoffStatus,
        (from, to): (AgencyCode, AgencyCode),
        file: &CaseFile,
        asking: &Asking<'_>,
    ) -> Record {
        let case = file.case.record();
        Record {
            id,
            case: case.id,
            case_reference: case.reference.clone(),
            status,
            from,
            to,
            keeps: None,
            ask_reason: None,
            offer_reason: None,
            answer_reason: None,
            manifest: None,
            version: Version::FIRST,
            created_at: asking.now,
            offered_at: None,
            ended_at: None,
        }
    }

    /// As it is offered now: one at a time, and to nobody whom a shield keeps out.
    pub(super) fn offered(
        self,
        keeps: Keeps,
        reason: String,
        manifest: Option<Manifest>,
        file: &CaseFile,
        asking: &Asking<'_>,
    ) -> Result<Handoff, Refusal> {
        let another = |it: &&Handoff| it.0.status == HandoffStatus::Offered && it.0.id != self.id;
        if let Some(it) = file.handoffs.iter().find(another) {
            return Err(Refusal::pending_handoff("the case is offered already", it.0.id));
        }
        if !file.lets_in(&self.to) {
            return Err(Invalid::new("to", "shielded", "is kept out by a shield: it must name the agency first").into());
        }
        Ok(Handoff(Record {
            keeps: Some(keeps),
            offer_reason: Some(reason),
            manifest: Some(manifest.ok_or(Refusal::NotFound)?),
            offered_at: Some(asking.now),
            ..self
        }))
    }
}
