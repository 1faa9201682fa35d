//! Clients: ministry systems, their keys, the officers they vouch for, the assertions they spent.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use lindung_domain::{AgencyCode, ClientId, OfficerId, Role};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::db::Db;
use crate::error::Error;
use crate::schema::{agencies, client_keys, clients, officers, spent_assertions};

/// A client as it is registered.
#[derive(Debug, Clone, PartialEq)]
pub struct Client {
    /// Its id.
    pub id: ClientId,
    /// The agency it belongs to.
    pub agency: AgencyCode,
    /// The units below the agency that it may speak for too.
    pub units: Vec<AgencyCode>,
    /// The roles that it may vouch for.
    pub roles: Vec<Role>,
    /// The agencies, among its own and its units, whose officers may look at a case in an emergency.
    pub emergency: Vec<AgencyCode>,
    /// What it is called.
    pub name: String,
    /// Whether it may ask for tokens.
    pub active: bool,
}

/// A public key of a client, as a JWK (RFC 7517).
#[derive(Debug, Clone, PartialEq)]
pub struct ClientKey {
    /// Its name among the client's keys.
    pub kid: String,
    /// The key.
    pub jwk: Value,
}

#[derive(Queryable, Selectable, Insertable, Serialize, Deserialize)]
#[diesel(table_name = clients, check_for_backend(diesel::pg::Pg))]
pub(crate) struct ClientRow {
    id: String,
    agency: String,
    units: Vec<String>,
    roles: Vec<String>,
    name: String,
    active: bool,
    emergency: Vec<String>,
}

impl ClientRow {
    pub(crate) fn new(client: &Client) -> Self {
        let Client { id, agency, units, roles, emergency, name, active } = client;
        ClientRow {
            id: id.to_string(),
            agency: agency.to_string(),
            units: units.iter().map(ToString::to_string).collect(),
            roles: roles.iter().map(ToString::to_string).collect(),
            name: name.clone(),
            active: *active,
            emergency: emergency.iter().map(ToString::to_string).collect(),
        }
    }

    pub(crate) fn into_client(self) -> Result<Client, Error> {
        let ClientRow { id, agency, units, roles, name, active, emergency } = self;
        let broken = |what: &str| Error::Fault(format!("a client's {what} is not one"));
        let parse = |it: String| it.try_into().map_err(|_| broken("agency"));
        let all = |codes: Vec<String>| codes.into_iter().map(parse).collect::<Result<_, _>>();
        Ok(Client {
            id: id.try_into().map_err(|_| broken("id"))?,
            agency: parse(agency)?,
            units: all(units)?,
            roles: roles.iter().map(|it| it.parse().map_err(|_| broken("role"))).collect::<Result<_, _>>()?,
            emergency: all(emergency)?,
            name,
            active,
        })
    }
}

impl Db {
    /// A client with its keys.
    ///
    /// # Errors
    /// The database is not available.
    pub fn client(&self, id: &ClientId) -> Result<Option<(Client, Vec<ClientKey>)>, Error> {
        let conn = &mut *self.connection()?;
        let Some(row) = clients::table.find(id.as_str()).select(ClientRow::as_select()).first(conn).optional()? else {
            return Ok(None);
        };
        let keys = client_keys::table.filter(client_keys::client_id.eq(id.as_str()));
        let keys: Vec<(String, Value)> = keys.select((client_keys::kid, client_keys::jwk)).load(conn)?;
        Ok(Some((row.into_client()?, keys.into_iter().map(|(kid, jwk)| ClientKey { kid, jwk }).collect())))
    }

    /// All clients, by id.
    ///
    /// # Errors
    /// The database is not available.
    pub fn clients(&self) -> Result<Vec<Client>, Error> {
        let rows = clients::table.order(clients::id).select(ClientRow::as_select()).load(&mut *self.connection()?)?;
        rows.into_iter().map(ClientRow::into_client).collect()
    }

    /// Registers a client, or changes how it is registered; adds the key to those it has, in place of
    /// the one of the same name.
    ///
    /// # Errors
    /// The agency is not registered; the database is not available.
    pub fn register_client(&self, client: &Client, key: &ClientKey, now: DateTime<Utc>) -> Result<(), Error> {
        self.transaction(|conn| register(conn, client, key, now))
    }

    /// Ends a client's rights from the next request on; whether there was such a client.
    ///
    /// # Errors
    /// The database is not available.
    pub fn disable_client(&self, id: &ClientId) -> Result<bool, Error> {
        let conn = &mut *self.connection()?;
        Ok(diesel::update(clients::table.find(id.as_str())).set(clients::active.eq(false)).execute(conn)? > 0)
    }

    /// Takes a key away from a client, from the next assertion on; whether it had that key.
    ///
    /// # Errors
    /// The database is not available.
    pub fn remove_key(&self, id: &ClientId, kid: &str) -> Result<bool, Error> {
        let conn = &mut *self.connection()?;
        Ok(diesel::delete(client_keys::table.find((id.as_str(), kid))).execute(conn)? > 0)
    }

    /// Whether the agency or unit is registered, takes part and is no heading.
    ///
    /// # Errors
    /// The database is not available.
    pub fn takes_part(&self, agency: &AgencyCode) -> Result<bool, Error> {
        let able = agencies::table.find(agency.as_str());
        let able = able.select(agencies::active.and(agencies::kind.ne("heading")));
        Ok(able.first(&mut *self.connection()?).optional()?.unwrap_or(false))
    }

    /// Spends an assertion: false when it was spent before (RFC 7523, 3, item 7).
    ///
    /// # Errors
    /// The database is not available.
    pub fn spend_assertion(&self, client: &ClientId, jti: &str, expires_at: DateTime<Utc>) -> Result<bool, Error> {
        let row = (
            spent_assertions::client_id.eq(client.as_str()),
            spent_assertions::jti.eq(jti),
            spent_assertions::expires_at.eq(expires_at),
        );
        let conn = &mut *self.connection()?;
        Ok(diesel::insert_into(spent_assertions::table).values(row).on_conflict_do_nothing().execute(conn)? > 0)
    }

    /// Remembers an officer as the agency's system just vouched for them.
    ///
    /// # Errors
    /// The database is not available.
    pub fn remember_officer(
        &self,
        agency: &AgencyCode,
        officer: &OfficerId,
        name: &str,
        client: &ClientId,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let changed = (officers::name.eq(name), officers::client_id.eq(client.as_str()), officers::seen_at.eq(now));
        diesel::insert_into(officers::table)
            .values((officers::agency.eq(agency.as_str()), officers::id.eq(officer.as_str()), changed))
            .on_conflict((officers::agency, officers::id))
            .do_update()
            .set(changed)
            .execute(&mut *self.connection()?)?;
        Ok(())
    }
}

pub(crate) fn register(
    conn: &mut PgConnection,
    client: &Client,
    key: &ClientKey,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let row = ClientRow::new(client);
    let changed = (
        clients::agency.eq(row.agency.clone()),
        clients::units.eq(row.units.clone()),
        clients::roles.eq(row.roles.clone()),
        clients::emergency.eq(row.emergency.clone()),
        clients::name.eq(row.name.clone()),
        clients::active.eq(row.active),
    );
    let key = (
        client_keys::client_id.eq(client.id.as_str()),
        client_keys::kid.eq(&key.kid),
        client_keys::jwk.eq(&key.jwk),
        client_keys::created_at.eq(now),
    );
    diesel::insert_into(clients::table)
        .values((row, clients::created_at.eq(now)))
        .on_conflict(clients::id)
        .do_update()
        .set(changed)
        .execute(conn)?;
    diesel::insert_into(client_keys::table)
        .values(key)
        .on_conflict((client_keys::client_id, client_keys::kid))
        .do_update()
        .set(key.2)
        .execute(conn)?;
    Ok(())
}
