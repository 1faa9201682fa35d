-- How much is under way to a receiver is counted with every claim, however much waits for it.
create index deliveries_leased on deliveries (subscription_id) where status = 'pending' and leased_until is not null;
