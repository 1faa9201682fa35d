//! A subscription's row.

use chrono::{DateTime, Utc};
use lindung_domain::event::Pattern;
use lindung_domain::subscription::{
    Channel, Destination, DisabledReason, Filter, MailLanguage, Record, SubscriptionStatus,
};
use lindung_domain::{AgencyCode, CaseId, ReferralId, SubscriptionId, Version};
use serde::Deserialize;

use crate::error::Error;
use crate::sql::Sql;

#[derive(Deserialize)]
pub(super) struct SubscriptionRow {
    id: SubscriptionId,
    agency: AgencyCode,
    channel: Channel,
    url: Option<String>,
    address: Option<String>,
    language: Option<MailLanguage>,
    types: Vec<Pattern>,
    of_case: Option<CaseId>,
    of_referral: Option<ReferralId>,
    status: SubscriptionStatus,
    reason: Option<DisabledReason>,
    generation: i32,
    rotated_at: Option<DateTime<Utc>>,
    next_number: i64,
    replaying: Option<i64>,
    failing_since: Option<DateTime<Utc>>,
    failures: i32,
    version: Version,
    created_at: DateTime<Utc>,
}

impl TryFrom<SubscriptionRow> for Record {
    type Error = Error;

    fn try_from(row: SubscriptionRow) -> Result<Self, Error> {
        let destination = match (row.channel, row.url, row.address, row.language) {
            (Channel::Webhook, Some(url), None, None) => Destination::Webhook(url),
            (Channel::Email, None, Some(address), Some(language)) => Destination::Email(address, language),
            _ => return Err(Error::Fault("a subscription goes nowhere".to_owned())),
        };
        Ok(Record {
            id: row.id,
            agency: row.agency,
            destination,
            filter: Filter { types: row.types, case: row.of_case, referral: row.of_referral },
            status: row.status,
            reason: row.reason,
            generation: row.generation,
            rotated_at: row.rotated_at,
            next_number: row.next_number,
            replaying: row.replaying,
            failing_since: row.failing_since,
            failures: row.failures,
            version: row.version,
            created_at: row.created_at,
        })
    }
}

/// Where it goes, as columns: URL, address and language.
fn columns(destination: &Destination) -> (Option<String>, Option<String>, Option<String>) {
    match destination {
        Destination::Webhook(url) => (Some(url.clone()), None, None),
        Destination::Email(address, language) => (None, Some(address.clone()), Some(language.to_string())),
    }
}

fn types(filter: &Filter) -> Vec<String> {
    filter.types.iter().map(ToString::to_string).collect()
}

/// Inserts it.
pub(super) fn inserted(record: &Record, now: DateTime<Utc>) -> Sql {
    let (url, address, language) = columns(&record.destination);
    Sql::new().with(
        "insert into subscriptions (id, agency, channel, url, address, language, types, of_case, of_referral, status, \
         generation, next_number, version, created_at, updated_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            record.id.0.into(),
            record.agency.as_str().into(),
            record.destination.channel().as_str().into(),
            url.into(),
            address.into(),
            language.into(),
            types(&record.filter).into(),
            record.filter.case.map(|it| it.0).into(),
            record.filter.referral.map(|it| it.0).into(),
            record.status.as_str().into(),
            record.generation.into(),
            record.next_number.into(),
            record.version.0.into(),
            record.created_at.into(),
            now.into(),
        ],
    )
}

/// Updates all of it that changes. That it was told of is forgotten where it is not disabled any more.
pub(super) fn updated(record: &Record, now: DateTime<Utc>) -> Sql {
    let (url, address, language) = columns(&record.destination);
    Sql::new().with(
        "update subscriptions set url = ?, address = ?, language = ?, types = ?, of_case = ?, of_referral = ?, status = ?, reason = ?, \
         generation = ?, rotated_at = ?, next_number = ?, replaying = ?, failing_since = ?, failures = ?, version = ?, updated_at = ?, \
         told_at = case when ? is null then null else told_at end where id = ?",
        [
            url.into(),
            address.into(),
            language.into(),
            types(&record.filter).into(),
            record.filter.case.map(|it| it.0).into(),
            record.filter.referral.map(|it| it.0).into(),
            record.status.as_str().into(),
            record.reason.map(|it| it.to_string()).into(),
            record.generation.into(),
            record.rotated_at.into(),
            record.next_number.into(),
            record.replaying.into(),
            record.failing_since.into(),
            record.failures.into(),
            record.version.0.into(),
            now.into(),
            record.reason.map(|it| it.to_string()).into(),
            record.id.0.into(),
        ],
    )
}
