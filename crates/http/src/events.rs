//! The feed: everything that an agency is told, in its order, to be followed by its system.

mod stream;
pub(crate) mod waiting;

use std::time::Duration;

use actix_web::http::header::HeaderMap;
use actix_web::rt::time::Instant;
use actix_web::web::Data;
use actix_web::{Either, HttpRequest, HttpResponse, Responder, get};
use lindung_domain::event::Pattern;
use lindung_domain::{CaseId, ReferralId};
use lindung_persistence::{Call, CloudEvent, FeedFilter, FeedPage};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::app::App;
use crate::caller::{Caller, Expiry};
use crate::cursor;
use crate::extract::Params;
use crate::negotiate::{EVENT_STREAM, prefers};
use crate::openapi::ReadProblems;
use crate::problem::Problem;
use crate::respond::{PAGE_DEFAULT, PAGE_LIMIT};

/// The routes of the feed.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(follow_feed);
}

/// What stands for the end of the feed, instead of a cursor.
const LATEST: &str = "latest";
/// The longest that a request may wait, in seconds.
const WAIT_LIMIT: u64 = 30;
/// The last event that a stream's client has seen (HTML, 9.2.3).
const LAST_EVENT_ID: &str = "last-event-id";

/// Which events are wanted.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FeedParams {
    /// From `next` of the page before. Left out, the feed begins with its first event; `latest` stands for its end.
    #[validate(length(max = 400))]
    #[param(max_length = 400)]
    after: Option<String>,
    /// Only of these types, with commas between; one that ends in `.*` stands for all that begin so.
    #[validate(length(min = 1, max = 2000))]
    #[param(min_length = 1, max_length = 2000, example = "my.gov.lindung.referral.*")]
    r#type: Option<String>,
    /// Only of this case.
    case: Option<CaseId>,
    /// Only of this referral, with its clocks.
    referral: Option<ReferralId>,
    /// At most so many.
    #[validate(range(min = 1, max = PAGE_LIMIT))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// So many seconds to wait where there is nothing to tell yet.
    #[validate(range(max = WAIT_LIMIT))]
    #[param(maximum = 30, default = 0)]
    wait: Option<u64>,
}

/// A page of the feed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page {
    /// The events, in their order.
    items: Vec<CloudEvent>,
    /// What to ask for next, as `after`: always there, and further on even where nothing was told.
    next: String,
    /// Whether there may be more at once: asking with `wait` is for when there is not.
    more: bool,
}

/// Follow the feed: the events that your agency is told of, each once and in their order.
///
/// For a client alone. Keep `next` together with what you did with the page, and ask on with `after`: nothing is lost then and
/// nothing done twice. With `wait` the request is answered as soon as there is something to tell. With
/// `Accept: text/event-stream` the answer goes on until the token expires: each event comes as a message whose `id` is its
/// cursor; a client that was cut off goes on with `Last-Event-ID`.
///
/// Who is told was fixed when it happened: you hear too that you lost something. What a shield hides, and what is about a
/// child that was erased, is left out.
#[utoipa::path(
    tag = "events",
    params(FeedParams, ("Last-Event-ID" = Option<String>, Header, description = "Of a stream: goes before `after`")),
    responses(
        (status = 200, description = "A page of the feed, or a stream of its events", content(
            (Page = "application/json"),
            (String = "text/event-stream"),
        )),
        ReadProblems,
    )
)]
#[get("/events")]
async fn follow_feed(
    app: Data<App>,
    Caller(call): Caller,
    expiry: Expiry,
    Params(params): Params<FeedParams>,
    request: HttpRequest,
) -> Result<impl Responder + use<>, Problem> {
    let FeedParams { after, r#type, case, referral, limit, wait } = params;
    let streams = prefers(&request, EVENT_STREAM);
    let last = streams.then(|| last_event_id(request.headers())).flatten();
    let (field, after) = if last.is_some() { ("Last-Event-ID", last) } else { ("after", after) };
    let from = match after.as_deref() {
        Some(LATEST) => None,
        after => Some(place(field, after)?),
    };
    let types = r#type.map(|it| types(&it, &[])).transpose()?;
    let filter = FeedFilter { types, case, referral, from, limit: limit.unwrap_or(PAGE_DEFAULT) };
    let mut following = Following { app: app.get_ref().clone(), call, filter };
    if streams {
        let seat = app.seat(&following.call.actor)?;
        return Ok(Either::Right(stream::respond(following, seat, expiry).await?));
    }
    let mut found = following.read().await?;
    if let (true, Some(seconds @ 1..)) = (found.items.is_empty() && !found.more, wait) {
        let (_seat, until) = (app.seat(&following.call.actor)?, Instant::now() + Duration::from_secs(seconds));
        while found.items.is_empty() && !found.more && following.wait(until).await {
            found = following.read().await?;
        }
    }
    let FeedPage { items, next, more } = found;
    let page = Page { items: items.into_iter().map(|it| it.0).collect(), next: cursor_at(next), more };
    Ok(Either::Left(HttpResponse::Ok().json(page)))
}

/// Somebody who reads on and on.
struct Following {
    app: App,
    call: Call,
    filter: FeedFilter,
}

impl Following {
    /// The next page; afterwards the place is behind it. Each is an access of its own, by rights as they stand then.
    async fn read(&mut self) -> Result<FeedPage, Problem> {
        let (mut call, filter) = (self.call.clone(), self.filter.clone());
        call.now = self.app.now();
        // It is spent with the first.
        self.call.proof = None;
        let issuer = self.app.parts().issuer.clone();
        let page = self.app.read(call, move |db, call| db.feed(call, &filter, &issuer)).await?;
        self.filter.from = Some(page.next);
        Ok(page)
    }

    /// Waits until there may be something to tell; whether it was so before that time.
    async fn wait(&self, until: Instant) -> bool {
        let from = self.filter.from.unwrap_or_default();
        self.app.wait_for_events(self.call.actor.agency(), from, until).await
    }
}

/// The cursor of a place.
fn cursor_at(number: i64) -> String {
    cursor::encode(&("feed", number))
}

/// The place of a cursor; the beginning where there is none.
fn place(field: &'static str, cursor: Option<&str>) -> Result<i64, Problem> {
    let wrong = || Problem::malformed(field, "cursor", "is no cursor of the feed");
    let found: Option<(String, i64)> = cursor::decode(cursor).map_err(|_| wrong())?;
    match found {
        None => Ok(0),
        Some((list, number @ 0..)) if list == "feed" => Ok(number),
        Some(_) => Err(wrong()),
    }
}

/// The types that a parameter with commas stands for: of events, and of `others`, of which no event is.
///
/// # Errors
/// There is no such type.
pub(crate) fn types(wanted: &str, others: &[&str]) -> Result<Vec<String>, Problem> {
    let mut types = Vec::new();
    for wanted in wanted.split(',').map(str::trim) {
        let fits = |it: &&&str| {
            wanted.strip_suffix('*').map_or(wanted == **it, |prefix| prefix.ends_with('.') && it.starts_with(prefix))
        };
        let before = types.len();
        types.extend(others.iter().filter(fits).map(|it| (*it).to_owned()));
        match wanted.parse::<Pattern>() {
            Ok(pattern) => types.extend(pattern.kinds().map(|it| it.full())),
            Err(_) if types.len() > before => {}
            Err(error) => return Err(Problem::malformed("type", "unknown-type", error.to_string())),
        }
    }
    Ok(types)
}

fn last_event_id(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(LAST_EVENT_ID)?.to_str().unwrap_or("?");
    (!text.is_empty()).then(|| text.to_owned())
}
