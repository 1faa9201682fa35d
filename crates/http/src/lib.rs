//! What Lindung says over HTTP: its REST API, its tokens and its contract.
//!
//! [`routes`] is the table of contents. A handler turns a request into a command or a query, and
//! [`app::App`] is its only way to the database. [`problem`] is the only place where something that
//! went wrong becomes an answer. Nothing here decides what may happen; `lindung_domain` does.

mod access_log;
mod accesses;
mod agencies;
pub mod app;
mod assertion;
mod asyncapi;
mod caller;
mod cases;
mod children;
mod clocks;
mod code_lists;
mod consents;
mod cursor;
mod data_sharing;
mod day;
mod emergencies;
mod events;
mod extract;
mod grants;
mod handoffs;
pub mod keys;
mod language;
pub mod limits;
mod metrics;
mod negotiate;
mod notifications;
mod observe;
mod occurrences;
mod openapi;
mod operations;
mod overrides;
mod parse;
mod problem;
mod proof;
mod proposals;
pub mod queues;
mod referrals;
mod releases;
mod respond;
pub mod sealing;
mod sections;
pub mod serve;
mod service;
mod sheet;
mod shields;
mod status_checks;
mod subscriptions;
mod suspensions;
mod timeline;
mod tokens;
mod tree;
pub mod upkeep;

pub use app::{App, Clock, Parts};
pub use openapi::document;
pub use problem::TYPE_PREFIX;
pub use tree::LogPolicy;

use actix_web::middleware::from_fn;
use utoipa_actix_web::scope;
use utoipa_actix_web::service_config::ServiceConfig;

/// Every route there is.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(tokens::issue_token)
        .service(service::authorization_server)
        .service(service::token_keys)
        .service(service::live)
        .service(service::ready)
        .service(service::measurements)
        .service(
            scope("/v1")
                .configure(agencies::routes)
                .configure(code_lists::routes)
                .configure(cases::routes)
                .configure(children::routes)
                .configure(sections::routes)
                .configure(timeline::routes)
                .configure(events::routes)
                .configure(occurrences::routes)
                .configure(clocks::routes)
                .configure(referrals::routes)
                .configure(handoffs::routes)
                .configure(grants::routes)
                .configure(data_sharing::routes)
                .configure(tree::routes)
                .configure(access_log::routes)
                .configure(accesses::routes)
                .configure(releases::routes)
                .configure(shields::routes)
                .configure(proposals::routes)
                .configure(emergencies::routes)
                .configure(consents::routes)
                .configure(overrides::routes)
                .configure(suspensions::routes)
                .configure(subscriptions::routes)
                .configure(notifications::routes)
                .configure(status_checks::routes)
                .map(|it| it.wrap(from_fn(observe::record_refusals))),
        );
}
