//! Children of a case.
