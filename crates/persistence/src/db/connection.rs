//! Connections and transactions: the only place that takes the ones or begins the others.
//!
//! A transaction for an actor carries the context that row-level security goes by.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use diesel::connection::{AnsiTransactionManager as Transactions, SimpleConnection, TransactionManager};
use diesel::pg::PgConnection;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Error as R2d2Error, Pool, PooledConnection};
use lindung_domain::{Actor, CaseId};
use lindung_vault::Vault;
use uuid::Uuid;

use crate::error::Error;

/// As which of the database's roles work is done; deploy/postgresql/roles.sql tells what each is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DbRole {
    /// The service's: sees what the context of its transaction lets it see.
    Api,
    /// The operator's, for reference data, clients and keys: past row-level security.
    Maintenance,
    /// What runs by itself: sees when clocks pass and of whom to tell, and no content.
    Worker,
    /// The signer's of checkpoints: reads the leaves of the access log, and not of whom they tell.
    Signer,
    /// Whoever logged in: for migrations, which choose the owner, and for filling a database.
    Login,
}

impl DbRole {
    /// What a new connection does first. Whoever logs in as the role itself may do this too.
    fn taken(self) -> &'static str {
        match self {
            DbRole::Api => "set role lindung_api",
            DbRole::Maintenance => "set role lindung_maintenance",
            DbRole::Worker => "set role lindung_worker",
            DbRole::Signer => "set role lindung_signer",
            DbRole::Login => "reset role",
        }
    }
}

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct Settings {
    /// A libpq connection string or URL.
    pub url: String,
    /// As which role.
    pub role: DbRole,
    /// The most connections.
    pub pool_size: u32,
    /// How long to wait for one before giving up.
    pub acquire_timeout: Duration,
    /// The keys of who children are; a locked one for what has nothing to do with that.
    pub vault: Arc<Vault>,
}

/// The database.
#[derive(Clone)]
pub struct Db {
    pool: Pool<ConnectionManager<PgConnection>>,
    pub(crate) vault: Arc<Vault>,
}

#[derive(Debug)]
struct Session(DbRole);

impl CustomizeConnection<PgConnection, R2d2Error> for Session {
    /// Times are exchanged in UTC; just-in-time compilation costs more than these queries do.
    fn on_acquire(&self, conn: &mut PgConnection) -> Result<(), R2d2Error> {
        conn.batch_execute(
            "set timezone = 'UTC'; set jit = off; set statement_timeout = '20s'; set lock_timeout = '10s'; \
             set idle_in_transaction_session_timeout = '30s'",
        )
        .and_then(|()| conn.batch_execute(self.0.taken()))
        .map_err(R2d2Error::QueryError)
    }
}

impl Db {
    /// A pool on the database; connections are made when they are first needed.
    pub fn new(settings: Settings) -> Self {
        let pool = Pool::builder()
            .max_size(settings.pool_size)
            .min_idle(Some(0))
            .connection_timeout(settings.acquire_timeout)
            .test_on_check_out(false)
            .connection_customizer(Box::new(Session(settings.role)))
            .build_unchecked(ConnectionManager::new(settings.url));
        Db { pool, vault: settings.vault }
    }

    /// A new id (UUIDv7): the only place that makes any.
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    pub fn new_id() -> Uuid {
        Uuid::now_v7()
    }

    /// A connection, within the acquire timeout.
    ///
    /// # Errors
    /// The pool is exhausted, or the database cannot be reached.
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    pub(crate) fn connection(&self) -> Result<PooledConnection<ConnectionManager<PgConnection>>, Error> {
        self.pool.get().map_err(|error| Error::Unavailable(error.to_string()))
    }

    /// Everything in `work` happens, or nothing. Row-level security shows nothing about any case in it.
    ///
    /// # Errors
    /// What `work` says, or that the transaction could not be committed.
    pub(crate) fn transaction<T>(&self, work: impl FnOnce(&mut PgConnection) -> Result<T, Error>) -> Result<T, Error> {
        self.transaction_begun_by("begin", work)
    }

    /// The same where catching up may take longer than a request may.
    pub(crate) fn transaction_of_any_length<T>(
        &self,
        work: impl FnOnce(&mut PgConnection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.transaction_begun_by(
            "begin; set local statement_timeout = 0; set local plan_cache_mode = force_custom_plan",
            work,
        )
    }

    /// The same for what works on a queue. Each statement is planned for the tables as they are then, since a plan of when
    /// a queue was empty reads all of it once it is not; and reads a queue from its front by the index, which also clears
    /// away there what is done.
    pub(crate) fn transaction_on_queue<T>(
        &self,
        work: impl FnOnce(&mut PgConnection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.transaction_begun_by(
            "begin; set local plan_cache_mode = force_custom_plan; set local enable_seqscan = off; set local enable_bitmapscan = off",
            work,
        )
    }

    /// The same for an actor: row-level security shows what their agency is a party to.
    pub(crate) fn transaction_for<T>(
        &self,
        actor: &Actor,
        now: DateTime<Utc>,
        work: impl FnOnce(&mut PgConnection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.transaction_begun_by(&begin_for(actor, now), work)
    }

    /// The same while it is decided whether the actor may see a case in an emergency: that case is in sight too.
    pub(crate) fn transaction_opening<T>(
        &self,
        case: CaseId,
        actor: &Actor,
        now: DateTime<Utc>,
        work: impl FnOnce(&mut PgConnection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.transaction_begun_by(&format!("{}; set local lindung.opening = '{case}'", begin_for(actor, now)), work)
    }

    fn transaction_begun_by<T>(
        &self,
        begin: &str,
        work: impl FnOnce(&mut PgConnection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let conn = &mut *self.connection()?;
        Transactions::begin_transaction_sql(conn, begin)?;
        match work(conn) {
            Ok(done) => Ok(Transactions::commit_transaction(conn).map(|()| done)?),
            Err(error) => {
                // What went wrong first tells more than that the connection did not survive it.
                Transactions::rollback_transaction(conn).ok();
                Err(error)
            }
        }
    }

    /// How many connections there are, and how many of them are idle.
    pub fn connections(&self) -> (u32, u32) {
        let state = self.pool.state();
        (state.connections, state.idle_connections)
    }
}

/// Lets the rest of a transaction see a case that its actor is no party to, because something is written into it.
pub(crate) fn opens(conn: &mut PgConnection, case: CaseId) -> Result<(), Error> {
    Ok(conn.batch_execute(&format!("set local lindung.opening = '{case}'"))?)
}

/// Begins a transaction with the context that row-level security goes by (migrations/*_separate_roles). It is
/// a simple query without binds: ids and codes have no quotes in them, by the grammar of their types.
fn begin_for(actor: &Actor, now: DateTime<Utc>) -> String {
    let roles: Vec<&str> = actor.roles().iter().map(|it| it.as_str()).collect();
    format!(
        "begin; set local lindung.agency = '{}'; set local lindung.client = '{}'; set local lindung.officer = '{}'; \
         set local lindung.purpose = '{}'; set local lindung.roles = '{}'; set local lindung.now = '{}'",
        actor.agency(),
        actor.client_id(),
        actor.officer_id().map_or("", |it| it.as_str()),
        actor.purpose().map_or("", |it| it.as_str()),
        roles.join(","),
        now.to_rfc3339_opts(SecondsFormat::Micros, true),
    )
}
