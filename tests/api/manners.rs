//! The manners that every resource has: problems, preconditions, pages, methods, media, headers.

mod bodies;
mod headers;
mod methods;
mod pages;
mod parameters;
mod preconditions;
mod problems;
mod service;

/// An id that nothing has.
const NOBODY: &str = "0193b5f4-7a00-7c3e-9d55-0d8f6c2b1a01";
