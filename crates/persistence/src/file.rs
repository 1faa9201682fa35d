//! A case with all that decisions about it need: locked, then loaded in a fresh snapshot.

mod loaded;
mod rows;

use diesel::pg::PgConnection;
use diesel::sql_types::{Array, BigInt, Bool, Jsonb, Nullable, Uuid as SqlUuid};
use diesel::{OptionalExtension, RunQueryDsl};
use lindung_domain::case::CaseFile;
use lindung_domain::consent::Bases;
use lindung_domain::emergency::Trust;
use lindung_domain::grant::Grant;
use lindung_domain::{
    AccessId, Actor, CaseId, ChildId, ConsentId, EmergencyId, GrantId, HandoffId, OverrideId, ProposalId, ReferralId,
};
use serde_json::Value;
use uuid::Uuid;

use crate::access_log;
use crate::accesses;
use crate::clocks;
use crate::consents;
use crate::db::{Call, Writing};
use crate::emergencies;
use crate::error::Error;
use crate::grants;
use crate::handoffs;
use crate::idempotency::{self, KeptAnswer, Repeat};
use crate::overrides;
use crate::proposals;
use crate::referrals::ReferralRow;
use crate::sql::Sql;

pub use loaded::Loaded;
pub(crate) use rows::{CaseRow, GrantRow};
use rows::{parties_of, shields_of};

/// What a command is about.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    /// A new case, or nothing about a case.
    New,
    /// A case.
    Case(CaseId),
    /// A referral, and so its case.
    Referral(ReferralId),
    /// A case that somebody wants to see in an emergency.
    Emergency(CaseId),
    /// An emergency access, and so its case.
    EmergencyAccess(EmergencyId, CaseId),
    /// A proposal, and so its case.
    Proposal(ProposalId, CaseId),
    /// A handoff, and so its case.
    Handoff(HandoffId, CaseId),
    /// A grant, and so its case.
    Grant(GrantId, CaseId),
    /// A consent, and so its case.
    Consent(ConsentId, CaseId),
    /// An override, and so its case.
    Override(OverrideId, CaseId),
    /// An access to a case, which may be of somebody who is no party any more.
    Access(AccessId, CaseId),
}

impl Target {
    fn ids(self) -> (Option<Uuid>, Option<Uuid>) {
        match self {
            Target::New => (None, None),
            Target::Case(id)
            | Target::Emergency(id)
            | Target::EmergencyAccess(_, id)
            | Target::Proposal(_, id)
            | Target::Handoff(_, id)
            | Target::Grant(_, id)
            | Target::Consent(_, id)
            | Target::Override(_, id)
            | Target::Access(_, id) => (Some(id.0), None),
            Target::Referral(id) => (None, Some(id.0)),
        }
    }
}

/// The grants in a JSON array of rows.
pub(crate) fn grants(rows: Value) -> Result<Vec<Grant>, Error> {
    let rows: Vec<GrantRow> = serde_json::from_value(rows)?;
    Ok(rows.into_iter().map(GrantRow::into_grant).collect())
}

/// A case with some of its grants: as much of it as tells what whoever holds them may do to a thing that belongs to it.
pub(crate) fn in_part(case: Value, held: Option<Value>) -> Result<CaseFile, Error> {
    Ok(CaseFile {
        case: serde_json::from_value::<CaseRow>(case)?.into_case(),
        grants: held.map_or(Ok(Vec::new()), grants)?,
        children: Vec::new(),
        shielded: Vec::new(),
        open_referrals: Vec::new(),
        handoffs: Vec::new(),
        parties: Vec::new(),
        bases: Bases::default(),
    })
}

/// Whether the client may still speak for this agency and in these roles.
pub(crate) fn require_standing(conn: &mut PgConnection, actor: &Actor) -> Result<(), Error> {
    let query = Sql::<diesel::sql_types::Integer>::new().then(access_log::standing::<()>(actor));
    let found: Option<i32> = query.get_result(conn).optional()?;
    found.map(|_| ()).ok_or(Error::RightsEnded)
}

// Behind row-level security an index serves conditions that leak nothing: to PostgreSQL a `case` does not, but a
// `coalesce` might, and would read the whole table.

/// Locks the case, alone; then, in a statement with a fresh snapshot, loads all that has to do with
/// it. A grant that ended while we waited for the lock is seen to have ended.
pub(crate) fn lock_and_load(conn: &mut PgConnection, writing: &Writing<'_>) -> Result<Loaded, Error> {
    let (case, referral) = writing.target.ids();
    let locking = Sql::<(Nullable<Bool>, Nullable<SqlUuid>)>::new()
        .with(
            "select key.free, (select id from cases where id = case when ?::uuid is null \
               then (select case_id from referrals where id = ?) else ? end ",
            [case.into(), referral.into(), case.into()],
        )
        .with("for no key update) from (", [])
        .then(idempotency::tried::<()>(&writing.call.actor, writing.repeat))
        .with(") key", []);
    let (free, _locked): (Option<bool>, Option<Uuid>) = locking.get_result(conn)?;
    if free == Some(false) {
        return Err(Error::KeyBusy);
    }
    let mut loaded = load(conn, writing.call, writing.target, &writing.named, writing.repeat)?;
    match writing.target {
        Target::Emergency(_) | Target::EmergencyAccess(..) => {
            loaded.trust = emergencies::trust(conn, &writing.call.actor, writing.call.now)?;
            if let Target::EmergencyAccess(id, _) = writing.target {
                loaded.emergency = emergencies::load(conn, id)?;
            }
        }
        Target::Proposal(id, _) => loaded.proposal = proposals::load(conn, id)?,
        Target::Handoff(id, _) => loaded.handoff = handoffs::load(conn, id)?,
        Target::Grant(id, _) => loaded.grant = grants::load(conn, id)?,
        Target::Consent(id, _) => loaded.consent = consents::load(conn, id)?,
        Target::Override(id, _) => loaded.overridden = overrides::load(conn, id)?,
        Target::Access(id, case) => loaded.entry = accesses::entry(conn, case, id)?,
        Target::New | Target::Case(_) | Target::Referral(_) => {}
    }
    Ok(loaded)
}

type LoadedColumns = (
    Nullable<Bool>,
    Nullable<Jsonb>,
    Nullable<Jsonb>,
    Nullable<BigInt>,
    Nullable<Jsonb>,
    Array<SqlUuid>,
    Nullable<Jsonb>,
    Array<SqlUuid>,
    Nullable<Jsonb>,
    Nullable<Jsonb>,
    Nullable<Jsonb>,
    Nullable<Jsonb>,
    Nullable<Jsonb>,
);
type LoadedRow = (
    Option<bool>,
    Option<Value>,
    Option<Value>,
    Option<i64>,
    Option<Value>,
    Vec<Uuid>,
    Option<Value>,
    Vec<Uuid>,
    Option<Value>,
    Option<Value>,
    Option<Value>,
    Option<Value>,
    Option<Value>,
);

/// Loads a case and what decisions about it need, in one statement.
pub(crate) fn load(
    conn: &mut PgConnection,
    call: &Call,
    target: Target,
    named: &[String],
    repeat: Option<&Repeat>,
) -> Result<Loaded, Error> {
    let (case, referral) = target.ids();
    // A draft names agencies that sending it does not name again.
    let mut parties = named.to_vec();
    parties.push(call.actor.agency().to_string());
    let query = Sql::<LoadedColumns>::new()
        .with("select (", [])
        .then(Sql::<()>::new().with("select true where exists (", []).then(access_log::standing::<()>(&call.actor)).with(")", []))
        .with(
            ") as standing, case when i.key is not null then to_jsonb(i) end as answer, to_jsonb(c) as case_row, c.event_count, \
             (select jsonb_agg(g) from grants g where g.case_id = c.id and (g.until is null or g.until > ?)) as grants, \
             array(select k.id from children k where k.case_id = c.id order by k.id) as children, \
             (select jsonb_agg(jsonb_build_array(k.id, k.shield)) from children k where k.case_id = c.id and k.shield is not null) as shielded, \
             array(select o.id from referrals o where o.case_id = c.id and o.status in \
             ('requested', 'received', 'accepted', 'in-progress', 'on-hold') order by o.id) as open_referrals, \
             (select jsonb_agg(h order by h.id) from handoffs h where h.case_id = c.id and h.status in ('asked', 'offered')) as handoffs, \
             (select jsonb_agg(jsonb_build_object('code', a.code, 'ministry', a.ministry, 'eligible', a.active and a.kind <> 'heading')) \
             from agencies a where a.code = any(? || case when r.status = 'draft' then \
             array_prepend(r.named, r.alternatives) || r.open_to else '{}' end)) as parties, to_jsonb(r) as referral, \
             (select jsonb_agg(w) from clocks w where w.case_id = c.id and w.ended_at is null) as running, policy.bases_of(c.id) as bases from ",
            [call.now.into(), parties.into()],
        )
        .then(idempotency::kept_answer::<()>(call, repeat))
        .with(
            " left join referrals r on r.id = case when i.referral_id is null then ? else i.referral_id end left join cases c \
             on c.id = case when i.case_id is not null then i.case_id when r.case_id is not null then r.case_id else ? end",
            [referral.into(), case.into()],
        );
    let (
        standing,
        answer,
        case_row,
        event_count,
        grant_rows,
        children,
        shielded,
        open_referrals,
        handoff_rows,
        party_rows,
        referral,
        running,
        base_rows,
    ): LoadedRow = query.get_result(conn)?;
    if standing.is_none() {
        return Err(Error::RightsEnded);
    }
    let replay = match (answer, repeat) {
        (Some(answer), Some(repeat)) => Some(serde_json::from_value::<KeptAnswer>(answer)?.for_repeat(repeat)?),
        _ => None,
    };
    let referral = referral.map(serde_json::from_value::<ReferralRow>).transpose()?.map(ReferralRow::into_referral);
    let parties = parties_of(party_rows)?;
    let file = match case_row {
        None => None,
        Some(row) => Some(CaseFile {
            case: serde_json::from_value::<CaseRow>(row)?.into_case(),
            grants: grant_rows.map_or(Ok(Vec::new()), grants)?,
            children: children.into_iter().map(ChildId).collect(),
            shielded: shields_of(shielded)?,
            open_referrals: open_referrals.into_iter().map(ReferralId).collect(),
            handoffs: handoffs::restored(handoff_rows)?,
            parties: parties.clone(),
            bases: consents::bases(base_rows)?,
        }),
    };
    let running = clocks::running(running)?;
    let trust = Trust { registered: false, overdue: false };
    let event_count = event_count.unwrap_or(0);
    Ok(Loaded {
        file,
        referral,
        emergency: None,
        trust,
        proposal: None,
        handoff: None,
        grant: None,
        consent: None,
        overridden: None,
        entry: None,
        parties,
        running,
        event_count,
        replay,
    })
}
