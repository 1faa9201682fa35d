//! Assertions: every claim and header that is looked at, in both grants, and that one is good once.

use lindung_tests::TestApp;
use rstest::rstest;
use serde_json::{Value, json};

use super::{Key, Signer, ask_alone, ask_for_officer, hs256, jwt, refusal, token};

/// Both grants refuse an assertion with these changes to its header and claims; gives what they say.
async fn refused(change: impl Fn(&mut Value, &mut Value, i64)) -> String {
    let app = TestApp::start().await;
    let signer = Signer::new(&app);
    let changed = |mut claims: Value| {
        let mut header = signer.header();
        change(&mut header, &mut claims, app.now().timestamp());
        signer.sign(&header, &claims)
    };
    let alone = refusal(&ask_alone(&app, &changed(signer.claims(&app))).await, 401, "invalid_client");
    let officer = refusal(&ask_for_officer(&app, &changed(signer.officer(&app))).await, 400, "invalid_grant");
    assert_eq!(alone, officer);
    assert_eq!(app.database.count("spent_assertions"), 0, "a bad assertion spends nothing");
    alone
}

#[rstest]
#[case::another_audience("aud is the issuer", |it: &mut Value, _| it["aud"] = json!("https://elsewhere.example"))]
#[case::the_token_endpoint_as_audience("aud is the issuer", |it: &mut Value, _| {
    it["aud"] = json!(format!("{}/oauth2/token", it["aud"].as_str().unwrap()));
})]
#[case::several_audiences("missing or not of its type", |it: &mut Value, _| it["aud"] = json!([it["aud"]]))]
#[case::no_audience("missing or not of its type", |it: &mut Value, _| { it.as_object_mut().unwrap().remove("aud"); })]
#[case::expired("has expired", |it: &mut Value, now: i64| { it["iat"] = json!(now - 200); it["exp"] = json!(now); })]
#[case::no_expiry("missing or not of its type", |it: &mut Value, _| { it.as_object_mut().unwrap().remove("exp"); })]
#[case::too_long_a_life("at most 300 seconds", |it: &mut Value, now: i64| it["exp"] = json!(now + 301))]
#[case::the_longest_life("at most 300 seconds", |it: &mut Value, _| { it["iat"] = json!(i64::MIN); it["exp"] = json!(i64::MAX); })]
#[case::made_in_the_future("iat lies in the future", |it: &mut Value, now: i64| it["iat"] = json!(now + 31))]
#[case::no_time_of_making("missing or not of its type", |it: &mut Value, _| { it.as_object_mut().unwrap().remove("iat"); })]
#[case::expired_when_made("exp is after iat", |it: &mut Value, now: i64| { it["iat"] = json!(now + 20); it["exp"] = json!(now + 20); })]
#[case::not_good_yet("not good yet", |it: &mut Value, now: i64| it["nbf"] = json!(now + 31))]
#[case::no_jti("missing or not of its type", |it: &mut Value, _| { it.as_object_mut().unwrap().remove("jti"); })]
#[case::an_empty_jti("jti has 1 to 128", |it: &mut Value, _| it["jti"] = json!(""))]
#[case::too_long_a_jti("jti has 1 to 128", |it: &mut Value, _| it["jti"] = json!("j".repeat(129)))]
#[case::a_nul_in_jti("jti has 1 to 128", |it: &mut Value, _| it["jti"] = json!("a\0b"))]
#[case::no_issuer("missing or not of its type", |it: &mut Value, _| { it.as_object_mut().unwrap().remove("iss"); })]
#[case::no_subject("missing or not of its type", |it: &mut Value, _| { it.as_object_mut().unwrap().remove("sub"); })]
#[case::an_unknown_client("not signed by a registered key", |it: &mut Value, _| it["iss"] = json!("no-such-system"))]
#[case::no_client_id_at_all("not signed by a registered key", |it: &mut Value, _| it["iss"] = json!("No such'system"))]
#[case::another_client("not signed by a registered key", |it: &mut Value, _| it["iss"] = json!("kdn-system"))]
#[actix_web::test]
async fn a_claim_that_breaks_a_rule_is_refused(#[case] why: &str, #[case] change: fn(&mut Value, i64)) {
    let said = refused(|_, claims, now| change(claims, now)).await;
    assert!(said.contains(why), "{said}");
}

#[rstest]
#[case::an_access_tokens_type("typ of an assertion", "typ", json!("at+jwt"))]
#[case::another_type("typ of an assertion", "typ", json!("dpop+jwt"))]
#[case::no_algorithm("no JWT that we take", "alg", json!("none"))]
#[case::no_algorithm_in_capitals("no JWT that we take", "alg", json!("NONE"))]
#[case::a_shared_secret("not signed by a registered key", "alg", json!("HS256"))]
#[case::rsa_without_pss("not signed by a registered key", "alg", json!("RS256"))]
#[case::another_curve("not signed by a registered key", "alg", json!("ES256"))]
#[case::an_unknown_algorithm("no JWT that we take", "alg", json!("XX999"))]
#[case::an_unknown_key("not signed by a registered key", "kid", json!("no-such-key"))]
#[case::keys_from_a_url("brings no key", "jku", json!("https://evil.example/jwks.json"))]
#[case::a_certificate_from_a_url("brings no key", "x5u", json!("https://evil.example/cert.pem"))]
#[case::a_certificate("brings no key", "x5c", json!(["MIIB"]))]
#[case::an_extension("brings no key", "crit", json!(["exp"]))]
#[actix_web::test]
async fn a_header_that_breaks_a_rule_is_refused(#[case] why: &str, #[case] name: &str, #[case] value: Value) {
    let said = refused(|header, _, _| header[name] = value.clone()).await;
    assert!(said.contains(why), "{said}");
}

#[actix_web::test]
async fn a_key_that_comes_with_the_assertion_is_not_trusted() {
    let app = TestApp::start().await;
    let (signer, thief) = (Signer::new(&app), Key::ed());
    let mut header = signer.header();
    header["jwk"] = thief.jwk(signer.kid);
    let said = refusal(
        &ask_alone(&app, &jwt(&header, &signer.claims(&app), |it| thief.sign(it))).await,
        401,
        "invalid_client",
    );
    assert!(said.contains("brings no key"), "{said}");
}

#[actix_web::test]
async fn only_the_registered_key_proves_the_client() {
    let app = TestApp::start().await;
    let (signer, thief) = (Signer::new(&app), Key::ed());
    let forged = |header: &Value| jwt(header, &signer.claims(&app), |it| thief.sign(it));
    refusal(&ask_alone(&app, &forged(&signer.header())).await, 401, "invalid_client");
    let mut without_kid = signer.header();
    without_kid.as_object_mut().unwrap().remove("kid");
    refusal(&ask_alone(&app, &forged(&without_kid)).await, 401, "invalid_client");

    let mut unsigned = signer.signed(&signer.claims(&app));
    unsigned.truncate(unsigned.rfind('.').unwrap() + 1);
    refusal(&ask_alone(&app, &unsigned).await, 401, "invalid_client");
    for text in ["", "a", "a.b.c", "..", "é.é.é", &"a".repeat(9000)] {
        refusal(&ask_alone(&app, text).await, 401, "invalid_client");
        refusal(&ask_for_officer(&app, text).await, 400, "invalid_grant");
    }
}

/// The public key is no secret: who signs HS256 with it proves nothing.
#[rstest]
#[case(Key::ed())]
#[case(Key::ec())]
#[case(Key::rsa())]
#[actix_web::test]
async fn the_public_key_is_no_shared_secret(#[case] key: Key) {
    let app = TestApp::start().await;
    let signer = Signer::with(&app, key);
    let header = json!({ "alg": "HS256", "typ": "JWT", "kid": signer.kid });
    let jwk = signer.key.jwk(signer.kid).to_string();
    for secret in [signer.key.public(), jwk.into_bytes()] {
        let forged = jwt(&header, &signer.claims(&app), hs256(&secret));
        refusal(&ask_alone(&app, &forged).await, 401, "invalid_client");
    }
}

#[actix_web::test]
async fn an_assertion_is_good_once() {
    let app = TestApp::start().await;
    let signer = Signer::new(&app);
    let alone = signer.signed(&signer.claims(&app));
    token(&ask_alone(&app, &alone).await);
    let said = refusal(&ask_alone(&app, &alone).await, 401, "invalid_client");
    assert!(said.contains("jti was used before"), "{said}");

    let officer = signer.signed(&signer.officer(&app));
    token(&ask_for_officer(&app, &officer).await);
    refusal(&ask_for_officer(&app, &officer).await, 400, "invalid_grant");

    // Also in the other grant, and where the first was refused for another reason.
    let mut again = signer.officer(&app);
    again["jti"] = super::payload(&alone)["jti"].clone();
    refusal(&ask_for_officer(&app, &signer.signed(&again)).await, 400, "invalid_grant");
    let mut emergency = signer.officer(&app);
    emergency["purpose"] = json!("emergency");
    refusal(&ask_for_officer(&app, &signer.signed(&emergency)).await, 400, "invalid_grant");
    emergency["purpose"] = json!("education-safeguarding");
    let said = refusal(&ask_for_officer(&app, &signer.signed(&emergency)).await, 400, "invalid_grant");
    assert!(said.contains("jti was used before"), "{said}");
}

#[actix_web::test]
async fn a_spent_assertion_is_remembered_until_it_has_expired() {
    let app = TestApp::start().await;
    let signer = Signer::new(&app);
    let mut early = signer.claims(&app);
    (early["iat"], early["exp"]) = (json!(app.now().timestamp() + 30), json!(app.now().timestamp() + 330));
    let early = signer.signed(&early);
    token(&ask_alone(&app, &early).await);
    app.wait(chrono::Duration::seconds(329));
    app.database.db().forget_expired(app.now()).unwrap();
    let said = refusal(&ask_alone(&app, &early).await, 401, "invalid_client");
    assert!(said.contains("jti was used before"), "{said}");
    app.wait(chrono::Duration::seconds(2));
    app.database.db().forget_expired(app.now()).unwrap();
    assert_eq!(app.database.count("spent_assertions"), 0);
    let said = refusal(&ask_alone(&app, &early).await, 401, "invalid_client");
    assert!(said.contains("has expired"), "{said}");
}

#[actix_web::test]
async fn two_clients_may_use_the_same_jti() {
    let app = TestApp::start().await;
    let signer = Signer::new(&app);
    let claims = signer.claims(&app);
    token(&ask_alone(&app, &signer.signed(&claims)).await);
    app.database.execute(
        "insert into clients select 'other-system', agency, units, roles, name, active, created_at from clients \
         where id = 'test-system'; \
         insert into client_keys select 'other-system', kid, jwk, created_at from client_keys where client_id = 'test-system'",
    );
    let mut other = claims;
    (other["iss"], other["sub"]) = (json!("other-system"), json!("other-system"));
    token(&ask_alone(&app, &signer.signed(&other)).await);
}

#[actix_web::test]
async fn fifty_at_once_with_one_assertion_get_one_token() {
    let app = TestApp::start().await;
    let signer = Signer::new(&app);
    let assertion = signer.signed(&signer.claims(&app));
    let replies = futures::future::join_all((0..50).map(|_| ask_alone(&app, &assertion))).await;
    assert_eq!(replies.iter().filter(|it| it.status == 200).count(), 1);
    assert_eq!(replies.iter().filter(|it| it.status == 401).count(), 49);
}
