//! What a referral lets its recipient see, and when that ends.
