//! What is sent to make or change a subscription.

use chrono::{DateTime, Utc};
use lindung_domain::event::Pattern;
use lindung_domain::refusal::Invalid;
use lindung_domain::subscription::{Channel, Destination, Filter, MailLanguage};
use lindung_domain::{CaseId, ReferralId};
use lindung_persistence::Beginning;
use lindung_webhook::{Allow, Target};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::{Validate, ValidateEmail};

use crate::problem::Problem;

/// The most bytes of a mail address (RFC 5321, 4.5.3.1.3).
const ADDRESS_LENGTH: usize = 254;

/// A subscription to make.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = NewSubscription)]
pub(super) struct NewBody {
    /// By what you are told.
    channel: Channel,
    /// Of a webhook: where it goes, by https to the public internet, without a name, a password or a fragment.
    #[schema(max_length = 2000, example = "https://hooks.kdn.example.my/lindung")]
    url: Option<String>,
    /// Of mail: to whom it goes.
    #[schema(max_length = 254, example = "meja.petugas@sekolah.example.my")]
    address: Option<String>,
    /// Of mail: in which language; Malay if none is named.
    language: Option<MailLanguage>,
    /// Only events of these types; one that ends in `.*` stands for all that begin so.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[schema(max_items = 100)]
    types: Vec<Pattern>,
    /// Only of this case.
    case: Option<CaseId>,
    /// Only of this referral.
    referral: Option<ReferralId>,
    /// From this number on, as in an event's `sequence`.
    #[validate(range(min = 0))]
    #[schema(minimum = 0)]
    from_number: Option<i64>,
    /// From the first event that happened then or later.
    from: Option<DateTime<Utc>>,
}

/// What a subscription is to be.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SubscriptionChange)]
pub(super) struct ChangedBody {
    /// Of a webhook: where it goes.
    #[schema(max_length = 2000, example = "https://hooks.kdn.example.my/lindung")]
    url: Option<String>,
    /// Of mail: to whom it goes.
    #[schema(max_length = 254, example = "meja.petugas@sekolah.example.my")]
    address: Option<String>,
    /// Of mail: in which language; Malay if none is named.
    language: Option<MailLanguage>,
    /// Only events of these types; all where there are none.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[schema(max_items = 100)]
    types: Vec<Pattern>,
    /// Only of this case.
    case: Option<CaseId>,
    /// Only of this referral.
    referral: Option<ReferralId>,
}

/// How to rotate.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SecretRotation)]
pub(super) struct RotateBody {
    /// Whether the former secret ends at once.
    #[serde(default)]
    pub(super) immediately: bool,
}

/// From where on: one of the two.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = Replay)]
pub(super) struct ReplayBody {
    /// From this number on, as in an event's `sequence`.
    #[validate(range(min = 0))]
    #[schema(minimum = 0)]
    from_number: Option<i64>,
    /// From the first event that happened then or later.
    from: Option<DateTime<Utc>>,
}

impl NewBody {
    pub(super) fn read(self, allow: Allow) -> Result<(Destination, Filter, Beginning), Problem> {
        let NewBody { channel, url, address, language, types, case, referral, from_number, from } = self;
        let lacking = |field| Problem::from(Invalid::new(field, "required", "goes with this channel"));
        match channel {
            Channel::Webhook if url.is_none() => return Err(lacking("url")),
            Channel::Email if address.is_none() => return Err(lacking("address")),
            Channel::Webhook | Channel::Email => {}
        }
        let destination = destination((url, address, language), allow)?;
        let from = beginning(from_number, from)?.unwrap_or(Beginning::Now);
        Ok((destination, Filter { types, case, referral }, from))
    }
}

impl ChangedBody {
    pub(super) fn read(self, allow: Allow) -> Result<(Destination, Filter), Problem> {
        let ChangedBody { url, address, language, types, case, referral } = self;
        Ok((destination((url, address, language), allow)?, Filter { types, case, referral }))
    }
}

impl ReplayBody {
    pub(super) fn read(self) -> Result<Beginning, Problem> {
        let found = beginning(self.from_number, self.from)?;
        found.ok_or_else(|| Invalid::new("fromNumber", "required", "says from where on; or from, a time").into())
    }
}

fn beginning(number: Option<i64>, time: Option<DateTime<Utc>>) -> Result<Option<Beginning>, Problem> {
    match (number, time) {
        (Some(_), Some(_)) => Err(Invalid::new("from", "one-of", "goes in place of fromNumber").into()),
        (number, time) => Ok(number.map(Beginning::Number).or(time.map(Beginning::Time))),
    }
}

fn destination(
    named: (Option<String>, Option<String>, Option<MailLanguage>),
    allow: Allow,
) -> Result<Destination, Problem> {
    let other = |field| Err(Invalid::new(field, "other-channel", "goes with the other channel").into());
    match named {
        (Some(_), Some(_), _) => other("address"),
        (Some(_), None, Some(_)) => other("language"),
        (Some(url), None, None) => match Target::parse(&url, allow) {
            Ok(target) => Ok(Destination::Webhook(target.to_string())),
            Err(bad) => Err(Invalid::new("url", bad.code(), bad.to_string()).into()),
        },
        (None, Some(address), language) => {
            if address.len() > ADDRESS_LENGTH || !address.is_ascii() || !address.validate_email() {
                return Err(Invalid::new("address", "email", "is no mail address").into());
            }
            Ok(Destination::Email(address, language.unwrap_or(MailLanguage::Ms)))
        }
        (None, None, _) => Err(Invalid::new("url", "required", "or address: where it goes").into()),
    }
}
