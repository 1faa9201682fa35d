//! Subscriptions: where an agency is told of its events beside the feed, by webhook or by mail.
//!
//! [`SubscriptionStatus::after`] is the whole lifecycle. That a subscription is disabled is decided where deliveries fail
//! ([`crate::delivery`]); everything else an administrator does.

use chrono::{DateTime, TimeDelta, Utc};

use crate::event::Pattern;
use crate::id::{AgencyCode, CaseId, ReferralId, SubscriptionId, Version};
use crate::refusal::Refusal;
use crate::values::codes;

codes! {
    /// By what an agency is told.
    pub enum Channel {
        /// A signed HTTP request for each event.
        Webhook,
        /// A mail that says that something happened.
        Email,
    }

    /// In which language mail is written.
    pub enum MailLanguage {
        /// Bahasa Melayu.
        Ms,
        /// English.
        En,
    }

    /// Where a subscription stands.
    pub enum SubscriptionStatus {
        /// What happens is delivered.
        Active,
        /// Nothing is delivered until it is resumed; nothing is lost meanwhile.
        Paused,
        /// The same, because of what its receiver did or did not do.
        Disabled,
        /// It is over.
        Ended,
    }

    /// Why it is disabled.
    pub enum DisabledReason {
        /// For days nothing but failure.
        Failing,
        /// The receiver said that there is nothing any more (HTTP 410).
        Gone,
        /// There is no such mailbox.
        Bounced,
    }

    /// What may be done to a subscription, in the imperative; the last part of its path.
    pub enum SubscriptionAction {
        /// Change where it goes, or what it wants.
        Change,
        /// Deliver nothing for a while.
        Pause,
        /// Go on where it stopped.
        Resume,
        /// Take a new secret.
        Rotate,
        /// Deliver something to see whether it arrives.
        Test,
        /// Deliver again from a number or a time on.
        Replay,
        /// Deliver one again.
        Redeliver,
        /// Be done with it.
        End,
    }
}

/// For how long a secret still signs beside the one that took its place.
pub const GRACE: TimeDelta = TimeDelta::hours(24);

impl SubscriptionStatus {
    /// The status after `action`, or nothing where it is not possible. The whole lifecycle is this table; a test prints it.
    pub fn after(self, action: SubscriptionAction) -> Option<SubscriptionStatus> {
        use SubscriptionAction::{Change, End, Pause, Redeliver, Replay, Resume, Rotate, Test};
        use SubscriptionStatus::{Active, Disabled, Ended, Paused};
        Some(match (action, self) {
            (Change | Rotate | Replay | Redeliver, Active | Paused | Disabled) => self,
            (Test, Active) => Active,
            (Pause, Active) => Paused,
            (Resume, Paused | Disabled) => Active,
            (End, Active | Paused | Disabled) => Ended,
            _ => return None,
        })
    }
}

/// Where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// To this URL, which was checked.
    Webhook(String),
    /// To this address, in this language.
    Email(String, MailLanguage),
}

impl Destination {
    /// By what.
    pub fn channel(&self) -> Channel {
        match self {
            Destination::Webhook(_) => Channel::Webhook,
            Destination::Email(..) => Channel::Email,
        }
    }
}

/// Which events it wants; what is empty takes all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of these types.
    pub types: Vec<Pattern>,
    /// Of this case.
    pub case: Option<CaseId>,
    /// Of this referral.
    pub referral: Option<ReferralId>,
}

/// Everything that is kept of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub id: SubscriptionId,
    /// Whose.
    pub agency: AgencyCode,
    /// Where it goes.
    pub destination: Destination,
    /// What it wants.
    pub filter: Filter,
    /// Where it stands.
    pub status: SubscriptionStatus,
    /// Why it is disabled.
    pub reason: Option<DisabledReason>,
    /// How often its secret was taken anew, from 1.
    pub generation: i32,
    /// When the former secret began to end.
    pub rotated_at: Option<DateTime<Utc>>,
    /// Deliveries were made of every event before this number.
    pub next_number: i64,
    /// Events before this number are delivered again on the way.
    pub replaying: Option<i64>,
    /// Since when nothing but failure.
    pub failing_since: Option<DateTime<Utc>>,
    /// How many attempts failed since then.
    pub failures: i32,
    /// Its version.
    pub version: Version,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// What an administrator has done to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Other filters, or another destination by the same channel.
    Change(Destination, Filter),
    /// Deliver nothing for a while.
    Pause,
    /// Go on.
    Resume,
    /// A new secret; the former ends at once where `immediately`.
    Rotate {
        /// Whether the former one signs nothing any more.
        immediately: bool,
    },
    /// Deliver again what has this number, and whatever came after it.
    Replay(i64),
    /// Be done with it.
    End,
}

impl Command {
    fn action(&self) -> SubscriptionAction {
        match self {
            Command::Change(..) => SubscriptionAction::Change,
            Command::Pause => SubscriptionAction::Pause,
            Command::Resume => SubscriptionAction::Resume,
            Command::Rotate { .. } => SubscriptionAction::Rotate,
            Command::Replay(_) => SubscriptionAction::Replay,
            Command::End => SubscriptionAction::End,
        }
    }
}

/// A subscription as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription(Record);

impl Subscription {
    /// As it was saved.
    pub fn restore(record: Record) -> Self {
        Subscription(record)
    }

    /// What is kept of it.
    pub fn record(&self) -> &Record {
        &self.0
    }

    /// What may be done to it now.
    pub fn available_actions(&self) -> Vec<SubscriptionAction> {
        let webhook = self.0.destination.channel() == Channel::Webhook;
        let possible = |it: &SubscriptionAction| self.0.status.after(*it).is_some();
        let fits = |it: &SubscriptionAction| webhook || *it != SubscriptionAction::Rotate;
        SubscriptionAction::ALL.iter().copied().filter(possible).filter(fits).collect()
    }

    /// That the action is possible now.
    ///
    /// # Errors
    /// Not in this state.
    pub fn require(&self, action: SubscriptionAction) -> Result<SubscriptionStatus, Refusal> {
        let refused = || Refusal::NotNow { allowed: self.available_actions().iter().map(|it| it.as_str()).collect() };
        let possible = self.available_actions().contains(&action);
        self.0.status.after(action).filter(|_| possible).ok_or_else(refused)
    }

    /// Until when the secret before the present one still signs, if it does.
    pub fn former_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.0.rotated_at.map(|it| it + GRACE).filter(|it| *it > now)
    }

    /// Carries out `command`, or says why not.
    ///
    /// # Errors
    /// Not in this state.
    pub fn apply(self, command: Command, now: DateTime<Utc>) -> Result<Self, Refusal> {
        let status = self.require(command.action())?;
        let former = self.former_until(now);
        let record = Record { status, version: self.0.version.next(), ..self.0 };
        Ok(Subscription(match command {
            Command::Change(destination, filter) => Record { destination, filter, ..record },
            Command::Pause | Command::End => Record { reason: None, ..record },
            Command::Resume => Record { reason: None, failing_since: None, failures: 0, ..record },
            Command::Rotate { immediately: true } => {
                Record { generation: record.generation + 1, rotated_at: None, ..record }
            }
            // A third secret would end the one that receivers may still have.
            Command::Rotate { immediately: false } if former.is_some() => {
                return Err(Refusal::case_not_now("the former secret still signs: wait, or end it at once"));
            }
            Command::Rotate { immediately: false } => {
                Record { generation: record.generation + 1, rotated_at: Some(now), ..record }
            }
            Command::Replay(from) => {
                let until = record.next_number.max(record.replaying.unwrap_or(0));
                Record { next_number: from.min(record.next_number), replaying: Some(until), ..record }
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    #[test]
    fn the_lifecycle() {
        let mut table = String::new();
        for action in SubscriptionAction::ALL {
            for status in SubscriptionStatus::ALL {
                if let Some(after) = status.after(*action) {
                    writeln!(table, "{:<10} {:<9} -> {after}", action.as_str(), status.as_str()).unwrap();
                }
            }
        }
        insta::assert_snapshot!(table);
    }

    fn subscription() -> Subscription {
        Subscription(Record {
            id: SubscriptionId(uuid::Uuid::nil()),
            agency: "KDN.PDRM.D11".parse().unwrap(),
            destination: Destination::Webhook("https://hooks.example/".to_owned()),
            filter: Filter::default(),
            status: SubscriptionStatus::Active,
            reason: None,
            generation: 1,
            rotated_at: None,
            next_number: 100,
            replaying: None,
            failing_since: None,
            failures: 0,
            version: Version::FIRST,
            created_at: DateTime::UNIX_EPOCH,
        })
    }

    #[test]
    fn a_former_secret_signs_for_a_day_and_is_not_ended_by_a_third() {
        let now = DateTime::UNIX_EPOCH;
        let rotated = subscription().apply(Command::Rotate { immediately: false }, now).unwrap();
        assert_eq!((rotated.0.generation, rotated.former_until(now)), (2, Some(now + GRACE)));
        assert_eq!(rotated.former_until(now + GRACE), None);
        assert!(rotated.clone().apply(Command::Rotate { immediately: false }, now).is_err());
        assert!(rotated.clone().apply(Command::Rotate { immediately: false }, now + GRACE).is_ok());
        let stolen = rotated.apply(Command::Rotate { immediately: true }, now).unwrap();
        assert_eq!((stolen.0.generation, stolen.former_until(now)), (3, None));
    }

    #[test]
    fn a_replay_passes_again_what_was_passed_and_never_skips() {
        let now = DateTime::UNIX_EPOCH;
        let again = subscription().apply(Command::Replay(40), now).unwrap();
        assert_eq!((again.0.next_number, again.0.replaying), (40, Some(100)));
        let further_back = again.clone().apply(Command::Replay(10), now).unwrap();
        assert_eq!((further_back.0.next_number, further_back.0.replaying), (10, Some(100)));
        let ahead = again.apply(Command::Replay(70), now).unwrap();
        assert_eq!((ahead.0.next_number, ahead.0.replaying), (40, Some(100)));
    }
}
