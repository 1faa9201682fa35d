//! Answers to repeat: a POST sent twice is done once.

use chrono::Duration;
use lindung_domain::{Actor, CaseId, ReferralId};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::db::Call;
use crate::error::Error;
use crate::sql::{self, Bind, Sql};

/// How long an answer is kept.
pub const LIFETIME: Duration = Duration::hours(24);

/// The key of a request and what it asked, so that it is known again.
#[derive(Debug, Clone)]
pub struct Repeat {
    /// The key that the client chose.
    pub key: String,
    /// Method and path.
    pub route: String,
    /// A keyed digest of the body.
    pub digest: Vec<u8>,
}

/// What a change is answered with: ids, codes and links, so that it can be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
    /// The case that it tells of.
    pub case: Option<CaseId>,
    /// The referral that it tells of.
    pub referral: Option<ReferralId>,
    /// Whether it was given before.
    pub replayed: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct KeptAnswer {
    route: String,
    digest: String,
    case_id: Option<CaseId>,
    referral_id: Option<ReferralId>,
    status: u16,
    response: Value,
}

/// Client, officer, purpose and key: whose key it is.
fn owner(actor: &Actor, key: &str) -> [Bind; 4] {
    [
        actor.client_id().as_str().into(),
        actor.officer_id().map_or("", |it| it.as_str()).into(),
        actor.purpose().map_or("", |it| it.as_str()).into(),
        key.into(),
    ]
}

/// Tries to be the only one that works under this key: one boolean column, null without a key.
pub(crate) fn tried<ST>(actor: &Actor, repeat: Option<&Repeat>) -> Sql<ST> {
    let name = repeat.map(|it| {
        let parts = [actor.client_id().as_str(), actor.officer_id().map_or("", |it| it.as_str()), it.key.as_str()];
        parts.join("\n")
    });
    Sql::new().with("select pg_try_advisory_xact_lock(hashtextextended(?, 0)) as free", [name.into()])
}

/// The answer kept under the key, as `i`: to be joined.
pub(crate) fn kept_answer<ST>(call: &Call, repeat: Option<&Repeat>) -> Sql<ST> {
    match repeat {
        None => Sql::new().with("(select null::uuid as case_id, null::uuid as referral_id, null::text as key) i", []),
        Some(repeat) => Sql::new()
            .with(
                "(select * from (select 1) one left join idempotency_keys k on k.client_id = ? and k.officer = ? and k.purpose = ? and k.key = ?",
                owner(&call.actor, &repeat.key),
            )
            .with(" and k.created_at > ?) i", [(call.now - LIFETIME).into()]),
    }
}

impl KeptAnswer {
    /// The answer, if it was given to the same request.
    pub(crate) fn for_repeat(self, repeat: &Repeat) -> Result<Answer, Error> {
        if self.route != repeat.route || self.digest != sql::hex(&repeat.digest) {
            return Err(Error::KeyReused);
        }
        let KeptAnswer { case_id, referral_id, status, response, .. } = self;
        Ok(Answer { status, body: response, case: case_id, referral: referral_id, replayed: true })
    }
}

/// Keeps an answer; one whose time is over makes room. No row is kept, where one is kept already:
/// the lock of [`tried`] rules that out, and whoever keeps an answer goes by the count all the same.
pub(crate) fn kept(call: &Call, repeat: &Repeat, answer: &Answer) -> Sql {
    let status = i16::try_from(answer.status).unwrap_or(i16::MAX);
    Sql::new()
        .with(
            "insert into idempotency_keys (client_id, officer, purpose, key, route, digest, case_id, referral_id, status, response, created_at) \
             values (?, ?, ?, ?, ",
            owner(&call.actor, &repeat.key),
        )
        .with(
            "?, ?, ?, ?, ?, ?, ?) on conflict (client_id, officer, purpose, key) do update set route = excluded.route, \
             digest = excluded.digest, case_id = excluded.case_id, referral_id = excluded.referral_id, status = excluded.status, \
             response = excluded.response, created_at = excluded.created_at where idempotency_keys.created_at <= ? returning 1",
            [
                repeat.route.as_str().into(),
                repeat.digest.clone().into(),
                uuid(answer.case.map(|it| it.0)),
                uuid(answer.referral.map(|it| it.0)),
                status.into(),
                answer.body.clone().into(),
                call.now.into(),
                (call.now - LIFETIME).into(),
            ],
        )
}

fn uuid(id: Option<Uuid>) -> Bind {
    id.into()
}
