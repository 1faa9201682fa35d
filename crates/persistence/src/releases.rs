//! What was released to children's lawful representatives about who has seen their file.
//!
//! The accesses are selected by the statement that saves the release, and stay as they stood then: what is withheld
//! or shielded later changes nothing that was handed out, and a release can be handed out again unchanged.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::Jsonb;
use lindung_domain::policy::Act;
use lindung_domain::release::{Release, Representative};
use lindung_domain::{AgencyCode, CaseId, ChildId, Purpose, Refusal, ReleaseId, Section};
use serde::Deserialize;
use serde_json::Value;

use crate::db::{About, Call, Db, Read, Seen};
use crate::error::Error;
use crate::sql::Sql;
use crate::visibility;

/// A label in two languages: Malay, English.
pub type Label = (String, String);

/// A release, with the words that it needs.
#[derive(Debug, Clone, Deserialize)]
pub struct Released {
    /// Its id.
    pub id: ReleaseId,
    /// The case.
    pub case_id: CaseId,
    /// The child.
    pub child_id: ChildId,
    /// In which capacity somebody speaks for it.
    pub representative: Representative,
    /// Which agency released it.
    pub by_agency: AgencyCode,
    /// When; it tells of nothing later.
    pub at: DateTime<Utc>,
    /// The accesses that it tells of, in the order of the log.
    pub document: Vec<ReleasedAccess>,
    /// The names of the agencies in it, by code.
    pub agencies: BTreeMap<AgencyCode, Label>,
    /// The labels of codes, as `list/code`.
    pub labels: BTreeMap<String, Label>,
}

/// An access that is released.
#[derive(Debug, Clone, Deserialize)]
pub struct ReleasedAccess {
    /// When.
    pub at: DateTime<Utc>,
    /// Which agency's.
    pub agency: AgencyCode,
    /// The operation's id in the API description.
    pub action: String,
    /// The sections that were shown or changed.
    pub sections: Vec<Section>,
    /// For which purpose.
    pub purpose: Option<Purpose>,
}

/// A release with its document, as part of the statement that saves it.
pub(crate) fn saved(release: Option<&Release>) -> Sql {
    let Some(Release { id, case, child, representative, reason, by_agency, by_officer, at }) = release else {
        return Sql::new();
    };
    Sql::new().with(
        "), released as (insert into releases (id, case_id, child_id, representative, reason, by_agency, by_officer, at, document) \
         values (?, ?, ?, ?, ?, ?, ?, ?, policy.releasable(?, ?))",
        [
            id.0.into(),
            case.0.into(),
            child.0.into(),
            representative.as_str().into(),
            reason.as_str().into(),
            by_agency.as_str().into(),
            by_officer.as_str().into(),
            (*at).into(),
            case.0.into(),
            child.0.into(),
        ],
    )
}

impl Db {
    /// A release of a case, as it is handed out.
    ///
    /// # Errors
    /// It is not the actor's to see; the database is not available.
    pub fn released(&self, call: &Call, case: CaseId, id: ReleaseId) -> Result<Released, Error> {
        let query = Sql::<Jsonb>::new()
            .with(
                "select c.id as case_id, array[r.child_id] as child_ids, null::text[] as sections, 'lead' as rule, r.id as item_id, \
                 to_jsonb(r) || jsonb_build_object( \
                 'agencies', (select jsonb_object_agg(a.code, jsonb_build_array(a.name_ms, a.name_en)) from agencies a \
                 where a.code = r.by_agency or a.code in (select e->>'agency' from jsonb_array_elements(r.document) e)), \
                 'labels', (select jsonb_object_agg(l.list || '/' || l.code, jsonb_build_array(l.label_ms, l.label_en)) from codes l \
                 where l.list in ('section', 'purpose', 'deed', 'representative'))) as item \
                 from releases r join cases c on c.id = r.case_id join children k on k.id = r.child_id where r.id = ? and c.id = ? and ",
                [id.0.into(), case.0.into()],
            )
            .then(visibility::child_unhidden::<()>(call))
            .with(" and ", [])
            .then(visibility::led_case_visible::<()>(call, Act::ReleaseAccesses));
        let seen = Seen::One(About::Case(case, Act::ReleaseAccesses));
        let rows: Vec<Value> = self.read(call, Read { columns: "item", query, seen })?;
        Ok(serde_json::from_value(rows.into_iter().next().ok_or(Refusal::NotFound)?)?)
    }
}
