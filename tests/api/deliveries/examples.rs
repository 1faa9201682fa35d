//! The example receivers, in Python and Node, as whoever copies them runs them.
//!
//! `LINDUNG_RECEIVERS` names the folder in which `make test` puts them with their libraries; without it the test is
//! skipped, and says so.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use lindung_delivery::{Courier, Parts, Sender};
use lindung_http::Clock;
use lindung_tests::TestApp;
use lindung_webhook::{Allow, SecretKey};
use serde_json::json;

use super::{POLICE, referrals, round, secret};

/// An example that runs, in a folder of its own.
struct Example {
    process: Child,
    said: BufReader<ChildStdout>,
    folder: PathBuf,
}

impl Example {
    fn start(receivers: &Path, program: &str, script: &str, port: u16, secrets: &[String]) -> Self {
        let folder = receivers.join(format!("{script}.run"));
        std::fs::remove_dir_all(&folder).ok();
        std::fs::create_dir_all(&folder).unwrap();
        let mut command = Command::new(program);
        command.arg(receivers.join(script)).arg(port.to_string()).args(secrets);
        let mut process = command.current_dir(&folder).stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(process.stdout.take().unwrap());
        Example { process, said, folder }
    }

    /// The next line that it says: it is waited for.
    fn says(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn received_by(receivers: &Path, program: &str, script: &str) {
    let (app, port) = (TestApp::start().await, free_port());
    let admin = app.administrator(POLICE).await;
    let body = json!({ "channel": "webhook", "url": format!("http://127.0.0.1:{port}/") });
    let subscription = admin.post("/v1/subscriptions", &body).await.is(201).reference();
    // It knows the former secret alone: as long as both sign, that is enough.
    let secrets = [secret(&admin, &subscription).await];
    admin.act_anyhow(&subscription, "rotate", &json!({})).await.is(200);
    let mut example = Example::start(receivers, program, script, port, &secrets);
    assert_eq!(example.says(), format!("listening on port {port}"));

    let (_, _, made) = referrals(&app, 1).await;
    app.fan_out();
    // What the libraries take for too old is by the real clock.
    let courier = Courier::new(Parts {
        db: app.database.worker(),
        sender: Sender::new(Allow::Loopback).unwrap(),
        mailer: None,
        key: SecretKey::new(&[9; 32]),
        issuer: app.api.issuer().to_owned(),
        now: Box::new(|| Clock::System.now()),
    });
    app.database.execute("update subscriptions set rotated_at = now()");
    assert_eq!(courier.round().await.unwrap(), round(1, 0));
    let link = format!("{}/v1/referrals/{}", app.api.issuer(), made[0].id);
    assert_eq!(example.says(), format!("{:020} my.gov.lindung.referral.requested {link}", 1));

    // The same once more is acknowledged and not done again; what nobody signed is refused.
    let page = admin.get(&format!("{}/deliveries", subscription.path)).await;
    let delivery = page.items()[0]["id"].as_str().unwrap().to_owned();
    admin.post(&format!("{}/deliveries/{delivery}/redeliver", subscription.path), &json!({})).await.is(202);
    assert_eq!(courier.round().await.unwrap(), round(1, 0));
    let forged = reqwest::Client::builder().no_proxy().build().unwrap().post(format!("http://127.0.0.1:{port}/"));
    let forged =
        forged.header("webhook-id", "x").header("webhook-timestamp", "1").header("webhook-signature", "v1,AAAA");
    assert_eq!(forged.body("{}").send().await.unwrap().status(), 400);
    admin.post(&format!("{}/test", subscription.path), &json!({})).await.is(202);
    assert_eq!(courier.round().await.unwrap(), round(1, 0));
    assert!(example.says().starts_with("- my.gov.lindung.subscription.tested "), "nothing else came in between");
}

#[actix_web::test]
async fn both_examples_receive_each_event_once_and_nothing_forged() {
    let Some(receivers) = std::env::var_os("LINDUNG_RECEIVERS").map(PathBuf::from) else {
        eprintln!("skipped: LINDUNG_RECEIVERS names no folder with the example receivers");
        return;
    };
    let python = receivers.join("venv/bin/python");
    received_by(&receivers, python.to_str().unwrap(), "receive.py").await;
    received_by(&receivers, "node", "receive.mjs").await;
}
