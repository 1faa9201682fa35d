//! Notifications: of which events people hear, by rules that the administrators of their agency keep.
//!
//! Every rule is asked about every event that an agency is told of; what they say together is the [`Audience`]. Rules open
//! nothing: whoever is notified still sees only what the policy shows.

mod quiet;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::actor::Role;
use crate::delivery;
use crate::event::{Kind, Pattern};
use crate::id::{AgencyCode, OfficerId};
use crate::refusal::Invalid;
use crate::values::{Priority, codes};

pub use quiet::{Day, NoTimeOfDay, QuietHours, TimeOfDay};

/// The type of the notification that a subscription was disabled. It is no event: that is nobody else's affair.
pub const SUBSCRIPTION_DISABLED: &str = "my.gov.lindung.subscription.disabled";

/// The most rules of an agency.
const RULES_LIMIT: usize = 100;

/// Who may be told of what happens to children: those whose work it is, and those who coordinate it.
const TOLD: [Role; 3] = [Role::Officer, Role::Supervisor, Role::Coordinator];

/// Whether whoever acts in these roles can hear of events at all; all others hear of what concerns administrators.
pub fn hears_of_events(roles: &[Role]) -> bool {
    roles.iter().any(|it| TOLD.contains(it))
}

codes! {
    /// Whose doings a rule is about.
    #[derive(Default)]
    pub enum Doer {
        /// Another agency's, and what happens by itself.
        #[default]
        Others,
        /// One's own agency's.
        Own,
        /// Anyone's.
        Anyone,
    }
}

/// Who hears of certain events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NotificationRule {
    /// Of which types; one that ends in `.*` stands for all that begin so.
    #[schema(min_items = 1, max_items = 100)]
    pub types: Vec<Pattern>,
    /// Whose doings: those of `others`, unless it says otherwise.
    #[serde(default)]
    pub by: Doer,
    /// Whoever has one of these roles hears of it: `officer`, `supervisor`; in the secretariat `coordinator`.
    #[serde(default)]
    #[schema(value_type = Vec<Role>, max_items = 3)]
    pub roles: BTreeSet<Role>,
    /// Where one officer is concerned, that one hears of it in place of these roles: to whom a referral is assigned, who
    /// asked for an emergency access, who proposed something.
    #[serde(default)]
    pub concerned: bool,
    /// Whether it is told in quiet hours too. What cannot wait always is: the priority `immediate`, `clock.overdue`,
    /// `clock.escalated`, `referral.escalated`, `emergency-access.requested` and `.opened`, `consent.withdrawn`.
    #[serde(default)]
    pub urgent: bool,
}

/// The rules of an agency or unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NotificationRules {
    /// Who hears of what.
    rules: Vec<NotificationRule>,
    /// When it can wait.
    quiet_hours: Option<QuietHours>,
}

/// What an agency is told, as far as rules go by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// What happened.
    pub kind: Kind,
    /// Whether that agency did it.
    pub own: bool,
    /// How fast what it is about has to move.
    pub priority: Option<Priority>,
    /// The one officer of that agency whom it concerns, where there is one.
    pub concerned: Option<OfficerId>,
}

/// Who hears of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience {
    /// Whoever has one of these roles.
    pub roles: BTreeSet<Role>,
    /// And this officer.
    pub officer: Option<OfficerId>,
    /// Whether it is told in quiet hours too.
    pub urgent: bool,
}

/// The table of what holds where an agency has no rules of its own; a test reads all of it.
static DEFAULTS: LazyLock<Option<NotificationRules>> = LazyLock::new(|| parse().ok());

fn parse() -> serde_json::Result<NotificationRules> {
    serde_json::from_str(include_str!("../reference/notification-rules.json"))
}

impl NotificationRules {
    /// Rules that hold for this agency.
    ///
    /// # Errors
    /// A rule is about no type or for nobody, or about a role that the agency does not have or that hears of no child; it is
    /// never anything but quiet.
    pub fn new(
        agency: &AgencyCode,
        rules: Vec<NotificationRule>,
        quiet_hours: Option<QuietHours>,
    ) -> Result<Self, Invalid> {
        if rules.len() > RULES_LIMIT {
            return Err(Invalid::new("rules", "length", format!("are {RULES_LIMIT} at most")));
        }
        for (at, rule) in rules.iter().enumerate() {
            let wrong =
                |field: &str, code, message: &str| Err(Invalid::new(format!("rules[{at}].{field}"), code, message));
            if rule.types.is_empty() || rule.types.len() > RULES_LIMIT {
                return wrong("types", "length", "are one at least, and 100 at most");
            }
            if rule.roles.is_empty() && !rule.concerned {
                return wrong("roles", "required", "are one at least, where it is not for the officer concerned alone");
            }
            if rule.roles.iter().any(|it| !TOLD.contains(it)) {
                return wrong("roles", "no-work", "are officer, supervisor or coordinator: no other hears of children");
            }
            if rule.roles.iter().any(|it| !it.is_held_in(agency)) {
                return wrong("roles", "not-held", "has one that cannot be held in your agency");
            }
        }
        quiet_hours.as_ref().map_or(Ok(()), QuietHours::check)?;
        Ok(NotificationRules { rules, quiet_hours })
    }

    /// What holds as long as the agency has none of its own.
    pub fn defaults(agency: &AgencyCode) -> Self {
        let mut found = DEFAULTS.clone().unwrap_or(NotificationRules { rules: Vec::new(), quiet_hours: None });
        for rule in &mut found.rules {
            rule.roles.retain(|it| it.is_held_in(agency));
        }
        found.rules.retain(|it| it.concerned || !it.roles.is_empty());
        found
    }

    /// Who hears of what.
    pub fn rules(&self) -> &[NotificationRule] {
        &self.rules
    }

    /// When it can wait.
    pub fn quiet_hours(&self) -> Option<&QuietHours> {
        self.quiet_hours.as_ref()
    }

    /// Who hears of it; nothing where nobody does.
    pub fn audience(&self, of: &Happening) -> Option<Audience> {
        let mut audience =
            Audience { roles: BTreeSet::new(), officer: None, urgent: delivery::is_urgent(of.kind, of.priority) };
        for rule in self.rules.iter().filter(|it| it.is_about(of)) {
            match &of.concerned {
                Some(officer) if rule.concerned => audience.officer = Some(officer.clone()),
                _ => audience.roles.extend(&rule.roles),
            }
            audience.urgent |= rule.urgent;
        }
        (audience.officer.is_some() || !audience.roles.is_empty()).then_some(audience)
    }

    /// When it is told: at once, or when quiet hours end.
    pub fn told_at(&self, urgent: bool, now: DateTime<Utc>) -> DateTime<Utc> {
        match &self.quiet_hours {
            Some(quiet) if !urgent => quiet.end(now),
            _ => now,
        }
    }
}

impl NotificationRule {
    fn is_about(&self, of: &Happening) -> bool {
        let done = match self.by {
            Doer::Others => !of.own,
            Doer::Own => of.own,
            Doer::Anyone => true,
        };
        done && self.types.iter().any(|it| it.takes(of.kind))
    }
}

#[cfg(test)]
mod tests;
