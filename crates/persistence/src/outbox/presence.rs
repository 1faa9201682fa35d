//! Who delivers, as the others can tell. What a killed one had is anybody's at once: PostgreSQL ends its session, and with it
//! the advisory lock that stood for it.

use diesel::RunQueryDsl;
use diesel::pg::PgConnection;
use diesel::r2d2::{ConnectionManager, PooledConnection};
use diesel::sql_types::Integer;

use crate::db::Db;
use crate::error::Error;
use crate::sql::Sql;

/// Which advisory locks stand for those who deliver: any number, as long as nothing else takes it.
const DELIVERING: i32 = 0x6c69_6e64;

/// Somebody who delivers, as long as this is kept: a connection of its own, which holds a lock.
pub struct Presence {
    conn: PooledConnection<ConnectionManager<PgConnection>>,
    id: i32,
}

impl Db {
    /// Makes it known that somebody delivers.
    ///
    /// # Errors
    /// The database is not available.
    pub fn presence(&self) -> Result<Presence, Error> {
        let mut conn = self.connection()?;
        let query = Sql::<Integer>::new()
            .with("select pid from (select pg_backend_pid() as pid) p, pg_advisory_lock(?, pid)", [DELIVERING.into()]);
        let id = query.get_result(&mut conn)?;
        Ok(Presence { conn, id })
    }
}

impl Presence {
    /// The number that leases are taken under.
    pub fn id(&self) -> i32 {
        self.id
    }

    /// Whether it still is known: its session may have ended.
    pub fn holds(&mut self) -> bool {
        Sql::<()>::new().with("select", []).execute(&mut self.conn).is_ok()
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        // If this fails the session is gone, and the lock with it.
        let unlock = Sql::<()>::new().with("select pg_advisory_unlock(?, ?)", [DELIVERING.into(), self.id.into()]);
        unlock.execute(&mut self.conn).ok();
    }
}

/// The numbers of all who deliver now.
pub(super) fn present() -> Sql<Integer> {
    Sql::new().with(
        "select objid::bigint::integer from pg_locks where locktype = 'advisory' and classid = ?::bigint::oid and objsubid = 2 and granted \
         and database = (select oid from pg_database where datname = current_database())",
        [i64::from(DELIVERING).into()],
    )
}
