//! Delivers what is due: webhooks and mail. The only crate that sends anything out of here by itself.
//!
//! [`Courier`] claims, sends with no connection to the database held, and settles. That nothing is lost or sent by two at
//! once is the business of `lindung_persistence::outbox`; that it goes nowhere it should not, of [`webhook`].

mod courier;
mod mail;
mod resolver;
pub mod webhook;

pub use courier::{Courier, Parts, Round};
pub use mail::{BadMail, Mailer, Smtp};
pub use webhook::Sender;
