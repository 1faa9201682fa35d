//! What is sent and answered about cases.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use lindung_domain::case::{Case, CaseStatus};
use lindung_domain::values::{Outcome, Priority, Technique};
use lindung_domain::{AgencyCode, CaseId, ChildId, Section, Version};
use lindung_persistence::{Answer, CaseFilter, CaseItem, CaseSeen, Error, RunningClock};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::children::{ChildAck, NewChild};
use crate::cursor;
use crate::openapi::ListedCode;
use crate::problem::Problem;
use crate::respond::{Links, PAGE_DEFAULT, PAGE_LIMIT, answer};
use crate::sections::NewCaseSections;

/// A case to open.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCase {
    /// How fast it has to move.
    pub(super) priority: Priority,
    /// Offence codes of list `offence`, at most 20.
    #[serde(default)]
    #[validate(length(max = 20))]
    #[schema(max_items = 20, value_type = Vec<ListedCode>, example = json!(["A792.15B"]))]
    pub(super) offences: Vec<String>,
    /// Grounds of list `ground`, at most 20.
    #[serde(default)]
    #[validate(length(max = 20))]
    #[schema(max_items = 20, value_type = Vec<ListedCode>, example = json!(["A611.17.1.a"]))]
    pub(super) grounds: Vec<String>,
    /// Techniques seen.
    #[serde(default)]
    #[validate(length(max = 20))]
    #[schema(max_items = 20)]
    pub(super) techniques: Vec<Technique>,
    /// What is known already, by section.
    #[serde(default)]
    pub(super) sections: NewCaseSections,
    /// The children it concerns, 1 to 50.
    #[schema(min_items = 1, max_items = 50)]
    pub(super) children: Vec<NewChild>,
}

/// Priority and codes of a case.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderBody {
    /// How fast it has to move.
    pub(super) priority: Priority,
    /// Offence codes of list `offence`, at most 20.
    #[validate(length(max = 20))]
    #[schema(max_items = 20, value_type = Vec<ListedCode>, example = json!(["A792.15B"]))]
    pub(super) offences: Vec<String>,
    /// Grounds of list `ground`, at most 20.
    #[validate(length(max = 20))]
    #[schema(max_items = 20, value_type = Vec<ListedCode>, example = json!(["A611.17.1.a"]))]
    pub(super) grounds: Vec<String>,
    /// Techniques seen.
    #[validate(length(max = 20))]
    #[schema(max_items = 20)]
    pub(super) techniques: Vec<Technique>,
}

/// How a case ends.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CloseCase {
    /// The coded outcome.
    pub(super) outcome: Outcome,
    /// In words.
    #[schema(min_length = 1, max_length = 4000)]
    pub(super) summary: Option<String>,
}

/// Why a case is opened again.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReopenCase {
    /// Why.
    #[schema(min_length = 1, max_length = 4000)]
    pub(super) reason: String,
}

/// Which cases are wanted.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct CaseParams {
    /// Open or closed.
    pub(super) status: Option<CaseStatus>,
    /// With this priority.
    pub(super) priority: Option<Priority>,
    /// Led by this agency.
    pub(super) lead: Option<AgencyCode>,
    /// This agency has a live grant of it, or a referral of it came to it. For coordinators; to others, of the cases that
    /// their agency leads.
    pub(super) party: Option<AgencyCode>,
    /// With this technique; not for coordinators.
    pub(super) technique: Option<Technique>,
    /// With this offence; not for coordinators.
    #[validate(length(max = 64))]
    #[param(max_length = 64, example = "A792.15B")]
    pub(super) offence: Option<String>,
    /// With this ground; not for coordinators.
    #[validate(length(max = 64))]
    #[param(max_length = 64, example = "A611.17.1.a")]
    pub(super) ground: Option<String>,
    /// Opened from then on, inclusively.
    pub(super) opened_from: Option<DateTime<Utc>>,
    /// Opened until then, exclusively.
    pub(super) opened_until: Option<DateTime<Utc>>,
    /// With exactly this reference.
    #[validate(length(max = 64))]
    #[param(max_length = 64, example = "LDG-2026-000123")]
    pub(super) reference: Option<String>,
    /// At most so many.
    #[validate(range(min = 1, max = PAGE_LIMIT))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub(super) limit: Option<i64>,
    /// From `next` of the page before.
    #[param(max_length = 400)]
    pub(super) cursor: Option<String>,
}

impl CaseParams {
    pub(super) fn filter(self) -> Result<CaseFilter, Problem> {
        let CaseParams {
            status,
            priority,
            lead,
            party,
            technique,
            offence,
            ground,
            opened_from,
            opened_until,
            reference,
            limit,
            cursor,
        } = self;
        let (after, limit) = (cursor::decode(cursor.as_deref())?, limit.unwrap_or(PAGE_DEFAULT));
        Ok(CaseFilter {
            status,
            priority,
            lead,
            party,
            technique,
            offence,
            ground,
            reference,
            opened_from,
            opened_until,
            after,
            limit,
        })
    }
}

/// A case as it was just opened or changed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CaseAck {
    /// Its id.
    id: CaseId,
    /// Year and number.
    #[schema(example = "LDG-2026-000123")]
    reference: String,
    /// Open or closed.
    status: CaseStatus,
    /// Its version.
    version: Version,
    /// Its children, when it was just opened.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    children: Vec<ChildAck>,
    /// Where it is.
    links: Links,
}

impl CaseAck {
    pub(super) fn answer(status: u16, case: &Case, children: &[ChildId]) -> Result<Answer, Error> {
        let record = case.record();
        let ack = CaseAck {
            id: record.id,
            reference: record.reference.clone(),
            status: record.status,
            version: record.version,
            children: children.iter().map(|it| ChildAck::new(record.id, *it, None)).collect(),
            links: Links::to(format!("/v1/cases/{}", record.id)),
        };
        Ok(Answer { case: Some(record.id), ..answer(status, &ack)? })
    }
}

/// A case as you may see it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CaseView {
    #[serde(flatten)]
    header: CaseItem,
    /// The children that you may know of.
    children: Vec<ChildAck>,
    /// The sections that you may read, of the case and of its children.
    readable_sections: BTreeSet<Section>,
    /// The sections that you may write.
    writable_sections: BTreeSet<Section>,
    /// For coordinators: the agencies that are parties.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parties: Vec<String>,
    /// The clocks that run on its children; those on its referrals are with them.
    clocks: Vec<RunningClock>,
    /// Where it is.
    links: Links,
}

impl CaseView {
    pub(super) fn new(seen: CaseSeen) -> Self {
        let CaseSeen { item, children, grants, parties, clocks } = seen;
        let id = CaseId(item.id);
        CaseView {
            children: children.into_iter().map(|it| ChildAck::new(id, ChildId(it), None)).collect(),
            readable_sections: grants.iter().flat_map(|it| it.sections.iter().copied()).collect(),
            writable_sections: grants.iter().flat_map(|it| it.contributes.iter().copied()).collect(),
            parties,
            clocks,
            links: Links::to(format!("/v1/cases/{id}")),
            header: item,
        }
    }
}
