//! How people mark what they are notified of: reading is each one's own, taking note is once for all who hear of it.

use diesel::pg::PgConnection;
use diesel::sql_types::Jsonb;
use diesel::{OptionalExtension, RunQueryDsl};
use lindung_domain::policy::{self, Act};
use lindung_domain::{NotificationId, Refusal};
use serde_json::Value;

use super::item::NotificationItem;
use super::{AT_ONCE, FROM, ITEM, own};
use crate::db::{Call, Db, Writing};
use crate::error::Error;
use crate::idempotency::Answer;
use crate::sql::Sql;

impl Db {
    /// Marks one as read by the actor, or it and those that come after it in the list, up to a thousand at once. The
    /// answer tells how many had not been, and whether there may be more.
    ///
    /// # Errors
    /// There is none; the actor is a client alone; the database is not available.
    pub fn mark_read(
        &self,
        writing: Writing<'_>,
        id: NotificationId,
        older: bool,
        answer: impl FnOnce(&NotificationItem, usize, bool) -> Result<Answer, Error>,
    ) -> Result<Answer, Error> {
        let call = writing.call;
        self.write_reference(
            writing,
            |_| Ok(policy::require_own(&call.actor, Act::ReadNotifications)?),
            |conn| {
                let (at, from) = seen(conn, call, id)?.place();
                let which = if older { " and (n.told_at, n.id) <= (?, ?)" } else { " and (n.told_at, n.id) = (?, ?)" };
                let rest = Sql::new()
                    .with(" and m.read_at is null", [])
                    .with(which, [at.into(), from.into()])
                    .with(" order by n.told_at desc, n.id desc limit ?", [AT_ONCE.into()]);
                let count = marked(conn, call, rest)?;
                answer(&seen(conn, call, id)?, count, i64::try_from(count).is_ok_and(|it| it >= AT_ONCE))
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
        self.write_reference(writing, |_| Ok(policy::require_own(&call.actor, Act::ReadNotifications)?), |conn| {
            Sql::<()>::new()
                .with("update notifications set acknowledged_by = ?, acknowledged_at = ? where id = ? and agency = ? and acknowledged_at is null", [
                    call.actor.officer_id().map(ToString::to_string).into(),
                    call.now.into(),
                    id.0.into(),
                    call.actor.agency().as_str().into(),
                ])
                .execute(conn)?;
            marked(conn, call, Sql::new().with(" and n.id = ?", [id.0.into()]))?;
            answer(&seen(conn, call, id)?)
        })
    }
}

/// Marks those as read by the actor to whom `rest` applies; tells how many had not been.
fn marked(conn: &mut PgConnection, call: &Call, rest: Sql) -> Result<usize, Error> {
    let [officer, agency] = own(&call.actor);
    let mark = Sql::<()>::new()
        .with(
            "insert into notification_marks (notification_id, agency, officer, read_at) select n.id, ?, ?, ?",
            [agency, officer, call.now.into()],
        )
        .with(FROM, own(&call.actor))
        .then(rest)
        .with(" on conflict do nothing", []);
    Ok(mark.execute(conn)?)
}

/// One that the actor hears of, in a transaction of theirs.
fn seen(conn: &mut PgConnection, call: &Call, id: NotificationId) -> Result<NotificationItem, Error> {
    let query = Sql::<Jsonb>::new()
        .with("select ", [])
        .with(ITEM, [])
        .with(FROM, own(&call.actor))
        .with(" and n.id = ?", [id.0.into()]);
    let row: Option<Value> = query.get_result(conn).optional()?;
    Ok(serde_json::from_value(row.ok_or(Refusal::NotFound)?)?)
}
