//! Indexes that only make reads fast: dropped while much is loaded, and built afterwards.
//!
//! The transaction that drops them notes what they were in a table, `dropped_indexes`, which stays
//! until they are back: after an interruption the next filling builds them, however small it is.
//! Unique indexes stay, being constraints.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::sql_types::{Bool, Text};
use diesel::{OptionalExtension, RunQueryDsl};

use super::copy::Table;
use crate::db::Db;
use crate::error::Error;
use crate::sql::Sql;

impl Db {
    /// Drops the indexes of the filled tables that no constraint needs, if the role owns the tables.
    pub(super) fn drop_indexes(&self) -> Result<(), Error> {
        let tables = || Table::ALL.iter().map(|it| it.name().to_owned()).collect::<Vec<_>>();
        self.transaction(|conn| {
            let query = Sql::<Bool>::new().with(
                "select bool_and(pg_has_role(relowner, 'usage')) and has_schema_privilege(current_schema(), 'create') \
                 from pg_class where oid = any(?::text[]::regclass[])",
                [tables().into()],
            );
            if !query.get_result::<bool>(conn)? {
                return Ok(());
            }
            conn.batch_execute(
                "create table if not exists dropped_indexes (definition text primary key); \
                 comment on table dropped_indexes is 'While cases are loaded in bulk: the indexes to build afterwards'",
            )?;
            let query = Sql::<Text>::new().with(
                "with found as (select i.indexrelid, i.indexrelid::regclass::text as name from pg_index i \
                 where i.indrelid = any(?::text[]::regclass[]) and not i.indisunique \
                 and not exists (select from pg_constraint where conindid = i.indexrelid)), \
                 noted as (insert into dropped_indexes select pg_get_indexdef(indexrelid) from found) \
                 select name from found",
                [tables().into()],
            );
            let names: Vec<String> = query.load(conn)?;
            if !names.is_empty() {
                conn.batch_execute(&format!("drop index {}", names.join(", ")))?;
            }
            Ok(())
        })
    }

    /// Builds what was dropped, now or in a filling that was interrupted.
    pub(super) fn build_indexes(&self, connections: NonZeroUsize) -> Result<(), Error> {
        let Some(dropped) = dropped(&mut *self.connection()?)? else { return Ok(()) };
        shared(connections, &dropped, |definition| {
            let build = definition.replacen("INDEX", "INDEX IF NOT EXISTS", 1);
            self.transaction(|conn| {
                // Each connection keeps one core busy; a second worker for it would only wait.
                conn.batch_execute(
                    "set local statement_timeout = 0; set local maintenance_work_mem = '256MB'; \
                     set local max_parallel_maintenance_workers = 0",
                )?;
                Ok(conn.batch_execute(&build)?)
            })
        })?;
        Ok((*self.connection()?).batch_execute("drop table dropped_indexes")?)
    }
}

/// The definitions; none where nothing was dropped.
fn dropped(conn: &mut PgConnection) -> Result<Option<Vec<String>>, Error> {
    let query = Sql::<Bool>::new().with("select true where to_regclass('dropped_indexes') is not null", []);
    if query.get_result::<bool>(conn).optional()?.is_none() {
        return Ok(None);
    }
    let query = Sql::<Text>::new().with("select definition from dropped_indexes order by definition", []);
    Ok(Some(query.load(conn)?))
}

/// Does `work` for all of `items`, on so many threads at once, and tells the first failure at the end.
pub(super) fn shared<T: Sync>(
    threads: NonZeroUsize,
    items: &[T],
    work: impl Fn(&T) -> Result<(), Error> + Sync,
) -> Result<(), Error> {
    let next = AtomicUsize::new(0);
    let take = || {
        let mut result = Ok(());
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            result = result.and(work(item));
        }
        result
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.get()).map(|_| scope.spawn(take)).collect();
        let ended = workers
            .into_iter()
            .map(|it| it.join().unwrap_or_else(|_| Err(Error::Fault("a thread panicked".to_owned()))));
        ended.fold(Ok(()), Result::and)
    })
}
