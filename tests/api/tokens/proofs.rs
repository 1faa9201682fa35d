//! Proofs of possession (RFC 9449): a token that is bound to a key is useless without it.

use chrono::Duration;
use lindung_client::{Reply, Speaker};
use lindung_persistence::Db;
use lindung_tests::{Session, TestApp};
use rstest::rstest;
use serde_json::{Value, json};

use super::{JWT_BEARER, Key, SCHOOL, Signer, ask_for_officer, jwt, payload, refusal};

mod downgrade;
mod once;

/// A key of one session, as a test can bend it.
struct Prover {
    key: Key,
    nonce: String,
}

impl Prover {
    async fn new(app: &TestApp, key: Key) -> Self {
        let mut prover = Prover { key, nonce: String::new() };
        let reply = prover.asks_for_token(app, |_, claims| claims["nonce"] = Value::Null).await;
        refusal(&reply, 400, "use_dpop_nonce");
        prover.nonce = reply.header("dpop-nonce").unwrap().to_owned();
        prover
    }

    fn header(&self) -> Value {
        let mut jwk = self.key.jwk("");
        jwk.as_object_mut().unwrap().remove("kid");
        json!({ "typ": "dpop+jwt", "alg": self.key.algorithm(), "jwk": jwk })
    }

    fn claims(&self, app: &TestApp, method: &str, path: &str) -> Value {
        json!({
            "htm": method, "htu": format!("{}{path}", app.api.issuer()), "iat": app.now().timestamp(),
            "jti": Db::new_id().to_string(), "nonce": self.nonce,
        })
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        jwt(header, claims, |it| self.key.sign(it))
    }

    /// Asks for an officer's token with a proof that is good but for a change.
    async fn asks_for_token(&self, app: &TestApp, change: impl FnOnce(&mut Value, &mut Value)) -> Reply {
        let (mut header, mut claims) = (self.header(), self.claims(app, "POST", "/oauth2/token"));
        change(&mut header, &mut claims);
        let signer = Signer::new(app);
        let assertion = signer.signed(&signer.officer(app));
        let form = [("grant_type", JWT_BEARER), ("assertion", assertion.as_str())];
        app.api.ask_for_bound_token(&form, &self.sign(&header, &claims)).await.unwrap()
    }

    async fn token(&self, app: &TestApp) -> String {
        let reply = self.asks_for_token(app, |_, _| {}).await;
        assert_eq!((reply.status, reply.body["token_type"].as_str()), (200, Some("DPoP")), "{}", reply.body);
        reply.body["access_token"].as_str().unwrap().to_owned()
    }

    /// A proof for a request with a token that is good but for a change.
    fn proof(&self, app: &TestApp, token: &str, change: impl FnOnce(&mut Value, &mut Value)) -> String {
        let (mut header, mut claims) = (self.header(), self.claims(app, "GET", PATH));
        claims["ath"] = ath(token).into();
        change(&mut header, &mut claims);
        self.sign(&header, &claims)
    }
}

const PATH: &str = "/v1/code-lists";

fn ath(token: &str) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes()))
}

/// Asks with a token as DPoP and these proofs.
async fn asks(app: &TestApp, path: &str, token: &str, proofs: &[&str]) -> Reply {
    let authorization = format!("DPoP {token}");
    let mut headers = vec![("authorization", authorization.as_str())];
    headers.extend(proofs.iter().map(|it| ("dpop", *it)));
    app.raw("GET", path, &headers, None).await
}

/// It is 401 for the reason that `WWW-Authenticate` gives.
#[track_caller]
fn is_refused(reply: &Reply, error: &str) {
    assert_eq!((reply.status, reply.problem()), (401, Some("unauthenticated")), "{}", reply.body);
    let challenge = format!("DPoP error=\"{error}\", algs=\"EdDSA ES256 PS256\"");
    assert_eq!(reply.header("www-authenticate"), Some(challenge.as_str()), "{}", reply.body);
}

async fn officer(app: &TestApp) -> Session {
    let speaker = Speaker::officer(SCHOOL, "guru.aida", "Aida", &["officer"], Some("education-safeguarding"));
    app.speak_bound(&speaker).await
}

#[rstest]
#[case::ed25519(Key::ed())]
#[case::p256(Key::ec())]
#[case::rsa(Key::rsa())]
#[actix_web::test]
async fn a_bound_token_is_good_with_a_proof_of_its_key(#[case] key: Key) {
    let app = TestApp::start().await;
    let prover = Prover::new(&app, key).await;
    let token = prover.token(&app).await;
    assert_eq!(payload(&token)["cnf"]["jkt"].as_str().unwrap().len(), 43);
    for path in [PATH, "/v1/code-lists?x=1"] {
        let proof = prover.proof(&app, &token, |_, _| {});
        let reply = asks(&app, path, &token, &[&proof]).await;
        assert_eq!(reply.status, if path == PATH { 200 } else { 400 }, "a query is no part of htu: {}", reply.body);
        assert_eq!(reply.header("dpop-nonce"), None, "the nonce is the newest");
    }
    let proof = prover.proof(&app, &token, |_, claims| claims["htm"] = "HEAD".into());
    let authorization = format!("DPoP {token}");
    let headers = [("authorization", authorization.as_str()), ("dpop", proof.as_str())];
    assert_eq!(app.raw("HEAD", PATH, &headers, None).await.status, 200);
}

#[actix_web::test]
async fn a_session_with_a_key_works_like_any_other() {
    let app = TestApp::start_requiring_proofs().await;
    let (school, police) = (app.officer(SCHOOL).await, app.officer("KDN.PDRM.D11").await);
    let case = school.opens_case().await;
    let referral = school.refers(&case, &police).await;
    police.does(&referral, "accept", json!({})).await;
    police.get(&case.path).await.is(200);
    school.get("/v1/cases?limit=1").await.is(200);
    // Its nonce grows old, and then too old: it is told in time, or asks again by itself.
    for seconds in [60, 60, 600 - 130] {
        app.wait(Duration::seconds(seconds));
        police.get(&case.path).await.is(200);
    }
}

#[rstest]
#[case::a_jwt(|header: &mut Value, _: &mut Value| header["typ"] = json!("JWT"))]
#[case::no_type(|header: &mut Value, _: &mut Value| header["typ"] = Value::Null)]
#[case::no_algorithm(|header: &mut Value, _: &mut Value| header["alg"] = json!("none"))]
#[case::a_shared_secret(|header: &mut Value, _: &mut Value| header["alg"] = json!("HS256"))]
#[case::another_algorithm(|header: &mut Value, _: &mut Value| header["alg"] = json!("ES256"))]
#[case::no_key(|header: &mut Value, _: &mut Value| header["jwk"] = Value::Null)]
#[case::another_key(|header: &mut Value, _: &mut Value| header["jwk"] = Key::ed().jwk("x"))]
#[case::a_private_key(|header: &mut Value, _: &mut Value| header["jwk"]["d"] = json!("AAAA"))]
#[case::keys_from_a_url(|header: &mut Value, _: &mut Value| header["jku"] = json!("https://evil.example/jwks.json"))]
#[case::an_extension(|header: &mut Value, _: &mut Value| header["crit"] = json!(["iat"]))]
#[case::another_method(|_: &mut Value, claims: &mut Value| claims["htm"] = json!("DELETE"))]
#[case::a_method_in_small_letters(|_: &mut Value, claims: &mut Value| { let it = claims["htm"].as_str().unwrap().to_lowercase(); claims["htm"] = json!(it) })]
#[case::another_url(|_: &mut Value, claims: &mut Value| claims["htu"] = json!("https://elsewhere.example/v1/code-lists"))]
#[case::another_path(|_: &mut Value, claims: &mut Value| { let it = format!("{}/x", claims["htu"].as_str().unwrap()); claims["htu"] = json!(it) })]
#[case::no_url(|_: &mut Value, claims: &mut Value| claims["htu"] = Value::Null)]
#[case::made_in_the_future(|_: &mut Value, claims: &mut Value| { let it = claims["iat"].as_i64().unwrap(); claims["iat"] = json!(it + 31) })]
#[case::made_long_ago(|_: &mut Value, claims: &mut Value| { let it = claims["iat"].as_i64().unwrap(); claims["iat"] = json!(it - 301) })]
#[case::made_at_no_time(|_: &mut Value, claims: &mut Value| claims["iat"] = Value::Null)]
#[case::no_id(|_: &mut Value, claims: &mut Value| claims["jti"] = Value::Null)]
#[case::an_empty_id(|_: &mut Value, claims: &mut Value| claims["jti"] = json!(""))]
#[case::too_long_an_id(|_: &mut Value, claims: &mut Value| claims["jti"] = json!("x".repeat(129)))]
#[case::an_id_that_cannot_be_kept(|_: &mut Value, claims: &mut Value| claims["jti"] = json!("a\0b"))]
#[case::of_another_token(|_: &mut Value, claims: &mut Value| claims["ath"] = json!(ath("another")))]
#[case::too_long(|_: &mut Value, claims: &mut Value| claims["more"] = json!("x".repeat(8192)))]
#[actix_web::test]
async fn a_proof_with_something_else_is_not_good(#[case] change: fn(&mut Value, &mut Value)) {
    let app = TestApp::start().await;
    let prover = Prover::new(&app, Key::ed()).await;
    let token = prover.token(&app).await;
    is_refused(&asks(&app, PATH, &token, &[&prover.proof(&app, &token, change)]).await, "invalid_dpop_proof");
    assert_eq!(
        app.database.rows("select outcome, officer from access_log"),
        [json!({ "outcome": "unauthenticated", "officer": null })]
    );
    refusal(&prover.asks_for_token(&app, change).await, 400, "invalid_dpop_proof");
    assert_eq!(app.database.count("spent_proofs"), 1, "only the one that got the token");
}

#[actix_web::test]
async fn a_request_has_one_proof_by_the_tokens_key_and_of_this_token() {
    let app = TestApp::start().await;
    let (prover, thief) = (Prover::new(&app, Key::ed()).await, Prover::new(&app, Key::ed()).await);
    let (token, other) = (prover.token(&app).await, prover.token(&app).await);
    let proof = |it: &Prover, token: &str| it.proof(&app, token, |_, _| {});
    is_refused(&asks(&app, PATH, &token, &[]).await, "invalid_dpop_proof");
    is_refused(&asks(&app, PATH, &token, &["not.a.jwt"]).await, "invalid_dpop_proof");
    is_refused(&asks(&app, PATH, &token, &[&proof(&thief, &token)]).await, "invalid_dpop_proof");
    is_refused(&asks(&app, PATH, &token, &[&proof(&prover, &other)]).await, "invalid_dpop_proof");
    let (one, two) = (proof(&prover, &token), proof(&prover, &token));
    is_refused(&asks(&app, PATH, &token, &[&one, &two]).await, "invalid_dpop_proof");
    // Of a proof for the token endpoint nothing is gained.
    let unshown = prover.proof(&app, &token, |_, claims| claims["ath"] = Value::Null);
    is_refused(&asks(&app, PATH, &token, &[&unshown]).await, "invalid_dpop_proof");
    assert_eq!(asks(&app, PATH, &token, &[&one]).await.status, 200, "none of them was spent");
}

#[actix_web::test]
async fn a_nonce_is_good_for_two_minutes_and_is_renewed_in_time() {
    let app = TestApp::start().await;
    let mut prover = Prover::new(&app, Key::ed()).await;
    let token = prover.token(&app).await;
    let ask = async |prover: &Prover| asks(&app, PATH, &token, &[&prover.proof(&app, &token, |_, _| {})]).await;
    app.wait(Duration::seconds(60));
    let aging = ask(&prover).await;
    assert_eq!(aging.status, 200);
    let newer = aging.header("dpop-nonce").expect("a newer nonce").to_owned();
    assert_ne!(newer, prover.nonce);

    app.wait(Duration::seconds(60));
    let old = ask(&prover).await;
    is_refused(&old, "use_dpop_nonce");
    let newest = old.header("dpop-nonce").unwrap().to_owned();
    refusal(&prover.asks_for_token(&app, |_, _| {}).await, 400, "use_dpop_nonce");
    prover.nonce = newer;
    assert_eq!(ask(&prover).await.status, 200);
    prover.nonce = newest;
    let fresh = ask(&prover).await;
    assert_eq!((fresh.status, fresh.header("dpop-nonce")), (200, None));
    prover.nonce = "of-our-own-making".to_owned();
    is_refused(&ask(&prover).await, "use_dpop_nonce");
}

/// Every server with the key takes the nonces of the others: nothing is kept.
#[actix_web::test]
async fn a_nonce_of_one_server_is_good_at_another() {
    let (one, other) = (TestApp::start().await, TestApp::start().await);
    let (prover, mut guest) = (Prover::new(&one, Key::ed()).await, Prover::new(&other, Key::ed()).await);
    guest.nonce = prover.nonce;
    guest.token(&other).await;
}
