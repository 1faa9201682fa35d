//! What is sent about a handoff.

use lindung_domain::AgencyCode;
use lindung_domain::handoff::Keeps;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

/// Why.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HandoffReason)]
pub(super) struct Because {
    /// In words.
    #[schema(min_length = 1, max_length = 4000)]
    pub(super) reason: String,
}

/// To whom a case is offered, and how.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OfferCase {
    /// The agency that is to lead it.
    pub(super) to: AgencyCode,
    /// What your agency keeps.
    pub(super) keeps: Keeps,
    /// Why.
    #[schema(min_length = 1, max_length = 4000)]
    pub(super) reason: String,
}

/// How a case is offered to whoever asked for it, or offered again as it is now.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OfferHandoff {
    /// What your agency keeps.
    pub(super) keeps: Keeps,
    /// Why.
    #[schema(min_length = 1, max_length = 4000)]
    pub(super) reason: String,
}

/// What is accepted.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AcceptHandoff {
    /// The version of the manifest that you accept; that of the offer when left out.
    #[validate(length(min = 1, max = 64))]
    #[schema(min_length = 1, max_length = 64, pattern = "^[0-9a-f]{64}$")]
    pub(super) manifest: Option<String>,
}
