//! The reading of a policy, line by line.

use std::collections::{BTreeMap, BTreeSet};

use super::{Group, Log, Member, Policy, PolicyError, Witness};
use crate::key::{Kind, Vkey};

/// What was read so far.
#[derive(Default)]
struct Reader {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    names: BTreeMap<String, Member>,
    grouped: BTreeSet<String>,
    quorum: Option<Option<Member>>,
}

pub(super) fn policy(bytes: &[u8]) -> Result<Policy, PolicyError> {
    let mut reader = Reader::default();
    let mut lines = 0;
    for line in bytes.split_inclusive(|it| *it == b'\n') {
        lines += 1;
        reader.line(line).map_err(|why| PolicyError { line: lines, why })?;
    }
    let Reader { logs, witnesses, groups, quorum, .. } = reader;
    let missing = || PolicyError { line: lines + 1, why: "the quorum is missing".to_owned() };
    Ok(Policy { logs, witnesses, groups, quorum: quorum.ok_or_else(missing)? })
}

impl Reader {
    fn line(&mut self, line: &[u8]) -> Result<(), String> {
        let line = line.strip_suffix(b"\n").ok_or("it does not end in a newline")?;
        if line.iter().any(|it| it.is_ascii_control() && *it != b'\t') {
            return Err("it has a control character".to_owned());
        }
        let blank = |it: &u8| matches!(it, b' ' | b'\t');
        if matches!(line.iter().find(|it| !blank(it)), None | Some(b'#')) {
            return Ok(());
        }
        let line = std::str::from_utf8(line).map_err(|_| "it is not UTF-8")?;
        let words: Vec<&str> = line.split([' ', '\t']).filter(|it| !it.is_empty()).collect();
        match words.as_slice() {
            ["log", vkey] => self.log(vkey, None),
            ["log", vkey, url] => self.log(vkey, Some(url)),
            ["witness", name, vkey] => self.witness(name, vkey, None),
            ["witness", name, vkey, url] => self.witness(name, vkey, Some(url)),
            ["group", name, threshold, members @ ..] => self.group(name, threshold, members),
            ["quorum", name] => self.quorum(name),
            _ => Err("it is no log, witness, group or quorum".to_owned()),
        }
    }

    fn log(&mut self, vkey: &str, url: Option<&&str>) -> Result<(), String> {
        let vkey = key(vkey, Kind::Log)?;
        if self.logs.iter().any(|it| it.vkey.bytes() == vkey.bytes()) {
            return Err("another log has the same key".to_owned());
        }
        self.logs.push(Log { vkey, url: url.map(|it| (*it).to_owned()) });
        Ok(())
    }

    fn witness(&mut self, name: &str, vkey: &str, url: Option<&&str>) -> Result<(), String> {
        let vkey = key(vkey, Kind::Witness)?;
        if self.witnesses.iter().any(|it| it.vkey.bytes() == vkey.bytes()) {
            return Err("another witness has the same key".to_owned());
        }
        self.define(name, Member::Witness(self.witnesses.len()))?;
        self.witnesses.push(Witness { name: name.to_owned(), vkey, url: url.map(|it| (*it).to_owned()) });
        Ok(())
    }

    fn group(&mut self, name: &str, threshold: &str, names: &[&str]) -> Result<(), String> {
        let decimal = threshold.bytes().all(|it| it.is_ascii_digit()).then(|| threshold.parse().ok()).flatten();
        let threshold = match threshold {
            "any" => Some(1),
            "all" => Some(names.len()),
            _ => decimal,
        };
        let threshold = threshold.filter(|it| (1..=names.len()).contains(it));
        let threshold = threshold.ok_or("it needs all, any or a number of its members, and has at least one")?;
        let mut members = Vec::new();
        for member in names {
            members.push(self.known(member)?);
            if !self.grouped.insert((*member).to_owned()) {
                return Err(format!("{member} is a member already"));
            }
        }
        self.define(name, Member::Group(self.groups.len()))?;
        self.groups.push(Group { name: name.to_owned(), threshold, members });
        Ok(())
    }

    fn quorum(&mut self, name: &str) -> Result<(), String> {
        let quorum = if name == "none" { None } else { Some(self.known(name)?) };
        match self.quorum.replace(quorum) {
            None => Ok(()),
            Some(_) => Err("there is a quorum already".to_owned()),
        }
    }

    fn define(&mut self, name: &str, member: Member) -> Result<(), String> {
        if name == "none" || self.names.contains_key(name) {
            return Err(format!("{name} has a meaning already"));
        }
        self.names.insert(name.to_owned(), member);
        Ok(())
    }

    fn known(&self, name: &str) -> Result<Member, String> {
        self.names.get(name).copied().ok_or_else(|| format!("{name} is not defined before it"))
    }
}

fn key(text: &str, kind: Kind) -> Result<Vkey, String> {
    text.parse().and_then(|it: Vkey| it.of(kind)).map_err(|error| format!("its key {error}"))
}
