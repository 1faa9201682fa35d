//! An auditor's side of the access log: to pull it, to verify it offline, to report what is in it.
//!
//! What is verified is a folder, and nothing else is asked: neither the service nor a clock. What the service says is
//! believed only as far as the log's key and its witnesses have signed it, by keys that the auditor has from elsewhere.

mod access;
mod erased;
mod failure;
mod finding;
mod folder;
pub mod pull;
pub mod report;
mod sheet;
pub mod verify;

pub use access::Access;
pub use failure::Failure;
pub use finding::{Finding, Findings, Kind};
pub use folder::Folder;
