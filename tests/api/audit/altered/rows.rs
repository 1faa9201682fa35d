//! Rows of the access log, of the leaves and of what opens them, each by itself.

use lindung_tests::Dice;

use super::log::{Log, new_id, quoted};
use super::{Alteration, Kind};
use crate::audit::{MCMC, POLICE, SCHOOL};

pub(super) const KINDS: &[Kind] = &[
    ("access_log: client", |log, dice| text(log, dice, "client_id")),
    ("access_log: agency", |log, dice| text(log, dice, "agency")),
    ("access_log: officer", |log, dice| text(log, dice, "officer")),
    ("access_log: purpose", |log, dice| text(log, dice, "purpose")),
    ("access_log: action", |log, dice| text(log, dice, "action")),
    ("access_log: outcome", |log, dice| text(log, dice, "outcome")),
    ("access_log: rule", |log, dice| text(log, dice, "rule")),
    ("access_log: target", |log, dice| text(log, dice, "target")),
    ("access_log: roles", |log, dice| list(log, dice, "roles", "'auditor'")),
    ("access_log: sections", |log, dice| list(log, dice, "sections", "'risk'")),
    ("access_log: cases", |log, dice| list(log, dice, "case_ids", "gen_random_uuid()")),
    ("access_log: children", |log, dice| list(log, dice, "child_ids", "gen_random_uuid()")),
    ("access_log: count", |log, dice| {
        let by = 1 + dice.below(3);
        of_access(log, dice, &format!("count = abs(count - {by})"))
    }),
    ("access_log: time", |log, dice| {
        let by = 1 + dice.below(1 << 31);
        of_access(log, dice, &format!("at = at + interval '{by} microseconds'"))
    }),
    ("access_log: request", |log, dice| of_access(log, dice, "request_id = gen_random_uuid()")),
    ("access_log: id", |log, dice| {
        let id = new_id(dice);
        of_access(log, dice, &format!("id = '{id}'"))
    }),
    ("access_log: deleted", |log, dice| {
        Alteration::rows(format!("delete from access_log where id = '{}'", log.access(dice).id))
    }),
    ("access_log: copied under another id", |log, dice| {
        let (id, old) = (new_id(dice), &log.access(dice).id);
        Alteration::rows(copy(&id, "xid", old))
    }),
    ("access_log: copied under the same id", |log, dice| {
        let (old, other) = (&log.access(dice).id, &log.access(dice).id);
        let xid = format!("(select xid from access_log where id = '{other}')");
        Alteration::rows(if old == other { String::new() } else { copy(old, &xid, old) })
    }),
    ("access_log: two accesses swap their officers", |log, dice| {
        let (one, other) = (log.access(dice), log.access(dice));
        Alteration::rows(format!(
            "update access_log a set officer = b.officer, agency = b.agency from access_log b \
             where a.id in ('{0}', '{1}') and b.id in ('{0}', '{1}') and a.id <> b.id",
            one.id, other.id
        ))
    }),
    ("access_log: copied under another id, as that entry", |log, dice| {
        let (id, entry) = (new_id(dice), log.access(dice));
        let point = format!("update access_leaves set entry_id = '{id}' where number = {}", entry.number);
        let delete = format!("delete from access_log where id = '{}'", entry.id);
        Alteration::rows([copy(&id, "xid", &entry.id), point, delete].join("; "))
    }),
    ("access_leaves: a bit", |log, dice| bit(log, dice, "access_leaves", "leaf", |_| true)),
    ("access_leaves: a value", |log, dice| {
        let entry = log.access(dice);
        let mut leaf = entry.leaf.clone();
        let field = *dice.of(&["officer", "agency", "purpose", "action", "outcome", "client", "rule"]);
        leaf[field] = "other".into();
        Alteration::rows(super::rewritten::leaf(entry.number, &leaf))
    }),
    ("access_leaves: the id of the access", |log, dice| {
        let (id, entry) = (new_id(dice), log.access(dice));
        Alteration::rows(format!("update access_leaves set entry_id = '{id}' where number = {}", entry.number))
    }),
    ("access_leaves: two swap the ids of their accesses", |log, dice| {
        let (one, other, id) = (log.access(dice), log.access(dice), new_id(dice));
        let set = |id: &str, number| format!("update access_leaves set entry_id = '{id}' where number = {number}");
        let steps = [set(&id, one.number), set(&one.id, other.number), set(&other.id, one.number)];
        Alteration::rows(if one.id == other.id { String::new() } else { steps.join("; ") })
    }),
    ("access_leaves: agency", |log, dice| {
        let (entry, other) = (log.of_agency(dice), *dice.of(&[SCHOOL, POLICE, MCMC, "KPWKM.JKM", "NOBODY"]));
        let sql = format!("update access_leaves set agency = '{other}' where number = {}", entry.number);
        let readers = [entry.agency.as_deref().unwrap(), other];
        Alteration::of_readers(sql, if other == "NOBODY" { &readers[..1] } else { &readers })
    }),
    ("access_leaves: an access as an erasure", |log, dice| {
        let entry = log.access(dice);
        let sql = format!("update access_leaves set kind = 'erasure' where number = {}", entry.number);
        let other = if entry.agency.as_deref() == Some(POLICE) { SCHOOL } else { POLICE };
        Alteration::of_readers(sql, &[other])
    }),
    ("access_leaves: an erasure as an access", |log, dice| {
        let entry = log.which(dice, |it| it.leaf["type"] == "erasure");
        let sql = format!("update access_leaves set kind = 'access' where number = {}", entry.number);
        Alteration::of_readers(sql, &[POLICE])
    }),
    ("access_leaves: deleted", |log, dice| {
        let number = dice.of(&log.entries).number;
        Alteration::rows(format!("delete from access_leaves where number = {number}"))
    }),
    ("access_leaves: deleted, and its opening and access", |log, dice| Alteration::rows(gone(log, dice))),
    ("access_leaves: deleted, and the tail renumbered", |log, dice| {
        Alteration::rows(super::rewritten::removed(log.access(dice)))
    }),
    ("access_leaves: two swapped", |log, dice| {
        let (one, other) = (log.access(dice).number, log.access(dice).number);
        Alteration::rows(swapped("access_leaves", one, other))
    }),
    ("access_leaves: inserted", |log, dice| {
        let (id, one, at) = (new_id(dice), log.access(dice), log.access(dice).number);
        Alteration::rows(super::rewritten::inserted(one, &id, at))
    }),
    ("access_openings: salt", |log, dice| bit(log, dice, "access_openings", "salt", |it| it.opening.is_some())),
    ("access_openings: detail", |log, dice| bit(log, dice, "access_openings", "detail", |it| it.opening.is_some())),
    ("access_openings: a value of the detail", |log, dice| {
        let entry = log.opened(dice);
        let mut detail = entry.opening.as_ref().unwrap().1.clone();
        let field = *dice.of(&["caseIds", "childIds", "sections"]);
        detail[field] = serde_json::json!([]);
        Alteration::rows(super::rewritten::detail(entry.number, &detail))
    }),
    ("access_openings: deleted", |log, dice| {
        Alteration::rows(format!("delete from access_openings where number = {}", log.opened(dice).number))
    }),
    ("access_openings: two swapped", |log, dice| {
        let (one, other) = (log.opened(dice).number, log.opened(dice).number);
        Alteration::rows(swapped("access_openings", one, other))
    }),
    ("access_openings: moved to an erased entry", |log, dice| {
        let erased = log.which(dice, |it| it.opening.is_none() && it.leaf["type"] == "access").number;
        let number = log.opened(dice).number;
        Alteration::rows(format!("update access_openings set number = {erased} where number = {number}"))
    }),
    ("access_openings: agency", |log, dice| {
        let entry = log.which(dice, |it| it.opening.is_some() && it.agency.is_some());
        let (own, other) = (entry.agency.as_deref().unwrap(), *dice.of(&[SCHOOL, POLICE, MCMC, "NOBODY"]));
        let sql = format!("update access_openings set agency = '{other}' where number = {}", entry.number);
        Alteration::of_readers(sql, &[own])
    }),
];

fn of_access(log: &Log, dice: &mut Dice, set: &str) -> Alteration {
    Alteration::rows(format!("update access_log set {set} where id = '{}'", log.access(dice).id))
}

/// A column becomes what it is elsewhere, what it is nowhere, or nothing.
fn text(log: &Log, dice: &mut Dice, column: &str) -> Alteration {
    let (id, other) = (log.access(dice).id.clone(), log.access(dice).id.clone());
    let value = match dice.below(3) {
        0 => format!("(select {column} from access_log where id = '{other}')"),
        1 if !["action", "outcome"].contains(&column) => "null".to_owned(),
        _ => quoted("some.other"),
    };
    Alteration::rows(format!("update access_log set {column} = {value} where id = '{id}'"))
}

/// A list becomes longer, shorter or empty, or is turned round.
fn list(log: &Log, dice: &mut Dice, column: &str, another: &str) -> Alteration {
    let value = match dice.below(4) {
        0 => format!("array_append({column}, {another})"),
        1 => format!("{column}[2:]"),
        2 => format!("array(select it from unnest({column}) with ordinality u (it, at) order by at desc)"),
        _ => "'{}'".to_owned(),
    };
    of_access(log, dice, &format!("{column} = {value}"))
}

/// A bit somewhere in a column.
fn bit(log: &Log, dice: &mut Dice, table: &str, column: &str, which: fn(&super::log::Entry) -> bool) -> Alteration {
    let (number, at) = (log.which(dice, which).number, dice.below(1 << 20));
    let at = format!("({at} % (8 * length({column})))");
    let flipped = format!("set_bit({column}, {at}, 1 - get_bit({column}, {at}))");
    Alteration::rows(format!("update {table} set {column} = {flipped} where number = {number}"))
}

/// A row of the access log once more.
pub(super) fn copy(id: &str, xid: &str, of: &str) -> String {
    format!(
        "insert into access_log (id, at, xid, request_id, client_id, agency, officer, roles, purpose, action, outcome, rule, target, \
         case_ids, child_ids, sections, count) select '{id}', at, {xid}, request_id, client_id, agency, officer, roles, purpose, \
         action, outcome, rule, target, case_ids, child_ids, sections, count from access_log where id = '{of}'"
    )
}

fn gone(log: &Log, dice: &mut Dice) -> String {
    let super::log::Entry { number, id, .. } = log.access(dice);
    format!(
        "delete from access_leaves where number = {number}; delete from access_openings where number = {number}; \
         delete from access_log where id = '{id}'"
    )
}

fn swapped(table: &str, one: i64, other: i64) -> String {
    let set = |from: i64, to: i64| format!("update {table} set number = {to} where number = {from}");
    if one == other { String::new() } else { [set(one, -1), set(other, one), set(-1, other)].join("; ") }
}
