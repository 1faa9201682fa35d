//! Data-sharing requests (Act 864): one agency asks another for data about children whom it cannot see.
//!
//! A request names no case: which cases answer it, the provider says when it grants it, and it grants only those that it
//! leads. [`DataSharingStatus::after`] is its whole lifecycle; [`DataSharing::apply`] and [`DataSharing::grant`] are the
//! only ways to a changed one.

mod lifecycle;
mod sharing;

use chrono::{DateTime, Utc};
pub use lifecycle::{DataSharingAction, DataSharingSide, DataSharingStatus, RefusalGround, SharingPurpose};
pub use sharing::{Granted, SHARE_LIMIT, Share, Shared, Sharing};

use crate::case::Asking;
use crate::event::data::DataSharingData;
use crate::event::{Change, Event, Stakes, Subject, secretariat};
use crate::id::{AgencyCode, DataSharingId, Version};
use crate::policy::{self, Act, Relation, Relations};
use crate::referral::{Party, eligible};
use crate::refusal::{Refusal, future};

/// What a request states (Act 864 s.12(2)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// Which data, in words.
    pub data: String,
    /// What for.
    pub purpose: SharingPurpose,
    /// The same in words.
    pub purpose_text: String,
    /// Who is asked.
    pub provider: AgencyCode,
    /// How the data will be handled, in words.
    pub handling: String,
}

/// Everything that is kept of a data-sharing request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub id: DataSharingId,
    /// `DSR-2026-000123`: year and number.
    pub reference: String,
    /// Where it stands.
    pub status: DataSharingStatus,
    /// Who asks, and would receive the data.
    pub requester: AgencyCode,
    /// What it states.
    pub demand: Demand,
    /// When it was deferred.
    pub deferred_at: Option<DateTime<Utc>>,
    /// The new date for the answer.
    pub deferred_until: Option<DateTime<Utc>>,
    /// Why it was deferred, in words.
    pub defer_reason: Option<String>,
    /// On which grounds it was refused.
    pub grounds: Vec<RefusalGround>,
    /// Why it was refused, in words.
    pub refuse_reason: Option<String>,
    /// On which conditions it was granted, in words.
    pub conditions: Option<String>,
    /// Until when the data is shared, exclusively.
    pub shared_until: Option<DateTime<Utc>>,
    /// Its version.
    pub version: Version,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was granted, refused or withdrawn.
    pub ended_at: Option<DateTime<Utc>>,
}

/// A data-sharing request as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSharing(Record);

/// What is asked of a request that is there, but for granting it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// The provider does not share the data.
    Refuse {
        /// On which grounds: at least one.
        grounds: Vec<RefusalGround>,
        /// Why.
        reason: String,
    },
    /// The provider needs longer.
    Defer {
        /// Why.
        reason: String,
        /// By when it will answer.
        until: DateTime<Utc>,
    },
    /// The requester takes it back.
    Withdraw,
}

impl Command {
    fn action(&self) -> DataSharingAction {
        match self {
            Command::Refuse { .. } => DataSharingAction::Refuse,
            Command::Defer { .. } => DataSharingAction::Defer,
            Command::Withdraw => DataSharingAction::Withdraw,
        }
    }
}

impl DataSharing {
    /// As it was saved.
    pub fn restore(record: Record) -> Self {
        DataSharing(record)
    }

    /// What is kept of it.
    pub fn record(&self) -> &Record {
        &self.0
    }

    /// Asks another agency for data, for the actor's agency; `parties` are the agencies that are named.
    ///
    /// # Errors
    /// The actor is no officer; the provider is none, or their own agency.
    pub fn ask(
        id: DataSharingId,
        reference: String,
        demand: Demand,
        parties: &[Party],
        asking: &Asking<'_>,
    ) -> Result<Change<Self>, Refusal> {
        let rule = policy::require_own(asking.actor, Act::RequestData)?;
        let requester = asking.actor.agency().clone();
        eligible("provider", &demand.provider, &requester, parties)?;
        let request = DataSharing(Record {
            id,
            reference,
            status: DataSharingStatus::Received,
            requester,
            demand,
            deferred_at: None,
            deferred_until: None,
            defer_reason: None,
            grounds: Vec::new(),
            refuse_reason: None,
            conditions: None,
            shared_until: None,
            version: Version::FIRST,
            created_at: asking.now,
            ended_at: None,
        });
        let event = request.event(DataSharingAction::Ask);
        Ok(Change::new(request, rule, event))
    }

    /// Carries out `command`, or says why not.
    ///
    /// # Errors
    /// In this order: not found, not theirs, stale, not in this state; the new date has passed.
    pub fn apply(self, command: Command, asking: &Asking<'_>) -> Result<Change<Self>, Refusal> {
        let action = command.action();
        let (rule, status) = self.step(action, asking)?;
        let next = Record { status, version: self.0.version.next(), ..self.0 };
        let record = match command {
            Command::Refuse { grounds, reason } => {
                Record { grounds, refuse_reason: Some(reason), ended_at: Some(asking.now), ..next }
            }
            Command::Defer { reason, until } => {
                future("until", until, asking.now)?;
                let (deferred_at, deferred_until) = (Some(asking.now), Some(until));
                Record { deferred_at, deferred_until, defer_reason: Some(reason), ..next }
            }
            Command::Withdraw => Record { ended_at: Some(asking.now), ..next },
        };
        let request = DataSharing(record);
        let event = request.event(action);
        Ok(Change::new(request, rule, event))
    }

    /// Permits reading it and names the relation that does.
    ///
    /// # Errors
    /// Not found, or not theirs.
    pub fn require_read(&self, asking: &Asking<'_>) -> Result<Relation, Refusal> {
        policy::require(asking.actor, Act::ReadDataRequest, &self.relations(asking))
    }

    /// What this actor may do to it now.
    pub fn available_actions(&self, asking: &Asking<'_>) -> Vec<DataSharingAction> {
        let possible = |action: &DataSharingAction| {
            DataSharingStatus::after(Some(self.0.status), *action).is_some()
                && policy::permits(asking.actor, act(*action), &self.relations(asking)).is_some()
        };
        DataSharingAction::ALL.iter().copied().filter(possible).collect()
    }

    /// How the actor stands to it. It names no case, so that nothing shields it.
    pub fn relations(&self, asking: &Asking<'_>) -> Relations {
        let own = asking.actor.agency();
        let mut relations = Relations::from([Relation::Unshielded]);
        relations.extend((self.0.requester == *own).then_some(Relation::Requester));
        relations.extend((self.0.demand.provider == *own).then_some(Relation::Provider));
        relations
    }

    /// Permits the action, in the order of answers, and says where it leads.
    fn step(&self, action: DataSharingAction, asking: &Asking<'_>) -> Result<(Relation, DataSharingStatus), Refusal> {
        let rule = policy::require(asking.actor, act(action), &self.relations(asking))?;
        asking.expected.require(self.0.version)?;
        let status = DataSharingStatus::after(Some(self.0.status), action).ok_or_else(|| {
            let allowed = self.available_actions(asking).into_iter().map(DataSharingAction::as_str).collect();
            Refusal::NotNow { allowed }
        })?;
        Ok((rule, status))
    }

    fn event(&self, action: DataSharingAction) -> Event {
        let Record { id, status, requester, demand, deferred_until, grounds, version, .. } = &self.0;
        let stakes = Stakes {
            asker: Some(requester.clone()),
            holder: Some(demand.provider.clone()),
            agreed: *deferred_until,
            over: !status.is_live(),
            ..Stakes::default()
        };
        let recipients = [requester, &demand.provider].into_iter().cloned().chain(secretariat()).collect();
        let data = DataSharingData {
            status: *status,
            requester: requester.clone(),
            provider: demand.provider.clone(),
            purpose: demand.purpose,
            grounds: grounds.clone(),
            deferred_until: *deferred_until,
            version: *version,
        };
        Event::new(action.told(), Subject::DataSharing(*id), recipients, data).with_stakes(stakes)
    }
}

/// The act that the policy is asked about.
fn act(action: DataSharingAction) -> Act {
    match action {
        DataSharingAction::Ask => Act::RequestData,
        DataSharingAction::Grant | DataSharingAction::Refuse | DataSharingAction::Defer => Act::DecideDataRequest,
        DataSharingAction::Withdraw => Act::WithdrawDataRequest,
    }
}
