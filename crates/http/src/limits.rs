//! How often one may ask: per client, per officer, and for emergencies. Counted in this process
//! alone and in memory, before the database is asked.

use std::hash::Hash;
use std::num::NonZero;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use governor::clock::Clock as _;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter, clock};
use lindung_domain::{Actor, AgencyCode, ClientId, OfficerId};

use crate::app::Clock;

/// How many seconds' worth of requests somebody who has been quiet may make at once.
const BURST: NonZero<u32> = NonZero::new(5).unwrap();

/// Emergency accesses at once, and again within each hour after that: never more than ten in one.
const EMERGENCIES: NonZero<u32> = NonZero::new(5).unwrap();

/// How often one may ask: how many requests a second may be made, on average, and how many status checks a day; 0
/// sets no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// By one client, for whomever.
    pub client: u32,
    /// By one client for one officer of one agency.
    pub officer: u32,
    /// Status checks by one client in a day in Malaysia, counted in the database.
    pub status_checks_per_day: u32,
}

impl Rates {
    /// Without limits.
    pub const NONE: Rates = Rates { client: 0, officer: 0, status_checks_per_day: 0 };
}

/// Asked too often: for so many whole seconds nothing more will be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttled(pub u64);

type Officer = (ClientId, AgencyCode, OfficerId);

/// Who has asked how often.
pub struct Limits {
    clients: Option<Limiter<ClientId>>,
    officers: Option<Limiter<Officer>>,
    emergencies: Limiter<(AgencyCode, OfficerId)>,
}

impl Limits {
    /// Nobody has asked yet.
    pub fn new(rates: Rates, clock: &Clock) -> Self {
        let ticks = Ticks { clock: clock.clone(), origin: Instant::now() };
        let quota =
            |rate: u32| NonZero::new(rate).map(|it| Quota::per_second(it).allow_burst(it.saturating_mul(BURST)));
        Limits {
            clients: quota(rates.client).map(|it| Limiter::new(it, &ticks)),
            officers: quota(rates.officer).map(|it| Limiter::new(it, &ticks)),
            emergencies: Limiter::new(Quota::per_hour(EMERGENCIES), &ticks),
        }
    }

    /// One more request.
    ///
    /// # Errors
    /// It is one too many, of the officer's or of the client's.
    pub fn request(&self, actor: &Actor) -> Result<(), Throttled> {
        if let (Some(limiter), Some(officer)) = (&self.officers, actor.officer_id()) {
            limiter.take(&(actor.client_id().clone(), actor.agency().clone(), officer.clone()))?;
        }
        self.client(actor.client_id())
    }

    /// One more request by a client that has shown who it is.
    ///
    /// # Errors
    /// It is one too many.
    pub fn client(&self, client: &ClientId) -> Result<(), Throttled> {
        self.clients.as_ref().map_or(Ok(()), |it| it.take(client))
    }

    /// One more emergency access: at most ten an hour for an officer, through whichever client. They
    /// tell whether a case exists.
    ///
    /// # Errors
    /// It is one too many.
    pub fn emergency(&self, actor: &Actor) -> Result<(), Throttled> {
        let officer = actor.officer_id().map(|it| (actor.agency().clone(), it.clone()));
        officer.map_or(Ok(()), |it| self.emergencies.take(&it))
    }

    /// Forgets those who have not asked for a while.
    pub fn shrink(&self) {
        self.clients.iter().for_each(|it| it.0.retain_recent());
        self.officers.iter().for_each(|it| it.0.retain_recent());
        self.emergencies.0.retain_recent();
    }
}

struct Limiter<K: Hash + Eq + Clone>(RateLimiter<K, DashMapStateStore<K>, Ticks>);

impl<K: Hash + Eq + Clone> Limiter<K> {
    fn new(quota: Quota, ticks: &Ticks) -> Self {
        Limiter(RateLimiter::new(quota, DashMapStateStore::default(), ticks.clone()))
    }

    fn take(&self, key: &K) -> Result<(), Throttled> {
        self.0.check_key(key).map_err(|until| {
            let wait = until.wait_time_from(self.0.clock().now());
            Throttled((wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1))
        })
    }
}

/// The service's clock as the limiters read it: one that never goes back.
#[derive(Debug, Clone)]
struct Ticks {
    clock: Clock,
    /// Where a clock that is set begins, as far as a limiter can tell.
    origin: Instant,
}

impl clock::Clock for Ticks {
    type Instant = Instant;

    fn now(&self) -> Instant {
        match &self.clock {
            Clock::System => Instant::now(),
            Clock::Set(micros) => {
                self.origin + Duration::from_micros(micros.load(Ordering::SeqCst).try_into().unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicI64;

    use lindung_domain::{Purpose, Role};

    use super::*;

    struct Day {
        limits: Limits,
        micros: Arc<AtomicI64>,
    }

    impl Day {
        fn new(rates: Rates) -> Self {
            let micros = Arc::new(AtomicI64::new(1_795_485_600_000_000));
            Day { limits: Limits::new(rates, &Clock::Set(micros.clone())), micros }
        }

        fn wait(&self, seconds: i64) {
            self.micros.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
        }
    }

    fn officer(client: &str, id: &str) -> Actor {
        let (agency, roles) = ("KDN.PDRM.D11".parse().unwrap(), [Role::Officer]);
        Actor::officer(client.parse().unwrap(), agency, id.parse().unwrap(), &roles, Some(Purpose::Protection)).unwrap()
    }

    #[test]
    fn an_officer_has_five_seconds_worth_and_then_the_rate() {
        let (day, tan) = (Day::new(Rates { officer: 2, ..Rates::NONE }), officer("kdn-system", "insp.tan"));
        for _ in 0..10 {
            day.limits.request(&tan).unwrap();
        }
        assert_eq!(day.limits.request(&tan), Err(Throttled(1)));
        day.limits.request(&officer("kdn-system", "insp.lim")).unwrap();
        day.limits.request(&officer("other-system", "insp.tan")).unwrap();
        day.wait(1);
        day.limits.request(&tan).unwrap();
        day.limits.request(&tan).unwrap();
        assert_eq!(day.limits.request(&tan), Err(Throttled(1)));
    }

    #[test]
    fn a_client_answers_for_all_its_officers() {
        let day = Day::new(Rates { client: 1, ..Rates::NONE });
        for id in ["a", "b", "c", "d", "e"] {
            day.limits.request(&officer("kdn-system", id)).unwrap();
        }
        assert_eq!(day.limits.request(&officer("kdn-system", "f")), Err(Throttled(1)));
        day.limits.request(&officer("other-system", "f")).unwrap();
        day.limits.shrink();
        assert_eq!(day.limits.client(&"kdn-system".parse().unwrap()), Err(Throttled(1)), "what counts is kept");
    }

    #[test]
    fn without_a_rate_there_is_no_limit() {
        let day = Day::new(Rates::NONE);
        assert!((0..1000).all(|_| day.limits.request(&officer("kdn-system", "insp.tan")).is_ok()));
    }

    #[test]
    fn there_are_never_more_than_ten_emergencies_in_an_hour() {
        let (day, tan) = (Day::new(Rates::NONE), officer("kdn-system", "insp.tan"));
        let again = officer("other-system", "insp.tan");
        let mut times: Vec<i64> = Vec::new();
        for second in (0..7200).step_by(60) {
            while day.limits.emergency(if second % 120 == 0 { &tan } else { &again }).is_ok() {
                times.push(second);
            }
            let last_hour = times.iter().filter(|it| **it > second - 3600).count();
            assert!((1..=10).contains(&last_hour), "{last_hour} at {second}");
            day.wait(60);
        }
        assert_eq!(times.len(), 14, "five at once, and five an hour");
        day.limits.emergency(&officer("kdn-system", "insp.lim")).unwrap();
        let wait = Day::new(Rates::NONE);
        (0..5).for_each(|_| wait.limits.emergency(&tan).unwrap());
        assert_eq!(wait.limits.emergency(&tan), Err(Throttled(720)));
    }
}
