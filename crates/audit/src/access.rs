//! One access, as the API's own access log tells it.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

/// An access: known from outside, so that codes and ids of others are texts.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Access {
    /// Its number in the transparency log, from 0; none before it has one.
    #[serde(default)]
    pub number: Option<u64>,
    /// Of the row.
    pub id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// The request that it answers.
    pub request_id: Uuid,
    /// The system that asked.
    #[serde(default)]
    pub client_id: Option<String>,
    /// For which agency.
    #[serde(default)]
    pub agency: Option<String>,
    /// For which officer.
    #[serde(default)]
    pub officer: Option<String>,
    /// In which roles.
    pub roles: Vec<String>,
    /// For which purpose.
    #[serde(default)]
    pub purpose: Option<String>,
    /// What was asked.
    pub action: String,
    /// What became of it.
    pub outcome: String,
    /// The relation that permitted it.
    #[serde(default)]
    pub rule: Option<String>,
    /// What the request named.
    #[serde(default)]
    pub target: Option<String>,
    /// The cases that were shown, changed or named.
    pub case_ids: Vec<Uuid>,
    /// The children that were shown or changed.
    pub child_ids: Vec<Uuid>,
    /// The sections that were shown or changed.
    pub sections: Vec<String>,
    /// How many items were shown.
    pub count: u32,
}
