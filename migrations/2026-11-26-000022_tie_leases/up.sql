-- Whose lease it is: it ends with whoever has it. How much is under way to a receiver is counted with every claim, however
-- much waits for it.
alter table deliveries add column leased_by integer;
comment on column deliveries.leased_by is 'Who is sending it, as long as that one holds an advisory lock under this number; null where its time alone ends the lease';
create index deliveries_leased on deliveries (subscription_id) where status = 'pending' and leased_until is not null;

set local role lindung_maintenance;

create or replace function policy.attempts(since timestamptz) returns table (channel text, outcome text, count bigint) language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select it, how, coalesce(c.count, 0) from unnest(array['webhook', 'email']) it cross join unnest(array['delivered', 'failed']) how
    left join (select s.channel, a.outcome, count(*) as count from delivery_attempts a join deliveries d on d.id = a.delivery_id
        join subscriptions s on s.id = d.subscription_id where a.at >= since group by s.channel, a.outcome) c on c.channel = it and c.outcome = how
$$;

set local role lindung_owner;
