//! What is on its way to subscriptions, as whoever delivers it sees it: made from the feed, claimed, settled.
//!
//! A claim is a short transaction that leaves a lease and a fencing token on each delivery, and its access row; what is
//! sent after that is sent with no connection held. A lease ends with its time, or with whoever took it (`presence`). How it
//! ended is written where the token is still the newest: whoever was taken for dead changes nothing any more, and what it had is
//! sent once more under the same id.

mod claim;
mod due;
mod fan_out;
mod presence;
mod queues;
mod settle;

pub use claim::{Claim, Claimed, Claims, Lease, Reach, Room};
pub use fan_out::FannedOut;
pub use presence::Presence;
pub use queues::{Attempts, Queue};
pub(crate) use settle::behind;
pub use settle::{Ended, Settled, Tried};
