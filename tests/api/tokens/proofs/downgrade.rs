//! A bound token is never taken without its proof, and where proofs are required no officer comes
//! without (RFC 9449, 7.2).

use super::*;

#[actix_web::test]
async fn a_bound_token_is_no_bearer_token_nor_the_other_way_round() {
    let app = TestApp::start().await;
    let prover = Prover::new(&app, Key::ed()).await;
    let (bound, bearer) = (prover.token(&app).await, app.officer(SCHOOL).await.token);
    let as_bearer = app.raw("GET", PATH, &[("authorization", &format!("Bearer {bound}"))], None).await;
    assert_eq!((as_bearer.status, as_bearer.problem()), (401, Some("unauthenticated")));
    let proof = prover.proof(&app, &bound, |_, _| {});
    let with_proof = [("authorization", format!("Bearer {bound}")), ("dpop", proof.clone())];
    let with_proof: Vec<(&str, &str)> = with_proof.iter().map(|it| (it.0, it.1.as_str())).collect();
    assert_eq!(app.raw("GET", PATH, &with_proof, None).await.status, 401);
    assert_eq!(asks(&app, PATH, &bound, &[&proof]).await.status, 200);
    let as_bound = asks(&app, PATH, &bearer, &[&prover.proof(&app, &bearer, |_, _| {})]).await;
    assert_eq!((as_bound.status, as_bound.problem()), (401, Some("unauthenticated")));
}

#[actix_web::test]
async fn where_proofs_are_required_an_officer_gets_and_shows_no_other_token() {
    let (app, lax) = (TestApp::start_requiring_proofs().await, TestApp::start().await);
    let signer = Signer::new(&app);
    let assertion = signer.signed(&signer.officer(&app));
    refusal(&ask_for_officer(&app, &assertion).await, 400, "invalid_dpop_proof");

    // As one would be that was issued before.
    let mut claims = payload(&lax.officer(SCHOOL).await.token);
    claims["iss"] = app.api.issuer().into();
    claims["aud"] = format!("{}/v1", app.api.issuer()).into();
    let key = Key::of_service(&app);
    let header = super::super::header(&app.client(SCHOOL).await.token);
    let token = jwt(&header, &claims, |it| key.sign(it));
    let reply = app.raw("GET", PATH, &[("authorization", &format!("Bearer {token}"))], None).await;
    assert_eq!((reply.status, reply.problem()), (401, Some("unauthenticated")));

    app.client(SCHOOL).await.get(PATH).await.is(200);
    officer(&app).await.get(PATH).await.is(200);
}

#[actix_web::test]
async fn a_client_may_bind_its_own_token_too() {
    let app = TestApp::start().await;
    let client = app.speak_bound(&Speaker::client(SCHOOL)).await;
    client.get(PATH).await.is(200);
    let reply = app.raw("GET", PATH, &[("authorization", &format!("Bearer {}", client.token))], None).await;
    assert_eq!(reply.status, 401);
}
