//! Histories that are rewritten throughout, by somebody careful: the access, its leaf, its opening and all tiles agree, and
//! the log's own key has signed them. With witnesses who conspire, a checkpoint that another holds is all that is left.

use lindung_ledger::leaf::Commitment;
use lindung_tests::Dice;
use serde_json::{Value, json};

use super::log::{Entry, Log, hex, new_id, quoted};
use super::rows::copy;
use super::sealed::witnesses;
use super::{Alteration, Kind, Sealed};

pub(super) const KINDS: &[Kind] = &[
    ("rewritten: another officer, signed by the log", |log, dice| {
        let sealed = Sealed::Again(usize::try_from(dice.below(3)).unwrap());
        Alteration::rows(officer(log, dice)).sealed(sealed)
    }),
    ("rewritten: another officer, old witnesses kept", |log, dice| {
        Alteration::rows(officer(log, dice)).sealed(Sealed::Forged)
    }),
    ("rewritten: another officer, a quorum conspires", |log, dice| {
        let sealed = Sealed::Again(3 + usize::try_from(dice.below(3)).unwrap());
        Alteration::rows(officer(log, dice)).sealed(sealed)
    }),
    ("rewritten: other children", |log, dice| {
        let entry = log.opened(dice);
        let child = if dice.below(2) == 0 { json!([]) } else { json!([new_id(dice)]) };
        Alteration::rows(told(entry, "childIds", "child_ids", &child)).sealed(Sealed::Again(witnesses(dice)))
    }),
    ("rewritten: other cases", |log, dice| {
        let (entry, case) = (log.opened(dice), json!([new_id(dice)]));
        Alteration::rows(told(entry, "caseIds", "case_ids", &case)).sealed(Sealed::Again(witnesses(dice)))
    }),
    ("rewritten: an access that never was", |log, dice| {
        let (id, one, at) = (new_id(dice), log.access(dice), log.access(dice).number);
        let sql = format!("{}; {}", inserted(one, &id, at), copy(&id, "xid", &one.id));
        Alteration::rows(sql).sealed(Sealed::Again(witnesses(dice)))
    }),
    ("rewritten: an access taken out", |log, dice| {
        let entry = log.access(dice);
        let access = format!("delete from access_log where id = '{}'", entry.id);
        Alteration::rows(format!("{}; {access}", removed(entry))).sealed(Sealed::Again(witnesses(dice)))
    }),
    ("rewritten: an erasure that nobody decided", |log, dice| {
        let (entry, id, at) = (log.opened(dice), new_id(dice), log.sizes[0] - 1);
        let (number, access) = (entry.number, &entry.id);
        let last = &log.entries[log.entries.len() - 1].leaf["at"];
        let approvers = json!([{ "agency": "PP", "officer": "one" }, { "agency": "PP", "officer": "two" }]);
        let entries = json!([[number, number]]);
        let leaf = json!({ "type": "erasure", "id": id, "at": last, "proposal": id, "approvers": approvers, "entries": entries });
        let sql = format!(
            "{}; insert into access_leaves values ({at}, 'erasure', '{id}', 'PP', {}, now()); \
             delete from access_openings where number = {number}; \
             update access_log set target = null, case_ids = '{{}}', child_ids = '{{}}', sections = '{{}}' where id = '{access}'",
            room(at),
            bytes(&leaf),
        );
        Alteration::rows(sql).sealed(Sealed::Again(witnesses(dice)))
    }),
    ("rewritten: and more entered since", |log, dice| {
        let (id, one) = (new_id(dice), log.access(dice));
        let sql = format!("{}; {}", officer(log, dice), inserted(one, &id, log.sizes[0]));
        Alteration::rows(sql).sealed(Sealed::Again(3 + usize::try_from(dice.below(3)).unwrap()))
    }),
];

/// An access by another officer, in the log and in its entry.
fn officer(log: &Log, dice: &mut Dice) -> String {
    let entry = log.access(dice);
    let (mut leaf, other) = (entry.leaf.clone(), format!("officer.{}", dice.below(1 << 20)));
    leaf["officer"] = other.as_str().into();
    let access = format!("update access_log set officer = '{other}' where id = '{}'", entry.id);
    format!("{}; {access}", self::leaf(entry.number, &leaf))
}

/// An access about others: in the log, in its opening, and as its entry is committed to it.
fn told(entry: &Entry, field: &str, column: &str, value: &Value) -> String {
    let (salt, mut detail) = entry.opening.clone().unwrap();
    detail[field] = value.clone();
    let bytes: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&salt[2 * at..2 * at + 2], 16).unwrap()).collect();
    let mut leaf = entry.leaf.clone();
    let commitment = Commitment::to(&bytes.try_into().unwrap(), &canonical(&detail));
    leaf["detail"] = serde_json::to_value(commitment).unwrap();
    let list = value.to_string().replace('[', "{").replace(']', "}");
    let access = format!("update access_log set {column} = '{list}' where id = '{}'", entry.id);
    format!("{}; {}; {access}", self::leaf(entry.number, &leaf), self::detail(entry.number, &detail))
}

/// A leaf becomes that.
pub(super) fn leaf(number: i64, leaf: &Value) -> String {
    format!("update access_leaves set leaf = {} where number = {number}", bytes(leaf))
}

/// A detail becomes that.
pub(super) fn detail(number: i64, detail: &Value) -> String {
    format!("update access_openings set detail = {} where number = {number}", bytes(detail))
}

fn bytes(value: &Value) -> String {
    format!("'\\x{}'", hex(&canonical(value)))
}

fn canonical(value: &Value) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value).unwrap()
}

/// An entry is gone, and those behind it close the gap.
pub(super) fn removed(entry: &Entry) -> String {
    let each = ["access_leaves", "access_openings"].map(|it| {
        format!(
            "delete from {it} where number = {0}; update {it} set number = -number - 1 where number > {0}; \
             update {it} set number = -number - 2 where number < 0",
            entry.number
        )
    });
    each.join("; ")
}

/// Those from that number on make room for one.
fn room(at: i64) -> String {
    let each = ["access_leaves", "access_openings"].map(|it| {
        format!(
            "update {it} set number = -number - 1 where number >= {at}; update {it} set number = -number where number < 0"
        )
    });
    each.join("; ")
}

/// A copy of an entry under another id comes before another, and those behind it make room.
pub(super) fn inserted(entry: &Entry, id: &str, at: i64) -> String {
    let mut leaf = entry.leaf.clone();
    leaf["id"] = id.into();
    let (room, agency) = (room(at), entry.agency.as_deref().map_or("null".to_owned(), quoted));
    let opening = entry.opening.as_ref().map_or(String::new(), |(salt, detail)| {
        format!("; insert into access_openings values ({at}, {agency}, '\\x{salt}', {})", bytes(detail))
    });
    let values = format!("{at}, 'access', '{id}', {agency}, {}, now()", bytes(&leaf));
    format!("{room}; insert into access_leaves values ({values}){opening}")
}
