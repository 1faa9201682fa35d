drop table messages, referral_listings, referrals;
