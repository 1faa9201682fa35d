//! Waiting for events: no connection and no thread is held, and however many wait, the database is asked once in a while
//! for all of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::rt::time::{Instant, sleep_until};
use lindung_domain::{Actor, AgencyCode, ClientId};
use lindung_persistence::Heard;

use crate::app::App;
use crate::limits::Throttled;
use crate::problem::Problem;

/// How often the database is asked while somebody waits.
const EVERY: Duration = Duration::from_millis(100);
/// After how long what was told before is not asked for any more: whoever waits then looks once more.
const FORGOTTEN: Duration = Duration::from_secs(5);
/// How many may wait at once, of one client.
const PER_CLIENT: usize = 16;
/// How many may wait at once.
const SEATS: usize = 2000;
/// When to come again, in seconds, where no seat is free.
const COME_AGAIN: u64 = 5;

/// Who waits, and what was heard.
#[derive(Default)]
pub(crate) struct Waiting {
    seats: Mutex<HashMap<ClientId, usize>>,
    known: Mutex<Known>,
    stopping: AtomicBool,
}

/// What was heard of the feed.
#[derive(Default)]
struct Known {
    /// Everything from this number on that was told is in `told`.
    since: i64,
    head: i64,
    /// Up to which number somebody was told something.
    told: HashMap<String, i64>,
    /// When it was last asked for, or is just being asked for.
    asked: Option<Instant>,
}

/// A place for somebody who waits; free again when it is dropped.
pub(crate) struct Seat {
    app: App,
    client: ClientId,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = lock(&self.app.waiting().seats);
        match seats.get_mut(&self.client) {
            Some(taken @ 2..) => *taken -= 1,
            _ => drop(seats.remove(&self.client)),
        }
    }
}

impl App {
    /// Ends all waiting, now and from now on: requests that wait are answered, and streams end.
    pub fn stop_waiting(&self) {
        self.waiting().stopping.store(true, Ordering::Relaxed);
    }

    /// Whether nobody waits any more.
    pub(crate) fn stops_waiting(&self) -> bool {
        self.waiting().stopping.load(Ordering::Relaxed)
    }

    /// A seat for somebody who waits.
    pub(crate) fn seat(&self, actor: &Actor) -> Result<Seat, Problem> {
        let mut seats = lock(&self.waiting().seats);
        let taken: usize = seats.values().sum();
        let own = seats.entry(actor.client_id().clone()).or_default();
        if *own >= PER_CLIENT || taken >= SEATS {
            return Err(Throttled(COME_AGAIN).into());
        }
        *own += 1;
        Ok(Seat { app: self.clone(), client: actor.client_id().clone() })
    }

    /// Waits until there may be something to tell the agency from the number on; whether that was so before the time.
    pub(crate) async fn wait_for_events(&self, agency: &AgencyCode, from: i64, until: Instant) -> bool {
        loop {
            if self.stops_waiting() {
                return false;
            }
            self.listen().await;
            if lock(&self.waiting().known).may_tell(agency, from) {
                return true;
            }
            let next = Instant::now() + EVERY;
            if next >= until {
                sleep_until(until).await;
                return false;
            }
            sleep_until(next).await;
        }
    }

    /// Asks what there is, unless that was just asked.
    async fn listen(&self) {
        let Some(known) = lock(&self.waiting().known).turn() else { return };
        let asked = self.ask(move |db| db.heard_since(known.unwrap_or(i64::MAX))).await;
        // Where the database does not answer, those who wait go on waiting: it is asked again soon.
        if let Ok(heard) = asked {
            lock(&self.waiting().known).hear(heard, known);
        }
    }
}

impl Known {
    /// Whose turn it is asks from this number on; from none where too much may have happened.
    fn turn(&mut self) -> Option<Option<i64>> {
        let now = Instant::now();
        let idle = self.asked.map(|it| now.duration_since(it));
        if idle.is_some_and(|it| it < EVERY) {
            return None;
        }
        self.asked = Some(now);
        Some(idle.filter(|it| *it < FORGOTTEN).map(|_| self.head))
    }

    fn hear(&mut self, Heard { head, agencies }: Heard, asked_from: Option<i64>) {
        match asked_from {
            Some(from) if from == self.head && head >= self.head => {
                self.told.extend(agencies.into_iter().map(|it| (it, head)));
            }
            _ => (self.since, self.told) = (head, HashMap::new()),
        }
        self.head = head;
    }

    /// Whether there may be something from the number on: what was not heard of may be it.
    fn may_tell(&self, agency: &AgencyCode, from: i64) -> bool {
        from < self.since || self.told.get(agency.as_str()).is_some_and(|it| *it > from)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(head: i64, agencies: &[&str]) -> Heard {
        Heard { head, agencies: agencies.iter().map(|it| (*it).to_owned()).collect() }
    }

    #[test]
    fn only_who_was_told_looks_again() {
        let (mut known, jkm, mcmc) = (Known::default(), "KPWKM.JKM".parse().unwrap(), "KK.MCMC".parse().unwrap());
        known.hear(heard(10, &[]), None);
        assert!(known.may_tell(&jkm, 9), "what was not heard of may have been for it");
        assert!(!known.may_tell(&jkm, 10));
        known.hear(heard(12, &["KPWKM.JKM"]), Some(10));
        assert!(known.may_tell(&jkm, 10) && known.may_tell(&jkm, 11));
        assert!(!known.may_tell(&jkm, 12) && !known.may_tell(&mcmc, 10));
        known.hear(heard(13, &["KK.MCMC"]), Some(12));
        assert!(known.may_tell(&jkm, 10) && known.may_tell(&mcmc, 12) && !known.may_tell(&jkm, 12));
        known.hear(heard(3, &[]), Some(13));
        assert!(known.may_tell(&mcmc, 2) && !known.may_tell(&mcmc, 3), "a feed that was set back is begun anew");
    }

    #[test]
    fn one_asks_for_all() {
        let mut known = Known::default();
        assert_eq!(known.turn(), Some(None));
        assert_eq!(known.turn(), None);
    }
}
