//! The shapes of good answers: one thing with its version, a page, a change that was made.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LANGUAGE, ETAG, HeaderValue, LINK, LOCATION};
use actix_web::{HttpRequest, HttpResponse, Responder};
use lindung_persistence::Answer;
use serde::Serialize;
use utoipa::ToSchema;

use crate::cursor;
use crate::language::Language;

/// The most items of a page.
pub const PAGE_LIMIT: i64 = 200;
/// How many a page has when nobody says.
pub const PAGE_DEFAULT: i64 = 50;

/// Where something is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Links {
    /// Itself.
    #[serde(rename = "self")]
    #[schema(example = "/v1/referrals/0193b5f4-7a00-7c3e-9d55-0d8f6c2b1a01")]
    pub this: String,
}

impl Links {
    /// To `path`.
    pub fn to(path: impl Into<String>) -> Self {
        Links { this: path.into() }
    }
}

/// One thing, with its version as `ETag`.
#[derive(Debug)]
pub struct Versioned<T> {
    /// Its version.
    pub version: i64,
    /// The thing.
    pub body: T,
}

impl<T: Serialize> Responder for Versioned<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok().insert_header((ETAG, format!("\"{}\"", self.version))).json(self.body)
    }
}

/// Something in one of two languages.
#[derive(Debug)]
pub struct Localized<R>(pub Language, pub R);

impl<R: Responder> Responder for Localized<R> {
    type Body = R::Body;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse<R::Body> {
        let mut response = self.1.respond_to(request);
        response.headers_mut().insert(CONTENT_LANGUAGE, HeaderValue::from_static(self.0.tag()));
        response
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// The cursor of the next page; none on the last. A page that it leads to may be empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page of at most `limit` items; where it is full, the next begins after the last one's place.
    pub fn new<P: Serialize>(items: Vec<T>, limit: i64, place: impl Fn(&T) -> P) -> Self {
        let full = i64::try_from(items.len()).is_ok_and(|it| it >= limit);
        let next = items.last().filter(|_| full).map(|it| cursor::encode(&place(it)));
        Page { items, next }
    }

    /// The same page of other items.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next: self.next }
    }
}

impl<T: Serialize> Responder for Page<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        if let Some(next) = &self.next {
            response.insert_header((LINK, next_link(request, next)));
        }
        response.json(self)
    }
}

/// The link to the next page (RFC 8288): the same request with another cursor.
pub fn next_link(request: &HttpRequest, cursor: &str) -> String {
    let others = request.query_string().split('&').filter(|it| !it.is_empty() && !it.starts_with("cursor="));
    let query: Vec<String> = others.map(str::to_owned).chain([format!("cursor={cursor}")]).collect();
    format!("<{}?{}>; rel=\"next\"", request.path(), query.join("&"))
}

/// A change that was made, now or when the request was first sent.
#[derive(Debug)]
pub struct Done(pub Answer);

impl Responder for Done {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let Answer { status, body, replayed, .. } = self.0;
        let mut response = HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::OK));
        if let Some(version) = body.get("version") {
            response.insert_header((ETAG, format!("\"{version}\"")));
        }
        if let Some(at) = body.pointer("/links/self").and_then(|it| it.as_str()).filter(|_| status == 201) {
            response.insert_header((LOCATION, at));
        }
        if replayed {
            response.insert_header(("Idempotency-Replayed", "true"));
        }
        response.json(body)
    }
}

/// The answer to a change that is about no case.
///
/// # Errors
/// The acknowledgement is no JSON.
pub fn answer(status: u16, ack: &impl Serialize) -> Result<Answer, lindung_persistence::Error> {
    Ok(Answer { status, body: serde_json::to_value(ack)?, case: None, referral: None, replayed: false })
}
