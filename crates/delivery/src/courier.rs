//! The courier: claims what is due, sends it, writes how that went; over and over, or once.

mod sending;

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use lindung_domain::DeliveryId;
use lindung_domain::subscription::Channel;
use lindung_persistence::{Claim, Claims, Db, Ended, Error, Lease, Presence, Room, Settled, Tried};
use lindung_webhook::SecretKey;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet, spawn_blocking};
use tokio::time::sleep;

use crate::mail::Mailer;
use crate::webhook::Sender;

/// How much may be under way at once in this process; how much of it to one receiver, and to one that only fails.
const ROOM: Room = Room { whole: 512, receivers: i64::MAX, each: 32, failing: 1 };
/// For how long something is claimed by whoever is present and keeps its claims alive, and how often that is done: what
/// somebody had who hangs is sent by another after that. What somebody had who was killed is so at once.
const LEASE: TimeDelta = TimeDelta::seconds(15);
const KEEP: Duration = Duration::from_secs(5);
/// For how long in one round, where nobody does: longer than sending can take.
const ROUND_LEASE: TimeDelta = TimeDelta::seconds(120);
/// After how long nothing is being sent any more.
const LONGEST: Duration = Duration::from_secs(90);
/// The most events that one mail tells of, and the most mails under way: each has a connection to the mail server.
const MAIL_ROOM: Room = Room { whole: 5000, receivers: 16, each: 500, failing: 500 };
/// How often it is looked for what is due when nothing goes on.
const EVERY: Duration = Duration::from_millis(100);
/// How long answers are collected while much goes on, so that they are written together.
const COLLECT: Duration = Duration::from_millis(25);
/// How often it is looked for mail that is due.
const POST: Duration = Duration::from_secs(1);
/// How long it is waited where the database does not answer.
const AGAIN: Duration = Duration::from_secs(1);

/// What a courier is made of.
pub struct Parts {
    /// The database, as the worker.
    pub db: Db,
    /// Sends webhooks.
    pub sender: Sender,
    /// Sends mail; without one it waits.
    pub mailer: Option<Mailer>,
    /// What the secrets follow from.
    pub key: SecretKey,
    /// The service's own URL.
    pub issuer: String,
    /// The time.
    pub now: Box<dyn Fn() -> DateTime<Utc> + Send + Sync>,
}

/// Delivers. Cheap to clone; several at once, in several processes, share the work.
#[derive(Clone)]
pub struct Courier(Arc<Parts>);

/// What is being sent.
#[derive(Default)]
struct UnderWay {
    posts: JoinSet<Vec<Tried>>,
    mails: JoinSet<Vec<Tried>>,
    /// How what has ended did, as long as it is not written.
    ended: Vec<Tried>,
    /// What it is of, with the tokens of the leases, and since when.
    claimed: HashMap<DeliveryId, (i64, Instant)>,
    /// When the leases were made to last, last.
    kept: Option<Instant>,
    /// What makes known that we are there; nothing in one round, where time alone ends the leases.
    presence: Option<Presence>,
    /// When it was looked for mail, last.
    mailed: Option<Instant>,
}

impl UnderWay {
    /// How many webhooks and mails.
    fn len(&self) -> usize {
        self.posts.len() + self.mails.len()
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// How many deliveries arrived.
    pub delivered: usize,
    /// How many did not.
    pub failed: usize,
}

impl Round {
    fn count(&mut self, tried: &[Tried]) {
        let delivered = tried.iter().filter(|it| it.ended == Ended::Delivered).count();
        self.delivered += delivered;
        self.failed += tried.len() - delivered;
    }
}

impl Courier {
    /// A courier of these parts.
    pub fn new(parts: Parts) -> Self {
        Courier(Arc::new(parts))
    }

    /// Delivers what is due now, each once, and waits for how it ends.
    ///
    /// # Errors
    /// The database is not available.
    pub async fn round(&self) -> Result<Round, Error> {
        let mut round = Round::default();
        loop {
            let mut under_way = UnderWay::default();
            self.claim(&mut under_way, ROUND_LEASE).await?;
            if under_way.len() == 0 {
                return Ok(round);
            }
            let UnderWay { posts, mails, .. } = under_way;
            let tried = [posts.join_all().await, mails.join_all().await].concat().concat();
            round.count(&tried);
            self.settle(tried).await?;
        }
    }

    /// Delivers until it is told to stop; what is under way then still ends.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        let mut under_way = UnderWay::default();
        let mut failing = false;
        loop {
            let stopping = *stop.borrow();
            if stopping && under_way.len() == 0 && (under_way.ended.is_empty() || failing) {
                return;
            }
            let (before, began) = (under_way.len(), Instant::now());
            let worked = self.turn(&mut under_way, stopping).await;
            match &worked {
                Ok(_) => failing = false,
                Err(error) => {
                    // What keeps failing is told once, until it works again.
                    if !failing {
                        tracing::warn!(%error, "deliveries wait: the database does not do what they need");
                    }
                    failing = true;
                    // Perhaps it was the session that makes us known.
                    under_way.kept = None;
                }
            }
            let wait = match worked {
                Err(_) => AGAIN,
                // The longer a turn takes, the more is done together with the next.
                Ok(settled) if settled > 0 || under_way.len() > before => COLLECT.max(began.elapsed()),
                Ok(_) => EVERY,
            };
            tokio::select! {
                () = sleep(wait) => {}
                changed = stop.changed(), if !stopping => {
                    if changed.is_err() {
                        // Nobody is there any more who could tell.
                        return;
                    }
                }
            }
        }
    }

    /// Writes what has ended, and claims anew; returns how much was written.
    async fn turn(&self, under_way: &mut UnderWay, stopping: bool) -> Result<usize, Error> {
        // First, so that what cannot be written below is not sent again by others meanwhile.
        if under_way.kept.is_none_or(|it| it.elapsed() >= KEEP) {
            self.keep(under_way).await?;
            under_way.kept = Some(Instant::now());
        }
        while let Some(ended) = under_way.posts.try_join_next().or_else(|| under_way.mails.try_join_next()) {
            under_way.ended.extend(ended.unwrap_or_default());
        }
        let settled = under_way.ended.len();
        if settled > 0 {
            let written = self.settle(under_way.ended.clone()).await;
            // What cannot be written now is known all the same.
            if !matches!(written, Err(Error::Unavailable(_))) {
                let tried = mem::take(&mut under_way.ended);
                under_way.claimed.retain(|id, _| tried.iter().all(|it| it.delivery != *id));
            }
            written?;
        }
        if !stopping {
            self.claim(under_way, LEASE).await?;
        }
        Ok(settled)
    }

    /// Makes the leases last, and known that we are there.
    async fn keep(&self, under_way: &mut UnderWay) -> Result<(), Error> {
        // Nothing takes longer: what does has no sender any more, and is left to others.
        under_way.claimed.retain(|_, it| it.1.elapsed() < LONGEST);
        let claimed: Vec<(DeliveryId, i64)> = under_way.claimed.iter().map(|it| (*it.0, it.1.0)).collect();
        let (parts, presence) = (self.0.clone(), under_way.presence.take());
        let present = blocking(move || {
            let known = presence.and_then(|mut it| it.holds().then_some(it));
            let present = known.map_or_else(|| parts.db.presence(), Ok)?;
            let kept = match &claimed[..] {
                [] => Ok(0),
                some => parts.db.keep(some, (parts.now)() + LEASE, present.id()),
            };
            Ok((present, kept))
        });
        let (present, kept) = present.await?;
        under_way.presence = Some(present);
        kept.map(|_| ())
    }

    /// Claims what is due, and begins to send it.
    async fn claim(&self, under_way: &mut UnderWay, length: TimeDelta) -> Result<(), Error> {
        let UnderWay { posts, mails, claimed, mailed, presence, .. } = under_way;
        let lease = (length, presence.as_ref().map(Presence::id));
        let room = Room { whole: ROOM.whole - count(posts.len()), ..ROOM };
        for Claim { subscription, agency: _, reach, deliveries } in self.claimed(Channel::Webhook, room, lease).await? {
            for delivery in deliveries {
                claimed.insert(delivery.id, (delivery.token, Instant::now()));
                let (courier, reach) = (self.clone(), reach.clone());
                posts.spawn(async move { vec![courier.post(subscription, &reach, delivery).await] });
            }
        }
        if self.0.mailer.is_some() && mailed.is_none_or(|it| it.elapsed() >= POST) {
            *mailed = Some(Instant::now());
            let room = Room { receivers: MAIL_ROOM.receivers - count(mails.len()), ..MAIL_ROOM };
            for claim in self.claimed(Channel::Email, room, lease).await? {
                claimed.extend(claim.deliveries.iter().map(|it| (it.id, (it.token, Instant::now()))));
                let courier = self.clone();
                mails.spawn(async move { courier.mail(claim).await });
            }
        }
        Ok(())
    }

    async fn claimed(
        &self,
        channel: Channel,
        room: Room,
        (length, by): (TimeDelta, Option<i32>),
    ) -> Result<Vec<Claim>, Error> {
        let parts = self.0.clone();
        let Claims { claims, failure } = blocking(move || {
            let lease = Lease { from: (parts.now)(), length, by };
            parts.db.claim(channel, room, lease, &parts.issuer)
        })
        .await?;
        if let Some(error) = failure {
            tracing::warn!(%error, "something waits that this version cannot tell of");
        }
        Ok(claims)
    }

    async fn settle(&self, tried: Vec<Tried>) -> Result<(), Error> {
        let parts = self.0.clone();
        let Settled { disabled, .. } = blocking(move || parts.db.settle(&tried, (parts.now)())).await?;
        for (subscription, reason) in disabled {
            tracing::warn!(%subscription, %reason, "a subscription is disabled: its administrators are told");
        }
        Ok(())
    }
}

fn count(of: usize) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    let died = |_: JoinError| Error::Fault("a database thread died".to_owned());
    spawn_blocking(work).await.map_err(died)?
}
