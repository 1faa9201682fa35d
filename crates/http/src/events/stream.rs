//! The feed as server-sent events (HTML, 9.2).

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::rt::time::Instant;
use actix_web::web::Bytes;
use futures::stream;
use lindung_persistence::FeedPage;

use super::waiting::Seat;
use super::{Following, cursor_at};
use crate::caller::Expiry;
use crate::negotiate::EVENT_STREAM;
use crate::problem::Problem;

/// How long a stream may be silent, so that it is not taken for dead on its way.
const SILENCE: Duration = Duration::from_secs(15);
/// When a client that was cut off should come again, in milliseconds.
const RETRY: &str = "retry: 2000\n\n";

/// A stream that goes on until the token expires, the service stops or the rights go.
struct Stream {
    following: Following,
    expiry: Expiry,
    /// Where the client knows to be.
    told: i64,
    /// What was read first, and whether there is more at once.
    first: Option<FeedPage>,
    more: bool,
    _seat: Seat,
}

/// Answers with the stream, once its beginning could be read.
pub(super) async fn respond(mut following: Following, seat: Seat, expiry: Expiry) -> Result<HttpResponse, Problem> {
    let first = following.read().await?;
    let stream = Stream { following, expiry, told: -1, first: Some(first), more: false, _seat: seat };
    let beginning = stream::once(async { Ok(Bytes::from_static(RETRY.as_bytes())) });
    let body = futures::StreamExt::chain(beginning, stream::unfold(stream, Stream::next));
    Ok(HttpResponse::Ok().content_type(EVENT_STREAM).insert_header(("X-Accel-Buffering", "no")).streaming(body))
}

impl Stream {
    /// The next part of the stream: events, or a sign of life.
    async fn next(mut self) -> Option<(serde_json::Result<Bytes>, Self)> {
        let page = match self.first.take() {
            Some(page) => page,
            None => {
                let waited = self.more || self.following.wait(Instant::now() + SILENCE).await;
                if self.following.app.stops_waiting() || self.expiry.is_past(self.following.app.now()) {
                    return None;
                }
                if !waited {
                    return Some((Ok(Bytes::from_static(b":\n\n")), self));
                }
                // Whoever may not read any more is told why when they come again.
                self.following.read().await.ok()?
            }
        };
        self.more = page.more;
        let text = self.written(page);
        Some((text, self))
    }

    fn written(&mut self, page: FeedPage) -> serde_json::Result<Bytes> {
        let mut text = String::new();
        for (event, number) in page.items {
            let data = serde_json::to_string(&event)?;
            let (id, kind) = (cursor_at(number + 1), &event.kind);
            text += &format!("id: {id}\nevent: {kind}\ndata: {data}\n\n");
            self.told = number + 1;
        }
        // Without data no event is dispatched, but the client remembers where it is.
        if self.told < page.next {
            text += &format!("id: {}\n\n", cursor_at(page.next));
            self.told = page.next;
        }
        Ok(Bytes::from(text))
    }
}
