//! What a referral asks and shares, as it is sent.

use lindung_domain::referral::{Basis, Route, Share, Terms};
use lindung_domain::refusal::Invalid;
use lindung_domain::values::{BasisKind, Priority, ReferralKind};
use lindung_domain::{AgencyCode, ChildId, OverrideId, Purpose, Section};
use lindung_persistence::Db;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::problem::Problem;

/// The longest retention after completion, in days: ten years.
const RETENTION_LIMIT: i32 = 3650;

/// What is asked, of whom, and what is shared for it.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ReferralBody {
    /// Whether it is kept as a draft, yours alone, and sent later. A draft that is changed stays one.
    pub(super) draft: Option<bool>,
    /// What is asked.
    kind: ReferralKind,
    /// How fast it has to move.
    priority: Priority,
    /// The agency asked; or leave it out and give `openTo`.
    recipient: Option<AgencyCode>,
    /// Others that the recipient may pass it on to, at most 20.
    #[serde(default)]
    #[validate(length(max = 20))]
    #[schema(max_items = 20)]
    alternatives: Vec<AgencyCode>,
    /// Several agencies, one of which claims it, at most 20.
    #[validate(length(max = 20))]
    #[schema(max_items = 20)]
    open_to: Option<Vec<AgencyCode>>,
    /// In words, at most 4,000 characters. No name in it.
    #[validate(length(min = 1, max = 4000))]
    #[schema(min_length = 1, max_length = 4000, example = "Please assess the child's safety at home within the day.")]
    request: String,
    /// About which of the case's children; all when left out.
    #[validate(length(min = 1, max = 50))]
    #[schema(min_items = 1, max_items = 50)]
    children: Option<Vec<ChildId>>,
    /// What the recipient will see once it accepts. `summary` is always shared; every other section names its basis.
    #[serde(default)]
    #[validate(length(max = 11))]
    #[schema(max_items = 11)]
    shares: Vec<Share>,
    /// Which shared sections the recipient may write.
    #[serde(default)]
    #[validate(length(max = 11))]
    #[schema(max_items = 11)]
    contributes: Vec<Section>,
    /// What the recipient may use it for: purposes of work on a case.
    #[validate(length(min = 1, max = 5))]
    #[schema(min_items = 1, max_items = 5, example = json!(["protection"]))]
    purposes: Vec<Purpose>,
    /// Whether the recipient may share onward what it sees, and pass the referral on to anyone.
    #[serde(default)]
    onward: bool,
    /// For how many days after completion the recipient still sees what was shared.
    #[serde(default)]
    #[validate(range(min = 0, max = RETENTION_LIMIT))]
    #[schema(minimum = 0, maximum = 3650)]
    retention_days: i32,
}

impl ReferralBody {
    /// The terms, if the route is one or the other.
    pub(super) fn into_terms(self) -> Result<Terms, Problem> {
        let ReferralBody {
            draft: _,
            kind,
            priority,
            recipient,
            alternatives,
            open_to,
            request,
            children,
            shares,
            contributes,
            purposes,
            onward,
            retention_days,
        } = self;
        let route = match (recipient, open_to) {
            (Some(_), Some(_)) => {
                return Err(Invalid::new("openTo", "conflict", "goes without recipient").into());
            }
            (None, Some(_)) if !alternatives.is_empty() => {
                return Err(Invalid::new("alternatives", "conflict", "goes with recipient, not with openTo").into());
            }
            (None, Some(listed)) => Route::Open(listed),
            (recipient, None) => Route::Named { recipient, alternatives },
        };
        let shares = with_records(shares)?;
        Ok(Terms { kind, priority, route, request, children, shares, contributes, purposes, onward, retention_days })
    }
}

/// The shares with an id for the record of each override: one for each reason and end.
fn with_records(mut shares: Vec<Share>) -> Result<Vec<Share>, Problem> {
    let mut known: Vec<(Basis, OverrideId)> = Vec::new();
    for (at, share) in shares.iter_mut().enumerate() {
        let Some(basis) = share.basis.as_mut() else { continue };
        if basis.record.is_some() {
            return Err(
                Invalid::new(format!("shares[{at}].basis.override"), "read-only", "is given by the service").into()
            );
        }
        if basis.kind == BasisKind::Override {
            let same = known.iter().find(|it| it.0 == *basis).map(|it| it.1);
            let record = same.unwrap_or_else(|| OverrideId(Db::new_id()));
            known.push((basis.clone(), record));
            basis.record = Some(record);
        }
    }
    Ok(shares)
}
