//! A request sent twice is done once.
