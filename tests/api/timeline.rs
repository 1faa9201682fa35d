//! What happened, told to those entitled.
