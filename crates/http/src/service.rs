//! What is about no resource: health, metrics, the authorization server's metadata, nothing here.

use actix_web::http::Method;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::app::App;
use crate::metrics;
use crate::problem::{Problem, ProblemView};
use crate::proof;
use crate::tokens::{CLIENT_CREDENTIALS, JWT_BEARER};

/// The service is up.
#[derive(Debug, Serialize, ToSchema)]
pub struct Up {
    /// Always `up`.
    #[schema(example = "up")]
    status: &'static str,
}

const UP: Up = Up { status: "up" };

/// Is the process alive?
#[utoipa::path(tag = "service", responses((status = 200, description = "It is", body = Up)), security(()))]
#[get("/livez")]
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(UP)
}

/// Can requests be served: does the database answer, and is it migrated?
#[utoipa::path(
    tag = "service",
    responses(
        (status = 200, description = "Yes", body = Up),
        (status = 503, description = "Not now", body = ProblemView, content_type = "application/problem+json"),
    ),
    security(())
)]
#[get("/readyz")]
pub async fn ready(app: Data<App>) -> Result<HttpResponse, Problem> {
    app.ask(|db| db.ready()).await?;
    Ok(HttpResponse::Ok().json(UP))
}

/// Measurements for Prometheus.
#[utoipa::path(
    tag = "service",
    responses((status = 200, description = "In Prometheus's text format", body = String, content_type = "text/plain")),
    security(())
)]
#[get("/metrics")]
pub async fn measurements(app: Data<App>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(metrics::render(app.parts().db.connections()))
}

/// Where and how to get a token (RFC 8414).
#[utoipa::path(
    tag = "tokens",
    responses((status = 200, description = "Metadata of the authorization server", body = Object)),
    security(())
)]
#[get("/.well-known/oauth-authorization-server")]
pub async fn authorization_server(app: Data<App>) -> HttpResponse {
    let issuer = &app.parts().issuer;
    HttpResponse::Ok().json(json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/oauth2/token"),
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "grant_types_supported": [CLIENT_CREDENTIALS, JWT_BEARER],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": proof::ALGORITHMS,
        "dpop_signing_alg_values_supported": proof::ALGORITHMS,
        "service_documentation": format!("{issuer}/docs/"),
    }))
}

/// The public keys of access tokens (RFC 7517).
#[utoipa::path(tag = "tokens", responses((status = 200, description = "A JWK set", body = Object)), security(()))]
#[get("/.well-known/jwks.json")]
pub async fn token_keys(app: Data<App>) -> HttpResponse {
    let keys: Value = app.parts().token_keys.jwks();
    HttpResponse::Ok().json(keys)
}

/// For what matches no route: nothing, or something that wants another method.
pub async fn nothing_here(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, Problem> {
    let allowed = app.operations().methods_at(request.path());
    if allowed.is_empty() {
        return Err(Problem::NoSuchPath);
    }
    Err(Problem::MethodNotAllowed(allowed))
}

/// For other methods on what the contract does not tell of: itself, and the pages that show it.
pub async fn only_read() -> Result<HttpResponse, Problem> {
    Err(Problem::MethodNotAllowed(vec![Method::GET, Method::HEAD]))
}
