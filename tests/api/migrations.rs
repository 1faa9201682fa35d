//! Migrations go down and up again.
