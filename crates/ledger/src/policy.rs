//! Whom one believes: the logs, the witnesses, and how many of them have to have seen a checkpoint (`tlog-policy`).
//!
//! A policy that was read is complete: every name in it is defined once, before it is used, and counts in one way only.
//! Names are UTF-8 here, which the specification recommends; logs sign as `signed-note` has it, witnesses as
//! `tlog-cosignature` has it, both with Ed25519.

mod read;

use std::collections::BTreeSet;
use std::fmt;

use crate::checkpoint::{CheckpointError, Signed};
use crate::key::Vkey;

/// A policy, as one file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Option<Member>,
}

/// A key of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// The key; its name is the log's origin.
    pub vkey: Vkey,
    /// Where the log is served.
    pub url: Option<String>,
}

/// A witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// What the policy calls it, which need not be the name of its key.
    pub name: String,
    /// Its key.
    pub vkey: Vkey,
    /// Its submission prefix (`tlog-witness`).
    pub url: Option<String>,
}

/// So many of some witnesses and groups.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    name: String,
    threshold: usize,
    members: Vec<Member>,
}

/// What a name stands for, by its place among those of its sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Witness(usize),
    Group(usize),
}

/// What is wrong with a policy, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the policy: {why}")]
pub struct PolicyError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

/// How a checkpoint stands against a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whether enough witnesses have cosigned it.
    pub met: bool,
    /// How many members of the quorum's group have to have witnessed it: 1 where the quorum is one witness, 0 where it is
    /// none.
    pub needed: usize,
    /// Of how many.
    pub of: usize,
    /// The witnesses that have cosigned it, by their names in the policy, and when, in seconds since 1970.
    pub cosigned: Vec<(String, u64)>,
}

impl Policy {
    /// Reads a policy file.
    ///
    /// # Errors
    /// Which line is wrong, and why.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        read::policy(bytes)
    }

    /// The keys of logs.
    pub fn logs(&self) -> &[Log] {
        &self.logs
    }

    /// The witnesses.
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// The keys of all logs and witnesses: what [`Signed::open`] takes.
    pub fn keys(&self) -> Vec<Vkey> {
        self.logs.iter().map(|it| &it.vkey).chain(self.witnesses.iter().map(|it| &it.vkey)).cloned().collect()
    }

    /// Whether the witnesses of these names are a quorum.
    pub fn met_by(&self, cosigned: &BTreeSet<&str>) -> bool {
        self.quorum.is_none_or(|it| self.witnessed(it, cosigned))
    }

    fn witnessed(&self, member: Member, cosigned: &BTreeSet<&str>) -> bool {
        match member {
            Member::Witness(at) => self.witnesses.get(at).is_some_and(|it| cosigned.contains(it.name.as_str())),
            Member::Group(at) => self.groups.get(at).is_some_and(|it| {
                it.members.iter().filter(|member| self.witnessed(**member, cosigned)).count() >= it.threshold
            }),
        }
    }

    /// How a checkpoint stands against it.
    ///
    /// # Errors
    /// No log of the policy has signed it, or a signature does not hold.
    pub fn status(&self, signed: &Signed) -> Result<Status, CheckpointError> {
        let keys = self.keys();
        let opened = signed.open(&keys)?;
        let named = |key: &Vkey| self.witnesses.iter().find(|it| it.vkey == *key).map(|it| it.name.clone());
        let cosigned: Vec<(String, u64)> =
            opened.cosigned.iter().filter_map(|(key, at)| Some((named(key)?, *at))).collect();
        let met = self.met_by(&cosigned.iter().map(|(name, _)| name.as_str()).collect());
        let (needed, of) = match self.quorum {
            None => (0, 0),
            Some(Member::Witness(_)) => (1, 1),
            Some(Member::Group(at)) => self.groups.get(at).map_or((0, 0), |it| (it.threshold, it.members.len())),
        };
        Ok(Status { met, needed, of, cosigned })
    }

    fn name(&self, member: Member) -> &str {
        let name = match member {
            Member::Witness(at) => self.witnesses.get(at).map(|it| &it.name),
            Member::Group(at) => self.groups.get(at).map(|it| &it.name),
        };
        name.map_or("", String::as_str)
    }
}

/// As a file that reads back as the same policy.
impl fmt::Display for Policy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = |url: &Option<String>| url.as_ref().map_or(String::new(), |it| format!(" {it}"));
        for Log { vkey, url } in &self.logs {
            writeln!(out, "log {vkey}{}", after(url))?;
        }
        for Witness { name, vkey, url } in &self.witnesses {
            writeln!(out, "witness {name} {vkey}{}", after(url))?;
        }
        for Group { name, threshold, members } in &self.groups {
            write!(out, "group {name} {threshold}")?;
            members.iter().try_for_each(|it| write!(out, " {}", self.name(*it)))?;
            writeln!(out)?;
        }
        writeln!(out, "quorum {}", self.quorum.map_or("none", |it| self.name(it)))
    }
}

#[cfg(test)]
mod tests;
