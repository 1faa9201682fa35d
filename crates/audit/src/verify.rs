//! Verifying an export, offline: whatever was changed in it after a checkpoint was witnessed is found.
//!
//! Each thing is held against what it cannot be made to fit: the checkpoint against the keys of the policy, the tiles
//! against the checkpoint, the entries against the tiles, the openings and the API's own log against the entries. What
//! does not hold is a finding; the rest is still looked at.

mod compare;
mod entries;
mod tiles;
mod time;

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Duration, Utc};
use lindung_ledger::checkpoint::Signed;
use lindung_ledger::policy::{Policy, Status};
use serde::Serialize;
use uuid::Uuid;

use crate::failure::Failure;
use crate::finding::{Findings, Kind};
use crate::folder::{self, Folder};
use crate::pull::LARGEST;

/// What to hold an export against.
#[derive(Debug, Clone)]
pub struct Against {
    /// The policy that the auditor trusts; without one the folder's own, which proves only that it agrees with itself.
    pub policy: Option<PathBuf>,
    /// A checkpoint that the auditor kept, or has from a witness.
    pub older: Option<PathBuf>,
    /// A child whose accesses are counted anew.
    pub child: Option<Uuid>,
    /// By how much an entry may be dated before one that came earlier: as long as a request takes, and as clocks differ.
    pub tolerance: Duration,
}

impl Default for Against {
    /// The folder's own policy, and a tolerance of ten minutes.
    fn default() -> Self {
        Against { policy: None, older: None, child: None, tolerance: Duration::minutes(10) }
    }
}

/// What was found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// The log.
    pub origin: String,
    /// How many entries the checkpoint has.
    pub size: u64,
    /// The root that it has, in base64.
    pub root: String,
    /// Whether the policy was the auditor's, and not the folder's own.
    pub own_policy: bool,
    /// Who has cosigned the checkpoint, and when.
    pub witnesses: Vec<Cosignature>,
    /// What was looked at.
    pub counts: Counts,
    /// The child's accesses, where one was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub child: Option<Recount>,
    /// What does not hold.
    pub findings: Findings,
}

/// A witness's signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cosignature {
    /// The witness, as the policy calls it.
    pub witness: String,
    /// When it saw the checkpoint.
    pub at: DateTime<Utc>,
}

/// How much was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Entries whose bytes were held against their hashes.
    pub entries: u64,
    /// Entries of which this auditor has the hash alone.
    pub unread: u64,
    /// Openings that open their entries.
    pub opened: u64,
    /// Openings that were erased.
    pub erased: u64,
    /// Accesses of the API's log that were held against their entries.
    pub accesses: u64,
    /// Accesses that came after the checkpoint, which it does not prove.
    pub unsealed: u64,
}

/// A child's accesses, counted twice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Recount {
    /// From the entries and what opens them.
    pub entered: u64,
    /// From what the API tells, of entries whose opening is there.
    pub told: u64,
}

/// Verifies the export.
///
/// # Errors
/// A file that all depends on is missing or is none: the policy, the checkpoint, the openings or the accesses.
pub fn verify(folder: &Folder, against: &Against) -> Result<Verdict, Failure> {
    let path = against.policy.clone().unwrap_or_else(|| folder.path("policy"));
    let none = |why: String| Failure::Content { path: path.clone(), why };
    let policy = Policy::parse(&folder::read(&path)?).map_err(|it| none(it.to_string()))?;
    let mut findings = Findings::default();
    let signed = signed(&folder.path("checkpoint"))?;
    let checkpoint = signed.checkpoint().clone();
    let witnesses = witnessed(&policy, &signed, &mut findings);
    let older = match &against.older {
        None => None,
        Some(path) => {
            let older = self::signed(path)?;
            if let Err(why) = policy.status(&older) {
                findings.add(Kind::Older, format!("the older checkpoint: {why}"));
            }
            let older = older.checkpoint().clone();
            if older.origin != checkpoint.origin {
                findings.add(Kind::Older, "the older checkpoint is another log's");
            }
            if older.size > checkpoint.size {
                let why = format!("the older checkpoint has {} entries, the log {} now", older.size, checkpoint.size);
                findings.add(Kind::Older, why);
            }
            Some(older)
        }
    };
    let latest = witnesses.iter().map(|it| it.at).max();
    let time = time::Time::new(against.tolerance, latest);
    let hashes = tiles::verified(folder, &checkpoint, older.as_ref(), &mut findings)?;
    let (counts, child) = entries::verified(folder, &hashes, against.child, time, &mut findings)?;
    Ok(Verdict {
        origin: checkpoint.origin,
        size: checkpoint.size,
        root: STANDARD.encode(checkpoint.root.0),
        own_policy: against.policy.is_some(),
        witnesses,
        counts,
        child,
        findings,
    })
}

/// A checkpoint of which nothing is believed yet.
fn signed(path: &std::path::Path) -> Result<Signed, Failure> {
    let none = |why: String| Failure::Content { path: path.to_owned(), why };
    let signed = Signed::parse(&folder::read(path)?).map_err(|it| none(it.to_string()))?;
    if signed.checkpoint().size > LARGEST {
        return Err(none("it has more entries than a log can".to_owned()));
    }
    Ok(signed)
}

/// Who has signed the checkpoint; a finding where that is not enough.
fn witnessed(policy: &Policy, signed: &Signed, findings: &mut Findings) -> Vec<Cosignature> {
    let Status { met, needed, of, cosigned } = match policy.status(signed) {
        Ok(status) => status,
        Err(why) => {
            findings.add(Kind::Signature, format!("the checkpoint: {why}"));
            return Vec::new();
        }
    };
    if !met {
        let who: Vec<&str> = cosigned.iter().map(|(name, _)| name.as_str()).collect();
        let who = if who.is_empty() { "nobody".to_owned() } else { who.join(", ") };
        findings.add(Kind::Quorum, format!("{needed} of {of} have to witness the checkpoint, and {who} has"));
    }
    let moment = |seconds: u64| i64::try_from(seconds).ok().and_then(|it| DateTime::from_timestamp(it, 0));
    cosigned.into_iter().filter_map(|(witness, at)| Some(Cosignature { witness, at: moment(at)? })).collect()
}
