//! What is outside of the service while stories are played: a receiver of webhooks, and a look at the mail that was
//! written. Each can be asked for what has come, so that a story can say what is to come.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use actix_web::dev::ServerHandle;
use actix_web::web::{Bytes, Data, Json, Query};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, get, post, rt};
use lindung_webhook::Secret;
use mailparse::MailHeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Failure;

/// A webhook as it came.
struct Webhook {
    id: String,
    timestamp: i64,
    signatures: String,
    body: Bytes,
}

/// What has come so far.
struct Came {
    webhooks: Mutex<Vec<Webhook>>,
    /// Where mail is written, and since when it counts.
    mail: Option<PathBuf>,
    since: SystemTime,
}

/// What runs until it is ended.
pub struct Outside {
    /// Where it is.
    pub url: String,
    handle: ServerHandle,
}

impl Outside {
    /// Starts it on a port of its own, on this machine alone; `mail` is the folder that mail is written to.
    ///
    /// # Errors
    /// There is no port for it.
    pub fn start(mail: Option<PathBuf>) -> Result<Self, Failure> {
        let came = Data::new(Came { webhooks: Mutex::default(), mail, since: SystemTime::now() });
        let app = move || App::new().app_data(came.clone()).service(receive).service(webhooks).service(mails);
        let server = HttpServer::new(app).workers(1).disable_signals().bind(("127.0.0.1", 0))?;
        let address = server.addrs().into_iter().next().ok_or("the receiver has no address")?;
        let running = server.run();
        let handle = running.handle();
        rt::spawn(running);
        Ok(Outside { url: format!("http://{address}"), handle })
    }

    /// Ends it.
    pub async fn end(self) {
        self.handle.stop(false).await;
    }
}

/// Takes a webhook, at once and without a look: what it is worth is told to whoever asks with the secret.
#[post("/webhooks")]
async fn receive(came: Data<Came>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let field = |name| request.headers().get(name).and_then(|it| it.to_str().ok()).unwrap_or_default().to_owned();
    let timestamp = field("webhook-timestamp").parse().unwrap_or_default();
    let webhook = Webhook { id: field("webhook-id"), timestamp, signatures: field("webhook-signature"), body };
    if let Ok(mut all) = came.webhooks.lock() {
        all.push(webhook);
    }
    HttpResponse::NoContent().finish()
}

#[derive(Deserialize)]
struct Signed {
    secret: String,
}

/// The webhooks that came, and whether each is signed with this secret.
#[get("/webhooks")]
async fn webhooks(came: Data<Came>, Query(Signed { secret }): Query<Signed>) -> Json<Value> {
    let secret = Secret::parse(&secret);
    let told = |it: &Webhook| {
        let signed = secret.as_ref().is_some_and(|by| by.verify(&it.id, it.timestamp, &it.body, &it.signatures));
        let event: Value = serde_json::from_slice(&it.body).unwrap_or_default();
        json!({ "webhookId": it.id, "signed": signed, "event": event })
    };
    let items: Vec<Value> = came.webhooks.lock().map(|it| it.iter().map(told).collect()).unwrap_or_default();
    Json(json!({ "items": items }))
}

#[derive(Deserialize)]
struct Addressed {
    to: String,
}

/// The mails that were written to an address since this was started.
#[get("/mails")]
async fn mails(came: Data<Came>, Query(Addressed { to }): Query<Addressed>) -> Json<Value> {
    let items = came.mail.as_deref().map(|it| written(it, &to, came.since)).unwrap_or_default();
    Json(json!({ "items": items }))
}

fn written(folder: &Path, to: &str, since: SystemTime) -> Vec<Value> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let fresh = files.filter(|it| it.metadata().and_then(|it| it.modified()).is_ok_and(|it| it >= since));
    let mail = |path: PathBuf| {
        let bytes = fs::read(path).ok()?;
        let mail = mailparse::parse_mail(&bytes).ok()?;
        let addressed = mail.headers.get_first_value("To")? == to;
        let text = mail.subparts.first().unwrap_or(&mail).get_body().ok()?;
        addressed.then(|| json!({ "subject": mail.headers.get_first_value("Subject"), "text": text.trim() }))
    };
    fresh.filter_map(|it| mail(it.path())).collect()
}
