//! The HTTP server, from the parts of the service.

use std::net::TcpListener;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{Server, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::web::{self, Data};
use actix_web::{Error, HttpResponse, HttpServer};
use utoipa_actix_web::AppExt;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::app::App;
use crate::{asyncapi, extract, observe, openapi, routes, service};

/// How long a request's head may take to come.
const HEAD_DEADLINE: Duration = Duration::from_secs(5);
/// How long an idle connection is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long requests may go on once the service is told to stop.
const GRACE_SECONDS: u64 = 20;

/// Swagger UI runs its own script and style, and nothing else.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";

/// The service as an actix application.
pub fn application(
    app: App,
    contract: Data<Contract>,
) -> actix_web::App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    let ui = SwaggerUi::new("/{_:.*}").config(
        Config::from("/openapi.json").validator_url("none").display_operation_id(true).persist_authorization(false),
    );
    let docs = web::scope("/docs")
        .wrap(DefaultHeaders::new().add((CONTENT_SECURITY_POLICY, DOCS_POLICY)))
        .service(web::redirect("", "/docs/"))
        .service(ui)
        .default_service(web::to(service::only_read));
    actix_web::App::new()
        .app_data(Data::new(app))
        .app_data(contract)
        .app_data(extract::path_config())
        .into_utoipa_app()
        .configure(routes)
        .into_app()
        .service(web::resource("/openapi.json").get(openapi).default_service(web::to(service::only_read)))
        .service(web::resource("/asyncapi.json").get(asyncapi).default_service(web::to(service::only_read)))
        .service(docs)
        .default_service(web::to(service::nothing_here))
        .wrap(from_fn(observe::observe))
}

/// The contract as text, made once: what one can ask, and what one is told.
#[derive(Debug)]
pub struct Contract {
    openapi: String,
    asyncapi: String,
}

impl Contract {
    /// The contract that is checked in.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn known() -> serde_json::Result<Self> {
        Ok(Contract { openapi: openapi::text()? + "\n", asyncapi: asyncapi::text()? })
    }

    /// The OpenAPI document.
    pub fn as_str(&self) -> &str {
        &self.openapi
    }

    /// The AsyncAPI document.
    pub fn of_events(&self) -> &str {
        &self.asyncapi
    }
}

async fn openapi(contract: Data<Contract>) -> HttpResponse {
    HttpResponse::Ok().insert_header((CONTENT_TYPE, "application/json")).body(contract.openapi.clone())
}

async fn asyncapi(contract: Data<Contract>) -> HttpResponse {
    HttpResponse::Ok().insert_header((CONTENT_TYPE, "application/json")).body(contract.asyncapi.clone())
}

/// Serves on a listener until it is told to stop.
///
/// # Errors
/// The listener cannot be used; the contract cannot be written.
pub fn serve(app: App, listener: TcpListener, workers: usize) -> std::io::Result<Server> {
    let contract = Data::new(Contract::known().map_err(std::io::Error::other)?);
    let server = HttpServer::new(move || application(app.clone(), contract.clone()))
        .workers(workers)
        .client_request_timeout(HEAD_DEADLINE)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(GRACE_SECONDS)
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}
