//! The witness's HTTP service: `POST /add-checkpoint`, and nothing else.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::web::{self, BytesMut, Data, Payload};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt};
use futures::StreamExt;
use lindung_ledger::witness::{MAX_LENGTH, Refusal};

use crate::{NotCosigned, Witness};

/// How long a request's head may take to come.
const HEAD_DEADLINE: Duration = Duration::from_secs(5);
/// How long a request's body may take to come.
const BODY_DEADLINE: Duration = Duration::from_secs(10);
/// How long an idle connection is kept: longer than a log pauses between checkpoints.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// The most connections of a thread.
const CONNECTIONS: usize = 256;
/// How long requests may go on once the service is told to stop.
const GRACE_SECONDS: u64 = 5;

/// Tells the time, in seconds since 1970.
pub type Clock = fn() -> u64;

/// Serves on a listener until it is told to stop.
///
/// # Errors
/// The listener cannot be used.
pub fn serve(witness: Arc<Witness>, clock: Clock, listener: TcpListener, workers: usize) -> std::io::Result<Server> {
    let parts = Data::new((witness, clock));
    let server = HttpServer::new(move || {
        let add = web::resource("/add-checkpoint").post(add_checkpoint).default_service(web::to(only_post));
        App::new().app_data(parts.clone()).service(add).default_service(web::to(nothing_here))
    });
    let server = server
        .workers(workers)
        .max_connections(CONNECTIONS)
        .client_request_timeout(HEAD_DEADLINE)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(GRACE_SECONDS)
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}

/// Cosigns a checkpoint (`tlog-witness`, add-checkpoint).
async fn add_checkpoint(parts: Data<(Arc<Witness>, Clock)>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let body = match read(&request, payload).await {
        Ok(body) => body,
        Err((status, why)) => return told(status, why.to_owned()),
    };
    // The disk is waited for elsewhere.
    let decided = rt::task::spawn_blocking(move || {
        let (witness, clock) = &**parts;
        witness.add_checkpoint(&body, clock())
    });
    match decided.await {
        Ok(Ok(line)) => HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(line),
        Ok(Err(NotCosigned::Refused(Refusal::Conflict(size)))) => {
            HttpResponse::Conflict().insert_header((CONTENT_TYPE, "text/x.tlog.size")).body(format!("{size}\n"))
        }
        Ok(Err(NotCosigned::Refused(refusal))) => {
            let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
            told(status, refusal.to_string())
        }
        Ok(Err(NotCosigned::Failed(error))) => {
            tracing::error!(%error, "a checkpoint could not be cosigned");
            told(StatusCode::INTERNAL_SERVER_ERROR, "the checkpoint could not be cosigned".to_owned())
        }
        Err(_) => told(StatusCode::SERVICE_UNAVAILABLE, "the witness is stopping".to_owned()),
    }
}

/// The body: not encoded, not too large, not too slow.
async fn read(request: &HttpRequest, mut payload: Payload) -> Result<BytesMut, (StatusCode, &'static str)> {
    if request.headers().get(CONTENT_ENCODING).is_some_and(|it| it.as_bytes() != b"identity") {
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body is encoded"));
    }
    let received = rt::time::timeout(BODY_DEADLINE, async {
        let mut body = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| (StatusCode::BAD_REQUEST, "the body did not come whole"))?;
            if body.len() + chunk.len() > MAX_LENGTH {
                return Err((StatusCode::PAYLOAD_TOO_LARGE, "the body is too long"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    });
    received.await.unwrap_or(Err((StatusCode::REQUEST_TIMEOUT, "the body took too long")))
}

async fn only_post() -> HttpResponse {
    HttpResponse::MethodNotAllowed().insert_header((ALLOW, "POST")).body("only POST\n")
}

async fn nothing_here() -> HttpResponse {
    told(StatusCode::NOT_FOUND, "there is nothing here".to_owned())
}

fn told(status: StatusCode, why: String) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((CACHE_CONTROL, "no-store"))
        .content_type("text/plain; charset=utf-8")
        .body(why + "\n")
}
