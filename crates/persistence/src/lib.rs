//! What Lindung remembers, in PostgreSQL.
//!
//! Synchronous, and it knows neither HTTP nor tokens. [`Db`] is the way in: what it reads it
//! records in the access log in the same statement, and what it writes comes as a `Change`, with
//! its events, in one transaction. Only `db/connection.rs` takes a connection or begins a transaction, only
//! `access_log.rs` and `events.rs` insert into their tables.

mod access_log;
mod accesses;
mod agencies;
mod bulk;
mod cases;
mod checkpoints;
mod children;
mod clients;
mod clocks;
mod cloud_event;
mod consents;
mod data_sharing;
mod db;
mod deliveries;
mod emergencies;
mod error;
mod events;
mod feed;
mod file;
mod grants;
mod handoffs;
mod idempotency;
mod identifiers;
mod messages;
mod migrations;
mod notifications;
mod occurrences;
mod outbox;
mod overrides;
mod proofs;
mod proposals;
mod reference;
mod referrals;
mod registrations;
mod releases;
mod rotation;
mod save;
mod schema;
mod sealed;
mod sections;
mod sequencer;
mod sql;
mod status_checks;
mod subscriptions;
mod suspensions;
mod tiles;
mod tree;
mod visibility;
mod volume;
mod work;

pub use access_log::{Access, AccessFilter, AccessPage, Place};
pub use accesses::{CaseAccess, CaseAccessPage};
pub use agencies::{Agency, AgencyChange, Code, CodeList, Contact};
pub use bulk::{Filled, POLICE, SCHOOL};
pub use cases::{CaseFilter, CaseItem, CasePage, CaseSeen};
pub use checkpoints::Unwitnessed;
pub use clients::{Client, ClientKey};
pub use clocks::{ClockFilter, ClockItem, DuePlace, ResponseTime, RunningClock, Wanted};
pub use cloud_event::CloudEvent;
pub use data_sharing::{DataSharingFilter, DataSharingItem, RegisterItem};
pub use db::{Call, Db, DbRole, Decided, Refused, Settings, Tx, Writing};
pub use deliveries::{Attempt, DeliveryItem};
pub use emergencies::{EmergencyFilter, EmergencyItem, NamedCase};
pub use error::Error;
pub use events::EventItem;
pub use feed::{FeedFilter, FeedPage, Heard};
pub use file::{Loaded, Target};
pub use grants::GrantItem;
pub use handoffs::{HandoffFilter, HandoffItem};
pub use idempotency::{Answer, LIFETIME as KEY_LIFETIME, Repeat};
pub use identifiers::FoundChild;
pub use messages::MessageItem;
pub use notifications::{
    Counted, KeptRules, NotificationCounts, NotificationFilter, NotificationItem, NotificationPage, Notified,
};
pub use occurrences::OccurrenceItem;
pub use outbox::{
    Attempts, Claim, Claimed, Claims, Ended, FannedOut, Lease, Presence, Queue, Reach, Room, Settled, Tried,
};
pub use overrides::OverrideItem;
pub use proofs::{PROOF_PERIOD, Proof};
pub use proposals::ProposalItem;
pub use reference::{Development, DevelopmentClient};
pub use referrals::{BoxFilter, ReferralItem, TimePlace};
pub use registrations::Registration;
pub use releases::{Label, Released, ReleasedAccess};
pub use rotation::{KeyUse, Rotated};
pub use save::Saved;
pub use sections::SectionSeen;
pub use sequencer::Sequenced;
pub use status_checks::{Checked, KnownStatus, RecentCheck, StatusQuestion};
pub use subscriptions::{Beginning, NewSubscription, Wish};
pub use suspensions::{Suspended, SuspensionItem};
pub use tree::{Lag, OpenedLeaf, SignedCheckpoint};
pub use volume::OverBudget;
pub use work::Worked;
