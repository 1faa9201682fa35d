//! Deliveries: when a failed one is tried again, and when a receiver is given up. Pure: chance and time are arguments.

use chrono::{DateTime, TimeDelta, Utc};

use crate::event::Kind;
use crate::subscription::DisabledReason;
use crate::values::{Priority, codes};

codes! {
    /// Where a delivery stands.
    pub enum DeliveryStatus {
        /// It is due, or will be.
        Pending,
        /// The receiver has it.
        Delivered,
        /// It was tried as often as it is; it stays until it is sent again by hand.
        Parked,
        /// A shield, an erasure or the end of the agency came before it was sent.
        Withheld,
    }

    /// What a delivery is of.
    pub enum DeliveryKind {
        /// An event of the feed.
        Event,
        /// A test, of which no feed knows.
        Test,
    }

    /// How one attempt ended.
    pub enum AttemptOutcome {
        /// The receiver has it.
        Delivered,
        /// It does not.
        Failed,
    }
}

/// How long after each failure the next attempt is made (Standard Webhooks, "Deliverability and reliability").
const SCHEDULE: [TimeDelta; 9] = [
    TimeDelta::seconds(5),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(5),
    TimeDelta::hours(10),
    TimeDelta::hours(14),
    TimeDelta::hours(20),
    TimeDelta::hours(24),
];

/// By how much of it a wait may be longer, so that what failed together is not tried together again.
const JITTER: f64 = 0.2;
/// The longest that a receiver may ask us to wait.
const RETRY_AFTER_LIMIT: TimeDelta = TimeDelta::hours(24);
/// After how long with nothing but failure a receiver is given up.
const GIVEN_UP_AFTER: TimeDelta = TimeDelta::days(5);
/// How many attempts have to have failed by then: one event that cannot be taken is no end of a receiver.
const GIVEN_UP_AT_LEAST: i32 = 10;

/// When a delivery is tried again after so many failed attempts; never where it is parked. `chance` is in [0, 1);
/// `asked` is what the receiver asked us to wait, which is done where it is longer than what we would wait anyway.
pub fn next_attempt(failed: i32, chance: f64, asked: Option<TimeDelta>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let at = usize::try_from(failed).ok()?.checked_sub(1)?;
    let wait = *SCHEDULE.get(at)?;
    let millis = wait.num_milliseconds();
    let longer = TimeDelta::milliseconds((millis as f64 * JITTER * chance.clamp(0.0, 1.0)) as i64);
    Some(now + (wait + longer).max(asked.unwrap_or_default().min(RETRY_AFTER_LIMIT)))
}

/// Why a receiver is given up, if it is: after nothing but failure since then.
pub fn given_up(failing_since: DateTime<Utc>, failures: i32, now: DateTime<Utc>) -> Option<DisabledReason> {
    let failing = now - failing_since >= GIVEN_UP_AFTER && failures >= GIVEN_UP_AT_LEAST;
    failing.then_some(DisabledReason::Failing)
}

/// Whether mail of an event is sent at once, and does not wait for the next digest.
pub fn is_urgent(kind: Kind, priority: Option<Priority>) -> bool {
    let cannot_wait = matches!(
        kind,
        Kind::ClockOverdue
            | Kind::ClockEscalated
            | Kind::ReferralEscalated
            | Kind::EmergencyRequested
            | Kind::EmergencyOpened
            | Kind::ConsentWithdrawn
    );
    cannot_wait || priority == Some(Priority::Immediate)
}

/// When the digest is sent that what happened now waits for: at the next full hour.
pub fn next_digest(now: DateTime<Utc>) -> DateTime<Utc> {
    let hour = now.timestamp().div_euclid(3600) + 1;
    DateTime::from_timestamp(hour * 3600, 0).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    #[test]
    fn the_schedule() {
        let waits = |chance, asked| {
            let seconds = |failed| next_attempt(failed, chance, asked, NOW).map(|it| (it - NOW).num_seconds());
            (1..=10).map(seconds).collect::<Vec<_>>()
        };
        let plain = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400].map(Some);
        assert_eq!(waits(0.0, None), [&plain[..], &[None]].concat());
        let longest = |failed| next_attempt(failed, 0.999, None, NOW).unwrap() - NOW;
        let within =
            |(failed, wait): (i32, &TimeDelta)| longest(failed) > *wait * 115 / 100 && longest(failed) <= *wait * 6 / 5;
        assert!((1..).zip(&SCHEDULE).all(within));
        let asked = |hours| waits(0.0, Some(TimeDelta::hours(hours)));
        assert_eq!(asked(1)[..4], [3600, 3600, 3600, 7200].map(Some));
        assert_eq!(asked(999)[..2], [86400, 86400].map(Some), "nobody is waited for longer than a day");
        assert_eq!(asked(-5)[0], Some(5));
        assert_eq!(next_attempt(0, 0.0, None, NOW), None);
    }

    #[test]
    fn a_receiver_is_given_up_after_days_of_nothing_but_failure() {
        let days = |days, failures| given_up(NOW, failures, NOW + TimeDelta::days(days));
        assert_eq!(days(4, 100), None);
        assert_eq!(days(5, 9), None);
        assert_eq!(days(5, 10), Some(DisabledReason::Failing));
    }

    #[test]
    fn a_digest_is_at_the_next_full_hour() {
        let at = |seconds| next_digest(DateTime::from_timestamp(seconds, 0).unwrap()).timestamp();
        assert_eq!([at(0), at(1), at(3599), at(3600)], [3600, 3600, 3600, 7200]);
    }
}
