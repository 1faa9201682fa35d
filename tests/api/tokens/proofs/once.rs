//! A proof is good once, whatever became of its request, and is remembered for as long as it could be
//! shown again.

use futures::future::join_all;
use lindung_tests::case_body;

use super::*;

/// An officer who opened a case, as a thief sees their requests.
struct Overheard {
    app: TestApp,
    prover: Prover,
    token: String,
    case: String,
}

impl Overheard {
    async fn new() -> Self {
        let app = TestApp::start().await;
        let prover = Prover::new(&app, Key::ed()).await;
        let token = prover.token(&app).await;
        let case = app.officer(SCHOOL).await.opens_case().await.path;
        Overheard { app, prover, token, case }
    }

    fn proof(&self, method: &str, path: &str) -> String {
        let url = format!("{}{path}", self.app.api.issuer());
        self.prover.proof(&self.app, &self.token, |_, claims| {
            claims["htm"] = method.into();
            claims["htu"] = url.into();
        })
    }

    async fn sends(&self, method: &str, path: &str, proof: &str, body: Option<&Value>) -> Reply {
        let authorization = format!("DPoP {}", self.token);
        let headers = [
            ("authorization", authorization.as_str()),
            ("dpop", proof),
            ("if-match", "\"1\""),
            ("idempotency-key", "one"),
        ];
        self.app.raw(method, path, &headers, body).await
    }

    fn last_outcome(&self) -> Value {
        let last = "select action, outcome, officer from access_log order by xid desc, id desc limit 1";
        self.app.database.rows(last).remove(0)
    }
}

#[rstest]
#[case::a_read("GET", "CASE", None, 200, "get_case")]
#[case::a_list("GET", "/v1/cases", None, 200, "list_cases")]
#[case::what_everybody_may_read("GET", "/v1/code-lists", None, 200, "list_code_lists")]
#[case::nothing_there("GET", "/v1/cases/0193b5f4-7a00-7c3e-9d55-0d8f6c2b1a01", None, 404, "get_case")]
#[case::not_theirs("GET", "/v1/access-log", None, 403, "read_access_log")]
#[case::a_creation("POST", "/v1/cases", Some(case_body()), 201, "create_case")]
#[case::a_change("PUT", "CASE", Some(json!({ "priority": "routine", "offences": [], "grounds": [], "techniques": [] })), 200, "amend_case")]
#[case::a_section("PUT", "CASE/sections/summary", Some(json!({ "text": "Another." })), 200, "put_section")]
#[case::what_cannot_be_read("PUT", "CASE", Some(json!({ "x": 1 })), 400, "amend_case")]
#[actix_web::test]
async fn a_request_sent_again_is_refused_and_does_nothing(
    #[case] method: &str,
    #[case] path: &str,
    #[case] body: Option<Value>,
    #[case] status: u16,
    #[case] action: &str,
) {
    let heard = Overheard::new().await;
    let path = path.replace("CASE", &heard.case);
    let proof = heard.proof(method, &path);
    let first = heard.sends(method, &path, &proof, body.as_ref()).await;
    assert_eq!(first.status, status, "{}", first.body);
    let tables = ["events", "cases", "sections", "idempotency_keys"];
    let size = || tables.map(|it| heard.app.database.count(it));
    let before = (size(), heard.app.database.count("spent_proofs"));
    for _ in 0..2 {
        is_refused(&heard.sends(method, &path, &proof, body.as_ref()).await, "invalid_dpop_proof");
        assert_eq!(
            heard.last_outcome(),
            json!({ "action": action, "outcome": "unauthenticated", "officer": "guru.aida" })
        );
    }
    assert_eq!((size(), heard.app.database.count("spent_proofs")), before);
}

#[actix_web::test]
async fn of_many_at_once_one_is_answered() {
    let heard = Overheard::new().await;
    let proof = heard.proof("GET", &heard.case);
    let replies = join_all((0..8).map(|_| heard.sends("GET", &heard.case, &proof, None))).await;
    let mut statuses: Vec<u16> = replies.iter().map(|it| it.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401, 401, 401, 401, 401, 401, 401]);
}

#[actix_web::test]
async fn a_proof_gets_one_token() {
    let app = TestApp::start().await;
    let prover = Prover::new(&app, Key::ed()).await;
    let same = |_: &mut Value, claims: &mut Value| claims["jti"] = json!("the-same");
    assert_eq!(prover.asks_for_token(&app, same).await.status, 200);
    refusal(&prover.asks_for_token(&app, same).await, 400, "invalid_dpop_proof");
    let other = Prover::new(&app, Key::ed()).await;
    assert_eq!(other.asks_for_token(&app, same).await.status, 200, "another key has ids of its own");
}

/// The client asks for a nonce with the assertion that it then gets its token by.
#[actix_web::test]
async fn an_assertion_is_not_spent_by_asking_for_a_nonce() {
    let app = TestApp::start().await;
    let prover = Prover::new(&app, Key::ed()).await;
    let signer = Signer::new(&app);
    let assertion = signer.signed(&signer.officer(&app));
    let form = [("grant_type", JWT_BEARER), ("assertion", assertion.as_str())];
    let mut claims = prover.claims(&app, "POST", "/oauth2/token");
    claims["nonce"] = json!("none");
    let proof = prover.sign(&prover.header(), &claims);
    refusal(&app.api.ask_for_bound_token(&form, &proof).await.unwrap(), 400, "use_dpop_nonce");
    claims["nonce"] = json!(prover.nonce);
    let proof = prover.sign(&prover.header(), &claims);
    assert_eq!(app.api.ask_for_bound_token(&form, &proof).await.unwrap().status, 200);
}

/// A proof is remembered while it could be shown again, then forgotten with all of its time.
#[actix_web::test]
async fn spent_proofs_are_forgotten_only_when_their_time_is_over() {
    let app = TestApp::start().await;
    let (session, db) = (officer(&app).await, app.database.db());
    session.get(PATH).await.is(200);
    let count = || app.database.count("spent_proofs");
    let (spent, mut minutes) = (count(), 0);
    assert_eq!(spent, 2, "one for the token, one for the request");
    while count() == spent {
        minutes += 1;
        app.wait(Duration::minutes(1));
        db.forget_expired(app.now()).unwrap();
        assert!(minutes < 60, "never forgotten");
    }
    assert!(minutes >= 10, "forgotten after {minutes} minutes");
    assert_eq!(count(), 0);
}

/// However late or early a server comes to empty a slot, what is newer than it thinks stays.
#[actix_web::test]
async fn a_slot_that_is_in_use_is_never_emptied() {
    let app = TestApp::start().await;
    officer(&app).await.get(PATH).await.is(200);
    let (spent, db) = (app.database.count("spent_proofs"), app.database.db());
    for minutes in -70..10 {
        db.forget_expired(app.now() + Duration::minutes(minutes)).unwrap();
    }
    assert_eq!(app.database.count("spent_proofs"), spent);
}

/// The service was down for a whole round: what it finds in its slot is of another time.
#[actix_web::test]
async fn what_an_earlier_round_left_behind_stands_in_nobodys_way() {
    let app = TestApp::start().await;
    let prover = Prover::new(&app, Key::ed()).await;
    let same = |_: &mut Value, claims: &mut Value| claims["jti"] = json!("the-same");
    assert_eq!(prover.asks_for_token(&app, same).await.status, 200);
    app.wait(Duration::minutes(30));
    let prover = Prover { key: prover.key, nonce: Prover::new(&app, Key::ed()).await.nonce };
    assert_eq!(prover.asks_for_token(&app, same).await.status, 200);
    assert_eq!(
        app.database.rows("select count(distinct slot) as slots, count(*) as n from spent_proofs"),
        [json!({ "slots": 1, "n": 2 })]
    );
    refusal(&prover.asks_for_token(&app, same).await, 400, "invalid_dpop_proof");
}
