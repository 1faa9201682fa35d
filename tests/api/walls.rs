//! Row-level security, the second line behind the service's own policy: that it stands, and what it lets through
//! by itself.

pub(crate) mod alone;
mod catalogue;
mod forged;

use std::collections::BTreeSet;

use lindung_tests::Database;

/// The tables about no case. A new table is named here, or is about a case and has row security.
const ABOUT_NO_CASE: &[&str] = &[
    "__diesel_schema_migrations",
    "access_checkpoints",
    "access_cosignatures",
    "access_erasures",
    "access_leaves",
    "access_openings",
    "access_tiles",
    "agencies",
    "client_keys",
    "clients",
    "code_lists",
    "codes",
    "data_sharing_requests",
    "deliveries",
    "delivery_attempts",
    "event_numbers",
    "feed",
    "notification_rules",
    "notifier",
    "officers",
    "registrations",
    "sequencers",
    "spent_assertions",
    "spent_proofs",
    "spent_proofs_0",
    "spent_proofs_1",
    "spent_proofs_2",
    "spent_proofs_3",
    "spent_proofs_4",
    "spent_proofs_5",
    "subscriptions",
    "suspensions",
];

const ABOUT_A_CASE: &str = include_str!("walls/about.sql");

/// The names of the tables about a case.
fn about_a_case(database: &Database) -> BTreeSet<String> {
    database.rows(ABOUT_A_CASE).iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
}
