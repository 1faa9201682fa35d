//! Agencies, units and contacts.
