//! What people wrote on a referral or a case.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Jsonb, Nullable};
use lindung_domain::message::MessageKind;
use lindung_domain::policy::Act;
use lindung_domain::{CaseId, ReferralId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::{About, Call, Db, Read, Seen};
use crate::error::Error;
use crate::sql::Sql;
use crate::visibility;

/// One thing that somebody wrote.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"))]
pub struct MessageItem {
    /// Its id (UUIDv7).
    pub id: Uuid,
    /// What it is.
    pub kind: MessageKind,
    /// The interim outcome that a note tells of.
    pub code: Option<String>,
    /// The words.
    pub text: String,
    /// Who wrote it.
    pub agency: String,
    /// Which officer.
    pub officer: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

impl Db {
    /// What was written on a referral, in its order, after `after`.
    ///
    /// # Errors
    /// The referral is not the actor's to see; the database is not available.
    pub fn messages_of_referral(
        &self,
        call: &Call,
        referral: ReferralId,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<MessageItem>, Error> {
        let query = Sql::<Nullable<Jsonb>>::new()
            .with("select c.id as case_id, null::uuid[] as child_ids, null::text[] as sections, ", [])
            .then(visibility::referral_rule::<()>(call))
            .with(
                " as rule, m.id as item_id, to_jsonb(m) as item from referrals r join cases c on c.id = r.case_id left join lateral \
                 (select * from messages w where w.case_id = r.case_id and w.referral_id = r.id and w.id > ? order by w.id limit ?) m \
                 on true where r.id = ? and ",
                [after.unwrap_or(Uuid::nil()).into(), limit.into(), referral.0.into()],
            )
            .then(visibility::referral_visible::<()>(call, Act::ReadMessages));
        self.messages(call, query, About::Referral(referral, Act::ReadMessages))
    }

    /// What was written on the case itself (why it was closed or reopened), in its order, after `after`.
    ///
    /// # Errors
    /// The case is not the actor's to see; the database is not available.
    pub fn messages_of_case(
        &self,
        call: &Call,
        case: CaseId,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<MessageItem>, Error> {
        let query = Sql::<Nullable<Jsonb>>::new()
            .with(
                "select c.id as case_id, null::uuid[] as child_ids, null::text[] as sections, 'lead' as rule, m.id as item_id, \
                 to_jsonb(m) as item from cases c left join lateral (select * from messages w where w.case_id = c.id \
                 and w.referral_id is null and w.id > ? order by w.id limit ?) m on true where c.id = ? and c.lead_agency = ? and ",
                [after.unwrap_or(Uuid::nil()).into(), limit.into(), case.0.into(), call.actor.agency().as_str().into()],
            )
            .then(visibility::case_visible::<()>(call, Act::ReadMessages));
        self.messages(call, query, About::Case(case, Act::ReadMessages))
    }

    fn messages(&self, call: &Call, query: Sql<Nullable<Jsonb>>, about: About) -> Result<Vec<MessageItem>, Error> {
        let rows: Vec<Option<Value>> = self.read(call, Read { columns: "item", query, seen: Seen::One(about) })?;
        rows.into_iter().flatten().map(|it| Ok(serde_json::from_value(it)?)).collect()
    }
}
