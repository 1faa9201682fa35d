set local role lindung_maintenance;
create or replace function policy.attempts(since timestamptz) returns table (channel text, outcome text, count bigint) language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select it, how, (select count(*) from delivery_attempts a join deliveries d on d.id = a.delivery_id
        join subscriptions s on s.id = d.subscription_id where a.at >= since and s.channel = it and a.outcome = how)
    from unnest(array['webhook', 'email']) it cross join unnest(array['delivered', 'failed']) how
$$;
set local role lindung_owner;
drop index deliveries_leased;
alter table deliveries drop column leased_by;
