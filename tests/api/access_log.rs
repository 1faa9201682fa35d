//! The access log: one entry for everything that was seen, changed, refused or missed.
