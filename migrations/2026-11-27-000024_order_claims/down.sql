set local role lindung_maintenance;

create or replace function policy.forget_deliveries(settled_before timestamptz) returns bigint language sql security definer set search_path = pg_catalog, public, pg_temp as $$
    with old as (select id from deliveries where status in ('delivered', 'withheld') and settled_at < settled_before limit 10000),
    attempts as (delete from delivery_attempts a using old where a.delivery_id = old.id returning 1),
    gone as (delete from deliveries d using old where d.id = old.id and (select count(*) from attempts) >= 0 returning 1)
    select count(*) from gone
$$;

create or replace function policy.queues() returns table (queue text, depth bigint, oldest timestamptz) language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select q.name, coalesce(max(h.next - b.next), 0), (select e.at from event_numbers n join events e on e.id = n.event_id where n.number = min(b.next))
    from unnest(array['fan-out', 'notify']) q (name) cross join (select next from sequencers where log = 'events') h
    left join (select 'fan-out' as name, next_number as next from subscriptions where status = 'active' union all select 'notify', next from notifier) b
        on b.name = q.name and b.next < h.next
    group by q.name
    union all
    select it, (select count(*) from (select from deliveries d join subscriptions s on s.id = d.subscription_id
        where d.status = 'pending' and s.status = 'active' and s.channel = it limit 10000) waiting),
        (select min(d.due_at) from deliveries d join subscriptions s on s.id = d.subscription_id
        where d.status = 'pending' and s.status = 'active' and s.channel = it)
    from unnest(array['webhook', 'email']) it
    union all
    select 'parked', count(*), min(settled_at) from (select settled_at from deliveries where status = 'parked' limit 10000) waiting
$$;

set local role lindung_owner;

drop index deliveries_pending;
create index deliveries_pending on deliveries (subscription_id, due_at) where status = 'pending';
