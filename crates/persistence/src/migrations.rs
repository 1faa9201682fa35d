//! Bringing the database to the shape that this version needs, and back.

use diesel::connection::SimpleConnection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::db::Db;
use crate::error::Error;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

impl Db {
    /// Applies the migrations that are missing, and names them.
    ///
    /// # Errors
    /// A migration fails; the database is not available.
    pub fn migrate(&self) -> Result<Vec<String>, Error> {
        let conn = &mut *self.connection()?;
        // A migration takes as long as it takes.
        conn.batch_execute("set statement_timeout = 0")?;
        let applied = conn.run_pending_migrations(MIGRATIONS).map_err(|error| Error::Fault(error.to_string()))?;
        Ok(applied.iter().map(ToString::to_string).collect())
    }

    /// Takes every migration back, newest first. Everything is lost: for tests of the migrations.
    ///
    /// # Errors
    /// A migration fails; the database is not available.
    pub fn unmigrate(&self) -> Result<usize, Error> {
        let conn = &mut *self.connection()?;
        let reverted = conn.revert_all_migrations(MIGRATIONS).map_err(|error| Error::Fault(error.to_string()))?;
        Ok(reverted.len())
    }
}
