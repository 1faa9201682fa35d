//! The token endpoint and what is published beside it.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lindung_tests::TestApp;
use rstest::rstest;
use serde_json::json;

use super::{ASSERTION_TYPE, JWT_BEARER, Signer, ask_alone, header, refusal, token};

/// Requests that are neither of the two grants; `ASSERTION` stands for a good one.
#[rstest]
#[case::no_grant("invalid_request", &[("client_assertion_type", ASSERTION_TYPE), ("client_assertion", "ASSERTION")])]
#[case::nothing("invalid_request", &[])]
#[case::a_password("unsupported_grant_type", &[("grant_type", "password"), ("username", "x"), ("password", "x")])]
#[case::a_code("unsupported_grant_type", &[("grant_type", "authorization_code"), ("code", "x")])]
#[case::no_assertion("invalid_request", &[("grant_type", "client_credentials"), ("client_assertion_type", ASSERTION_TYPE)])]
#[case::no_officers_assertion("invalid_request", &[("grant_type", JWT_BEARER)])]
#[case::no_assertion_type("invalid_request", &[("grant_type", "client_credentials"), ("client_assertion", "ASSERTION")])]
#[case::another_assertion_type("invalid_request", &[
    ("grant_type", "client_credentials"), ("client_assertion", "ASSERTION"),
    ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"),
])]
#[case::a_secret("invalid_request", &[("grant_type", "client_credentials"), ("client_id", "test-system"), ("client_secret", "x")])]
#[case::another_client_id("invalid_request", &[
    ("grant_type", "client_credentials"), ("client_assertion_type", ASSERTION_TYPE), ("client_assertion", "ASSERTION"),
    ("client_id", "kdn-system"),
])]
#[case::a_grant_twice("invalid_request", &[
    ("grant_type", "client_credentials"), ("grant_type", JWT_BEARER), ("assertion", "ASSERTION"),
])]
#[case::an_assertion_twice("invalid_request", &[
    ("grant_type", JWT_BEARER), ("assertion", "ASSERTION"), ("assertion", "ASSERTION"),
])]
#[actix_web::test]
async fn a_request_that_is_no_grant_is_refused(#[case] error: &str, #[case] form: &[(&str, &str)]) {
    let app = TestApp::start().await;
    let signer = Signer::new(&app);
    let assertion = signer.signed(&signer.claims(&app));
    let form: Vec<(&str, &str)> =
        form.iter().map(|it| (it.0, if it.1 == "ASSERTION" { assertion.as_str() } else { it.1 })).collect();
    refusal(&app.api.ask_for_token(&form).await.unwrap(), 400, error);
}

#[actix_web::test]
async fn what_is_unknown_in_a_request_is_ignored() {
    let app = TestApp::start().await;
    let signer = Signer::new(&app);
    let assertion = signer.signed(&signer.claims(&app));
    let form = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion.as_str()),
        ("client_id", "test-system"),
        ("scope", "anything"),
    ];
    token(&app.api.ask_for_token(&form).await.unwrap());
}

#[actix_web::test]
async fn the_endpoint_wants_a_form_by_post() {
    let app = TestApp::start().await;
    for method in ["GET", "PUT", "DELETE"] {
        let reply = app.raw(method, "/oauth2/token", &[], None).await;
        assert_eq!((reply.status, reply.problem()), (405, Some("method-not-allowed")));
        assert_eq!(reply.header("allow"), Some("POST"));
    }
    let reply = app.raw("POST", "/oauth2/token", &[], Some(&json!({ "grant_type": "client_credentials" }))).await;
    assert_eq!((reply.status, reply.problem()), (415, Some("unsupported-media-type")));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}

#[actix_web::test]
async fn the_metadata_leads_to_everything() {
    let app = TestApp::start().await;
    let issuer = app.api.issuer();
    let metadata = app.raw("GET", "/.well-known/oauth-authorization-server", &[], None).await;
    assert_eq!((metadata.status, metadata.header("content-type")), (200, Some("application/json")));
    let expected = json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/oauth2/token"),
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "grant_types_supported": ["client_credentials", JWT_BEARER],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["EdDSA", "ES256", "PS256"],
        "dpop_signing_alg_values_supported": ["EdDSA", "ES256", "PS256"],
        "service_documentation": format!("{issuer}/docs/"),
    });
    assert_eq!(metadata.body, expected);
}

#[actix_web::test]
async fn the_published_keys_verify_a_token_and_are_public() {
    let app = TestApp::start().await;
    let signer = Signer::new(&app);
    let token = token(&ask_alone(&app, &signer.signed(&signer.claims(&app))).await);
    let jwks = app.raw("GET", "/.well-known/jwks.json", &[], None).await;
    assert_eq!((jwks.status, jwks.header("content-type")), (200, Some("application/json")));
    let [key] = jwks.body["keys"].as_array().unwrap().as_slice() else { panic!("one key: {}", jwks.body) };
    let mut members: Vec<&String> = key.as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x"], "and no private member");
    assert_eq!(
        (&key["kty"], &key["crv"], &key["alg"], &key["use"]),
        (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA"), &json!("sig"))
    );

    assert_eq!(header(&token), json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": key["kid"] }));
    let (message, signature) = token.rsplit_once('.').unwrap();
    let public = URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    UnparsedPublicKey::new(&ED25519, public).verify(message.as_bytes(), &signature).unwrap();
}
