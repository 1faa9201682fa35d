//! Waiting for events, and their stream.

use lindung_tests::{Session, TestApp};
use serde_json::{Value, json};

use super::{POLICE, SCHOOL, ids, walked};

/// A stream as its client reads it.
struct Stream {
    answer: reqwest::Response,
    text: String,
}

impl Stream {
    async fn open(app: &TestApp, client: &Session, last: Option<&str>) -> Self {
        let mut request =
            reqwest::Client::builder().no_proxy().build().unwrap().get(format!("{}/v1/events", app.api.issuer()));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let answer = request.bearer_auth(&client.token).header("accept", "text/event-stream").send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        Stream { answer, text: String::new() }
    }

    /// The next event, with the id that it brought; nothing where the stream has ended.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| block.lines().find_map(|it| it.strip_prefix(name).map(str::to_owned));
                if let Some(data) = field("data: ") {
                    let event: Value = serde_json::from_str(&data).unwrap();
                    assert_eq!(field("event: ").as_deref(), event["type"].as_str());
                    return Some((field("id: ").unwrap(), event));
                }
            }
            self.text += std::str::from_utf8(&self.answer.chunk().await.unwrap()?).unwrap();
        }
    }
}

#[actix_web::test]
async fn who_waits_is_answered_as_soon_as_there_is_something() {
    let app = TestApp::start().await;
    let (school, police, client) = (app.officer(SCHOOL).await, app.officer(POLICE).await, app.client(POLICE).await);
    let case = school.opens_case().await;
    app.sequence();
    let place = walked(&client, "", 50, None).await.1;
    let path = format!("/v1/events?wait=30&after={place}");
    let waiting = client.get(&path);
    let (answer, ()) = futures::join!(waiting, async {
        // What concerns others wakes nobody: it is answered by what is its own.
        school.put(&format!("{}/sections/plan", case.path), 0, &json!({ "text": "Plan." })).await.is(200);
        app.sequence();
        school.refers(&case, &police).await;
        app.sequence();
    });
    assert_eq!(answer.items().len(), 1);
    assert_eq!(answer.items()[0]["type"], "my.gov.lindung.referral.requested");
}

#[actix_web::test]
async fn who_waits_in_vain_is_told_so_at_the_end_or_when_the_service_stops() {
    let app = TestApp::start().await;
    let client = app.client(POLICE).await;
    assert_eq!(client.get("/v1/events?wait=1").await.items().len(), 0);
    let mut stream = Stream::open(&app, &client, None).await;
    let waiting = client.get("/v1/events?wait=30");
    let (answer, ended, ()) = futures::join!(waiting, stream.next(), async { app.stop_waiting() });
    assert_eq!((answer.items().len(), ended), (0, None));
}

#[actix_web::test]
async fn a_stream_tells_as_it_happens_and_goes_on_where_it_was_cut_off() {
    let app = TestApp::start().await;
    let (school, police, client) = (app.officer(SCHOOL).await, app.officer(POLICE).await, app.client(POLICE).await);
    let case = school.opens_case().await;
    school.refers(&case, &police).await;
    app.sequence();
    let mut stream = Stream::open(&app, &client, None).await;
    let (first, event) = stream.next().await.unwrap();
    let mut told = vec![event];
    for _ in 0..3 {
        school.refers(&case, &police).await;
        app.sequence();
        told.push(stream.next().await.unwrap().1);
    }
    assert_eq!(told, walked(&client, "", 50, None).await.0);
    drop(stream);
    school.refers(&case, &police).await;
    app.sequence();
    let mut again = Stream::open(&app, &client, Some(&first)).await;
    let mut rest = Vec::new();
    for _ in 0..4 {
        rest.push(again.next().await.unwrap().1);
    }
    assert_eq!(ids(&rest), ids(&walked(&client, "", 50, None).await.0[1..]));
    let reads =
        app.database.rows("select count from access_log where action = 'follow_feed' and count > 0 order by id");
    assert!(reads.len() >= 6, "each part that told something is an access: {reads:?}");

    app.wait(chrono::Duration::minutes(11));
    assert_eq!(again.next().await, None, "the token has expired");
}

#[actix_web::test]
async fn one_client_does_not_take_all_seats() {
    let app = TestApp::start().await;
    let client = app.client(POLICE).await;
    let mut open = Vec::new();
    for _ in 0..16 {
        open.push(Stream::open(&app, &client, None).await);
    }
    client.get("/v1/events?wait=30").await.is_problem(429, "too-many-requests");
    client.get("/v1/events").await.is(200);
    Stream::open(&app, &app.client(SCHOOL).await, None).await;
    let status =
        client.send("GET", "/v1/events", &[("accept", "text/event-stream"), ("last-event-id", "?")], None).await;
    status.is_problem(400, "malformed").about("Last-Event-ID", "cursor");
    drop(open);
}
