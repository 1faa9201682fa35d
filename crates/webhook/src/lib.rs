//! Webhooks as Standard Webhooks 1.0 has them: secrets, signatures, and where one may send. It sends nothing itself, and
//! knows neither a database nor a clock.

mod network;
mod secret;
mod target;

pub use network::is_public;
pub use secret::{Secret, SecretKey};
pub use target::{Allow, BadTarget, Target};
