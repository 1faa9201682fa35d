//! An access as the API tells it against its entry, field by field.

use std::fmt::Debug;

use chrono::{DateTime, Utc};
use lindung_ledger::leaf::{AccessLeaf, Detail};

use crate::access::Access;

/// The outcomes of which an agency's own auditor is told which cases were touched; of others they see none.
const TOLD: [&str; 5] = ["permitted", "replayed", "denied", "stale", "conflict"];

/// What differs, as a list of sentences; nothing where all agrees. Without a detail, what it would tell is not compared;
/// `own` says that the auditor is of a single agency.
pub(super) fn differences(access: &Access, leaf: &AccessLeaf, detail: Option<&Detail>, own: bool) -> Vec<String> {
    let mut found = Vec::new();
    // Named one by one, so that a new field does not compile before it is compared.
    let Access {
        number: _,
        id,
        at,
        request_id,
        client_id,
        agency,
        officer,
        roles,
        purpose,
        action,
        outcome,
        rule,
        target,
        case_ids,
        child_ids,
        sections,
        count,
    } = access;
    differ(&mut found, "id", id, &leaf.id);
    differ(&mut found, "at", &Some(*at), &moment(leaf.at.as_str()));
    differ(&mut found, "requestId", request_id, &leaf.request_id);
    differ(&mut found, "clientId", client_id, &leaf.client);
    differ(&mut found, "agency", agency, &leaf.agency);
    differ(&mut found, "officer", officer, &leaf.officer);
    differ(&mut found, "roles", roles, &leaf.roles);
    differ(&mut found, "purpose", purpose, &leaf.purpose);
    differ(&mut found, "action", action, &leaf.action);
    differ(&mut found, "outcome", outcome, &leaf.outcome);
    differ(&mut found, "rule", rule, &leaf.rule);
    differ(&mut found, "count", count, &leaf.count);
    if let Some(detail) = detail {
        differ(&mut found, "target", target, &detail.target);
        let withheld = own && case_ids.is_empty() && !TOLD.contains(&outcome.as_str());
        if !withheld {
            differ(&mut found, "caseIds", case_ids, &detail.case_ids);
        }
        differ(&mut found, "childIds", child_ids, &detail.child_ids);
        differ(&mut found, "sections", sections, &detail.sections);
    }
    found
}

/// The moment that an entry names.
pub(super) fn moment(at: &str) -> Option<DateTime<Utc>> {
    at.parse().ok()
}

fn differ<T: PartialEq + Debug>(found: &mut Vec<String>, field: &str, told: &T, entered: &T) {
    if told != entered {
        found.push(format!("{field} is {told:?} in the API's log, and {entered:?} in the entry"));
    }
}
