//! How subscriptions and what belongs to them are told.

use chrono::{DateTime, Utc};
use lindung_domain::event::Pattern;
use lindung_domain::subscription::{
    Channel, Destination, DisabledReason, MailLanguage, Record, Subscription, SubscriptionAction, SubscriptionStatus,
};
use lindung_domain::{AgencyCode, CaseId, DeliveryId, ReferralId, SubscriptionId, Version};
use serde::Serialize;
use utoipa::ToSchema;

use crate::respond::Links;

/// A subscription.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Subscription)]
pub(super) struct SubscriptionView {
    /// Its id (UUIDv7).
    id: SubscriptionId,
    /// Whose it is.
    agency: AgencyCode,
    /// By what you are told.
    channel: Channel,
    /// Of a webhook: where it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// Of mail: to whom it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// Of mail: in which language.
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<MailLanguage>,
    /// Only events of these types; all where there are none.
    types: Vec<Pattern>,
    /// Only of this case.
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<CaseId>,
    /// Only of this referral.
    #[serde(skip_serializing_if = "Option::is_none")]
    referral: Option<ReferralId>,
    /// Where it stands.
    status: SubscriptionStatus,
    /// Why it is disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<DisabledReason>,
    /// Since when nothing but failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since: Option<DateTime<Utc>>,
    /// How many attempts failed since then.
    failures: i32,
    /// Deliveries were made of every event before this number.
    next_number: i64,
    /// What may be done to it now.
    available_actions: Vec<SubscriptionAction>,
    /// Its version, as in its `ETag`.
    version: Version,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// Where it is.
    links: Links,
}

impl SubscriptionView {
    pub(super) fn new(subscription: &Subscription) -> Self {
        let Record {
            id,
            agency,
            destination,
            filter,
            status,
            reason,
            generation: _,
            rotated_at: _,
            next_number,
            replaying: _,
            failing_since,
            failures,
            version,
            created_at,
        } = subscription.record().clone();
        let channel = destination.channel();
        let (url, address, language) = match destination {
            Destination::Webhook(url) => (Some(url), None, None),
            Destination::Email(address, language) => (None, Some(address), Some(language)),
        };
        SubscriptionView {
            id,
            agency,
            channel,
            url,
            address,
            language,
            types: filter.types,
            case: filter.case,
            referral: filter.referral,
            status,
            reason,
            failing_since,
            failures,
            next_number,
            available_actions: subscription.available_actions(),
            version,
            created_at,
            links: place(id),
        }
    }
}

fn place(id: SubscriptionId) -> Links {
    Links::to(format!("/v1/subscriptions/{id}"))
}

/// A subscription as it was just changed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SubscriptionAck {
    /// Its id.
    id: SubscriptionId,
    /// Where it stands.
    status: SubscriptionStatus,
    /// Its version.
    version: Version,
    /// Where it is.
    links: Links,
}

impl SubscriptionAck {
    pub(super) fn new(subscription: &Subscription) -> Self {
        let Record { id, status, version, .. } = subscription.record();
        SubscriptionAck { id: *id, status: *status, version: *version, links: place(*id) }
    }
}

/// A delivery that was just made due.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeliveryAck {
    /// Its id.
    id: DeliveryId,
    /// Where it is.
    links: Links,
}

impl DeliveryAck {
    pub(super) fn new(of: SubscriptionId, id: DeliveryId) -> Self {
        DeliveryAck { id, links: Links::to(format!("/v1/subscriptions/{of}/deliveries/{id}")) }
    }
}

/// The secrets that sign a webhook.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Secrets)]
pub(super) struct SecretsView {
    /// The present one, and then the former one as long as it signs.
    pub(super) items: Vec<SecretView>,
}

/// A secret (Standard Webhooks).
#[derive(Serialize, ToSchema)]
#[schema(as = Secret)]
pub(super) struct SecretView {
    /// `whsec_` and Base64.
    #[schema(example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")]
    pub(super) secret: String,
    /// When it was taken; absent for the first one, and for the former.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<DateTime<Utc>>,
    /// Until when it signs; absent for the present one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<DateTime<Utc>>,
}

impl std::fmt::Debug for SecretView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretView").field("until", &self.until).finish_non_exhaustive()
    }
}
