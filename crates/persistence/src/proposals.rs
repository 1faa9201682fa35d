//! Proposals, read and listed. What makes or decides one is `lindung_domain::proposal`.

use chrono::{DateTime, Utc};
use diesel::RunQueryDsl;
use diesel::pg::PgConnection;
use diesel::sql_types::{Jsonb, Nullable, Uuid as SqlUuid};
use lindung_domain::policy::Act;
use lindung_domain::proposal::{Proposal, ProposalKind, ProposalStatus, Record};
use lindung_domain::shield::{Admitted, Shield};
use lindung_domain::{AgencyCode, CaseId, ChildId, OfficerId, ProposalId, Version};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::{About, Call, Db, Read, Seen};
use crate::error::Error;
use crate::sql::Sql;
use crate::visibility;

/// Something proposed about a case, as its lead's supervisors see it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"))]
#[schema(rename_all = "camelCase")]
pub struct ProposalItem {
    /// Its id (UUIDv7).
    pub id: ProposalId,
    /// The case.
    pub case_id: CaseId,
    /// The child that it is about; the case itself when null.
    pub child_id: Option<ChildId>,
    /// What is proposed.
    pub kind: ProposalKind,
    /// Of a shield: whom it is to admit then, as `AGENCY` or `AGENCY/officer`; it is lifted when null.
    #[schema(value_type = Option<Vec<String>>)]
    pub admits: Option<Vec<Admitted>>,
    /// Why.
    pub reason: String,
    /// Whose proposal it is.
    pub agency: AgencyCode,
    /// Which officer proposed it.
    pub proposed_by: OfficerId,
    /// When.
    pub proposed_at: DateTime<Utc>,
    /// Where it stands; one that nobody decides upon within seven days cannot be confirmed any more.
    pub status: ProposalStatus,
    /// Who decided.
    pub decided_by: Option<OfficerId>,
    /// When.
    pub decided_at: Option<DateTime<Utc>>,
    /// Its version.
    pub version: Version,
}

impl ProposalItem {
    fn into_proposal(self) -> Proposal {
        let ProposalItem {
            id,
            case_id,
            child_id,
            kind,
            admits,
            reason,
            agency,
            proposed_by,
            proposed_at,
            status,
            decided_by,
            decided_at,
            version,
        } = self;
        Proposal::restore(Record {
            id,
            case: case_id,
            child: child_id,
            kind,
            admits: admits.map(Shield::restore),
            reason,
            agency,
            proposed_by,
            proposed_at,
            status,
            decided_by,
            decided_at,
            version,
        })
    }
}

/// A proposal that is made or decided, as part of the statement that saves it.
pub(crate) fn saved(proposal: Option<&Proposal>) -> Sql {
    let Some(proposal) = proposal else { return Sql::new() };
    let Record {
        id,
        case,
        child,
        kind,
        admits,
        reason,
        agency,
        proposed_by,
        proposed_at,
        status,
        decided_by,
        decided_at,
        version,
    } = proposal.record().clone();
    let admits = admits.map(|it| it.names().iter().map(ToString::to_string).collect::<Vec<_>>());
    Sql::new().with(
        "), proposed as (insert into proposals (id, case_id, child_id, kind, admits, reason, agency, proposed_by, proposed_at, status, \
         decided_by, decided_at, version) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do update set \
         status = excluded.status, decided_by = excluded.decided_by, decided_at = excluded.decided_at, version = excluded.version",
        [
            id.0.into(),
            case.0.into(),
            child.map(|it| it.0).into(),
            kind.as_str().into(),
            admits.into(),
            reason.into(),
            agency.as_str().into(),
            proposed_by.as_str().into(),
            proposed_at.into(),
            status.as_str().into(),
            decided_by.map(String::from).into(),
            decided_at.into(),
            version.0.into(),
        ],
    )
}

/// A proposal, as far as row-level security shows it.
pub(crate) fn load(conn: &mut PgConnection, id: ProposalId) -> Result<Option<Proposal>, Error> {
    let query = Sql::<Nullable<Jsonb>>::new()
        .with("select (select to_jsonb(p) from proposals p where p.id = ?)", [id.0.into()]);
    let row: Option<Value> = query.get_result(conn)?;
    Ok(row.map(serde_json::from_value::<ProposalItem>).transpose()?.map(ProposalItem::into_proposal))
}

impl Db {
    /// The case of a proposal that the actor may know of.
    ///
    /// # Errors
    /// There is none; the database is not available.
    pub fn case_of_proposal(&self, call: &Call, id: ProposalId) -> Result<CaseId, Error> {
        let query =
            Sql::<Nullable<SqlUuid>>::new().with("select (select case_id from proposals where id = ?)", [id.0.into()]);
        self.case_found(call, query)
    }

    /// What was proposed about a case, oldest first, after `after`.
    ///
    /// # Errors
    /// The case is not the actor's to decide upon; the database is not available.
    pub fn proposals(
        &self,
        call: &Call,
        case: CaseId,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<ProposalItem>, Error> {
        let query = Sql::<Nullable<Jsonb>>::new()
            .with(
                "select c.id as case_id, null::uuid[] as child_ids, null::text[] as sections, 'lead' as rule, p.id as item_id, \
                 to_jsonb(p) as item from cases c left join lateral (select * from proposals w where w.case_id = c.id and w.id > ? \
                 and (w.child_id is null or exists (select from children k where k.id = w.child_id and ",
                [after.unwrap_or(Uuid::nil()).into()],
            )
            .then(visibility::child_unhidden::<()>(call))
            .with(")) order by w.id limit ?) p on true where c.id = ? and ", [limit.into(), case.0.into()])
            .then(visibility::led_case_visible::<()>(call, Act::Unshield));
        let seen = Seen::One(About::Case(case, Act::Unshield));
        let rows: Vec<Option<Value>> = self.read(call, Read { columns: "item", query, seen })?;
        rows.into_iter().flatten().map(|it| Ok(serde_json::from_value(it)?)).collect()
    }
}
