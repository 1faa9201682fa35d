//! Access tokens: what the API takes for one. Whatever it does not take is answered 401 and logged.

use chrono::Duration;
use lindung_client::Reply;
use lindung_tests::TestApp;
use rstest::rstest;
use serde_json::{Value, json};

use super::{Key, SCHOOL, Signer, ask_alone, ask_for_officer, header, hs256, jwt, payload, refusal};

const PATH: &str = "/v1/code-lists";

/// Asks with these values of `Authorization`.
async fn asks(app: &TestApp, authorization: &[&str]) -> Reply {
    let headers: Vec<(&str, &str)> = authorization.iter().map(|it| ("authorization", *it)).collect();
    app.raw("GET", PATH, &headers, None).await
}

/// It is 401, says how to do better, and stands in the log as coming from nobody known.
#[track_caller]
fn is_unauthenticated(app: &TestApp, reply: &Reply) {
    assert_eq!((reply.status, reply.problem()), (401, Some("unauthenticated")), "{}", reply.body);
    assert!(reply.header("www-authenticate").unwrap().starts_with("Bearer"));
    let last = "select client_id, agency, officer, action, outcome from access_log order by xid desc, id desc limit 1";
    let nobody = json!({
        "client_id": null, "agency": null, "officer": null, "action": "list_code_lists", "outcome": "unauthenticated",
    });
    assert_eq!(app.database.rows(last), [nobody]);
}

/// A token as the service would issue it, but for a change.
async fn forged(app: &TestApp, change: impl FnOnce(&mut Value, &mut Value, i64)) -> String {
    let good = app.officer(SCHOOL).await.token;
    let (mut header, mut claims) = (header(&good), payload(&good));
    change(&mut header, &mut claims, app.now().timestamp());
    let key = Key::of_service(app);
    jwt(&header, &claims, |it| key.sign(it))
}

/// The `Authorization` of an officer's token that is good for another service.
pub async fn forged_for_another_audience(app: &TestApp) -> String {
    format!("Bearer {}", forged(app, |_, claims, _| claims["aud"] = json!("https://elsewhere.example/v1")).await)
}

#[actix_web::test]
async fn a_token_signed_by_the_services_key_is_good() {
    let app = TestApp::start().await;
    let token = forged(&app, |_, _, _| {}).await;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        assert_eq!(asks(&app, &[&format!("{scheme} {token}")]).await.status, 200);
    }
}

#[rstest]
#[case::another_issuer("iss", json!("https://elsewhere.example"))]
#[case::another_audience("aud", json!("https://elsewhere.example/v1"))]
#[case::no_audience("aud", Value::Null)]
#[case::several_audiences("aud", json!(["https://elsewhere.example/v1"]))]
#[case::no_subject("sub", Value::Null)]
#[case::no_expiry("exp", Value::Null)]
#[case::no_client("client_id", Value::Null)]
#[case::a_client_that_is_none("client_id", json!("KPM'"))]
#[case::no_agency("agency", Value::Null)]
#[case::a_role_that_does_not_exist("roles", json!(["minister"]))]
#[case::a_coordinator_elsewhere("roles", json!(["coordinator"]))]
#[case::a_purpose_of_another_role("purpose", json!("audit"))]
#[case::an_officer_id_that_is_none("sub", json!("guru aida"))]
#[actix_web::test]
async fn a_token_with_another_claim_is_not_good(#[case] claim: &str, #[case] value: Value) {
    let app = TestApp::start().await;
    let token = forged(&app, |_, claims, _| claims[claim] = value).await;
    is_unauthenticated(&app, &asks(&app, &[&format!("Bearer {token}")]).await);
}

#[rstest]
#[case::made_in_the_future(|it: &mut Value, now: i64| { it["iat"] = json!(now + 31); it["exp"] = json!(now + 600) })]
#[case::expired_now(|it: &mut Value, now: i64| it["exp"] = json!(now))]
#[actix_web::test]
async fn a_token_is_good_at_its_time(#[case] change: fn(&mut Value, i64)) {
    let app = TestApp::start().await;
    let token = forged(&app, |_, claims, now| change(claims, now)).await;
    is_unauthenticated(&app, &asks(&app, &[&format!("Bearer {token}")]).await);
}

#[rstest]
#[case::a_jwt("typ", json!("JWT"))]
#[case::no_type("typ", Value::Null)]
#[case::no_algorithm("alg", json!("none"))]
#[case::a_shared_secret("alg", json!("HS256"))]
#[case::another_algorithm("alg", json!("ES256"))]
#[case::an_unknown_key("kid", json!("no-such-key"))]
#[case::no_key_named("kid", Value::Null)]
#[case::keys_from_a_url("jku", json!("https://evil.example/jwks.json"))]
#[case::a_certificate_from_a_url("x5u", json!("https://evil.example/cert.pem"))]
#[case::a_certificate("x5c", json!(["MIIB"]))]
#[case::an_extension("crit", json!(["exp"]))]
#[actix_web::test]
async fn a_token_with_another_header_is_not_good(#[case] name: &str, #[case] value: Value) {
    let app = TestApp::start().await;
    let token = forged(&app, |header, _, _| header[name] = value).await;
    is_unauthenticated(&app, &asks(&app, &[&format!("Bearer {token}")]).await);
}

#[actix_web::test]
async fn only_the_services_own_key_makes_tokens() {
    let app = TestApp::start().await;
    let (good, thief, service) = (app.officer(SCHOOL).await.token, Key::ed(), Key::of_service(&app));
    let (mut header, claims) = (header(&good), payload(&good));
    let asks = async |token: String| is_unauthenticated(&app, &asks(&app, &[&format!("Bearer {token}")]).await);

    asks(jwt(&header, &claims, |it| thief.sign(it))).await;
    let mut unsigned = good.clone();
    unsigned.truncate(unsigned.rfind('.').unwrap() + 1);
    asks(unsigned).await;
    let mut shared = header.clone();
    shared["alg"] = json!("HS256");
    asks(jwt(&shared, &claims, hs256(&service.public()))).await;
    header["jwk"] = thief.jwk(header["kid"].as_str().unwrap());
    asks(jwt(&header, &claims, |it| thief.sign(it))).await;
    header["jwk"] = service.jwk(header["kid"].as_str().unwrap());
    asks(jwt(&header, &claims, |it| service.sign(it))).await;
}

#[actix_web::test]
async fn a_token_of_another_service_is_not_good() {
    let (app, other) = (TestApp::start().await, TestApp::start().await);
    let token = other.officer(SCHOOL).await.token;
    is_unauthenticated(&app, &asks(&app, &[&format!("Bearer {token}")]).await);
}

#[actix_web::test]
async fn a_token_lasts_ten_minutes() {
    let app = TestApp::start().await;
    let authorization = format!("Bearer {}", app.officer(SCHOOL).await.token);
    app.wait(Duration::seconds(599));
    assert_eq!(asks(&app, &[&authorization]).await.status, 200);
    app.wait(Duration::seconds(1));
    is_unauthenticated(&app, &asks(&app, &[&authorization]).await);
}

#[actix_web::test]
async fn an_assertion_is_no_access_token_nor_the_other_way_round() {
    let app = TestApp::start().await;
    let signer = Signer::new(&app);
    for claims in [signer.claims(&app), signer.officer(&app)] {
        let assertion = signer.signed(&claims);
        is_unauthenticated(&app, &asks(&app, &[&format!("Bearer {assertion}")]).await);
    }
    let token = app.officer(SCHOOL).await.token;
    refusal(&ask_alone(&app, &token).await, 401, "invalid_client");
    refusal(&ask_for_officer(&app, &token).await, 400, "invalid_grant");
}

#[actix_web::test]
async fn one_authorization_header_with_a_bearer_token_is_needed() {
    let app = TestApp::start().await;
    let token = app.officer(SCHOOL).await.token;
    let good = format!("Bearer {token}");
    let long = format!("Bearer {}", "a".repeat(5000));
    for wrong in [
        &[][..],
        &[""],
        &["Bearer"],
        &["Bearer "],
        &["Basic a3BtOmtwbQ=="],
        &[token.as_str()],
        &[&format!("DPoP {token}")],
        &[&format!("Bearer {token} {token}")],
        &[&format!("Bearer {token}a")],
        &["Bearer a.b.c"],
        &[&long],
        &[&good, &good],
        &[&good, "Basic a3BtOmtwbQ=="],
    ] {
        is_unauthenticated(&app, &asks(&app, wrong).await);
    }
    let reply = app.raw("GET", &format!("{PATH}?access_token={token}"), &[], None).await;
    is_unauthenticated(&app, &reply);
}
