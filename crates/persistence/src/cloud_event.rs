//! An event as it is told outside: in the feed, by webhook, and in the contract.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;

/// An event in CloudEvents 1.0 (JSON format). Thin: ids, codes, agencies, versions and a link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloudEvent {
    /// The version of the specification: `1.0`.
    #[schema(example = "1.0")]
    pub specversion: String,
    /// The event's id (UUIDv7): the same at every door and whenever it is told again.
    pub id: Uuid,
    /// Who tells: this service's `/v1`.
    #[schema(example = "https://lindung.example/v1")]
    pub source: String,
    /// Past tense, dotted.
    #[serde(rename = "type")]
    #[schema(example = "my.gov.lindung.referral.accepted")]
    pub kind: String,
    /// To what it happened: what it is, and its id.
    #[schema(example = "referrals/0193b5f4-7a00-7c3e-9d55-0d8f6c2b1a01")]
    pub subject: String,
    /// When.
    pub time: DateTime<Utc>,
    /// Of `data`: `application/json`.
    #[schema(example = "application/json")]
    pub datacontenttype: String,
    /// Its number among all events, with zeros before it, so that text sorts as numbers do (CloudEvents' extension
    /// `sequence`). Those that you are not told of are missing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(example = "00000000000000004711")]
    pub sequence: Option<String>,
    /// What all events of one command have in common.
    pub causationid: Uuid,
    /// The case, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub caseid: Option<Uuid>,
    /// Its place among all events of the case, or of the subject where there is no case; numbers that you are not told of
    /// are missing.
    pub caseversion: i64,
    /// Which agency did it; absent where it happened by itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(example = "KDN.PDRM.D11")]
    pub agency: Option<String>,
    /// Where more is to be read, by whoever may.
    #[schema(example = "https://lindung.example/v1/referrals/0193b5f4-7a00-7c3e-9d55-0d8f6c2b1a01")]
    pub link: String,
    /// The event's own ids and codes.
    #[schema(value_type = Object)]
    pub data: Value,
}

/// An event's row, and its number.
#[derive(Debug, Deserialize)]
pub(crate) struct Told {
    id: Uuid,
    kind: String,
    case_id: Option<Uuid>,
    case_version: i64,
    subject_type: String,
    subject_id: Uuid,
    causation_id: Uuid,
    at: DateTime<Utc>,
    agency: Option<String>,
    data: Value,
    pub(crate) number: i64,
}

impl Told {
    /// Of which case.
    pub(crate) fn case(&self) -> Option<Uuid> {
        self.case_id
    }

    /// About which child.
    pub(crate) fn child(&self) -> Option<Uuid> {
        (self.subject_type == "child").then_some(self.subject_id)
    }

    /// As it is told by the service with this URL.
    pub(crate) fn by(self, issuer: &str) -> Result<CloudEvent, Error> {
        let Told { id, kind, case_id, case_version, subject_type, subject_id, causation_id, at, agency, data, number } =
            self;
        let (subject, link) = place(&subject_type, subject_id, case_id)
            .ok_or_else(|| Error::Fault(format!("an event is about a {subject_type}, which has no path")))?;
        Ok(CloudEvent {
            specversion: "1.0".to_owned(),
            id,
            source: format!("{issuer}/v1"),
            kind,
            link: format!("{issuer}{link}"),
            subject,
            time: at,
            datacontenttype: "application/json".to_owned(),
            sequence: Some(format!("{number:020}")),
            causationid: causation_id,
            caseid: case_id,
            caseversion: case_version,
            agency,
            data,
        })
    }
}

/// What something is called as the subject of an event, and where it can be read: by itself, or in a list of its case.
/// Nothing for what is of no known kind.
pub(crate) fn place(subject_type: &str, id: Uuid, case: Option<Uuid>) -> Option<(String, String)> {
    let plural = match subject_type {
        "case" => "cases",
        "child" => "children",
        "referral" => "referrals",
        "emergency-access" => "emergency-accesses",
        "proposal" => "proposals",
        "handoff" => "handoffs",
        "grant" => "grants",
        "consent" => "consents",
        "override" => "overrides",
        "data-sharing-request" => "data-sharing-requests",
        "subscription" => "subscriptions",
        _ => return None,
    };
    let subject = format!("{plural}/{id}");
    let link = match (subject_type, case) {
        ("child", Some(case)) => format!("/v1/cases/{case}/children/{id}"),
        ("proposal" | "grant" | "override", Some(case)) => format!("/v1/cases/{case}/{plural}"),
        _ => format!("/v1/{subject}"),
    };
    Some((subject, link))
}
