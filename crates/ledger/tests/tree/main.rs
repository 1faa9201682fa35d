//! The tree against one that others wrote (`ct-merkle`), at the sizes where tiles begin and end and at random ones.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails where it stands")]

mod growth;
mod oracle;
mod paths;
mod proofs;
mod refusals;
