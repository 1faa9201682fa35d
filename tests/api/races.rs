//! Many at once, and exactly one wins.
