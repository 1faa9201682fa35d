//! Changing a data-sharing request, and when it is granted as many cases as answer it: in one transaction, under the
//! locks of the request and then of the cases, in the order of their ids.

use diesel::RunQueryDsl;
use diesel::pg::PgConnection;
use diesel::sql_types::{Jsonb, Nullable, Uuid as SqlUuid};
use lindung_domain::case::{Asking, CaseFile};
use lindung_domain::data_sharing::{DataSharing, Granted, Shared};
use lindung_domain::policy::{self, Act, Relation};
use lindung_domain::referral::Party;
use lindung_domain::{CaseId, Change, DataSharingId, Refusal, Version};
use serde_json::{Value, json};
use uuid::Uuid;

use super::RequestRow;
use crate::access_log::{self, Touched};
use crate::clocks;
use crate::db::{Call, Db, Tx, Writing};
use crate::error::Error;
use crate::events;
use crate::file::{self, Target};
use crate::idempotency::{self, Answer};
use crate::save::moved_grants;
use crate::sql::Sql;

/// A case with how many events it has.
type Counted = (CaseFile, i64);

impl Db {
    /// Makes a data-sharing request: `decide` is told which of the agencies that it names there are.
    ///
    /// # Errors
    /// What `decide` says, or why it could not be saved. Nothing is kept then.
    pub fn ask_for_data(
        &self,
        writing: &Writing<'_>,
        decide: impl FnOnce(&mut Tx<'_>, &[Party], &Asking<'_>) -> Result<(Change<DataSharing>, Answer), Error>,
    ) -> Result<Answer, Error> {
        self.write_data_sharing(writing, None, &[], |tx, _, parties, _, asking| {
            let (request, answer) = decide(tx, parties, asking)?;
            Ok((Granted { request, shared: Vec::new() }, answer))
        })
    }

    /// Changes a data-sharing request.
    ///
    /// # Errors
    /// What `decide` says, or why it could not be saved. Nothing is kept then.
    pub fn answer_data_request(
        &self,
        writing: &Writing<'_>,
        id: DataSharingId,
        decide: impl FnOnce(DataSharing, &Asking<'_>) -> Result<(Change<DataSharing>, Answer), Error>,
    ) -> Result<Answer, Error> {
        self.write_data_sharing(writing, Some(id), &[], |_, request, _, _, asking| {
            let (request, answer) = decide(request.ok_or(Refusal::NotFound)?, asking)?;
            Ok((Granted { request, shared: Vec::new() }, answer))
        })
    }

    /// Grants a data-sharing request with what `decide` shares of these cases.
    ///
    /// # Errors
    /// What `decide` says, or why it could not be saved. Nothing is kept then.
    pub fn grant_data_request(
        &self,
        writing: &Writing<'_>,
        id: DataSharingId,
        cases: &[CaseId],
        decide: impl FnOnce(DataSharing, &[CaseFile], &Asking<'_>) -> Result<(Granted, Answer), Error>,
    ) -> Result<Answer, Error> {
        self.write_data_sharing(writing, Some(id), cases, |_, request, _, files, asking| {
            decide(request.ok_or(Refusal::NotFound)?, files, asking)
        })
    }

    fn write_data_sharing(
        &self,
        writing: &Writing<'_>,
        id: Option<DataSharingId>,
        cases: &[CaseId],
        decide: impl FnOnce(
            &mut Tx<'_>,
            Option<DataSharing>,
            &[Party],
            &[CaseFile],
            &Asking<'_>,
        ) -> Result<(Granted, Answer), Error>,
    ) -> Result<Answer, Error> {
        let call = writing.call;
        let asking = Asking { actor: &call.actor, expected: writing.expected, now: call.now };
        self.transaction_for(&call.actor, call.now, |conn| {
            let mut loaded = file::lock_and_load(conn, writing)?;
            let row = id.map(|id| lock(conn, id)).transpose()?.flatten();
            let event_count = row.as_ref().map_or(0, |it| it.event_count);
            let request = row.map(RequestRow::into_request);
            if let Some(answer) = loaded.replay.take() {
                let rule = require_again(request.as_ref(), id, &asking)?;
                access_log::change(call, "replayed", Touched::case(rule, None)).execute(conn)?;
                return Ok(answer);
            }
            let counted = lock_cases(conn, call, cases)?;
            let (files, counts): (Vec<CaseFile>, Vec<i64>) = counted.into_iter().unzip();
            let parties = std::mem::take(&mut loaded.parties);
            let (granted, answer) = decide(&mut Tx { conn }, request, &parties, &files, &asking)?;
            let causation = Db::new_id();
            for (change, file) in granted.shared.iter().filter_map(|it| {
                let at = files.iter().position(|file| file.case.record().id == it.entity().case)?;
                Some((it, counts.get(at).copied()?))
            }) {
                share(conn, call, causation, change, file)?;
            }
            save(conn, writing, causation, event_count, granted, &answer)?;
            Ok(answer)
        })
    }
}

/// What a repeat needs: the right to read what the answer tells of, and to have asked.
fn require_again(
    request: Option<&DataSharing>,
    id: Option<DataSharingId>,
    asking: &Asking<'_>,
) -> Result<Relation, Refusal> {
    match (request, id) {
        (Some(request), _) => request.require_read(asking).map_err(|_| Refusal::NotFound),
        (None, None) => policy::require_own(asking.actor, Act::RequestData),
        (None, Some(_)) => Err(Refusal::NotFound),
    }
}

/// Locks the request, alone; then loads it. Whoever may not change it locks nothing, and is told why.
fn lock(conn: &mut PgConnection, id: DataSharingId) -> Result<Option<RequestRow>, Error> {
    let locking = Sql::<SqlUuid>::new()
        .with("select id from data_sharing_requests where id = ? for no key update", [id.0.into()]);
    let _locked: Vec<Uuid> = locking.load(conn)?;
    super::loaded(conn, id)
}

/// Locks the cases, as far as the actor may know of them; then loads each.
fn lock_cases(conn: &mut PgConnection, call: &Call, cases: &[CaseId]) -> Result<Vec<Counted>, Error> {
    if cases.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = cases.iter().map(|it| it.0).collect();
    let locking = Sql::<SqlUuid>::new()
        .with("select id from cases where id = any(?) order by id for no key update", [ids.into()]);
    let locked: Vec<Uuid> = locking.load(conn)?;
    let load = |id: Uuid| {
        let loaded = file::load(conn, call, Target::Case(CaseId(id)), &[], None)?;
        Ok((loaded.file()?.clone(), loaded.event_count))
    };
    locked.into_iter().map(load).collect()
}

/// Saves what is shared of one case: its grant, and what its timeline tells of that.
fn share(
    conn: &mut PgConnection,
    call: &Call,
    causation: Uuid,
    change: &Change<Shared>,
    event_count: i64,
) -> Result<(), Error> {
    let (case, events) = (change.entity().case, change.events());
    let told: Vec<String> = events.iter().flat_map(|it| &it.recipients).map(ToString::to_string).collect();
    let counted = event_count + i64::try_from(events.len()).unwrap_or(i64::MAX);
    Sql::<()>::new()
        .with("with counted as (update cases set event_count = ? where id = ?", [counted.into(), case.0.into()])
        .then(moved_grants(case, change.grants()))
        .with("), happened as (", [])
        .then(events::caused(call, causation, Some(case), event_count, events))
        .with(
            "), moved_up as (insert into case_parties (agency, case_id, activity_at) select distinct unnest(?::text[]), ?::uuid, ?::timestamptz \
             on conflict (agency, case_id) do update set activity_at = excluded.activity_at) select",
            [told.into(), case.0.into(), call.now.into()],
        )
        .execute(conn)?;
    Ok(())
}

/// Saves the request itself with its events, clocks, access row and the answer to repeat, in one statement.
fn save(
    conn: &mut PgConnection,
    writing: &Writing<'_>,
    causation: Uuid,
    event_count: i64,
    granted: Granted,
    answer: &Answer,
) -> Result<(), Error> {
    let (call, Granted { request, shared }) = (writing.call, granted);
    let running = running(conn, request.entity())?;
    let request = request.with_clocks(&running, call.now);
    let counted = event_count + i64::try_from(request.events().len()).unwrap_or(i64::MAX);
    let row = json!(RequestRow::new(request.entity(), counted));
    let saved = if request.entity().record().version == Version::FIRST {
        "insert into data_sharing_requests select * from jsonb_populate_record(null::data_sharing_requests, ?)"
    } else {
        "update data_sharing_requests d set status = n.status, deferred_at = n.deferred_at, deferred_until = n.deferred_until, \
         defer_reason = n.defer_reason, grounds = n.grounds, refuse_reason = n.refuse_reason, conditions = n.conditions, \
         shared_until = n.shared_until, version = n.version, event_count = n.event_count, ended_at = n.ended_at \
         from jsonb_populate_record(null::data_sharing_requests, ?) n where d.id = n.id"
    };
    let shared: Vec<&Shared> = shared.iter().map(Change::entity).collect();
    let touched = Touched {
        rule: request.rule(),
        cases: shared.iter().map(|it| it.case).collect(),
        children: shared.iter().flat_map(|it| it.children.iter().flatten()).map(|it| it.0).collect(),
        sections: shared.iter().flat_map(|it| &it.sections).map(ToString::to_string).collect(),
    };
    let statement = Sql::<()>::new()
        .with("with saved as (", [])
        .with(saved, [row.into()])
        .then(clocks::saved(None, request.clocks()))
        .with("), happened as (", [])
        .then(events::caused(call, causation, None, event_count, request.events()))
        .with("), logged as (", [])
        .then(access_log::logged(call, "permitted", touched))
        .with(")", []);
    let statement = match writing.repeat {
        Some(repeat) => statement
            .with(", kept as (", [])
            .then(idempotency::kept(call, repeat, answer))
            .with(") select from kept", []),
        None => statement.with(" select", []),
    };
    if statement.execute(conn)? == 0 { Err(Error::KeyBusy) } else { Ok(()) }
}

/// The clocks that run on the request.
fn running(conn: &mut PgConnection, request: &DataSharing) -> Result<Vec<lindung_domain::clock::Running>, Error> {
    let query = Sql::<Nullable<Jsonb>>::new().with(
        "select (select jsonb_agg(w) from clocks w where w.case_id is null and w.subject_id = ? and w.ended_at is null)",
        [request.record().id.0.into()],
    );
    let rows: Option<Value> = query.get_result(conn)?;
    clocks::running(rows)
}
