//! Data-sharing requests, read and listed; how one is saved is in [`save`]. What makes or changes one is
//! `lindung_domain::data_sharing`.

mod row;
mod save;

use chrono::{DateTime, Utc};
use diesel::RunQueryDsl;
use diesel::pg::PgConnection;
use diesel::sql_types::{BigInt, Jsonb, Nullable};
use lindung_domain::data_sharing::{DataSharing, DataSharingSide, DataSharingStatus};
use lindung_domain::policy::{self, Act, Relation, Relations};
use lindung_domain::{DataSharingId, Refusal, Role};
use serde_json::Value;
use uuid::Uuid;

use crate::clocks::RunningClock;
use crate::db::{About, Call, Db, Read, Seen, Tx};
use crate::error::Error;
use crate::sql::Sql;
use crate::visibility;

use row::RequestRow;
pub use row::{DataSharingItem, RegisterItem};

/// Which data-sharing requests are wanted.
#[derive(Debug, Clone, Default)]
pub struct DataSharingFilter {
    /// Those that the actor's agency made, or was asked; both when unset.
    pub side: Option<DataSharingSide>,
    /// In this status.
    pub status: Option<DataSharingStatus>,
    /// After this one.
    pub after: Option<Uuid>,
    /// At most so many.
    pub limit: i64,
}

/// A data-sharing request, as far as row-level security shows it.
pub(crate) fn load(conn: &mut PgConnection, id: DataSharingId) -> Result<Option<DataSharing>, Error> {
    Ok(loaded(conn, id)?.map(RequestRow::into_request))
}

fn loaded(conn: &mut PgConnection, id: DataSharingId) -> Result<Option<RequestRow>, Error> {
    let query = Sql::<Nullable<Jsonb>>::new()
        .with("select (select to_jsonb(d) from data_sharing_requests d where d.id = ?)", [id.0.into()]);
    let row: Option<Value> = query.get_result(conn)?;
    Ok(row.map(serde_json::from_value).transpose()?)
}

impl Tx<'_> {
    /// The next number for a data-sharing request's reference.
    ///
    /// # Errors
    /// The database is not available.
    pub fn next_data_sharing_number(&mut self) -> Result<i64, Error> {
        Ok(Sql::<BigInt>::new().with("select nextval('data_sharing_numbers')", []).get_result(self.conn)?)
    }
}

impl Db {
    /// A data-sharing request, with the clocks that run on it.
    ///
    /// # Errors
    /// It is not the actor's to see; the database is not available.
    pub fn data_sharing_request(
        &self,
        call: &Call,
        id: DataSharingId,
    ) -> Result<(DataSharing, Vec<RunningClock>), Error> {
        let query = Sql::<(Jsonb, Nullable<Jsonb>)>::new()
            .with("select null::uuid as case_id, null::uuid[] as child_ids, null::text[] as sections, ", [])
            .then(visibility::data_request_rule::<()>(call))
            .with(
                " as rule, d.id as item_id, to_jsonb(d) as item, (select jsonb_agg(w order by w.id) from clocks w where w.case_id is null \
                 and w.subject_id = d.id and w.ended_at is null) as clocks from data_sharing_requests d where d.id = ? and ",
                [id.0.into()],
            )
            .then(visibility::data_request_visible::<()>(call));
        let seen = Seen::One(About::DataSharing(id));
        let rows: Vec<(Value, Option<Value>)> = self.read(call, Read { columns: "item, clocks", query, seen })?;
        let (item, clocks) = rows.into_iter().next().ok_or(Refusal::NotFound)?;
        let request = serde_json::from_value::<RequestRow>(item)?.into_request();
        Ok((request, clocks.map_or(Ok(Vec::new()), serde_json::from_value)?))
    }

    /// The data-sharing requests that the actor's agency made or was asked, for coordinators all; newest first.
    ///
    /// # Errors
    /// The actor has no role for it; the database is not available.
    pub fn data_sharing_requests(
        &self,
        call: &Call,
        filter: &DataSharingFilter,
    ) -> Result<Vec<DataSharingItem>, Error> {
        policy::require_own(&call.actor, Act::ListDataRequests)?;
        let own = call.actor.agency().as_str();
        let mut query = Sql::<Jsonb>::new()
            .with("select null::uuid as case_id, null::uuid[] as child_ids, null::text[] as sections, ", [])
            .then(visibility::data_request_rule::<()>(call))
            .with(
                " as rule, d.id as item_id, to_jsonb(d) as item from data_sharing_requests d where d.id < ? and ",
                [filter.after.unwrap_or(Uuid::max()).into()],
            )
            .then(visibility::data_request_visible::<()>(call));
        query = match filter.side {
            None => query,
            Some(DataSharingSide::Requester) => query.with(" and d.requester = ?", [own.into()]),
            Some(DataSharingSide::Provider) => query.with(" and d.provider = ?", [own.into()]),
        };
        if let Some(status) = filter.status {
            query = query.with(" and d.status = ?", [status.as_str().into()]);
        }
        let query = query.with(" order by d.id desc limit ?", [filter.limit.into()]);
        items(self.read(call, Read { columns: "item", query, seen: Seen::List })?)
    }

    /// The register of data-sharing requests (Act 864 s.21): those that were made or answered in the period, oldest
    /// first; of the actor's agency on either side, for coordinators all.
    ///
    /// # Errors
    /// The actor has no role for it; the database is not available.
    pub fn data_sharing_register(
        &self,
        call: &Call,
        (from, until): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Vec<RegisterItem>, Error> {
        let relations = Relations::from([Relation::Own, Relation::Unshielded]);
        let rule = policy::permits(&call.actor, Act::ReadRegister, &relations).ok_or(Refusal::NotYours)?;
        let own = call.actor.agency().as_str();
        let period = || [from.into(), until.into()];
        let query = Sql::<Jsonb>::new()
            .with(
                "select null::uuid as case_id, null::uuid[] as child_ids, null::text[] as sections, ? as rule, d.id as item_id, \
                 to_jsonb(d) as item from data_sharing_requests d where (? or d.requester = ? or d.provider = ?)",
                [rule.as_str().into(), call.actor.is(Role::Coordinator).into(), own.into(), own.into()],
            )
            .with(" and ((d.created_at >= ? and d.created_at < ?)", period())
            .with(" or (d.deferred_at >= ? and d.deferred_at < ?)", period())
            .with(" or (d.ended_at >= ? and d.ended_at < ?)) order by d.id", period());
        items(self.read(call, Read { columns: "item", query, seen: Seen::List })?)
    }
}

fn items<T: serde::de::DeserializeOwned>(rows: Vec<Value>) -> Result<Vec<T>, Error> {
    rows.into_iter().map(|it| Ok(serde_json::from_value(it)?)).collect()
}
