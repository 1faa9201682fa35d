//! What surrounds every request: its id and trace, one log line, metrics, headers that harden, and
//! HEAD answered as GET without a body. Nothing personal is logged: routes, not paths.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest};
use lindung_domain::Actor;
use lindung_persistence::{Db, Refused};
use tracing::Instrument;
use uuid::Uuid;

use crate::app::App;
use crate::caller;
use crate::metrics;
use crate::problem::Problem;
use crate::proof::{self, Proven};

/// The id of a request, ours whatever the client sent.
#[derive(Debug, Clone, Copy)]
pub struct RequestId(Uuid);

impl RequestId {
    /// Of this request.
    pub fn of(request: &HttpRequest) -> Uuid {
        request.extensions().get::<RequestId>().map_or(Uuid::nil(), |it| it.0)
    }
}

/// Marks a request that was sent as HEAD and is answered as GET.
struct AskedByHead;

/// The method of a request, as it was sent.
pub(crate) fn sent_method(request: &HttpRequest) -> Method {
    let by_head = request.extensions().get::<AskedByHead>().is_some();
    if by_head { Method::HEAD } else { request.method().clone() }
}

/// What every answer says, unless it says something of its own.
const HARDENING: &[(&str, &str)] = &[
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("cross-origin-resource-policy", "same-origin"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
];

/// Around every request.
///
/// # Errors
/// What the service says.
pub async fn observe(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let (started, id) = (Instant::now(), Db::new_id());
    request.extensions_mut().insert(RequestId(id));
    // The connection itself remembers that it was HEAD, and sends no body.
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
        request.extensions_mut().insert(AskedByHead);
    }
    let trace_id = trace_id(request.headers()).unwrap_or_default();
    let method = known_method(request.method());
    let span = tracing::info_span!("request", request_id = %id, trace_id, method);
    let outer = span.clone();
    async move {
        let mut response = next.call(request).await?;
        let request = response.request();
        let route = request.match_pattern().unwrap_or_default();
        let (status, took) = (response.status().as_u16(), started.elapsed());
        let extensions = request.extensions();
        let actor = extensions.get::<Actor>();
        let agency = actor.map(|it| it.agency().as_str()).unwrap_or_default();
        let client = actor.map(|it| it.client_id().as_str()).unwrap_or_default();
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let problem = response.response().error().and_then(|it| it.as_error::<Problem>());
        match problem.and_then(Problem::cause) {
            Some(cause) => tracing::error!(route, status, micros, client, agency, cause, "failed"),
            None => tracing::info!(route, status, micros, client, agency, "answered"),
        }
        drop(extensions);
        metrics::answered(method, route, status, took);
        harden(response.headers_mut(), id);
        Ok(response)
    }
    .instrument(outer)
    .await
}

/// The method's name; what a client made up is not repeated, in no log and no label.
fn known_method(method: &Method) -> &'static str {
    const KNOWN: [(Method, &str); 6] = [
        (Method::GET, "GET"),
        (Method::POST, "POST"),
        (Method::PUT, "PUT"),
        (Method::PATCH, "PATCH"),
        (Method::DELETE, "DELETE"),
        (Method::OPTIONS, "OPTIONS"),
    ];
    KNOWN.iter().find(|it| it.0 == *method).map_or("other", |it| it.1)
}

fn harden(headers: &mut HeaderMap, id: Uuid) {
    for (name, value) in HARDENING {
        if !headers.contains_key(*name) {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
}

/// The trace that the client's request belongs to (W3C Trace Context, 3.2).
fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let mut parts = headers.get("traceparent")?.to_str().ok()?.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    // A later version may say more; the first one has said all.
    let ended = version != "00" || parts.next().is_none();
    let hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let some = |text: &str| text.bytes().any(|b| b != b'0');
    let good = hex(version, 2) && version != "ff" && hex(trace, 32) && hex(parent, 16) && hex(flags, 2) && ended;
    (good && some(trace) && some(parent)).then_some(trace)
}

/// Around every request of the API: what is refused is recorded, or nothing is answered but that it
/// could not be.
///
/// # Errors
/// What the service says.
pub async fn record_refusals(
    app: Data<App>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let response = next.call(request).await?;
    let proven = response.request().extensions().get::<Proven>().cloned();
    let refused = {
        let request = response.request();
        let problem = response.response().error().and_then(|it| it.as_error::<Problem>());
        problem.zip(app.operations().of(request)).map(|(problem, action)| Refused {
            actor: request.extensions().get::<Actor>().cloned(),
            action,
            request_id: RequestId::of(request),
            target: caller::target(request),
            outcome: problem.outcome(),
            now: app.now(),
            proof: proven.as_ref().map(|it| it.proof.clone()),
        })
    };
    let mut response = match refused {
        None => response.map_into_boxed_body(),
        Some(refused) => match app.record(refused).await {
            Ok(()) => response.map_into_boxed_body(),
            Err(problem) => response.error_response(problem),
        },
    };
    // RFC 9449, 8.2: whoever is told in time need not be refused first.
    if proven.is_some_and(|it| it.aging) {
        proof::renew(response.headers_mut(), &app);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn traced(value: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static("traceparent"), HeaderValue::from_str(value).unwrap());
        match trace_id(&headers) {
            None => false,
            Some(found) => found == TRACE,
        }
    }

    #[test]
    fn a_good_traceparent_gives_its_trace() {
        assert!(traced(&format!("00-{TRACE}-00f067aa0ba902b7-01")));
        assert!(traced(&format!("cc-{TRACE}-00f067aa0ba902b7-01-what-a-later-version-adds")));
    }

    #[test]
    fn any_other_traceparent_is_as_if_it_were_not_there() {
        for value in [
            "".to_owned(),
            "Aminah".to_owned(),
            format!("00-{TRACE}"),
            format!("ff-{TRACE}-00f067aa0ba902b7-01"),
            format!("00-{TRACE}-00f067aa0ba902b7-01-more"),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase()),
        ] {
            assert!(!traced(&value), "{value}");
        }
        assert_eq!(trace_id(&HeaderMap::new()), None);
    }

    #[test]
    fn a_method_that_somebody_made_up_is_not_repeated() {
        assert_eq!(known_method(&Method::from_bytes(b"AMINAH").unwrap()), "other");
        assert_eq!(known_method(&Method::PUT), "PUT");
    }
}
