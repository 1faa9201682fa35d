//! The policy and what the database shows, held against each other.
