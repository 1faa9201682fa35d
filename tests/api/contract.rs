//! The contract, the database and the source tree say the same.
