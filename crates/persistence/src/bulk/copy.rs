//! Rows as the text that `COPY` reads: made from JSON text, which is nearly the same.
//!
//! What a backslash stands for within JSON's quotes it stands for in `COPY` too, and an array of
//! codes or ids differs from PostgreSQL's in its brackets alone.

use diesel::ExecuteCopyFromDsl;
use diesel::pg::{CopyTarget, Pg, PgConnection};
use diesel::query_builder::AstPass;
use serde::Serialize;

use crate::error::Error;

// diesel wants a table behind every target, though the target itself writes all of the statement:
// `referrals` has more columns than a table may have with the features that we build diesel with.
diesel::table! { anything { id -> Uuid, } }

macro_rules! tables {
    ($($variant:ident = $target:literal;)*) => {
        /// The tables that are filled, in an order in which every foreign key holds.
        #[derive(Debug, Clone, Copy)]
        pub(super) enum Table { $($variant),* }

        impl Table {
            pub(super) const ALL: &'static [Table] = &[$(Table::$variant),*];

            /// The table with its columns, as the statement names them.
            fn target(self) -> &'static str {
                match self { $(Table::$variant => $target),* }
            }

            fn copy(self, conn: &mut PgConnection, rows: &[u8]) -> Result<usize, Error> {
                match self {
                    $(Table::$variant => {
                        struct Target;
                        impl CopyTarget for Target {
                            type Table = anything::table;
                            type SqlType = diesel::sql_types::Text;
                            fn walk_target(mut pass: AstPass<'_, '_, Pg>) -> diesel::QueryResult<()> {
                                pass.push_sql($target);
                                Ok(())
                            }
                        }
                        diesel::copy_from(anything::table)
                            .from_raw_data(Target, |out| {
                                out.write_all(rows).map_err(|it| Error::Unavailable(it.to_string()))
                            })
                            .execute(conn)
                    })*
                }
            }
        }
    };
}

tables! {
    Cases = "cases (id, reference, status, priority, lead_agency, offences, grounds, techniques, outcome, shield, version, event_count, created_at)";
    Children = "children (id, case_id, created_at)";
    Keys = "child_keys (child_id, case_id, wrapped, kek_version, created_at)";
    Sections = "sections (case_id, child_id, section, content, sealed, version, agency, updated_at)";
    Identities = "child_identities (child_id, case_id, sealed, version, agency, updated_at)";
    Indexes = "identity_indexes (child_id, case_id, token, index_version)";
    Referrals = "referrals (id, case_id, case_reference, sender, status, kind, priority, request, named, alternatives, open_to, children, shares, contributes, purposes, onward, retention_days, recipient, listed, former, redirects, awaiting_information, cancel_requested, assignee, due_at, outcome, reason, suggested, chain, version, created_at, requested_at, arrived_at, updated_at)";
    Listings = "referral_listings (agency, referral_id, arrived_at, case_id)";
    Grants = "grants (id, case_id, agency, source, referral_id, handoff_id, request_id, officer, chain, reason, ground, sections, contributes, children, purposes, consents, override_id, onward, since, until)";
    Parties = "case_parties (agency, case_id, activity_at)";
    Messages = "messages (id, case_id, referral_id, kind, code, text, agency, officer, at)";
    Events = "events (id, kind, case_id, case_version, subject_type, subject_id, causation_id, at, agency, client_id, data, recipients)";
    Accesses = "access_log (id, at, request_id, client_id, agency, officer, roles, purpose, action, target, outcome, rule, case_ids, child_ids, sections, count)";
}

/// Columns in which an array is JSON and not an array of PostgreSQL's.
const JSON: &[&str] = &["content", "data", "shares", "ground"];

impl Table {
    pub(super) fn name(self) -> &'static str {
        self.target().split(' ').next().unwrap_or_default()
    }

    fn columns(self) -> impl Iterator<Item = &'static str> {
        self.target().split([' ', '(', ',', ')']).skip(1).filter(|it| !it.is_empty())
    }
}

/// A row: an object with members of these names, in this order.
macro_rules! row {
    ($($column:ident $(: $value:expr)?),* $(,)?) => {{
        #[derive(serde::Serialize)]
        struct Row<$($column),*> { $($column: $column),* }
        Row { $($column $(: $value)?),* }
    }};
}
pub(super) use row;

/// Rows that wait to be copied.
#[derive(Debug, Default)]
pub(super) struct Rows {
    tables: [Vec<u8>; Table::ALL.len()],
    json: Vec<u8>,
}

impl Rows {
    /// Adds a row: what serializes as an object whose members are the table's columns in their order.
    pub(super) fn put(&mut self, table: Table, row: &impl Serialize) -> Result<(), Error> {
        self.json.clear();
        serde_json::to_writer(&mut self.json, row)?;
        line(&mut self.tables[table as usize], table, &self.json)
            .ok_or_else(|| Error::Fault(format!("a row does not have the columns of {}", table.name())))
    }

    /// Copies them all and tells how many there were.
    pub(super) fn copy(&self, conn: &mut PgConnection) -> Result<u64, Error> {
        let mut copied = 0;
        for (table, rows) in Table::ALL.iter().zip(&self.tables) {
            copied += table.copy(conn, rows)? as u64;
        }
        Ok(copied)
    }
}

/// Appends a line for an object; nothing if its members are not the table's columns.
fn line(out: &mut Vec<u8>, table: Table, object: &[u8]) -> Option<()> {
    let mut rest = object.strip_prefix(b"{")?;
    for (at, column) in table.columns().enumerate() {
        if at > 0 {
            rest = rest.strip_prefix(b",")?;
            out.push(b'\t');
        }
        rest = rest.strip_prefix(b"\"")?.strip_prefix(column.as_bytes())?.strip_prefix(b"\":")?;
        let (value, after) = rest.split_at(length(rest));
        match value {
            b"null" => out.extend_from_slice(b"\\N"),
            [b'"', text @ .., b'"'] => out.extend_from_slice(text),
            [b'[', items @ .., b']'] if !JSON.contains(&column) => {
                out.push(b'{');
                out.extend_from_slice(items);
                out.push(b'}');
            }
            json => escaped(out, json),
        }
        rest = after;
    }
    out.push(b'\n');
    (rest == b"}").then_some(())
}

/// How long the JSON value is that comes first.
fn length(json: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => at += 1 + text_length(&json[at + 1..]),
            b'{' | b'[' => depth += 1,
            b',' if depth == 0 => break,
            b'}' | b']' if depth == 0 => break,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    at.min(json.len())
}

/// How far it is to the quote that ends a text.
fn text_length(json: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = json[at..].iter().position(|it| matches!(it, b'"' | b'\\')) {
        at += found;
        if json[at] == b'"' {
            return at;
        }
        at = json.len().min(at + 2);
    }
    json.len()
}

/// JSON has no control characters, so backslashes are all that must be escaped.
fn escaped(out: &mut Vec<u8>, json: &[u8]) {
    for part in json.split_inclusive(|it| *it == b'\\') {
        out.extend_from_slice(part);
        if part.ends_with(b"\\") {
            out.push(b'\\');
        }
    }
}

#[cfg(test)]
#[expect(non_camel_case_types, reason = "as in `story`")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_row_is_a_line_of_text() {
        let mut rows = Rows::default();
        let row = row! { case_id: "c\t\\", child_id: Value::Null, section: "summary", content: json!({ "text": "a\tb\"" }),
        sealed: "\\x0a", version: 1, agency: "KPM", updated_at: "t" };
        rows.put(Table::Sections, &row).unwrap();
        let expected = "c\\t\\\\\t\\N\tsummary\t{\"text\":\"a\\\\tb\\\\\"\"}\t\\\\x0a\t1\tKPM\tt\n";
        assert_eq!(String::from_utf8_lossy(&rows.tables[Table::Sections as usize]), expected);
        assert!(rows.put(Table::Children, &row).is_err());
    }

    #[test]
    fn arrays_are_postgresqls_but_for_json() {
        let mut out = Vec::new();
        let object = br#"{"id":"i","at":"t","request_id":"r","client_id":null,"agency":"A","officer":"o","roles":["a","b"],"purpose":null,"action":"x","target":null,"outcome":"y","rule":null,"case_ids":[],"child_ids":[],"sections":[],"count":1}"#;
        assert_eq!(line(&mut out, Table::Accesses, object), Some(()));
        assert_eq!(
            String::from_utf8_lossy(&out),
            "i\tt\tr\t\\N\tA\to\t{\"a\",\"b\"}\t\\N\tx\t\\N\ty\t\\N\t{}\t{}\t{}\t1\n"
        );
        assert_eq!(length(br#"[{"a":"]}"},[1]],2"#), 16);
    }
}
