//! The contract of what Lindung tells by itself: every kind of event, and the doors by which it comes (AsyncAPI 3.0).
//!
//! It is written from the types that events are made of; the envelope is [`CloudEvent`].

mod examples;

use std::collections::BTreeMap;

use lindung_domain::event::data::{
    CaseData, ClockData, ClockMetData, ConsentData, DataSharingData, EmergencyData, ErasureData, GrantData,
    HandoffData, OccurrenceData, OverrideData, ProposalData, ReferralData, ReleaseData, SectionData, ShieldData,
    StatusCheckData, WithheldData,
};
use lindung_domain::event::{Event, Kind};
use lindung_persistence::CloudEvent;
use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, schema::Schema};
use utoipa::{PartialSchema, ToSchema};

/// What the version of the specification is.
const ASYNCAPI: &str = "3.0.0";

/// The media type of one event in CloudEvents' JSON format.
pub const CLOUD_EVENT: &str = "application/cloudevents+json";

/// The kind of what a subscription's test delivers; it is in no feed.
const TESTED: &str = "subscription.tested";

/// The whole contract as JSON, with a line's end.
///
/// # Errors
/// It cannot be written as such.
pub fn text() -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(&document())? + "\n")
}

fn document() -> Value {
    let kinds: Vec<&str> = Kind::ALL.iter().map(|it| it.as_str()).chain([TESTED]).collect();
    let in_feed = references("#/components/messages/", Kind::ALL.iter().map(|it| it.as_str()));
    let in_webhook = references("#/components/messages/", kinds.iter().copied());
    let messages: Map<String, Value> =
        Kind::ALL.iter().map(|it| (it.to_string(), message(*it))).chain([tested()]).collect();
    json!({
        "asyncapi": ASYNCAPI,
        "info": {
            "title": "Lindung: events",
            "version": env!("CARGO_PKG_VERSION"),
            "description": include_str!("asyncapi.md"),
            "license": { "name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0" },
        },
        "defaultContentType": CLOUD_EVENT,
        "channels": {
            "feed": {
                "address": "/v1/events",
                "title": "The feed",
                "description": "All events that your agency is told of, in their order: pages of JSON, or a stream of server-sent events whose `data` is one message.",
                "messages": in_feed,
                "bindings": { "http": {} },
            },
            "webhook": {
                "address": "{url}",
                "title": "A subscription's webhook",
                "description": "The same events, each as a POST of its own, signed after Standard Webhooks. The feed is the truth; this is a hint of it.",
                "parameters": { "url": { "description": "The `url` of the subscription." } },
                "messages": in_webhook,
            },
        },
        "operations": {
            "followFeed": {
                "action": "send",
                "channel": { "$ref": "#/channels/feed" },
                "summary": "Lindung tells whoever follows the feed.",
                "bindings": { "http": { "method": "GET" } },
            },
            "deliverWebhook": {
                "action": "send",
                "channel": { "$ref": "#/channels/webhook" },
                "summary": "Lindung posts to the subscription's URL, and again until it is answered with 2xx.",
                "bindings": { "http": { "method": "POST" } },
            },
        },
        "components": { "messages": messages, "schemas": schemas(), "messageTraits": { "signed": signed() } },
    })
}

fn references<'a>(place: &str, names: impl Iterator<Item = &'a str>) -> Map<String, Value> {
    names.map(|it| (it.to_owned(), json!({ "$ref": format!("{place}{it}") }))).collect()
}

/// The message of a kind: the envelope, with what the kind says of it.
fn message(kind: Kind) -> Value {
    let example = examples::event(kind);
    json!({
        "name": format!("{}{kind}", Event::PREFIX),
        "title": kind.as_str(),
        "summary": kind.meaning(),
        "contentType": CLOUD_EVENT,
        "payload": payload(kind.as_str(), json!({ "$ref": format!("#/components/schemas/{}", kind.data()) })),
        "traits": [{ "$ref": "#/components/messageTraits/signed" }],
        "examples": example.map(|it| json!({ "payload": it })).into_iter().collect::<Vec<_>>(),
    })
}

fn tested() -> (String, Value) {
    let message = json!({
        "name": format!("{}{TESTED}", Event::PREFIX),
        "title": TESTED,
        "summary": "An administrator tried the subscription; nothing has happened.",
        "contentType": CLOUD_EVENT,
        "payload": payload(TESTED, json!({ "type": "object" })),
        "traits": [{ "$ref": "#/components/messageTraits/signed" }],
        "examples": examples::tested().map(|it| json!({ "payload": it })).into_iter().collect::<Vec<_>>(),
    });
    (TESTED.to_owned(), message)
}

fn payload(kind: &str, data: Value) -> Value {
    json!({
        "allOf": [
            { "$ref": "#/components/schemas/CloudEvent" },
            { "type": "object", "properties": { "type": { "const": format!("{}{kind}", Event::PREFIX) }, "data": data } },
        ],
    })
}

/// What comes with an event as a webhook (Standard Webhooks 1.0.0).
fn signed() -> Value {
    json!({
        "headers": {
            "type": "object",
            "description": "Of a webhook; what comes in the feed has none.",
            "properties": {
                "webhook-id": { "type": "string", "description": "The event's id: the same whenever it is sent again." },
                "webhook-timestamp": { "type": "string", "description": "When this attempt was made, in seconds since 1970." },
                "webhook-signature": { "type": "string", "description": "`v1,` and a signature (HMAC-SHA256, Base64); several with spaces between while a former secret is still good." },
                "lindung-again": { "type": "string", "description": "`true` where an administrator had it sent again: it may come after what came later." },
            },
        },
    })
}

/// The envelope, what events carry in it, and whatever these refer to.
fn schemas() -> BTreeMap<String, Value> {
    let mut found = Vec::new();
    add::<CloudEvent>(&mut found);
    add::<CaseData>(&mut found);
    add::<ShieldData>(&mut found);
    add::<ErasureData>(&mut found);
    add::<SectionData>(&mut found);
    add::<ReferralData>(&mut found);
    add::<HandoffData>(&mut found);
    add::<GrantData>(&mut found);
    add::<ClockMetData>(&mut found);
    add::<ClockData>(&mut found);
    add::<ConsentData>(&mut found);
    add::<OverrideData>(&mut found);
    add::<OccurrenceData>(&mut found);
    add::<EmergencyData>(&mut found);
    add::<ProposalData>(&mut found);
    add::<WithheldData>(&mut found);
    add::<ReleaseData>(&mut found);
    add::<StatusCheckData>(&mut found);
    add::<DataSharingData>(&mut found);
    found.into_iter().map(|(name, schema)| (name, json!(schema))).collect()
}

fn add<T: ToSchema + PartialSchema>(found: &mut Vec<(String, RefOr<Schema>)>) {
    found.push((T::name().into_owned(), T::schema()));
    T::schemas(found);
}
