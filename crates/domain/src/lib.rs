//! What may happen to a case, a referral and a grant, and who may do it.
//!
//! This crate decides and does nothing else: it knows no clock, no randomness, no database and no
//! HTTP. Time is an argument. An entity's fields are private; the only way to a changed entity is
//! its `apply` (or a constructor), whose first line asks [`policy`], and what comes out is a
//! [`event::Change`], which carries the events and grants that belong to it.

pub mod actor;
pub mod case;
pub mod clock;
pub mod consent;
pub mod data_sharing;
pub mod delivery;
pub mod emergency;
pub mod event;
pub mod grant;
pub mod handoff;
pub mod id;
pub mod message;
pub mod notification;
pub mod occurrence;
pub mod overrides;
pub mod policy;
pub mod proposal;
pub mod referral;
pub mod refusal;
pub mod release;
pub mod section;
pub mod shield;
pub mod status_check;
pub mod subscription;
pub mod values;

pub use actor::{Actor, Purpose, Role};
pub use event::{Change, Event};
pub use id::{
    AccessId, AgencyCode, CaseId, CausationId, ChildId, ClientId, ClockId, ConsentId, DataSharingId, DeliveryId,
    EmergencyId, EventId, GiverRef, GrantId, HandoffId, MessageId, NotificationId, OccurrenceId, OfficerId, OverrideId,
    ProposalId, ReferralId, ReleaseId, StatusCheckId, SubscriptionId, SuspensionId, Version,
};
pub use refusal::Refusal;
pub use section::Section;
