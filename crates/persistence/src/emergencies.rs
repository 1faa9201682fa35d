//! Emergency accesses, read and listed. What makes or changes one is `lindung_domain::emergency`.

use chrono::{DateTime, Utc};
use diesel::RunQueryDsl;
use diesel::pg::PgConnection;
use diesel::sql_types::{Bool, Jsonb, Nullable, Uuid as SqlUuid};
use lindung_domain::actor::OVERSIGHT;
use lindung_domain::emergency::{self, EmergencyAccess, EmergencyCode, REVIEW_WITHIN, Record, ReviewOutcome, Trust};
use lindung_domain::policy::{self, Act, Relation, Relations};
use lindung_domain::section::Identifier;
use lindung_domain::{Actor, AgencyCode, CaseId, ClientId, EmergencyId, OfficerId, Refusal, Version};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::clocks::RunningClock;
use crate::db::{About, Call, Db, Read, Seen};
use crate::error::Error;
use crate::file;
use crate::referrals::TimePlace;
use crate::sql::Sql;
use crate::visibility;

/// An emergency access as those see it who took part in it, review it or audit it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"))]
#[schema(rename_all = "camelCase")]
pub struct EmergencyItem {
    /// Its id (UUIDv7).
    pub id: EmergencyId,
    /// The case.
    pub case_id: CaseId,
    /// Which agency's officer looked.
    pub agency: AgencyCode,
    /// Which officer.
    pub officer: OfficerId,
    /// The client that vouched for them.
    pub client_id: ClientId,
    /// Why.
    pub code: EmergencyCode,
    /// Why, in words.
    pub reason: String,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// The colleague who agreed, where something was shielded.
    pub confirmed_by: Option<OfficerId>,
    /// When it opened; null while it waits for a colleague.
    pub opened_at: Option<DateTime<Utc>>,
    /// Until when it is open, exclusively.
    pub until: Option<DateTime<Utc>>,
    /// What the review found.
    pub review: Option<ReviewOutcome>,
    /// The review, in words.
    pub review_note: Option<String>,
    /// Who reviewed it.
    pub reviewed_by: Option<OfficerId>,
    /// When.
    pub reviewed_at: Option<DateTime<Utc>>,
    /// Its version, as in its `ETag`.
    pub version: Version,
    /// The clocks that run on it.
    #[serde(default)]
    pub clocks: Vec<RunningClock>,
}

impl EmergencyItem {
    fn into_access(self) -> EmergencyAccess {
        let EmergencyItem {
            id,
            case_id,
            agency,
            officer,
            client_id,
            code,
            reason,
            requested_at,
            confirmed_by,
            opened_at,
            until,
            review,
            review_note,
            reviewed_by,
            reviewed_at,
            version,
            clocks: _,
        } = self;
        EmergencyAccess::restore(Record {
            id,
            case: case_id,
            agency,
            officer,
            client: client_id,
            code,
            reason,
            requested_at,
            confirmed_by,
            opened_at,
            until,
            review,
            review_note,
            reviewed_by,
            reviewed_at,
            version,
        })
    }
}

/// An emergency access that is made or changed, as part of the statement that saves it.
pub(crate) fn saved(access: Option<&EmergencyAccess>) -> Sql {
    let Some(access) = access else { return Sql::new() };
    let Record {
        id,
        case,
        agency,
        officer,
        client,
        code,
        reason,
        requested_at,
        confirmed_by,
        opened_at,
        until,
        review,
        review_note,
        reviewed_by,
        reviewed_at,
        version,
    } = access.record().clone();
    if version == Version::FIRST {
        return Sql::new().with(
            "), broken as (insert into emergency_accesses (id, case_id, agency, officer, client_id, code, reason, requested_at, \
             opened_at, until, version) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                id.0.into(),
                case.0.into(),
                agency.as_str().into(),
                officer.as_str().into(),
                client.as_str().into(),
                code.as_str().into(),
                reason.into(),
                requested_at.into(),
                opened_at.into(),
                until.into(),
                version.0.into(),
            ],
        );
    }
    Sql::new().with(
        "), broken as (update emergency_accesses set confirmed_by = ?, opened_at = ?, until = ?, review = ?, review_note = ?, \
         reviewed_by = ?, reviewed_at = ?, version = ? where id = ?",
        [
            confirmed_by.map(String::from).into(),
            opened_at.into(),
            until.into(),
            review.map(|it| it.to_string()).into(),
            review_note.into(),
            reviewed_by.map(String::from).into(),
            reviewed_at.into(),
            version.0.into(),
            id.0.into(),
        ],
    )
}

/// Whether the actor may look at all in an emergency.
pub(crate) fn trust(conn: &mut PgConnection, actor: &Actor, now: DateTime<Utc>) -> Result<Trust, Error> {
    let query = Sql::<(Bool, Bool)>::new().with(
        "select exists (select from clients where id = ? and ? = any(emergency)), exists (select from emergency_accesses \
         where agency = ? and officer = ? and reviewed_at is null and opened_at < ?)",
        [
            actor.client_id().as_str().into(),
            actor.agency().as_str().into(),
            actor.agency().as_str().into(),
            actor.officer_id().map(ToString::to_string).into(),
            (now - REVIEW_WITHIN).into(),
        ],
    );
    let (registered, overdue): (bool, bool) = query.get_result(conn)?;
    Ok(Trust { registered, overdue })
}

/// An emergency access, as far as row-level security shows it.
pub(crate) fn load(conn: &mut PgConnection, id: EmergencyId) -> Result<Option<EmergencyAccess>, Error> {
    let query = Sql::<Nullable<Jsonb>>::new()
        .with("select (select to_jsonb(e) from emergency_accesses e where e.id = ?)", [id.0.into()]);
    let row: Option<Value> = query.get_result(conn)?;
    Ok(row.map(serde_json::from_value::<EmergencyItem>).transpose()?.map(EmergencyItem::into_access))
}

/// How a case is named that has to be seen at once.
#[derive(Clone)]
pub enum NamedCase {
    /// By its reference.
    Reference(String),
    /// By an identifier of a child in it.
    Identifier(Identifier),
}

/// Which emergency accesses are wanted.
#[derive(Debug, Clone, Default)]
pub struct EmergencyFilter {
    /// Those that were reviewed, or those that are open or were and have not been.
    pub reviewed: Option<bool>,
    /// After this place.
    pub after: Option<TimePlace>,
    /// At most so many.
    pub limit: i64,
}

impl Db {
    /// The case of an emergency access that the actor may know of.
    ///
    /// # Errors
    /// There is none; the database is not available.
    pub fn case_of_emergency(&self, call: &Call, id: EmergencyId) -> Result<CaseId, Error> {
        let query = Sql::<Nullable<SqlUuid>>::new()
            .with("select (select case_id from emergency_accesses where id = ?)", [id.0.into()]);
        self.case_found(call, query)
    }

    /// The case that is named, for somebody who is trusted with emergencies.
    ///
    /// # Errors
    /// Not theirs; there is none; an identity does not open; the database is not available.
    pub fn case_for_emergency(&self, call: &Call, named: &NamedCase) -> Result<CaseId, Error> {
        let asking = call.asking();
        let found = self.transaction_for(&call.actor, call.now, |conn| {
            file::require_standing(conn, &call.actor)?;
            emergency::require_trust(trust(conn, &call.actor, call.now)?, &asking)?;
            match named {
                NamedCase::Reference(reference) => {
                    let query = Sql::<Nullable<SqlUuid>>::new()
                        .with("select policy.case_named(?)", [reference.as_str().into()]);
                    let found: Option<Uuid> = query.get_result(conn)?;
                    Ok(found)
                }
                NamedCase::Identifier(identifier) => Ok(self.wherever(conn, identifier)?.first().map(|it| it.0.0)),
            }
        })?;
        Ok(found.map(CaseId).ok_or(Refusal::NotFound)?)
    }

    /// Whether a case is open to the officer in an emergency now: without, the purpose `emergency` is nobody's.
    ///
    /// # Errors
    /// The database is not available.
    pub fn has_open_emergency(&self, actor: &Actor, now: DateTime<Utc>) -> Result<bool, Error> {
        let query = Sql::<Bool>::new().with(
            "select exists (select from emergency_accesses where agency = ? and officer = ? and until > ?)",
            [actor.agency().as_str().into(), actor.officer_id().map(ToString::to_string).into(), now.into()],
        );
        self.transaction_for(actor, now, |conn| Ok(query.get_result(conn)?))
    }

    /// The emergency accesses that are the actor's to see, newest first.
    ///
    /// # Errors
    /// The actor has no role for it; the database is not available.
    pub fn emergency_accesses(&self, call: &Call, filter: &EmergencyFilter) -> Result<Vec<EmergencyItem>, Error> {
        if ways(call).next().is_none() {
            return Err(Refusal::NotYours.into());
        }
        let place = filter.after.clone().unwrap_or_else(TimePlace::start);
        let mut query = seen(call).with(" and (e.requested_at, e.id) < (?, ?)", [place.at.into(), place.id.into()]);
        query = match filter.reviewed {
            Some(true) => query.with(" and e.reviewed_at is not null", []),
            Some(false) => query.with(" and e.reviewed_at is null and e.opened_at is not null", []),
            None => query,
        };
        let query = query.with(" order by e.requested_at desc, e.id desc limit ?", [filter.limit.into()]);
        self.emergencies(call, query, Seen::List)
    }

    /// One emergency access.
    ///
    /// # Errors
    /// It is not the actor's to see; the database is not available.
    pub fn emergency_access(&self, call: &Call, id: EmergencyId) -> Result<EmergencyItem, Error> {
        let query = seen(call).with(" and e.id = ?", [id.0.into()]);
        let found = self.emergencies(call, query, Seen::One(About::Emergency(id)))?;
        Ok(found.into_iter().next().ok_or(Refusal::NotFound)?)
    }

    fn emergencies(&self, call: &Call, query: Sql<Jsonb>, seen: Seen) -> Result<Vec<EmergencyItem>, Error> {
        let rows: Vec<Value> = self.read(call, Read { columns: "item", query, seen })?;
        rows.into_iter().map(|it| Ok(serde_json::from_value(it)?)).collect()
    }
}

/// The relations in which the actor may read about emergencies.
fn ways(call: &Call) -> impl Iterator<Item = Relation> {
    let oversees = OVERSIGHT.contains(&call.actor.agency().as_str());
    let own = if oversees { Relation::Oversight } else { Relation::Own };
    let open = |it: &Relation| policy::permits(&call.actor, Act::ReadEmergency, &Relations::from([*it])).is_some();
    [own, Relation::Lead, Relation::Requester, Relation::Colleague].into_iter().filter(open)
}

/// `select …` with the condition under which the actor may read about emergency access `e`.
fn seen(call: &Call) -> Sql<Jsonb> {
    let own = call.actor.agency().as_str();
    let (mut rule, mut condition) = (Sql::<()>::new(), Sql::<()>::new());
    for way in ways(call) {
        let holds = || -> Sql {
            match way {
                Relation::Oversight => Sql::new().with("true", []),
                Relation::Own => Sql::new().with("e.agency = ?", [own.into()]),
                Relation::Requester => Sql::new().with("(e.agency = ? and e.officer = ?)", [
                    own.into(),
                    call.actor.officer_id().map(ToString::to_string).into(),
                ]),
                // What waits for a colleague is shown to those who can agree to it.
                Relation::Colleague => Sql::new().with(
                    "(e.agency = ? and e.opened_at is null and exists (select from clients t where t.id = ? and ? = any(t.emergency)))",
                    [own.into(), call.actor.client_id().as_str().into(), own.into()],
                ),
                _ => Sql::new()
                    .with("exists (select from cases c where c.id = e.case_id and ", [])
                    .then(visibility::led_case_visible::<()>(call, Act::ReadEmergency))
                    .with(")", []),
            }
        };
        rule = rule.with(" when ", []).then(holds()).with(" then ?", [way.as_str().into()]);
        condition = condition.with(" or ", []).then(holds());
    }
    Sql::new()
        .with("select e.case_id, null::uuid[] as child_ids, null::text[] as sections, e.id as item_id, to_jsonb(e) || jsonb_build_object('clocks', \
               coalesce((select jsonb_agg(w order by w.id) from clocks w where w.case_id = e.case_id and w.subject_id = e.id \
               and w.ended_at is null), '[]')) as item, case", [])
        .then(rule)
        // To whom no way is open, nothing is.
        .with(" when false then 'own' end as rule from emergency_accesses e where (false", [])
        .then(condition)
        .with(")", [])
}
