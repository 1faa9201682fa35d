//! Keys of clients: three kinds, several at a time, replaced and taken away.

use lindung_http::keys::{BadKey, PublicKey};
use lindung_persistence::ClientKey;
use lindung_tests::TestApp;
use rstest::rstest;
use serde_json::{Value, json};

use super::{Key, Signer, ask_alone, ask_for_officer, jwt, refusal, token};

#[rstest]
#[case::ed_dsa(Key::ed())]
#[case::es256(Key::ec())]
#[case::ps256(Key::rsa())]
#[actix_web::test]
async fn a_client_signs_with_any_of_three_algorithms(#[case] key: Key) {
    let app = TestApp::start().await;
    let signer = Signer::with(&app, key);
    token(&ask_alone(&app, &signer.signed(&signer.claims(&app))).await);
    token(&ask_for_officer(&app, &signer.signed(&signer.officer(&app))).await);

    let assertion = signer.signed(&signer.claims(&app));
    let (message, _) = assertion.rsplit_once('.').unwrap();
    let with_another = format!("{message}.{}", signer.signed(&signer.officer(&app)).rsplit_once('.').unwrap().1);
    refusal(&ask_alone(&app, &with_another).await, 401, "invalid_client");
}

#[actix_web::test]
async fn a_key_is_replaced_without_a_gap() {
    let app = TestApp::start().await;
    let old = Signer::new(&app);
    let new = Key::ec();
    let (db, id) = (app.database.maintenance(), old.id.parse().unwrap());
    let (client, _) = db.client(&id).unwrap().unwrap();
    let key = ClientKey { kid: "next-key".to_owned(), jwk: new.jwk("next-key") };
    db.register_client(&client, &key, app.now()).unwrap();

    let header = json!({ "alg": "ES256", "typ": "JWT", "kid": "next-key" });
    let by_new = || jwt(&header, &old.claims(&app), |it| new.sign(it));
    token(&ask_alone(&app, &by_new()).await);
    token(&ask_alone(&app, &old.signed(&old.claims(&app))).await);

    assert!(db.remove_key(&id, old.kid).unwrap());
    refusal(&ask_alone(&app, &old.signed(&old.claims(&app))).await, 401, "invalid_client");
    token(&ask_alone(&app, &by_new()).await);
}

#[actix_web::test]
async fn a_key_registered_again_under_its_name_takes_the_place_of_the_one_before() {
    let app = TestApp::start().await;
    let old = Signer::new(&app);
    let new = Signer::new(&app);
    refusal(&ask_alone(&app, &old.signed(&old.claims(&app))).await, 401, "invalid_client");
    token(&ask_alone(&app, &new.signed(&new.claims(&app))).await);
}

/// What cannot be registered: private, too short, another curve or kind, for another use.
#[rstest]
#[case::private(json!({ "kty": "OKP", "crv": "Ed25519", "x": "AAAA", "d": "AAAA" }))]
#[case::symmetric(json!({ "kty": "oct", "k": "AAAA" }))]
#[case::short_rsa(json!({ "kty": "RSA", "n": "A".repeat(171), "e": "AQAB" }))]
#[case::another_curve(json!({ "kty": "EC", "crv": "P-384", "x": "AAAA", "y": "AAAA" }))]
#[case::no_key(json!("key"))]
fn a_key_of_another_kind_is_not_taken(#[case] jwk: Value) {
    assert_eq!(PublicKey::from_jwk(&jwk).err(), Some(BadKey::Public));
}

#[test]
fn a_key_is_for_signatures_of_its_own_algorithm() {
    let with = |name: &str, value: &str| {
        let mut jwk = Key::rsa().jwk("k");
        jwk[name] = value.into();
        PublicKey::from_jwk(&jwk).err()
    };
    assert_eq!(with("alg", "RS256"), Some(BadKey::Public));
    assert_eq!(with("use", "enc"), Some(BadKey::Public));
    assert_eq!(with("alg", "PS256"), None);
}
