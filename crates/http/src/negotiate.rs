//! Whether what we answer with is acceptable to the client (RFC 9110, 12.5.1).

use actix_web::http::header::{ACCEPT, Accept, Header};
use actix_web::{HttpRequest, mime};

use crate::problem::Problem;

/// Newline-delimited JSON.
pub const NDJSON: &str = "application/x-ndjson";
/// Server-sent events (HTML, 9.2).
pub const EVENT_STREAM: &str = "text/event-stream";
/// Comma-separated values (RFC 4180).
pub const CSV: &str = "text/csv";

/// What some operations can answer with beside JSON.
const BESIDE_JSON: [(&str, &str); 7] = [
    ("read_access_log", NDJSON),
    ("follow_feed", EVENT_STREAM),
    ("get_release", CSV),
    ("read_data_sharing_register", CSV),
    ("get_entry_bundle", "application/octet-stream"),
    ("list_openings", NDJSON),
    ("get_inclusion_proof", "text/plain"),
];

/// An operation that answers with something the client accepts.
///
/// # Errors
/// The client accepts neither JSON nor what else the operation has.
pub fn acceptable(request: &HttpRequest, operation: &str) -> Result<(), Problem> {
    let other = BESIDE_JSON.iter().any(|it| it.0 == operation && accepts(request, it.1));
    let acceptable = !request.headers().contains_key(ACCEPT) || other || accepts(request, "application/json");
    acceptable.then_some(()).ok_or(Problem::NotAcceptable)
}

/// Whether a media type is accepted at all.
fn accepts(request: &HttpRequest, media: &str) -> bool {
    let Ok(accept) = Accept::parse(request) else { return false };
    let (kind, subtype) = media.split_once('/').unwrap_or_default();
    // The most specific range decides: `application/json;q=0, */*` refuses JSON.
    let specific = |range: &mime::Mime| match (range.type_() == kind, range.subtype() == subtype) {
        (true, true) => Some(3),
        (true, false) if range.subtype() == mime::STAR => Some(2),
        _ if range.type_() == mime::STAR => Some(1),
        _ => None,
    };
    let best = accept.iter().filter_map(|it| Some((specific(&it.item)?, it.quality))).max_by_key(|it| it.0);
    best.is_some_and(|it| it.1 > actix_web::http::header::Quality::ZERO)
}

/// Whether a media type is preferred to one JSON document: named, and not below JSON.
pub fn prefers(request: &HttpRequest, media: &str) -> bool {
    let Ok(accept) = Accept::parse(request) else { return false };
    let ranked = accept.ranked();
    ranked.iter().find_map(|it| match it.essence_str() {
        "application/json" => Some(false),
        named => (named == media).then_some(true),
    }) == Some(true)
}
