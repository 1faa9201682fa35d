//! The access log as a transparency log: what is hashed, the tree over it, who signs and who witnesses.
//!
//! Pure: no clock, no randomness, no input or output. Formats are those of C2SP (`tlog-tiles`, `tlog-checkpoint`,
//! `signed-note`, `tlog-cosignature`, `tlog-witness`, `tlog-proof`, `tlog-policy`), hashing is that of RFC 6962, so that
//! programs of others verify what is made here.

pub mod bundle;
pub mod checkpoint;
pub mod key;
pub mod leaf;
pub mod policy;
pub mod proof;
pub mod tree;
pub mod witness;
