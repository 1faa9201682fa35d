//! Events: what happened. The only place that writes them; a case's timeline reads them.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Jsonb, Nullable};
use lindung_domain::event::Subject;
use lindung_domain::policy::Act;
use lindung_domain::{
    Actor, CaseId, ChildId, ConsentId, DataSharingId, EmergencyId, Event, GrantId, HandoffId, OverrideId, ProposalId,
    ReferralId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::{About, Call, Db, Read, Seen};
use crate::error::Error;
use crate::sql::Sql;
use crate::visibility;

/// Inserts events as rows of one JSON array, as part of the statement that saves the change.
/// `case_version` goes on from `event_count`, which stands still under the case's lock.
pub(crate) fn inserted(call: &Call, case: CaseId, event_count: i64, events: &[Event]) -> Sql {
    caused(call, Db::new_id(), Some(case), event_count, events)
}

/// The same of one of several things that one command changes, or of what is about no case.
pub(crate) fn caused(call: &Call, causation: Uuid, case: Option<CaseId>, event_count: i64, events: &[Event]) -> Sql {
    rows((Some(&call.actor), call.now), causation, case, event_count, events)
}

/// The same of events that happened by themselves.
pub(crate) fn happened(now: DateTime<Utc>, case: Option<CaseId>, event_count: i64, events: &[Event]) -> Sql {
    rows((None, now), Db::new_id(), case, event_count, events)
}

fn rows(
    (actor, now): (Option<&Actor>, DateTime<Utc>),
    causation: Uuid,
    case: Option<CaseId>,
    event_count: i64,
    events: &[Event],
) -> Sql {
    let rows: Vec<Value> = (event_count + 1..)
        .zip(events)
        .map(|(case_version, Event { kind, subject, recipients, data, stakes: _ })| {
            let (subject_type, subject_id) = named(subject);
            json!({
                "id": Db::new_id(), "kind": format!("{}{kind}", Event::PREFIX), "case_id": case, "case_version": case_version,
                "subject_type": subject_type, "subject_id": subject_id, "causation_id": causation, "at": now,
                "agency": actor.map(Actor::agency), "client_id": actor.map(Actor::client_id), "data": data, "recipients": recipients,
            })
        })
        .collect();
    Sql::new().with(
        "insert into events (id, kind, case_id, case_version, subject_type, subject_id, causation_id, at, agency, client_id, data, recipients) \
         select id, kind, case_id, case_version, subject_type, subject_id, causation_id, at, agency, client_id, data, recipients \
         from jsonb_populate_recordset(null::events, ?)",
        [Value::Array(rows).into()],
    )
}

/// What an event is about: the kind of it and its id.
pub(crate) fn named(subject: &Subject) -> (&'static str, Uuid) {
    match subject {
        Subject::Case(id) => ("case", id.0),
        Subject::Child(id) => ("child", id.0),
        Subject::Referral(id) => ("referral", id.0),
        Subject::Emergency(id) => ("emergency-access", id.0),
        Subject::Proposal(id) => ("proposal", id.0),
        Subject::Handoff(id) => ("handoff", id.0),
        Subject::Grant(id) => ("grant", id.0),
        Subject::Consent(id) => ("consent", id.0),
        Subject::Override(id) => ("override", id.0),
        Subject::DataSharing(id) => ("data-sharing-request", id.0),
    }
}

/// What [`named`] named.
pub(crate) fn subject(kind: &str, id: Uuid) -> Option<Subject> {
    Some(match kind {
        "case" => Subject::Case(CaseId(id)),
        "child" => Subject::Child(ChildId(id)),
        "referral" => Subject::Referral(ReferralId(id)),
        "emergency-access" => Subject::Emergency(EmergencyId(id)),
        "proposal" => Subject::Proposal(ProposalId(id)),
        "handoff" => Subject::Handoff(HandoffId(id)),
        "grant" => Subject::Grant(GrantId(id)),
        "consent" => Subject::Consent(ConsentId(id)),
        "override" => Subject::Override(OverrideId(id)),
        "data-sharing-request" => Subject::DataSharing(DataSharingId(id)),
        _ => return None,
    })
}

/// An event as those who are told of it see it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"))]
#[schema(rename_all = "camelCase")]
pub struct EventItem {
    /// Its id (UUIDv7).
    pub id: Uuid,
    /// Past tense, dotted: `my.gov.lindung.referral.accepted`.
    #[serde(rename(serialize = "type"))]
    #[schema(rename = "type", example = "my.gov.lindung.referral.accepted")]
    pub kind: String,
    /// The case; null where it is about none.
    pub case_id: Option<Uuid>,
    /// Its place among all events of the case; numbers of events that you are not told of are missing.
    pub case_version: i64,
    /// `case`, `child`, `referral`, `emergency-access`, `proposal`, `handoff`, `grant`, `consent`, `override` or `data-sharing-request`.
    pub subject_type: String,
    /// The id of what it happened to.
    pub subject_id: Uuid,
    /// What all events of one command have in common.
    pub causation_id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// Which agency did it; null where it happened by itself.
    pub agency: Option<String>,
    /// Ids and codes.
    #[schema(value_type = Object)]
    pub data: Value,
}

impl Db {
    /// The events of a case that the actor's agency was told of, in their order, after `after`.
    ///
    /// # Errors
    /// The case is not the actor's to see; the database is not available.
    pub fn timeline(&self, call: &Call, case: CaseId, after: i64, limit: i64) -> Result<Vec<EventItem>, Error> {
        let query = Sql::<Nullable<Jsonb>>::new()
            .with("select c.id as case_id, null::uuid[] as child_ids, null::text[] as sections, ", [])
            .then(visibility::case_rule::<()>(call, Act::ReadTimeline))
            .with(
                " as rule, e.id as item_id, to_jsonb(e) as item from cases c left join lateral (select * from events v \
                 where v.case_id = c.id and v.case_version > ? and ? = any(v.recipients) and (v.subject_type <> 'child' \
                 or exists (select from children k where k.id = v.subject_id and ",
                [after.into(), call.actor.agency().as_str().into()],
            )
            .then(visibility::child_unhidden::<()>(call))
            .with(")) order by v.case_version limit ?) e on true where c.id = ? and ", [limit.into(), case.0.into()])
            .then(visibility::case_visible::<()>(call, Act::ReadTimeline));
        let seen = Seen::One(About::Case(case, Act::ReadTimeline));
        let rows: Vec<Option<Value>> = self.read(call, Read { columns: "item", query, seen })?;
        rows.into_iter().flatten().map(|it| Ok(serde_json::from_value(it)?)).collect()
    }

    /// The events of a referral that the actor's agency was told of, in their order, after `after`.
    ///
    /// # Errors
    /// The referral is not the actor's to see; the database is not available.
    pub fn referral_timeline(
        &self,
        call: &Call,
        referral: ReferralId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<EventItem>, Error> {
        let query = Sql::<Nullable<Jsonb>>::new()
            .with("select c.id as case_id, r.children as child_ids, null::text[] as sections, ", [])
            .then(visibility::referral_rule::<()>(call))
            .with(
                " as rule, e.id as item_id, to_jsonb(e) as item from referrals r join cases c on c.id = r.case_id \
                 left join lateral (select * from events v where v.case_id = r.case_id and v.subject_id = r.id \
                 and v.case_version > ? and ? = any(v.recipients) order by v.case_version limit ?) e on true where r.id = ? and ",
                [after.into(), call.actor.agency().as_str().into(), limit.into(), referral.0.into()],
            )
            .then(visibility::referral_visible::<()>(call, Act::ReadReferral));
        let seen = Seen::One(About::Referral(referral, Act::ReadReferral));
        let rows: Vec<Option<Value>> = self.read(call, Read { columns: "item", query, seen })?;
        rows.into_iter().flatten().map(|it| Ok(serde_json::from_value(it)?)).collect()
    }
}
