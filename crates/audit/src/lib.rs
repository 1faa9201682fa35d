//! An auditor's side of the access log: to pull it, to verify it offline, to report what is in it.
