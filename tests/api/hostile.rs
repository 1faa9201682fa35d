//! Bad input gets a polite 4xx.
