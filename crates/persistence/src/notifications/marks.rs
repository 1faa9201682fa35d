//! How people mark what they are notified of: reading is each one's own, taking note is once for all who hear of it.

use diesel::pg::PgConnection;
use diesel::sql_types::{BigInt, Jsonb, Nullable, Uuid as SqlUuid};
use diesel::{OptionalExtension, RunQueryDsl};
use lindung_domain::policy::{self, Act, Relation};
use lindung_domain::{NotificationId, Refusal};
use serde_json::Value;
use uuid::Uuid;

use super::item::NotificationItem;
use super::{ITEM, LOOKED_AT, NEWEST, heard, marked, one, own};
use crate::db::{Call, Db, Writing};
use crate::error::Error;
use crate::idempotency::Answer;
use crate::sql::Sql;

impl Db {
    /// Marks one as read by the actor, or it and those that come after it in the list, as many as are looked at. The
    /// answer tells how many had not been, and with which to go on where there are more.
    ///
    /// # Errors
    /// There is none; the actor is a client alone; the database is not available.
    pub fn mark_read(
        &self,
        writing: Writing<'_>,
        id: NotificationId,
        older: bool,
        answer: impl FnOnce(&NotificationItem, usize, Option<NotificationId>) -> Result<Answer, Error>,
    ) -> Result<Answer, Error> {
        let call = writing.call;
        self.write_reference(
            writing,
            |conn| may_mark(conn, call, id),
            |conn| {
                let (marked, next) = if older { mark_older(conn, call, id)? } else { (mark(conn, call, id)?, None) };
                answer(&seen(conn, call, id)?, marked, next)
            },
        )
    }

    /// Takes note of one for all who hear of it, and marks it as read by the actor. Whoever was first stays.
    ///
    /// # Errors
    /// There is none; the actor is a client alone; the database is not available.
    pub fn acknowledge(
        &self,
        writing: Writing<'_>,
        id: NotificationId,
        answer: impl FnOnce(&NotificationItem) -> Result<Answer, Error>,
    ) -> Result<Answer, Error> {
        let call = writing.call;
        self.write_reference(
            writing,
            |conn| may_mark(conn, call, id),
            |conn| {
                let [officer, agency] = own(&call.actor);
                Sql::<()>::new()
                    .with(
                        "update notifications set acknowledged_by = ?, acknowledged_at = ? \
                         where id = ? and agency = ? and acknowledged_at is null",
                        [officer, call.now.into(), id.0.into(), agency],
                    )
                    .execute(conn)?;
                mark(conn, call, id)?;
                answer(&seen(conn, call, id)?)
            },
        )
    }
}

/// The actor may mark what they hear of, and is told again that they did only as long as they do.
fn may_mark(conn: &mut PgConnection, call: &Call, id: NotificationId) -> Result<Relation, Error> {
    let rule = policy::require_own(&call.actor, Act::ReadNotifications)?;
    seen(conn, call, id).map(|_| rule)
}

/// Marks one as read by the actor; tells how many had not been.
fn mark(conn: &mut PgConnection, call: &Call, id: NotificationId) -> Result<usize, Error> {
    let [officer, agency] = own(&call.actor);
    let mark = Sql::<()>::new()
        .with(
            "insert into notification_marks (notification_id, agency, officer, read_at) select n.id, ?, ?, ?",
            [agency, officer, call.now.into()],
        )
        .then(one(&call.actor, id))
        .with(" on conflict do nothing", []);
    Ok(mark.execute(conn)?)
}

/// Marks one and those after it as read by the actor; tells how many had not been, and the first that was not looked at.
fn mark_older(
    conn: &mut PgConnection,
    call: &Call,
    id: NotificationId,
) -> Result<(usize, Option<NotificationId>), Error> {
    let (at, from) = seen(conn, call, id)?.place();
    let [officer, agency] = own(&call.actor);
    let older = Sql::new().with(" and (told_at, id) <= (?, ?)", [at.into(), from.into()]);
    let mark = Sql::<(BigInt, Nullable<SqlUuid>)>::new()
        .with("with looked as materialized (", [])
        .then(heard(&call.actor, older, LOOKED_AT + 1))
        .with("), first as (select n.id from looked n", [])
        .with(NEWEST, [])
        .with(" offset ?), marked as (insert into notification_marks (notification_id, agency, officer, read_at) select n.id, ?, ?, ? from looked", [
            LOOKED_AT.into(), agency, officer, call.now.into(),
        ])
        .then(marked(&call.actor))
        .with(
            " and m.read_at is null and n.id not in (select id from first) on conflict do nothing returning 1) \
             select (select count(*) from marked), (select id from first)",
            [],
        );
    let (marked, next): (i64, Option<Uuid>) = mark.get_result(conn)?;
    Ok((usize::try_from(marked).unwrap_or(0), next.map(NotificationId)))
}

/// One that the actor hears of, in a transaction of theirs.
fn seen(conn: &mut PgConnection, call: &Call, id: NotificationId) -> Result<NotificationItem, Error> {
    let query = Sql::<Jsonb>::new().with("select ", []).with(ITEM, []).then(one(&call.actor, id));
    let row: Option<Value> = query.get_result(conn).optional()?;
    Ok(serde_json::from_value(row.ok_or(Refusal::NotFound)?)?)
}
