//! Days in Malaysia.

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use lindung_domain::values::MALAYSIA;

/// The day in Kuala Lumpur.
pub(crate) fn today(now: DateTime<Utc>) -> NaiveDate {
    (now + MALAYSIA).date_naive()
}

/// When a day begins there.
pub(crate) fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc() - MALAYSIA
}

/// How many whole seconds are left of the day, one at least.
pub(crate) fn seconds_left(now: DateTime<Utc>) -> u64 {
    let left = midnight(today(now)) + Duration::days(1) - now;
    u64::try_from(left.num_seconds()).unwrap_or_default().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_kuala_lumpur() {
        for (now, begin) in [
            ("2026-11-24T15:59:59Z", "2026-11-23T16:00:00Z"),
            ("2026-11-24T16:00:00Z", "2026-11-24T16:00:00Z"),
            ("2026-11-25T02:00:00Z", "2026-11-24T16:00:00Z"),
        ] {
            assert_eq!(midnight(today(now.parse().unwrap())), begin.parse::<DateTime<Utc>>().unwrap(), "{now}");
        }
    }

    #[test]
    fn what_is_left_of_a_day_is_never_nothing() {
        for (now, left) in
            [("2026-11-24T16:00:00Z", 86_400), ("2026-11-24T15:59:58.5Z", 1), ("2026-11-24T15:59:59.9Z", 1)]
        {
            assert_eq!(seconds_left(now.parse().unwrap()), left, "{now}");
        }
    }
}
