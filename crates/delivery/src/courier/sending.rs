//! Sending what was claimed: webhooks one by one, mail for all of a subscription's.

use std::time::{Duration, Instant};

use aws_lc_rs::rand;
use chrono::{DateTime, TimeDelta, Utc};
use lindung_domain::SubscriptionId;
use lindung_persistence::{Claim, Claimed, CloudEvent, Ended, Reach, Tried};
use serde_json::json;
use tokio::time::timeout;

use super::Courier;
use crate::webhook::{Message, Sent};

/// How long sending a mail may take.
const MAIL_TIME: Duration = Duration::from_secs(60);
/// The type of what a test tells.
const TESTED: &str = "my.gov.lindung.subscription.tested";

impl Courier {
    /// Sends one webhook.
    pub(super) async fn post(&self, subscription: SubscriptionId, reach: &Reach, delivery: Claimed) -> Tried {
        let parts = &self.0;
        let (at, began) = ((parts.now)(), Instant::now());
        let sent = match reach {
            Reach::Webhook { url, generation, former } => {
                let generations = [Some(*generation), former.then_some(generation - 1)];
                let secrets = generations.into_iter().flatten();
                let message = Message {
                    id: delivery.event_id,
                    body: body(&delivery, subscription, &parts.issuer),
                    again: delivery.again,
                    secrets: secrets.map(|it| parts.key.secret(subscription.0, it)).collect(),
                };
                parts.sender.send(url, &message, at).await
            }
            Reach::Email { .. } => Sent { ended: Ended::Refused, code: None, problem: Some("channel") },
        };
        tried(subscription, &delivery, sent, at, began)
    }

    /// Sends one mail about all that was claimed.
    pub(super) async fn mail(&self, claim: Claim) -> Vec<Tried> {
        let Claim { subscription, agency: _, reach, deliveries } = claim;
        let (at, began) = ((self.0.now)(), Instant::now());
        let sent = match (&self.0.mailer, &reach, deliveries.first()) {
            (Some(mailer), Reach::Email { address, language }, Some(first)) => {
                let sending = mailer.send(address, *language, deliveries.len(), first.id.0);
                let late = Sent { ended: Ended::Failed(None), code: None, problem: Some("timeout") };
                timeout(MAIL_TIME, sending).await.unwrap_or(late)
            }
            _ => Sent { ended: Ended::Refused, code: None, problem: Some("channel") },
        };
        deliveries.iter().map(|it| tried(subscription, it, sent.clone(), at, began)).collect()
    }
}

fn tried(
    subscription: SubscriptionId,
    delivery: &Claimed,
    Sent { ended, code, problem }: Sent,
    at: DateTime<Utc>,
    began: Instant,
) -> Tried {
    Tried {
        subscription,
        delivery: delivery.id,
        token: delivery.token,
        attempt: delivery.attempt,
        at,
        took: TimeDelta::from_std(began.elapsed()).unwrap_or_default(),
        ended,
        code,
        problem,
        chance: chance(),
    }
}

/// A number in [0, 1) that nobody foresees.
fn chance() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness there is no jitter, which is no reason not to go on.
    rand::fill(&mut bytes).ok();
    f64::from(u32::from_be_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
}

/// What is sent: the event, or of a test that it is one.
fn body(delivery: &Claimed, subscription: SubscriptionId, issuer: &str) -> String {
    let test = || CloudEvent {
        specversion: "1.0".to_owned(),
        id: delivery.event_id,
        source: format!("{issuer}/v1"),
        kind: TESTED.to_owned(),
        subject: format!("subscriptions/{subscription}"),
        time: delivery.created_at,
        datacontenttype: "application/json".to_owned(),
        sequence: None,
        causationid: delivery.event_id,
        caseid: None,
        caseversion: 0,
        agency: None,
        link: format!("{issuer}/v1/subscriptions/{subscription}"),
        data: json!({}),
    };
    let event = delivery.event.clone().unwrap_or_else(test);
    json!(event).to_string()
}
