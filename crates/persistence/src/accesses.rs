//! Who has seen a case, for its lead's supervisors, and what is withheld of that. Only reads the log;
//! what a supervisor may not know of is left out by `policy.accesses_to`.

use chrono::{DateTime, Utc};
use diesel::RunQueryDsl;
use diesel::pg::PgConnection;
use diesel::sql_types::{Jsonb, Nullable, Text};
use lindung_domain::policy::Act;
use lindung_domain::release::{Entry, Withheld, WithholdGround};
use lindung_domain::{AccessId, CaseId, ChildId, ClientId, OfficerId};
use lindung_domain::{AgencyCode, Purpose, Section};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::access_log::Place;
use crate::db::{About, Call, Db, Read, Seen};
use crate::error::Error;
use crate::sql::Sql;
use crate::visibility;

/// An access to a case, as its lead's supervisors see it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all(serialize = "camelCase"))]
#[schema(rename_all = "camelCase")]
pub struct CaseAccess {
    /// Its id in the access log (UUIDv7).
    pub id: AccessId,
    /// When.
    pub at: DateTime<Utc>,
    /// For which agency.
    pub agency: Option<AgencyCode>,
    /// For which officer.
    pub officer: Option<OfficerId>,
    /// The system that asked.
    pub client_id: Option<ClientId>,
    /// For which purpose.
    pub purpose: Option<Purpose>,
    /// What was asked: the operationId.
    pub action: String,
    /// How it ended, as the access log has it.
    #[schema(example = "permitted")]
    pub outcome: String,
    /// The relation that permitted it.
    pub rule: Option<String>,
    /// The sections that were shown or changed.
    pub sections: Vec<Section>,
    /// The children of the case that were shown or changed, as far as you may know of them.
    #[serde(rename(deserialize = "child_ids"))]
    pub children: Vec<ChildId>,
    /// The grounds on which it is withheld from what is released.
    pub withheld: Vec<WithholdGround>,
}

/// A page of accesses to a case, in the order of the access log.
#[derive(Debug, Clone)]
pub struct CaseAccessPage {
    /// The accesses, each with its place.
    pub items: Vec<(CaseAccess, Place)>,
    /// The log is complete for transactions begun before this moment, by the database's clock.
    pub up_to: DateTime<Utc>,
}

/// The access to a case that somebody wants to withhold, as far as it is theirs to know of.
pub(crate) fn entry(conn: &mut PgConnection, case: CaseId, id: AccessId) -> Result<Option<Entry>, Error> {
    let query = Sql::<Nullable<Text>>::new().with("select policy.access_by(?, ?)", [case.0.into(), id.0.into()]);
    let agency: Option<String> = query.get_result(conn)?;
    let agency = agency.map(AgencyCode::try_from).transpose();
    let agency = agency.map_err(|_| Error::Fault("an access has no agency".to_owned()))?;
    Ok(agency.map(|agency| Entry { id, agency }))
}

/// An access that is withheld, as part of the statement that saves it.
pub(crate) fn withheld(withheld: Option<&Withheld>) -> Sql {
    let Some(Withheld { case, entry, ground, reason, by_agency, by_officer, at }) = withheld else {
        return Sql::new();
    };
    Sql::new().with(
        "), withheld as (insert into withheld_accesses (id, case_id, entry_id, ground, reason, by_agency, by_officer, at) \
         values (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            Db::new_id().into(),
            case.0.into(),
            entry.0.into(),
            ground.as_str().into(),
            reason.as_str().into(),
            by_agency.as_str().into(),
            by_officer.as_str().into(),
            (*at).into(),
        ],
    )
}

impl Db {
    /// A page of the accesses to a case, whoever made them, refused ones too.
    ///
    /// # Errors
    /// The case is not the actor's to oversee; the database is not available.
    pub fn accesses(
        &self,
        call: &Call,
        case: CaseId,
        after: Option<Place>,
        limit: i64,
    ) -> Result<CaseAccessPage, Error> {
        let up_to = self.log_complete_up_to()?;
        let after = after.unwrap_or_else(Place::start);
        let query = Sql::<(Nullable<Jsonb>, Nullable<Text>)>::new()
            .with(
                "select c.id as case_id, e.child_ids, null::text[] as sections, 'lead' as rule, e.id as item_id, e.xid::text as xid, \
                 to_jsonb(e) || jsonb_build_object('withheld', array(select distinct w.ground from withheld_accesses w \
                 where w.case_id = c.id and w.entry_id = e.id order by w.ground)) as item \
                 from cases c left join lateral policy.accesses_to(c.id, ?::xid8, ?, ?) e on true where c.id = ? and ",
                [after.xid.to_string().into(), after.id.into(), limit.into(), case.0.into()],
            )
            .then(visibility::led_case_visible::<()>(call, Act::ReadAccesses))
            .with(" order by e.xid, e.id", []);
        let seen = Seen::One(About::Case(case, Act::ReadAccesses));
        let rows: Vec<(Option<Value>, Option<String>)> = self.read(call, Read { columns: "item, xid", query, seen })?;
        let mut items = Vec::with_capacity(rows.len());
        for (item, xid) in rows {
            let (Some(item), Some(xid)) = (item, xid) else { continue };
            let access: CaseAccess = serde_json::from_value(item)?;
            let place = Place::of(&xid, access.id.0)?;
            items.push((access, place));
        }
        Ok(CaseAccessPage { items, up_to })
    }
}
