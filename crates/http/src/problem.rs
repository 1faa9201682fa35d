//! What goes wrong, as the client is told: RFC 9457 problems. The one mapping, without a wildcard.
//!
//! A problem never repeats a value that was sent: it may be personal.

use std::fmt;

use actix_web::http::header::{ALLOW, CACHE_CONTROL, ETAG, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpResponse, ResponseError};
use lindung_domain::handoff::ManifestChange;
use lindung_domain::refusal::Invalid;
use lindung_domain::{HandoffId, ReferralId, Refusal, Version};
use lindung_persistence::Error;
use serde::Serialize;
use utoipa::ToSchema;

use crate::limits::Throttled;
use crate::proof::NONCE;

/// What every problem's `type` begins with; the slug after it is stable.
pub const TYPE_PREFIX: &str = "urn:lindung:problem:";

/// What to do about each kind of 401 (RFC 6750, 3; RFC 9449, 7.1 and 9).
const INVALID_TOKEN: &str = "Bearer error=\"invalid_token\", DPoP error=\"invalid_token\", algs=\"EdDSA ES256 PS256\"";
const INVALID_PROOF: &str = "DPoP error=\"invalid_dpop_proof\", algs=\"EdDSA ES256 PS256\"";
const USE_NONCE: &str = "DPoP error=\"use_dpop_nonce\", algs=\"EdDSA ES256 PS256\"";

/// Why a request is not answered with what it asked for.
#[derive(Debug)]
pub enum Problem {
    /// No access token, or one that is not good; says why.
    Unauthenticated(&'static str),
    /// A proof of possession that is not good; says why.
    BadProof(&'static str),
    /// A proof without a nonce of ours, or with an old one; the newest.
    NonceNeeded(String),
    /// Asked too often.
    Throttled(Throttled),
    /// `If-Match` is missing.
    PreconditionRequired,
    /// The request cannot be read: its JSON, its parameters or its headers.
    Malformed(Invalid),
    /// Values that cannot be taken.
    Invalid(Vec<Invalid>),
    /// A creating request without `Idempotency-Key`.
    KeyRequired,
    /// Nothing is here.
    NoSuchPath,
    /// Something is here, but not for this method.
    MethodNotAllowed(Vec<Method>),
    /// Nothing that we can answer with is acceptable to the client.
    NotAcceptable,
    /// The body is too large.
    TooLarge,
    /// The body is not JSON, or is encoded.
    UnsupportedMediaType,
    /// The body did not come in time.
    Timeout,
    /// The domain or the database said no.
    Refused(Error),
    /// Something that should not happen.
    Fault(String),
}

/// A problem as it is sent (RFC 9457).
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
pub struct ProblemView {
    /// What kind of problem it is; stable.
    #[schema(example = "urn:lindung:problem:stale")]
    r#type: String,
    /// The kind, for people.
    title: &'static str,
    /// The HTTP status.
    #[schema(value_type = u16, minimum = 400, maximum = 599)]
    status: u16,
    /// What it is this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The fields that it is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// Of `not-now`: what you may do to the referral or handoff now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>, example = json!(["accept", "reject"]))]
    allowed_actions: Option<Vec<&'static str>>,
    /// Of `not-now`: the open referrals that stand in the way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    open_referrals: Vec<ReferralId>,
    /// Of `not-now`: the handoffs that stand in the way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    open_handoffs: Vec<HandoffId>,
    /// Of `changed`: what is not as it was offered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<ManifestChange>,
    /// Of `changed`: the version of the manifest as it is now, which acceptance may name.
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<String>,
    /// Of `stale`: the version that is there now.
    #[serde(skip_serializing_if = "Option::is_none")]
    current_version: Option<Version>,
}

/// A field that cannot be taken. The value itself is never repeated.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldError {
    /// Its path in the body, or the name of the parameter or header.
    #[schema(example = "children[0].sections.identity.names[0]")]
    field: String,
    /// A stable code.
    #[schema(example = "required")]
    code: String,
    /// For people.
    message: String,
}

/// Status, slug, title, and what the access log calls it.
struct Kind(StatusCode, &'static str, &'static str, &'static str);

impl Problem {
    /// Something about one field, parameter or header.
    pub fn malformed(field: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Problem::Malformed(Invalid::new(field, code, message))
    }

    fn kind(&self) -> Kind {
        use StatusCode as S;
        match self {
            Problem::Unauthenticated(_) | Problem::Refused(Error::RightsEnded) => {
                Kind(S::UNAUTHORIZED, "unauthenticated", "A good access token is needed", "unauthenticated")
            }
            Problem::BadProof(_) | Problem::NonceNeeded(_) | Problem::Refused(Error::ProofReused) => {
                Kind(S::UNAUTHORIZED, "unauthenticated", "A good proof of possession is needed", "unauthenticated")
            }
            Problem::Throttled(_) => Kind(S::TOO_MANY_REQUESTS, "too-many-requests", "Asked too often", "throttled"),
            Problem::PreconditionRequired => {
                Kind(S::PRECONDITION_REQUIRED, "precondition-required", "If-Match is needed", "precondition-required")
            }
            Problem::NoSuchPath | Problem::Refused(Error::Refused(Refusal::NotFound)) => {
                Kind(S::NOT_FOUND, "not-found", "Not found", "not-found")
            }
            Problem::Refused(Error::Refused(Refusal::NotYours)) => {
                Kind(S::FORBIDDEN, "not-yours-to-do", "Not yours to do", "denied")
            }
            Problem::Refused(Error::Refused(Refusal::Stale { .. })) => {
                Kind(S::PRECONDITION_FAILED, "stale", "It has changed since the version that you have", "stale")
            }
            Problem::Refused(Error::Refused(Refusal::NotNow { .. } | Refusal::CaseNotNow { .. })) => {
                Kind(S::CONFLICT, "not-now", "Not possible in its present state", "conflict")
            }
            Problem::Refused(Error::Refused(Refusal::Changed { .. })) => {
                Kind(S::CONFLICT, "changed", "The case is not as it was offered", "conflict")
            }
            Problem::Malformed(_) => Kind(S::BAD_REQUEST, "malformed", "The request cannot be read", "invalid"),
            Problem::Invalid(_) | Problem::Refused(Error::Refused(Refusal::Invalid(_))) => {
                Kind(S::UNPROCESSABLE_ENTITY, "invalid", "A value cannot be taken", "invalid")
            }
            Problem::KeyRequired => {
                Kind(S::BAD_REQUEST, "idempotency-key-required", "Idempotency-Key is needed", "invalid")
            }
            Problem::Refused(Error::KeyReused) => Kind(
                S::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "The Idempotency-Key was used for another request",
                "invalid",
            ),
            Problem::Refused(Error::KeyBusy) => Kind(
                S::CONFLICT,
                "idempotency-key-busy",
                "A request with this Idempotency-Key is still running",
                "conflict",
            ),
            Problem::Refused(Error::Exists) => Kind(S::CONFLICT, "exists", "It exists already", "conflict"),
            Problem::MethodNotAllowed(_) => {
                Kind(S::METHOD_NOT_ALLOWED, "method-not-allowed", "Not possible with this method", "invalid")
            }
            Problem::NotAcceptable => {
                Kind(S::NOT_ACCEPTABLE, "not-acceptable", "Nothing acceptable can be answered", "invalid")
            }
            Problem::TooLarge => Kind(S::PAYLOAD_TOO_LARGE, "too-large", "The body is too large", "invalid"),
            Problem::UnsupportedMediaType => {
                Kind(S::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "The body must be plain JSON", "invalid")
            }
            Problem::Timeout => Kind(S::REQUEST_TIMEOUT, "timeout", "The body did not come in time", "invalid"),
            Problem::Refused(Error::Unavailable(_)) => {
                Kind(S::SERVICE_UNAVAILABLE, "unavailable", "Not available now", "failed")
            }
            Problem::Refused(Error::Fault(_)) | Problem::Fault(_) => {
                Kind(S::INTERNAL_SERVER_ERROR, "fault", "Something went wrong here", "failed")
            }
        }
    }

    /// What the access log calls it.
    pub fn outcome(&self) -> &'static str {
        self.kind().3
    }

    /// What went wrong, for the operator's log only. Holds no value of a request.
    pub fn cause(&self) -> Option<&str> {
        match self {
            Problem::Refused(Error::Unavailable(cause) | Error::Fault(cause)) | Problem::Fault(cause) => Some(cause),
            _ => None,
        }
    }

    /// The problem as it is sent.
    pub fn view(&self) -> ProblemView {
        let Kind(status, slug, title, _) = self.kind();
        let (detail, errors): (Option<String>, &[Invalid]) = match self {
            Problem::Unauthenticated(why) | Problem::BadProof(why) => (Some((*why).to_owned()), &[]),
            Problem::NonceNeeded(_) => (Some("sign the nonce of DPoP-Nonce in the proof".to_owned()), &[]),
            Problem::Refused(Error::ProofReused) => (Some("the proof was used before".to_owned()), &[]),
            Problem::Throttled(_) => (Some("ask again after the seconds of Retry-After".to_owned()), &[]),
            Problem::PreconditionRequired => {
                (Some("send the version that you have, from its ETag, as If-Match".to_owned()), &[])
            }
            Problem::Malformed(error) => (None, std::slice::from_ref(error)),
            Problem::Invalid(errors) | Problem::Refused(Error::Refused(Refusal::Invalid(errors))) => (None, errors),
            Problem::KeyRequired => {
                (Some("send an Idempotency-Key of 1 to 255 characters, a new one for each new request".to_owned()), &[])
            }
            Problem::Refused(Error::Refused(Refusal::CaseNotNow { why, .. })) => (Some((*why).to_owned()), &[]),
            Problem::Refused(Error::RightsEnded) => {
                (Some("the client is disabled, or no longer registered for this agency or role".to_owned()), &[])
            }
            Problem::NoSuchPath
            | Problem::MethodNotAllowed(_)
            | Problem::NotAcceptable
            | Problem::TooLarge
            | Problem::UnsupportedMediaType
            | Problem::Timeout
            | Problem::Fault(_)
            | Problem::Refused(_) => (None, &[]),
        };
        let none = ProblemView::default();
        let standing = match self {
            Problem::Refused(Error::Refused(Refusal::NotNow { allowed })) => {
                ProblemView { allowed_actions: Some(allowed.clone()), ..none }
            }
            Problem::Refused(Error::Refused(Refusal::CaseNotNow { referrals, handoffs, .. })) => {
                ProblemView { open_referrals: referrals.clone(), open_handoffs: handoffs.clone(), ..none }
            }
            Problem::Refused(Error::Refused(Refusal::Changed { changes, manifest })) => {
                ProblemView { changes: changes.clone(), manifest: Some(manifest.clone()), ..none }
            }
            Problem::Refused(Error::Refused(Refusal::Stale { current })) => {
                ProblemView { current_version: Some(*current), ..none }
            }
            _ => none,
        };
        let field_error = |it: &Invalid| FieldError {
            field: it.field.clone(),
            code: it.code.to_owned(),
            message: it.message.clone(),
        };
        ProblemView {
            r#type: format!("{TYPE_PREFIX}{slug}"),
            title,
            status: status.as_u16(),
            detail,
            errors: errors.iter().map(field_error).collect(),
            ..standing
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().2)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.kind().0
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code())
            .insert_header((CACHE_CONTROL, "no-store"))
            .content_type("application/problem+json")
            .json(self.view());
        let headers = response.headers_mut();
        match self {
            Problem::Unauthenticated(_) | Problem::Refused(Error::RightsEnded) => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(INVALID_TOKEN));
            }
            Problem::BadProof(_) | Problem::Refused(Error::ProofReused) => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(INVALID_PROOF));
            }
            Problem::NonceNeeded(nonce) => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(USE_NONCE));
                if let Ok(nonce) = HeaderValue::from_str(nonce) {
                    headers.insert(HeaderName::from_static(NONCE), nonce);
                }
            }
            Problem::Throttled(Throttled(seconds)) => {
                headers.insert(RETRY_AFTER, HeaderValue::from(*seconds));
            }
            Problem::MethodNotAllowed(allowed) => {
                let names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
                if let Ok(value) = HeaderValue::from_str(&names.join(", ")) {
                    headers.insert(ALLOW, value);
                }
            }
            Problem::Refused(Error::KeyBusy | Error::Unavailable(_)) => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Problem::Refused(Error::Refused(Refusal::Stale { current })) => {
                if let Ok(value) = HeaderValue::from_str(&format!("\"{}\"", current.0)) {
                    headers.insert(ETAG, value);
                }
            }
            _ => {}
        }
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Problem::Refused(error)
    }
}

impl From<Throttled> for Problem {
    fn from(throttled: Throttled) -> Self {
        Problem::Throttled(throttled)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Problem::Refused(Error::Refused(refusal))
    }
}

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        Problem::Invalid(vec![invalid])
    }
}
