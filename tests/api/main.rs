//! Every file here is about one resource or one manner of the API.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails where it stands")]

mod access_log;
mod accesses;
mod agencies;
mod cases;
mod children;
mod clocks;
mod code_lists;
mod consents;
mod contract;
mod data_sharing;
mod emergencies;
mod grants;
mod handoffs;
mod hostile;
mod idempotency;
mod identities;
mod limits;
mod manners;
mod migrations;
mod overrides;
mod policy;
mod races;
mod referrals;
mod registrations;
mod search;
mod sections;
mod sequencer;
mod shields;
mod status_checks;
mod suspensions;
mod timeline;
mod tokens;
mod walls;
