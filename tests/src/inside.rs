//! The database as one of its roles has it, past the service: what row-level security lets through by itself.

use chrono::{DateTime, SecondsFormat, Utc};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};
use lindung_domain::Actor;
use serde_json::Value;

use crate::database::{Database, Row};

/// A transaction as a role; what it did is gone when it ends.
pub struct Inside(PgConnection);

/// The context that the service gives a transaction for somebody (`db/connection.rs`), as statements.
pub fn context(actor: &Actor, now: DateTime<Utc>) -> String {
    let roles: Vec<&str> = actor.roles().iter().map(|it| it.as_str()).collect();
    let settings = [
        ("agency", actor.agency().to_string()),
        ("client", actor.client_id().to_string()),
        ("officer", actor.officer_id().map(ToString::to_string).unwrap_or_default()),
        ("purpose", actor.purpose().map(|it| it.to_string()).unwrap_or_default()),
        ("roles", roles.join(",")),
        ("now", now.to_rfc3339_opts(SecondsFormat::Micros, true)),
    ];
    settings.map(|(name, value)| format!("set local lindung.{name} = '{value}'; ")).concat()
}

impl Database {
    /// Begins a transaction as `role`, in `context`.
    pub fn inside(&self, role: &str, context: &str) -> Inside {
        let mut conn = PgConnection::establish(&self.url_as(role)).expect("the role may log in");
        conn.batch_execute(&format!("begin; {context}")).unwrap();
        Inside(conn)
    }
}

impl Inside {
    /// The rows of a query, each as a JSON object.
    pub fn rows(&mut self, sql: &str) -> Vec<Value> {
        let query = format!("select to_jsonb(q) as row from ({sql}) q");
        let rows: Vec<Row> = sql_query(&query).load(&mut self.0).unwrap_or_else(|error| panic!("{query}: {error}"));
        rows.into_iter().map(|it| it.row).collect()
    }

    /// How many rows a statement changes, or why it is refused; the transaction goes on.
    ///
    /// # Errors
    /// What the database says.
    pub fn tries(&mut self, sql: &str) -> Result<usize, String> {
        self.0.batch_execute("savepoint before").unwrap();
        sql_query(sql).execute(&mut self.0).map_err(|error| {
            self.0.batch_execute("rollback to before").unwrap();
            error.to_string()
        })
    }

    /// Keeps what it did; another transaction of the same session begins, without a context of its own.
    pub fn goes_on(&mut self) {
        self.0.batch_execute("commit; begin").unwrap();
    }
}
