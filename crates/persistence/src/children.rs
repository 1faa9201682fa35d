//! A child of a case, as far as the actor may know of it. What is known of the child is in its sections.

use diesel::sql_types::Jsonb;
use lindung_domain::grant::Grant;
use lindung_domain::policy::Act;
use lindung_domain::{CaseId, ChildId, Refusal};
use serde_json::Value;

use crate::db::{About, Call, Db, Read, Seen};
use crate::error::Error;
use crate::file;
use crate::sql::Sql;
use crate::visibility;

impl Db {
    /// The agency's live grants for the purpose that reach a child.
    ///
    /// # Errors
    /// The child is not the actor's to know of; the database is not available.
    pub fn child(&self, call: &Call, case: CaseId, child: ChildId) -> Result<Vec<Grant>, Error> {
        let query = Sql::<Jsonb>::new()
            .with("select c.id as case_id, array[k.id] as child_ids, null::text[] as sections, k.id as item_id, ", [])
            .then(visibility::case_rule::<()>(call, Act::ReadCase))
            .with(
                " as rule, l.grants from cases c join children k on k.case_id = c.id cross join lateral (select jsonb_agg(g) as grants \
                 from grants g where g.case_id = c.id and (g.children is null or k.id = any(g.children)) and ",
                [],
            )
            .then(visibility::live_grant::<()>(call))
            .with(") l where l.grants is not null and c.id = ? and k.id = ? and ", [case.0.into(), child.0.into()])
            .then(visibility::child_unhidden::<()>(call))
            .with(" and ", [])
            .then(visibility::case_visible::<()>(call, Act::ReadCase));
        let seen = Seen::One(About::Child(case, child));
        let rows: Vec<Value> = self.read(call, Read { columns: "grants", query, seen })?;
        file::grants(rows.into_iter().next().ok_or(Refusal::NotFound)?)
    }
}
