//! Who is asking: every rule of assertions and access tokens.
