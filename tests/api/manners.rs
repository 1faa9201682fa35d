//! HTTP manners: versions, methods, media types, headers, health.
