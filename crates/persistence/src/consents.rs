//! Consents, read and listed. What makes or withdraws one is `lindung_domain::consent`.

use chrono::{DateTime, Utc};
use diesel::RunQueryDsl;
use diesel::pg::PgConnection;
use diesel::sql_types::{Bool, Jsonb, Nullable, Uuid as SqlUuid};
use lindung_domain::consent::{Agreed, Bases, Capacity, Confirmation, Consent, Cover, Record, Withdrawal};
use lindung_domain::policy::Act;
use lindung_domain::{
    AgencyCode, CaseId, ChildId, ConsentId, GiverRef, OfficerId, OverrideId, Purpose, Section, Version,
};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::db::{About, Call, Db, Read, Seen};
use crate::error::Error;
use crate::sql::Sql;
use crate::visibility;

/// A consent as SQL yields it; `w` is its row.
const CONSENT: &str = "to_jsonb(w) || jsonb_build_object('confirmations', (select coalesce(jsonb_agg(jsonb_build_object('agency', f.agency, \
    'officer', f.officer, 'at', f.at) order by f.at, f.agency), '[]') from consent_confirmations f where f.consent_id = w.id), \
    'holders', (select coalesce(jsonb_agg(distinct g.agency), '[]') from grants g where g.case_id = w.case_id and w.id = any(g.consents)))";

#[derive(Debug, Deserialize)]
struct ConsentRow {
    id: ConsentId,
    case_id: CaseId,
    child_id: ChildId,
    capacity: Capacity,
    given_by: GiverRef,
    sections: Vec<Section>,
    recipients: Vec<AgencyCode>,
    purposes: Vec<Purpose>,
    evidence: String,
    given_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    agency: AgencyCode,
    officer: OfficerId,
    recorded_at: DateTime<Utc>,
    withdrawn_at: Option<DateTime<Utc>>,
    withdrawal_reason: Option<String>,
    withdrawal_agency: Option<AgencyCode>,
    withdrawal_officer: Option<OfficerId>,
    withdrawal_recorded_at: Option<DateTime<Utc>>,
    told: Vec<AgencyCode>,
    version: Version,
    confirmations: Vec<ConfirmationRow>,
    holders: Vec<AgencyCode>,
}

#[derive(Debug, Deserialize)]
struct ConfirmationRow {
    agency: AgencyCode,
    officer: OfficerId,
    at: DateTime<Utc>,
}

impl ConsentRow {
    fn into_consent(self) -> Consent {
        let ConsentRow {
            id,
            case_id,
            child_id,
            capacity,
            given_by,
            sections,
            recipients,
            purposes,
            evidence,
            given_at,
            expires_at,
            agency,
            officer,
            recorded_at,
            withdrawn_at,
            withdrawal_reason: reason,
            withdrawal_agency,
            withdrawal_officer,
            withdrawal_recorded_at,
            told,
            version,
            confirmations,
            holders,
        } = self;
        // Each confirmation is a change of its own.
        let version = Version(version.0 + i64::try_from(confirmations.len()).unwrap_or(i64::MAX));
        let by = withdrawal_agency.zip(withdrawal_officer);
        let withdrawal =
            withdrawn_at.zip(withdrawal_recorded_at).zip(by).map(|((at, recorded_at), (agency, officer))| Withdrawal {
                at,
                reason,
                agency,
                officer,
                recorded_at,
                told,
            });
        let confirmation = |ConfirmationRow { agency, officer, at }| Confirmation { agency, officer, at };
        let agreed = Agreed { capacity, given_by, sections, recipients, purposes, evidence, given_at, expires_at };
        Consent::restore(Record {
            id,
            case: case_id,
            child: child_id,
            agreed,
            agency,
            officer,
            recorded_at,
            withdrawal,
            confirmations: confirmations.into_iter().map(confirmation).collect(),
            holders,
            version,
        })
    }
}

/// What disclosures of a case can rest on, as `policy.bases_of` tells.
#[derive(Debug, Deserialize)]
struct BasesRow {
    children: Vec<ChildId>,
    consents: Vec<CoverRow>,
    rejected: Vec<OverrideId>,
}

#[derive(Debug, Deserialize)]
struct CoverRow {
    id: ConsentId,
    child: ChildId,
    sections: Vec<Section>,
    recipients: Vec<AgencyCode>,
    purposes: Vec<Purpose>,
    expires_at: Option<DateTime<Utc>>,
}

/// The bases in a JSON value of `policy.bases_of`.
pub(crate) fn bases(row: Option<Value>) -> Result<Bases, Error> {
    let Some(row) = row else { return Ok(Bases::default()) };
    let BasesRow { children, consents, rejected } = serde_json::from_value(row)?;
    let cover = |CoverRow { id, child, sections, recipients, purposes, expires_at }| Cover {
        id,
        child,
        sections,
        recipients,
        purposes,
        expires_at,
    };
    Ok(Bases { children, consents: consents.into_iter().map(cover).collect(), rejected })
}

fn texts<T: ToString>(items: &[T]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

/// A consent that is recorded, withdrawn or confirmed to be, as part of the statement that saves it.
pub(crate) fn saved(consent: Option<&Consent>) -> Sql {
    let Some(consent) = consent else { return Sql::new() };
    let Record { id, case, child, agreed, agency, officer, recorded_at, withdrawal, confirmations, version, .. } =
        consent.record().clone();
    let Some(Withdrawal { at, reason, agency: by, officer: by_officer, recorded_at: since, told }) = withdrawal else {
        let Agreed { capacity, given_by, sections, recipients, purposes, evidence, given_at, expires_at } = agreed;
        return Sql::new().with(
            "), consented as (insert into consents (id, case_id, child_id, capacity, given_by, sections, recipients, purposes, evidence, \
             given_at, expires_at, agency, officer, recorded_at, version) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                id.0.into(),
                case.0.into(),
                child.0.into(),
                capacity.as_str().into(),
                given_by.as_str().into(),
                texts(&sections).into(),
                texts(&recipients).into(),
                texts(&purposes).into(),
                evidence.into(),
                given_at.into(),
                expires_at.into(),
                agency.as_str().into(),
                officer.as_str().into(),
                recorded_at.into(),
                version.0.into(),
            ],
        );
    };
    // A withdrawal is final: what is saved after it is a confirmation.
    if let Some(Confirmation { agency, officer, at }) = confirmations.last() {
        return Sql::new().with(
            "), confirmed as (insert into consent_confirmations (consent_id, case_id, agency, officer, at) values (?, ?, ?, ?, ?)",
            [id.0.into(), case.0.into(), agency.as_str().into(), officer.as_str().into(), (*at).into()],
        );
    }
    Sql::new().with(
        "), consented as (update consents set withdrawn_at = ?, withdrawal_reason = ?, withdrawal_agency = ?, withdrawal_officer = ?, \
         withdrawal_recorded_at = ?, told = ?, version = ? where id = ?",
        [
            at.into(),
            reason.into(),
            by.as_str().into(),
            by_officer.as_str().into(),
            since.into(),
            texts(&told).into(),
            version.0.into(),
            id.0.into(),
        ],
    )
}

/// A consent, as far as row-level security shows it.
pub(crate) fn load(conn: &mut PgConnection, id: ConsentId) -> Result<Option<Consent>, Error> {
    let query = Sql::<Nullable<Jsonb>>::new()
        .with("select (select ", [])
        .with(CONSENT, [])
        .with(" from consents w where w.id = ?)", [id.0.into()]);
    let row: Option<Value> = query.get_result(conn)?;
    row.map(consent).transpose()
}

fn consent(row: Value) -> Result<Consent, Error> {
    Ok(serde_json::from_value::<ConsentRow>(row)?.into_consent())
}

impl Db {
    /// The case of a consent that the actor may know of.
    ///
    /// # Errors
    /// There is none; the database is not available.
    pub fn case_of_consent(&self, call: &Call, id: ConsentId) -> Result<CaseId, Error> {
        let query =
            Sql::<Nullable<SqlUuid>>::new().with("select (select case_id from consents where id = ?)", [id.0.into()]);
        self.case_found(call, query)
    }

    /// The consents that were recorded on a child, oldest first, after `after`.
    ///
    /// # Errors
    /// They are not the actor's to see; the database is not available.
    pub fn consents(
        &self,
        call: &Call,
        (case, child): (CaseId, ChildId),
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<Consent>, Error> {
        let query = Sql::<Nullable<Jsonb>>::new()
            .with("select c.id as case_id, array[k.id] as child_ids, null::text[] as sections, ", [])
            .then(visibility::consent_rule::<()>(call))
            .with(" as rule, i.id as item_id, i.item from cases c join children k on k.case_id = c.id left join lateral (select w.id, ", [])
            .with(CONSENT, [])
            .with(" as item from consents w where w.child_id = k.id and w.id > ? order by w.id limit ?) i on true where c.id = ? and k.id = ? and ", [
                after.unwrap_or(Uuid::nil()).into(), limit.into(), case.0.into(), child.0.into(),
            ])
            .then(visibility::child_unhidden::<()>(call))
            .with(" and ", [])
            .then(visibility::consents_visible::<()>(call));
        let seen = Seen::One(About::Consents(case, child));
        let rows: Vec<Option<Value>> = self.read(call, Read { columns: "item", query, seen })?;
        rows.into_iter().flatten().map(consent).collect()
    }

    /// One consent, and whether the actor keeps it: was not merely told that it is withdrawn.
    ///
    /// # Errors
    /// It is not the actor's to see; the database is not available.
    pub fn consent(&self, call: &Call, id: ConsentId) -> Result<(Consent, bool), Error> {
        let own = call.actor.agency().as_str();
        let query = Sql::<(Jsonb, Bool)>::new()
            .with("select c.id as case_id, array[w.child_id] as child_ids, null::text[] as sections, case when ", [])
            .then(visibility::consents_visible::<()>(call))
            .with(" then ", [])
            .then(visibility::consent_rule::<()>(call))
            .with(" when w.agency = ? then 'maker' else 'told' end as rule, w.id as item_id, ", [own.into()])
            .with(CONSENT, [])
            .with(" as item from consents w join cases c on c.id = w.case_id left join children k on k.id = w.child_id where w.id = ? and ", [
                id.0.into(),
            ])
            .then(visibility::child_unhidden::<()>(call))
            .with(" and (", [])
            .then(visibility::consents_visible::<()>(call))
            .with(" or ", [])
            .then(visibility::own_record_visible::<()>(call, Act::ReadConsent))
            .with(" and (w.agency = ? or ? = any(w.told)))", [own.into(), own.into()]);
        let seen = Seen::One(About::Consent(id));
        let rows: Vec<(Value, bool)> = self.read(call, Read { columns: "item, rule <> 'told'", query, seen })?;
        let (row, keeps) = rows.into_iter().next().ok_or(lindung_domain::Refusal::NotFound)?;
        Ok((consent(row)?, keeps))
    }
}
