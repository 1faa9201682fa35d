//! Bringing the database to the shape that this version needs, and back.

use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::migration::MigrationVersion;
use diesel::pg::PgConnection;
use diesel::sql_types::Bool;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::db::Db;
use crate::error::Error;
use crate::sql::Sql;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");
const ROLES: &str = include_str!("../../../deploy/postgresql/roles.sql");

impl Db {
    /// Makes the roles that are missing, applies the migrations that are missing, and names these.
    ///
    /// # Errors
    /// The login can neither make the roles nor become the owner; a migration fails; the database is not available.
    pub fn migrate(&self) -> Result<Vec<String>, Error> {
        let conn = &mut *self.connection()?;
        let makes_roles: bool = Sql::<Bool>::new()
            .with("select rolsuper from pg_roles where rolname = session_user", [])
            .get_result(conn)?;
        if makes_roles {
            conn.batch_execute(ROLES)?;
        }
        let applied = as_owner(conn, |conn| conn.run_pending_migrations(MIGRATIONS).map(|it| names(&it)))?;
        Ok(applied)
    }

    /// Takes every migration back, newest first. Everything is lost: for tests of the migrations.
    ///
    /// # Errors
    /// A migration fails; the database is not available.
    pub fn unmigrate(&self) -> Result<usize, Error> {
        let conn = &mut *self.connection()?;
        as_owner(conn, |conn| conn.revert_all_migrations(MIGRATIONS).map(|it| it.len()))
    }
}

fn names(migrations: &[MigrationVersion<'_>]) -> Vec<String> {
    migrations.iter().map(ToString::to_string).collect()
}

/// What is made belongs to the owner, and takes as long as it takes.
fn as_owner<T>(
    conn: &mut PgConnection,
    work: impl FnOnce(&mut PgConnection) -> diesel::migration::Result<T>,
) -> Result<T, Error> {
    conn.batch_execute("set role lindung_owner; set statement_timeout = 0")?;
    let done = work(conn).map_err(|error| Error::Fault(error.to_string()));
    conn.batch_execute("reset role")?;
    done
}
