//! Suspensions: officers and clients whose every request is refused, from the next one on.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Bool, Jsonb, Nullable, Text};
use diesel::{OptionalExtension, RunQueryDsl};
use lindung_domain::actor::SECRETARIAT;
use lindung_domain::policy::{self, Act, Relation, Relations};
use lindung_domain::refusal::Invalid;
use lindung_domain::{Actor, AgencyCode, ClientId, OfficerId, Refusal, SuspensionId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::agencies::keeps;
use crate::db::{Call, Db, Read, Seen, Writing};
use crate::error::Error;
use crate::idempotency::Answer;
use crate::sql::Sql;

/// Who is suspended: an officer of an agency, or a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suspended {
    /// An officer, whichever client vouches for them.
    Officer(AgencyCode, OfficerId),
    /// A client, whomever it speaks for.
    Client(ClientId),
}

/// A suspension as administrators see it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"))]
#[schema(rename_all = "camelCase")]
pub struct SuspensionItem {
    /// Its id (UUIDv7).
    pub id: SuspensionId,
    /// Of the officer, or of the client.
    pub agency: AgencyCode,
    /// The officer who is suspended.
    pub officer: Option<OfficerId>,
    /// The client that is suspended.
    pub client_id: Option<ClientId>,
    /// Why.
    pub reason: String,
    /// The agency of whoever did it.
    pub by_agency: AgencyCode,
    /// Who did it.
    pub by_officer: OfficerId,
    /// Since when.
    pub since: DateTime<Utc>,
    /// When it was lifted.
    pub lifted_at: Option<DateTime<Utc>>,
    /// Who lifted it.
    pub lifted_by: Option<OfficerId>,
}

/// A condition that holds where nobody has suspended the actor's client or officer.
pub(crate) fn none_of<ST>(actor: &Actor) -> Sql<ST> {
    Sql::new().with(
        "not exists (select from suspensions s where s.lifted_at is null and (s.client_id = ? or (s.agency = ? and s.officer = ?)))",
        [
            actor.client_id().as_str().into(),
            actor.agency().as_str().into(),
            actor.officer_id().map(ToString::to_string).into(),
        ],
    )
}

/// Permits suspending somebody of the agency: its keeper, or an administrator of the secretariat.
fn permit(conn: &mut diesel::pg::PgConnection, actor: &Actor, agency: &AgencyCode) -> Result<Relation, Error> {
    let oversees = actor.agency().as_str() == SECRETARIAT;
    let relations: Relations = [
        oversees.then_some(Relation::Oversight),
        keeps(conn, actor, agency)?.unwrap_or(false).then_some(Relation::Administers),
    ]
    .into_iter()
    .flatten()
    .collect();
    Ok(policy::permits(actor, Act::Suspend, &relations).ok_or(Refusal::NotYours)?)
}

impl Db {
    /// Suspends an officer or a client, from the next request on.
    ///
    /// # Errors
    /// Not the actor's to suspend; there is no such agency or client; suspended already; the database is not available.
    pub fn suspend(
        &self,
        writing: Writing<'_>,
        id: SuspensionId,
        (who, reason): (&Suspended, &str),
        answer: impl FnOnce() -> Result<Answer, Error>,
    ) -> Result<Answer, Error> {
        let call = writing.call;
        let unknown =
            |field: &'static str| Refusal::from(Invalid::new(field, "unknown", "is not registered, or not yours"));
        let find = |conn: &mut diesel::pg::PgConnection| -> Result<(Relation, String), Error> {
            let (agency, field) = match who {
                Suspended::Officer(agency, _) => (Some(agency.to_string()), "agency"),
                Suspended::Client(client) => {
                    let query =
                        Sql::<Text>::new().with("select agency from clients where id = ?", [client.as_str().into()]);
                    (query.get_result(conn).optional()?, "client")
                }
            };
            // An administrator of nobody's is told so before anything is looked up.
            policy::permits(&call.actor, Act::Suspend, &Relations::from([Relation::Administers]))
                .ok_or(Refusal::NotYours)?;
            let agency = agency.ok_or_else(|| unknown(field))?;
            let code: AgencyCode =
                agency.parse().map_err(|_| Error::Fault("an agency's code is not one".to_owned()))?;
            if keeps(conn, &call.actor, &code)?.is_none() {
                return Err(unknown(field).into());
            }
            Ok((permit(conn, &call.actor, &code)?, agency))
        };
        self.write_reference(
            writing,
            |conn| find(conn).map(|it| it.0),
            |conn| {
                let agency = find(conn)?.1;
                let (officer, client) = match who {
                    Suspended::Officer(_, officer) => (Some(officer.to_string()), None),
                    Suspended::Client(client) => (None, Some(client.to_string())),
                };
                let by = call.actor.officer_id().ok_or(Refusal::NotYours)?;
                let insert = Sql::<()>::new().with(
                    "insert into suspensions (id, agency, officer, client_id, reason, by_agency, by_officer, since) \
                 select ?, ?, ?, ?, ?, ?, ?, ? where not exists (select from suspensions s where s.lifted_at is null \
                 and s.agency = ? and s.officer is not distinct from ? and s.client_id is not distinct from ?)",
                    [
                        id.0.into(),
                        agency.as_str().into(),
                        officer.clone().into(),
                        client.clone().into(),
                        reason.into(),
                        call.actor.agency().as_str().into(),
                        by.as_str().into(),
                        call.now.into(),
                        agency.as_str().into(),
                        officer.into(),
                        client.into(),
                    ],
                );
                if insert.execute(conn)? == 0 { Err(Error::Exists) } else { answer() }
            },
        )
    }

    /// Lifts a suspension.
    ///
    /// # Errors
    /// Not the actor's to lift; there is none, or it is lifted; the database is not available.
    pub fn lift_suspension(
        &self,
        writing: Writing<'_>,
        id: SuspensionId,
        answer: impl FnOnce() -> Result<Answer, Error>,
    ) -> Result<Answer, Error> {
        let call = writing.call;
        let permitted = |conn: &mut diesel::pg::PgConnection| -> Result<Relation, Error> {
            let query = Sql::<Text>::new().with("select agency from suspensions where id = ?", [id.0.into()]);
            let agency: Option<String> = query.get_result(conn).optional()?;
            let agency = agency.and_then(|it| it.parse().ok()).ok_or(Refusal::NotFound)?;
            // Whose it is not learns not even that there is one.
            permit(conn, &call.actor, &agency).map_err(|_| Refusal::NotFound.into())
        };
        self.write_reference(writing, permitted, |conn| {
            let lift = Sql::<()>::new().with(
                "update suspensions set lifted_at = ?, lifted_by = ? where id = ? and lifted_at is null",
                [call.now.into(), call.actor.officer_id().map(ToString::to_string).into(), id.0.into()],
            );
            if lift.execute(conn)? == 0 {
                return Err(Refusal::case_not_now("it is lifted already").into());
            }
            answer()
        })
    }

    /// The suspensions that the actor may lift or has lifted, newest first, before `before`.
    ///
    /// # Errors
    /// The actor is no administrator; the database is not available.
    pub fn suspensions(&self, call: &Call, before: Option<Uuid>, limit: i64) -> Result<Vec<SuspensionItem>, Error> {
        let open = |it| policy::permits(&call.actor, Act::Suspend, &Relations::from([it])).is_some();
        if !open(Relation::Administers) {
            return Err(Refusal::NotYours.into());
        }
        let own = call.actor.agency().as_str();
        let query = Sql::<Nullable<Jsonb>>::new().with(
            "select null::uuid as case_id, null::uuid[] as child_ids, null::text[] as sections, 'administers' as rule, s.id as item_id, \
             to_jsonb(s) as item from suspensions s where s.id < ? and (? = ? or s.agency in (with recursive down as \
             (select code from agencies where code = ? union all select a.code from agencies a join down on a.parent = down.code) \
             select code from down)) order by s.id desc limit ?",
            [before.unwrap_or(Uuid::max()).into(), own.into(), SECRETARIAT.into(), own.into(), limit.into()],
        );
        let rows: Vec<Option<Value>> = self.read(call, Read { columns: "item", query, seen: Seen::List })?;
        rows.into_iter().flatten().map(|it| Ok(serde_json::from_value(it)?)).collect()
    }

    /// Whether the actor may act at all: its client is active and registered for this, and nobody is suspended.
    ///
    /// # Errors
    /// The database is not available.
    pub fn may_act(&self, actor: &Actor) -> Result<bool, Error> {
        let query =
            Sql::<Bool>::new().with("select exists (", []).then(crate::access_log::standing::<()>(actor)).with(")", []);
        Ok(query.get_result(&mut *self.connection()?)?)
    }
}
