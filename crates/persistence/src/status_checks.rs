//! Status checks: whether some agency has a case of a child. What decides about one is `lindung_domain::status_check`.
//!
//! Whoever may not be told gets the answer of whom nobody knows, by the very same statements: what a shield hides is
//! left out by the query that looks for it. Every check is kept, and none with its identifier.

use chrono::{DateTime, Utc};
use diesel::RunQueryDsl;
use diesel::pg::PgConnection;
use diesel::sql_types::{BigInt, Jsonb, Nullable};
use lindung_domain::refusal::Expected;
use lindung_domain::section::Identifier;
use lindung_domain::status_check::{KnownChecked, StatusCheck};
use lindung_domain::{AgencyCode, CaseId, ChildId, StatusCheckId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::access_log::{self, Touched};
use crate::agencies::Contact;
use crate::db::{self, Call, Db, Writing};
use crate::error::Error;
use crate::file::{self, Target};
use crate::idempotency::Answer;
use crate::save;
use crate::sql::Sql;

/// Whom somebody asks about, and why now.
#[derive(Clone)]
pub struct StatusQuestion {
    /// An identifier of the child.
    pub identifier: Identifier,
    /// Whether the child was expected.
    pub care_scheduled: bool,
}

/// What a status check finds.
#[derive(Debug, Clone)]
pub enum Checked {
    /// The client has made as many checks as it may, and this one was not made.
    Spent,
    /// The child is not known, or not for the actor to know of.
    Unknown,
    /// The child is known.
    Known(Box<KnownStatus>),
}

/// What is told of a child that is known.
#[derive(Debug, Clone, Deserialize)]
pub struct KnownStatus {
    /// Who leads its case.
    pub agency: AgencyCode,
    /// The lead's name in Malay.
    pub name_ms: String,
    /// The lead's name in English.
    pub name_en: String,
    /// The lead's first desk; of one that has none, that of the agency above it.
    pub contact: Option<Contact>,
    /// Whether the case is open.
    pub open: bool,
    /// The 25 latest checks before this one, newest first.
    pub recent: Vec<RecentCheck>,
}

/// A check that somebody made of the same child.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"))]
#[schema(rename_all = "camelCase")]
pub struct RecentCheck {
    /// When.
    pub at: DateTime<Utc>,
    /// Which agency asked.
    pub agency: AgencyCode,
    /// Whether the child was expected there.
    pub care_scheduled: bool,
}

impl Db {
    /// Checks whether a child is known, and keeps that it was checked. With a quota, the client may make so many checks
    /// since then; those that are made at the same moment may be a few more.
    ///
    /// # Errors
    /// The actor has no role for it; an identity does not open; the database is not available.
    pub fn check_status(
        &self,
        call: &Call,
        question: &StatusQuestion,
        quota: Option<(u32, DateTime<Utc>)>,
    ) -> Result<Checked, Error> {
        let rule = StatusCheck::permit(&call.actor)?;
        let (identifier, tokens) = self.sought(&question.identifier)?;
        let token = tokens.last().cloned().ok_or_else(|| Error::Fault("there is no index key".to_owned()))?;
        let check = StatusCheck { id: StatusCheckId(Db::new_id()), care_scheduled: question.care_scheduled, token };
        self.transaction_for(&call.actor, call.now, |conn| {
            file::require_standing(conn, &call.actor)?;
            if quota.map_or(Ok(false), |it| is_spent(conn, call, it))? {
                return Ok(Checked::Spent);
            }
            if let Some((case, child)) = self.checkable(conn, &identifier, tokens.clone())?.first()
                && let Some(known) = self.known(conn, call, check.clone(), (*case, *child), tokens)?
            {
                return Ok(Checked::Known(Box::new(known)));
            }
            Sql::<()>::new()
                .with("with made as (", [])
                .then(made(call, &check, None))
                .with("), logged as (", [])
                .then(access_log::logged(call, "permitted", Touched::case(rule, None)))
                .with(") select", [])
                .execute(conn)?;
            Ok(Checked::Unknown)
        })
    }

    /// What is told of a child, once that was checked under its case's lock; nothing where a shield was put up, or the
    /// child erased, while we waited for it.
    fn known(
        &self,
        conn: &mut PgConnection,
        call: &Call,
        check: StatusCheck,
        (case, child): (CaseId, ChildId),
        tokens: Vec<Vec<u8>>,
    ) -> Result<Option<KnownStatus>, Error> {
        db::opens(conn, case)?;
        let (target, expected) = (Target::Case(case), Expected::Any);
        let writing = Writing { call, target, expected, named: Vec::new(), repeat: None };
        let loaded = file::lock_and_load(conn, &writing)?;
        let query =
            Sql::<Nullable<Jsonb>>::new().with("select policy.status_of(?, ?)", [child.0.into(), tokens.into()]);
        let told: Option<Value> = query.get_result(conn)?;
        let Some(told) = told else { return Ok(None) };
        let change = check.of_known(child, loaded.file()?, &call.asking())?;
        let nothing_kept = Answer { status: 200, body: Value::Null, case: None, referral: None, replayed: false };
        save::save(conn, &self.vault, &writing, &change, &nothing_kept, loaded.event_count)?;
        Ok(Some(serde_json::from_value(told)?))
    }
}

/// Whether the client has made as many checks as it may.
fn is_spent(conn: &mut PgConnection, call: &Call, (most, since): (u32, DateTime<Utc>)) -> Result<bool, Error> {
    let query = Sql::<BigInt>::new().with(
        "select count(*) from (select from status_checks where client_id = ? and at >= ? limit ?) made",
        [call.actor.client_id().as_str().into(), since.into(), i64::from(most).into()],
    );
    let made: i64 = query.get_result(conn)?;
    Ok(made >= i64::from(most))
}

/// A check of a child that is known, as part of the statement that saves it.
pub(crate) fn saved(call: &Call, checked: Option<&KnownChecked>) -> Sql {
    let Some(KnownChecked { check, case, child }) = checked else { return Sql::new() };
    Sql::new().with("), checked as (", []).then(made(call, check, Some((*case, *child))))
}

fn made(call: &Call, check: &StatusCheck, known: Option<(CaseId, ChildId)>) -> Sql {
    let StatusCheck { id, care_scheduled, token } = check;
    Sql::new().with(
        "insert into status_checks (id, at, agency, officer, client_id, purpose, care_scheduled, token, case_id, child_id) \
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            id.0.into(),
            call.now.into(),
            call.actor.agency().as_str().into(),
            call.actor.officer_id().map(ToString::to_string).into(),
            call.actor.client_id().as_str().into(),
            call.actor.purpose().map(|it| it.to_string()).into(),
            (*care_scheduled).into(),
            token.clone().into(),
            known.map(|it| it.0.0).into(),
            known.map(|it| it.1.0).into(),
        ],
    )
}
