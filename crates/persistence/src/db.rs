//! The way to the database: the only place that takes a connection or begins a transaction.
//!
//! What a caller sees or changes about anybody goes through [`Db::read`] and [`Db::write`], which
//! record it in the access log or fail.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::query_dsl::LoadQuery;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Error as R2d2Error, Pool, PooledConnection};
use diesel::{Connection, RunQueryDsl};
use lindung_domain::case::Asking;
use lindung_domain::policy::{self, Act, Relation};
use lindung_domain::refusal::Expected;
use lindung_domain::{Actor, CaseId, Change, ChildId, ReferralId, Refusal, Section};
use lindung_vault::Vault;
use uuid::Uuid;

use crate::access_log;
use crate::error::Error;
use crate::file::{self, Loaded, Target};
use crate::idempotency::{self, Answer, Repeat};
use crate::save::{self, Saved};
use crate::sql::Sql;

/// One call of one operation: what every access row tells.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who asks.
    pub actor: Actor,
    /// The operation's id in the API description.
    pub action: &'static str,
    /// The request's id.
    pub request_id: Uuid,
    /// What the request names.
    pub target: Option<String>,
    /// When.
    pub now: DateTime<Utc>,
}

/// A request that was refused, as far as it is known who made it.
#[derive(Debug, Clone)]
pub struct Refused {
    /// Who, if the token told.
    pub actor: Option<Actor>,
    /// The operation's id in the API description.
    pub action: &'static str,
    /// The request's id.
    pub request_id: Uuid,
    /// What the request named, if it is an id or a code.
    pub target: Option<String>,
    /// How it ended.
    pub outcome: &'static str,
    /// When.
    pub now: DateTime<Utc>,
}

/// A read of what somebody may see.
///
/// The query yields, beside its own columns, those that the access log needs: `case_id`,
/// `child_ids`, `sections`, `rule` and `item_id`.
pub(crate) struct Read<ST> {
    /// The columns of `seen` that the caller gets.
    pub(crate) columns: &'static str,
    pub(crate) query: Sql<ST>,
    pub(crate) seen: Seen,
}

/// Whether finding nothing is an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Seen {
    /// A list may be empty.
    List,
    /// One thing that everybody may read: if the query does not find it, there is none.
    Open,
    /// One thing: if the query does not find it, the policy says why.
    One(About),
}

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum About {
    Case(CaseId, Act),
    Section(CaseId, Section, Option<ChildId>),
    Referral(ReferralId, Act),
}

/// A command on its way into the database.
#[derive(Debug)]
pub struct Writing<'a> {
    /// The call.
    pub call: &'a Call,
    /// What it is about.
    pub target: Target,
    /// The version that the caller has.
    pub expected: Expected,
    /// The agencies that the command names.
    pub named: Vec<String>,
    /// Under which idempotency key.
    pub repeat: Option<&'a Repeat>,
}

/// What was decided, and what the caller is told.
pub type Decided<T> = (Change<T>, Answer);

/// A transaction in which a decision is being made.
pub struct Tx<'a> {
    pub(crate) conn: &'a mut PgConnection,
}

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct Settings {
    /// A libpq connection string or URL.
    pub url: String,
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
struct Session;

impl CustomizeConnection<PgConnection, R2d2Error> for Session {
    /// Times are exchanged in UTC; just-in-time compilation costs more than these queries do.
    fn on_acquire(&self, conn: &mut PgConnection) -> Result<(), R2d2Error> {
        conn.batch_execute(
            "set timezone = 'UTC'; set jit = off; set statement_timeout = '20s'; set lock_timeout = '10s'; \
             set idle_in_transaction_session_timeout = '30s'",
        )
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
            .connection_customizer(Box::new(Session))
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

    /// Everything in `work` happens, or nothing.
    ///
    /// # Errors
    /// What `work` says, or that the transaction could not be committed.
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    pub(crate) fn transaction<T>(&self, work: impl FnOnce(&mut PgConnection) -> Result<T, Error>) -> Result<T, Error> {
        (*self.connection()?).transaction(work)
    }

    /// How many connections there are, and how many of them are idle.
    pub fn connections(&self) -> (u32, u32) {
        let state = self.pool.state();
        (state.connections, state.idle_connections)
    }

    /// Whether the database answers and is migrated.
    ///
    /// # Errors
    /// It does not.
    pub fn ready(&self) -> Result<(), Error> {
        diesel::select(diesel::dsl::sql::<diesel::sql_types::Bool>("to_regclass('access_log') is not null"))
            .get_result::<bool>(&mut self.connection()?)?
            .then_some(())
            .ok_or_else(|| Error::Unavailable("the database is not migrated".to_owned()))
    }

    /// Reads, and records what was read in the same statement: what cannot be recorded is not read.
    pub(crate) fn read<ST, R>(&self, call: &Call, read: Read<ST>) -> Result<Vec<R>, Error>
    where
        Sql<ST>: LoadQuery<'static, PgConnection, R>,
    {
        let seen = read.seen;
        let conn = &mut *self.connection()?;
        let rows: Vec<R> = access_log::recorded(call, read).load(conn)?;
        match (rows.is_empty(), seen) {
            (false, _) => Ok(rows),
            (true, Seen::List) => file::require_standing(conn, &call.actor).map(|()| rows),
            (true, Seen::Open) => {
                file::require_standing(conn, &call.actor).and_then(|()| Err(Refusal::NotFound.into()))
            }
            (true, Seen::One(about)) => Err(why_not(conn, call, about)),
        }
    }

    /// Loads, decides, saves: the entity with its events, grants, access row and the answer to
    /// repeat, in one transaction under the case's lock.
    ///
    /// # Errors
    /// What `decide` says, or why it could not be saved. Nothing is kept then.
    pub fn write<T: Saved>(
        &self,
        writing: Writing<'_>,
        decide: impl FnOnce(&mut Tx<'_>, Loaded, &Asking<'_>) -> Result<Decided<T>, Error>,
    ) -> Result<Answer, Error> {
        let Call { actor, now, .. } = writing.call;
        let asking = Asking { actor, expected: writing.expected, now: *now };
        self.transaction(|conn| {
            let mut loaded = file::lock_and_load(conn, &writing)?;
            if let Some(answer) = loaded.replay.take() {
                let rule = loaded.require_read(&asking)?;
                let row =
                    access_log::change(writing.call, "replayed", access_log::Touched::case(rule, loaded.case_id()));
                row.execute(conn)?;
                return Ok(answer);
            }
            let event_count = loaded.event_count;
            let (change, answer) = decide(&mut Tx { conn }, loaded, &asking)?;
            save::save(conn, &self.vault, &writing, &change, &answer, event_count)?;
            Ok(answer)
        })
    }

    /// Changes something that is about no case, with its access row and the answer to repeat. What
    /// `permit` says holds for a repeat too.
    ///
    /// # Errors
    /// What `permit` or `work` says, or why it could not be saved. Nothing is kept then.
    pub(crate) fn write_reference(
        &self,
        writing: Writing<'_>,
        permit: impl FnOnce(&mut PgConnection) -> Result<Relation, Error>,
        work: impl FnOnce(&mut PgConnection) -> Result<Answer, Error>,
    ) -> Result<Answer, Error> {
        self.transaction(|conn| {
            let loaded = file::lock_and_load(conn, &writing)?;
            let touched = access_log::Touched::case(permit(conn)?, None);
            if let Some(answer) = loaded.replay {
                access_log::change(writing.call, "replayed", touched).execute(conn)?;
                return Ok(answer);
            }
            let answer = work(conn)?;
            access_log::change(writing.call, "permitted", touched).execute(conn)?;
            let kept = writing.repeat.map(|it| idempotency::kept(writing.call, it, &answer).execute(conn));
            if kept.transpose()? == Some(0) { Err(Error::KeyBusy) } else { Ok(answer) }
        })
    }

    /// Records a request that was refused, after its rollback and in a transaction of its own.
    ///
    /// # Errors
    /// It cannot be recorded: then nothing may be answered but that.
    pub fn record_refusal(&self, call: &Refused) -> Result<(), Error> {
        access_log::refusal(call).execute(&mut *self.connection()?)?;
        Ok(())
    }

    /// Forgets what has served its time: spent assertions and old idempotency keys.
    ///
    /// # Errors
    /// The database is not available.
    pub fn forget_expired(&self, now: DateTime<Utc>) -> Result<usize, Error> {
        let conn = &mut *self.connection()?;
        let keys = idempotency::forgotten(now).execute(conn)?;
        let assertions =
            Sql::<()>::new().with("delete from spent_assertions where expires_at < ?", [now.into()]).execute(conn)?;
        Ok(keys + assertions)
    }
}

/// Why a read found nothing: the policy's answer, which decides between "not found" and "not yours".
fn why_not(conn: &mut PgConnection, call: &Call, about: About) -> Error {
    let asking = Asking { actor: &call.actor, expected: Expected::Any, now: call.now };
    let mut refusal = || -> Result<Error, Error> {
        file::require_standing(conn, &call.actor)?;
        let target = match about {
            About::Case(id, _) | About::Section(id, ..) => Target::Case(id),
            About::Referral(id, _) => Target::Referral(id),
        };
        let loaded = file::load(conn, call, target, &[], None)?;
        let refused = match about {
            About::Referral(_, act) => loaded.referral()?.require_read(act, loaded.file()?, &asking).map(|_| ()),
            About::Case(_, act) => policy::require(asking.actor, act, &loaded.file()?.relations(&asking)).map(|_| ()),
            About::Section(_, section, child) => {
                let relations = loaded.file()?.relations_to(section, child, &asking);
                policy::require(asking.actor, Act::ReadSection, &relations).map(|_| ())
            }
        };
        Ok(refused.err().unwrap_or(Refusal::NotFound).into())
    };
    refusal().unwrap_or_else(|error| error)
}
