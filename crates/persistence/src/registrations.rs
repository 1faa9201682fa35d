//! Registrations of clients that two operators agree on: who may vouch for what is not for one alone.
//!
//! Operators are told apart by their database logins, which no role that they take hides.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, RunQueryDsl};
use lindung_domain::{ClientId, Refusal};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clients::{Client, ClientKey, ClientRow, register};
use crate::db::Db;
use crate::error::Error;
use crate::sql::Sql;

/// A registration that waits for another operator.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Its id.
    pub id: Uuid,
    /// The client as it is to be registered.
    pub client: Client,
    /// The name of the key that it is to get.
    pub kid: String,
    /// Who proposed it.
    pub proposed_by: String,
    /// When.
    pub proposed_at: DateTime<Utc>,
}

type Columns = (SqlUuid, Jsonb, Jsonb, Text, Timestamptz);
type Row = (Uuid, Value, Value, String, DateTime<Utc>);

const WAITING: &str = "select id, client, key, proposed_by, proposed_at from registrations where confirmed_at is null";

fn key_of(row: &Value) -> Result<ClientKey, Error> {
    let kid = row["kid"].as_str().ok_or_else(|| Error::Fault("a registration has no key".to_owned()))?;
    Ok(ClientKey { kid: kid.to_owned(), jwk: row["jwk"].clone() })
}

fn client_of(row: Value) -> Result<Client, Error> {
    serde_json::from_value::<ClientRow>(row)?.into_client()
}

impl Db {
    /// Proposes to register a client, or to change how it is registered, with one more key.
    ///
    /// # Errors
    /// The database is not available.
    pub fn propose_client(&self, client: &Client, key: &ClientKey, now: DateTime<Utc>) -> Result<Uuid, Error> {
        let id = Db::new_id();
        let key = json!({ "kid": key.kid, "jwk": key.jwk });
        let insert = Sql::<()>::new().with(
            "insert into registrations (id, client, key, proposed_at) values (?, ?, ?, ?)",
            [id.into(), json!(ClientRow::new(client)).into(), key.into(), now.into()],
        );
        insert.execute(&mut *self.connection()?)?;
        Ok(id)
    }

    /// The registrations that wait, oldest first.
    ///
    /// # Errors
    /// The database is not available.
    pub fn waiting_clients(&self) -> Result<Vec<Registration>, Error> {
        let query = Sql::<Columns>::new().with(WAITING, []).with(" order by id", []);
        let rows: Vec<Row> = query.load(&mut *self.connection()?)?;
        let read = |(id, client, key, proposed_by, proposed_at): Row| {
            Ok(Registration { id, client: client_of(client)?, kid: key_of(&key)?.kid, proposed_by, proposed_at })
        };
        rows.into_iter().map(read).collect()
    }

    /// Confirms a registration: it holds from the next assertion on.
    ///
    /// # Errors
    /// There is none that waits ([`Refusal::NotFound`]); it is the operator's own ([`Refusal::NotYours`]); the agency
    /// is not registered; the database is not available.
    pub fn confirm_client(&self, id: Uuid, now: DateTime<Utc>) -> Result<ClientId, Error> {
        self.transaction(|conn| {
            let query = Sql::<Columns>::new().with(WAITING, []).with(" and id = ? for update", [id.into()]);
            let row: Option<Row> = query.get_result(conn).optional()?;
            let (_, client, key, _, _) = row.ok_or(Refusal::NotFound)?;
            let confirm = Sql::<()>::new().with(
                "update registrations set confirmed_by = session_user, confirmed_at = ? where id = ? and proposed_by <> session_user",
                [now.into(), id.into()],
            );
            if confirm.execute(conn)? == 0 {
                return Err(Refusal::NotYours.into());
            }
            let client = client_of(client)?;
            register(conn, &client, &key_of(&key)?, now)?;
            Ok(client.id)
        })
    }
}
