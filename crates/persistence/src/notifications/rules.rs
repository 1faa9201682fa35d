//! Who hears of what in an agency, as its administrators keep it.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Jsonb, Nullable};
use diesel::{OptionalExtension, RunQueryDsl};
use lindung_domain::notification::NotificationRules;
use lindung_domain::policy::{self, Act};
use lindung_domain::{AgencyCode, Version};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::agencies::ABOUT_NOBODY;
use crate::db::{Call, Db, Read, Seen, Writing};
use crate::error::Error;
use crate::idempotency::Answer;
use crate::sql::Sql;

/// The rules of an agency as they hold now.
#[derive(Debug, Clone)]
pub struct KeptRules {
    /// The rules.
    pub rules: NotificationRules,
    /// Whether the agency has changed them: if not, they are the defaults.
    pub changed: bool,
    /// Their version; 0 where they were never changed.
    pub version: Version,
    /// When they were last changed.
    pub updated_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct RulesRow {
    rules: Option<Value>,
    quiet_hours: Option<Value>,
    version: Version,
    updated_at: DateTime<Utc>,
}

/// Rules as they are kept. What cannot be read, because its types are no more, is as if it had not been changed: that
/// people hear of too much is better than that they hear of nothing.
pub(super) fn read(kept: Value) -> Option<NotificationRules> {
    serde_json::from_value(kept).ok()
}

impl KeptRules {
    fn of(agency: &AgencyCode, row: Option<Value>) -> Result<Self, Error> {
        let row: Option<RulesRow> = row.map(serde_json::from_value).transpose()?;
        let own = row.as_ref().and_then(|it| read(json!({ "rules": it.rules, "quietHours": it.quiet_hours })));
        Ok(KeptRules {
            changed: own.is_some(),
            rules: own.unwrap_or_else(|| NotificationRules::defaults(agency)),
            version: row.as_ref().map_or(Version(0), |it| it.version),
            updated_at: row.map(|it| it.updated_at),
        })
    }
}

impl Db {
    /// The rules of the actor's agency.
    ///
    /// # Errors
    /// The actor is no administrator; the database is not available.
    pub fn notification_rules(&self, call: &Call) -> Result<KeptRules, Error> {
        policy::require_own(&call.actor, Act::KeepNotificationRules)?;
        let query = Sql::<Nullable<Jsonb>>::new().with(ABOUT_NOBODY, []).with(
            "r.agency as item_id, to_jsonb(r) as item from (select) once left join notification_rules r on r.agency = ?",
            [call.actor.agency().as_str().into()],
        );
        let rows: Vec<Option<Value>> = self.read(call, Read { columns: "item", query, seen: Seen::List })?;
        KeptRules::of(call.actor.agency(), rows.into_iter().flatten().next())
    }

    /// Keeps other rules for the actor's agency from now on; the defaults again where there are none.
    ///
    /// # Errors
    /// The actor is no administrator; stale; the database is not available.
    pub fn keep_notification_rules(
        &self,
        writing: Writing<'_>,
        rules: Option<&NotificationRules>,
        answer: impl FnOnce(&KeptRules) -> Result<Answer, Error>,
    ) -> Result<Answer, Error> {
        let (call, expected) = (writing.call, writing.expected);
        let agency = call.actor.agency();
        self.write_reference(writing, |_| Ok(policy::require_own(&call.actor, Act::KeepNotificationRules)?), |conn| {
            // Two at once are one after the other, also where there is no row yet.
            Sql::<()>::new().with("select pg_advisory_xact_lock(hashtext(?))", [agency.as_str().into()]).execute(conn)?;
            let row = Sql::<Jsonb>::new()
                .with("select to_jsonb(r) from notification_rules r where r.agency = ?", [agency.as_str().into()]);
            let before = KeptRules::of(agency, row.get_result(conn).optional()?)?;
            expected.require(before.version)?;
            let after = KeptRules {
                changed: rules.is_some(),
                rules: rules.cloned().unwrap_or_else(|| NotificationRules::defaults(agency)),
                version: before.version.next(),
                updated_at: Some(call.now),
            };
            let row = json!({
                "agency": agency, "rules": rules.map(NotificationRules::rules), "version": after.version, "updated_at": call.now,
                "quiet_hours": rules.and_then(NotificationRules::quiet_hours),
            });
            Sql::<()>::new()
                .with(
                    "insert into notification_rules select * from jsonb_populate_record(null::notification_rules, ?) \
                     on conflict (agency) do update set rules = excluded.rules, quiet_hours = excluded.quiet_hours, \
                     version = excluded.version, updated_at = excluded.updated_at",
                    [row.into()],
                )
                .execute(conn)?;
            answer(&after)
        })
    }
}
