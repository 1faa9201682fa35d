//! Rows as the text that `COPY` reads.

use std::fmt::Write;

use diesel::ExecuteCopyFromDsl;
use diesel::pg::{CopyTarget, Pg, PgConnection};
use diesel::query_builder::AstPass;
use serde_json::Value;

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

            fn copy(self, conn: &mut PgConnection, rows: &str) -> Result<usize, Error> {
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
                                out.write_all(rows.as_bytes()).map_err(|it| Error::Unavailable(it.to_string()))
                            })
                            .execute(conn)
                    })*
                }
            }
        }
    };
}

tables! {
    Cases = "cases (id, reference, status, priority, lead_agency, offences, grounds, techniques, outcome, shielded, version, event_count, created_at)";
    Children = "children (id, case_id, created_at)";
    Sections = "sections (case_id, child_id, section, content, version, agency, updated_at)";
    Identities = "child_identities (child_id, case_id, content, version, agency, updated_at)";
    Referrals = "referrals (id, case_id, case_reference, sender, status, kind, priority, request, named, alternatives, open_to, children, shares, contributes, purposes, onward, retention_days, recipient, listed, former, redirects, awaiting_information, cancel_requested, assignee, due_at, outcome, reason, suggested, version, created_at, requested_at, arrived_at, updated_at)";
    Listings = "referral_listings (agency, referral_id, arrived_at)";
    Grants = "grants (id, case_id, agency, source, referral_id, sections, contributes, children, purposes, onward, since, until)";
    Parties = "case_parties (agency, case_id, activity_at)";
    Messages = "messages (id, case_id, referral_id, kind, code, text, agency, officer, at)";
    Events = "events (id, kind, case_id, case_version, subject_type, subject_id, causation_id, at, agency, client_id, data, recipients)";
    Accesses = "access_log (id, at, request_id, client_id, agency, officer, roles, purpose, action, target, outcome, rule, case_ids, child_ids, sections, count)";
}

/// Columns in which an array is JSON and not an array of PostgreSQL's.
const JSON: &[&str] = &["content", "data", "shares"];

impl Table {
    pub(super) fn name(self) -> &'static str {
        self.target().split(' ').next().unwrap_or_default()
    }

    fn columns(self) -> impl Iterator<Item = &'static str> {
        self.target().split([' ', '(', ',', ')']).skip(1).filter(|it| !it.is_empty())
    }
}

/// Rows that wait to be copied.
#[derive(Debug, Default)]
pub(super) struct Rows([String; Table::ALL.len()]);

impl Rows {
    /// Adds a row: an object with a member for each of the table's columns, and no other.
    pub(super) fn put(&mut self, table: Table, row: &Value) -> Result<(), Error> {
        let out = &mut self.0[table as usize];
        let (mut written, all) = (0, row.as_object().map_or(0, |it| it.len()));
        for column in table.columns() {
            let value = row.get(column).ok_or_else(|| unfit(table))?;
            if written > 0 {
                out.push('\t');
            }
            match value {
                Value::Null => out.push_str("\\N"),
                Value::Array(items) if !JSON.contains(&column) => array(out, items),
                Value::String(text) => escaped(out, text),
                other => escaped(out, &other.to_string()),
            }
            written += 1;
        }
        out.push('\n');
        if written == all { Ok(()) } else { Err(unfit(table)) }
    }

    /// Copies them all and tells how many there were.
    pub(super) fn copy(&self, conn: &mut PgConnection) -> Result<u64, Error> {
        let mut copied = 0;
        for (table, rows) in Table::ALL.iter().zip(&self.0) {
            copied += table.copy(conn, rows)? as u64;
        }
        Ok(copied)
    }
}

fn unfit(table: Table) -> Error {
    Error::Fault(format!("a row does not have the columns of {}", table.name()))
}

/// Of codes and ids only, which need no quotes.
fn array(out: &mut String, items: &[Value]) {
    out.push('{');
    for (at, item) in items.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let _ = write!(out, "{comma}{}", item.as_str().unwrap_or_default());
    }
    out.push('}');
}

fn escaped(out: &mut String, text: &str) {
    for char in text.chars() {
        match char {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_is_a_line_of_text() {
        let mut rows = Rows::default();
        let row = json!({ "case_id": "c", "child_id": null, "section": "summary", "content": { "text": "a\tb\"" },
            "version": 1, "agency": "KPM", "updated_at": "t" });
        rows.put(Table::Sections, &row).unwrap();
        assert_eq!(rows.0[Table::Sections as usize], "c\t\\N\tsummary\t{\"text\":\"a\\\\tb\\\\\"\"}\t1\tKPM\tt\n");
        assert!(rows.put(Table::Children, &row).is_err());
    }
}
