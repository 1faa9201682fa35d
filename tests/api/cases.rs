//! Cases, from opening to closing and again.
