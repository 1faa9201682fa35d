//! Lindung tried from outside: the real server on a port of its own, over a database of its own.
//!
//! [`TestApp::start`] gives both; [`Session`] is somebody who is signed in and asks. Time is the
//! app's own and stands still until [`TestApp::wait`].
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails where it stands")]

mod app;
mod database;
mod dice;
mod inside;
mod mailbox;
mod mortal;
mod notary;
mod receiver;
mod session;
mod wire;

pub use app::TestApp;
pub use database::Database;
pub use dice::Dice;
pub use inside::{Inside, context};
pub use mailbox::{MailServer, Reply};
pub use notary::{Notary, WITNESSED_AT};
pub use receiver::{Manner, Received, Receiver};
pub use session::{Answered, Ref, Session, action_body, case_body, consent_body, referral_body};
pub use wire::{Raw, Wire};
