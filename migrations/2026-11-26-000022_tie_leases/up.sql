-- Whose lease it is: it ends with whoever has it. How much is under way to a receiver is counted with every claim, however
-- much waits for it.
alter table deliveries add column leased_by integer;
comment on column deliveries.leased_by is 'Who is sending it, as long as that one holds an advisory lock under this number; null where its time alone ends the lease';
create index deliveries_leased on deliveries (subscription_id) where status = 'pending' and leased_until is not null;
