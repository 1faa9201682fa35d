//! Sections, each with its own version.
