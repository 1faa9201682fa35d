//! The way to the database; its connections and transactions are in [`connection`].
//!
//! What a caller sees or changes about anybody goes through [`Db::read`] and [`Db::write`], which
//! record it in the access log or fail.

mod connection;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::RunQueryDsl;
use diesel::pg::PgConnection;
use diesel::query_dsl::LoadQuery;
use diesel::sql_types::{Bool, Nullable, Uuid as SqlUuid};
use lindung_domain::case::Asking;
use lindung_domain::policy::{self, Act, Relation};
use lindung_domain::refusal::Expected;
use lindung_domain::{
    Actor, CaseId, Change, ChildId, ConsentId, DataSharingId, EmergencyId, HandoffId, ReferralId, Refusal, Section,
};
use uuid::Uuid;

use crate::access_log;
use crate::consents;
use crate::data_sharing;
use crate::emergencies;
use crate::error::Error;
use crate::file::{self, Loaded, Target};
use crate::handoffs;
use crate::idempotency::{self, Answer, Repeat};
use crate::notifications;
use crate::proofs::{self, Proof};
use crate::save::{self, Saved};
use crate::sql::Sql;

pub(crate) use connection::opens;
pub use connection::{Db, DbRole, Settings};

/// For how long deliveries that arrived are kept.
const DELIVERIES_KEPT: TimeDelta = TimeDelta::days(30);

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
    /// The proof of possession that came with it, spent by the statement that writes the access row.
    pub proof: Option<Proof>,
}

impl Call {
    /// Who asks and when, of whatever version.
    pub(crate) fn asking(&self) -> Asking<'_> {
        Asking { actor: &self.actor, expected: Expected::Any, now: self.now }
    }
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
    /// The proof of possession that came with it, if it was good.
    pub proof: Option<Proof>,
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
    /// A feed: nothing new is no access.
    Feed,
    /// One thing that everybody may read: if the query does not find it, there is none.
    Open,
    /// One thing: if the query does not find it, the policy says why.
    One(About),
}

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum About {
    Case(CaseId, Act),
    Child(CaseId, ChildId),
    Section(CaseId, Section, Option<ChildId>),
    Referral(ReferralId, Act),
    Emergency(EmergencyId),
    Handoff(HandoffId),
    Consents(CaseId, ChildId),
    Consent(ConsentId),
    DataSharing(DataSharingId),
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

impl Db {
    /// Whether the database answers, is migrated and binds us by row-level security.
    ///
    /// # Errors
    /// It does not.
    pub fn ready(&self) -> Result<(), Error> {
        let query = Sql::<Bool>::new().with(
            "select case when to_regclass('access_log') is null then false else row_security_active('access_log') end",
            [],
        );
        query.get_result::<bool>(&mut *self.connection()?)?.then_some(()).ok_or_else(|| {
            Error::Unavailable("the database is not migrated, or its row-level security does not bind us".to_owned())
        })
    }

    /// Reads, and records what was read in the same statement: what cannot be recorded is not read.
    pub(crate) fn read<ST, R>(&self, call: &Call, read: Read<ST>) -> Result<Vec<R>, Error>
    where
        Sql<ST>: LoadQuery<'static, PgConnection, R>,
    {
        let seen = read.seen;
        let recorded = access_log::recorded(call, read);
        self.transaction_for(&call.actor, call.now, |conn| {
            let rows: Vec<R> = recorded.load(conn)?;
            match (rows.is_empty(), seen) {
                (false, _) => Ok(rows),
                (true, Seen::List | Seen::Feed) => file::require_standing(conn, &call.actor).map(|()| rows),
                (true, Seen::Open) => {
                    file::require_standing(conn, &call.actor).and_then(|()| Err(Refusal::NotFound.into()))
                }
                (true, Seen::One(about)) => Err(why_not(conn, call, about)),
            }
        })
    }

    /// The case that something belongs to, as far as row-level security shows it to whoever may still ask.
    pub(crate) fn case_found(&self, call: &Call, query: Sql<Nullable<SqlUuid>>) -> Result<CaseId, Error> {
        let found: Option<Uuid> = self.transaction_for(&call.actor, call.now, |conn| {
            file::require_standing(conn, &call.actor)?;
            Ok(query.get_result(conn)?)
        })?;
        Ok(found.map(CaseId).ok_or(Refusal::NotFound)?)
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
        let work = |conn: &mut PgConnection| {
            let mut loaded = file::lock_and_load(conn, &writing)?;
            if let Some(answer) = loaded.replay.take() {
                let rule = loaded.require_read(writing.target, &asking)?;
                let row =
                    access_log::change(writing.call, "replayed", access_log::Touched::case(rule, loaded.case_id()));
                row.execute(conn)?;
                return Ok(answer);
            }
            let (event_count, running) = (loaded.event_count, std::mem::take(&mut loaded.running));
            let (change, answer) = decide(&mut Tx { conn }, loaded, &asking)?;
            let change = change.with_clocks(&running, *now);
            save::save(conn, &self.vault, &writing, &change, &answer, event_count)?;
            Ok(answer)
        };
        match writing.target {
            Target::Emergency(case) | Target::EmergencyAccess(_, case) | Target::Access(_, case) => {
                self.transaction_opening(case, actor, *now, work)
            }
            _ => self.transaction_for(actor, *now, work),
        }
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
        self.transaction_for(&writing.call.actor, writing.call.now, |conn| {
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
    /// It cannot be recorded, or its proof was another request's: then nothing may be answered but that.
    pub fn record_refusal(&self, call: &Refused) -> Result<(), Error> {
        let row = |conn: &mut PgConnection| Ok(access_log::refusal(call).execute(conn)?);
        let recorded = match &call.actor {
            Some(actor) => self.transaction_for(actor, call.now, row),
            None => self.transaction(row),
        };
        // The row is there, and tells of it.
        if recorded? == 0 { Err(Error::ProofReused) } else { Ok(()) }
    }

    /// Forgets what has served its time: spent assertions and proofs, old idempotency keys, deliveries that arrived
    /// long ago, and old notifications.
    ///
    /// # Errors
    /// The database is not available.
    pub fn forget_expired(&self, now: DateTime<Utc>) -> Result<usize, Error> {
        let query = Sql::<diesel::sql_types::BigInt>::new().with(
            "select policy.forget(?, ?) + policy.forget_deliveries(?) + policy.forget_notifications(?, ?)",
            [
                (now - idempotency::LIFETIME).into(),
                now.into(),
                (now - DELIVERIES_KEPT).into(),
                (now - notifications::NOTED_KEPT).into(),
                (now - notifications::KEPT).into(),
            ],
        );
        let conn = &mut *self.connection()?;
        let forgotten: i64 = query.get_result(conn)?;
        proofs::forget(conn, now)?;
        Ok(usize::try_from(forgotten).unwrap_or(0))
    }
}

/// Why a read found nothing: the policy's answer, which decides between "not found" and "not yours".
fn why_not(conn: &mut PgConnection, call: &Call, about: About) -> Error {
    let asking = call.asking();
    let mut refusal = || -> Result<Error, Error> {
        file::require_standing(conn, &call.actor)?;
        let target = match about {
            About::Case(id, _) | About::Child(id, _) | About::Section(id, ..) | About::Consents(id, _) => {
                Target::Case(id)
            }
            About::Consent(id) => {
                let consent = consents::load(conn, id)?.ok_or(Refusal::NotFound)?;
                let loaded = file::load(conn, call, Target::Case(consent.record().case), &[], None)?;
                let refused = consent.require_read(loaded.file()?, &asking).err();
                return Ok(refused.unwrap_or(Refusal::NotFound).into());
            }
            About::Referral(id, _) => Target::Referral(id),
            About::Handoff(id) => {
                let case = handoffs::load(conn, id)?.ok_or(Refusal::NotFound)?;
                let file = file::load(conn, call, Target::Case(case.record().case), &[], None)?;
                let refused = case.require_read(file.file()?, &asking).err();
                return Ok(refused.unwrap_or(Refusal::NotFound).into());
            }
            About::DataSharing(id) => {
                let request = data_sharing::load(conn, id)?.ok_or(Refusal::NotFound)?;
                return Ok(request.require_read(&asking).err().unwrap_or(Refusal::NotFound).into());
            }
            About::Emergency(id) => {
                let known = emergencies::load(conn, id)?.is_some();
                return Ok(if known { Refusal::NotYours } else { Refusal::NotFound }.into());
            }
        };
        let loaded = file::load(conn, call, target, &[], None)?;
        let refused = match about {
            About::Referral(_, act) => loaded.referral()?.require_read(act, loaded.file()?, &asking).map(|_| ()),
            About::Case(_, act) => loaded.file()?.decide(act, &asking).map(|_| ()),
            // Row-level security has left out the children that the actor may not know of.
            About::Child(_, child) | About::Consents(_, child) | About::Section(_, _, Some(child))
                if !loaded.file()?.children.contains(&child) =>
            {
                Err(Refusal::NotFound)
            }
            About::Child(_, child) => {
                let relations = loaded.file()?.relations_to_child(child, &asking);
                policy::require(asking.actor, Act::ReadCase, &relations).map(|_| ())
            }
            About::Section(_, section, child) => {
                let relations = loaded.file()?.relations_to(section, child, &asking);
                policy::require(asking.actor, Act::ReadSection, &relations).map(|_| ())
            }
            About::Consents(_, child) => {
                let relations = loaded.file()?.relations_by_consent(child, &asking);
                policy::require(asking.actor, Act::ReadConsent, &relations).map(|_| ())
            }
            About::Emergency(_) | About::Handoff(_) | About::Consent(_) | About::DataSharing(_) => {
                Err(Refusal::NotFound)
            }
        };
        Ok(refused.err().unwrap_or(Refusal::NotFound).into())
    };
    refusal().unwrap_or_else(|error| error)
}
