revoke select (assignee) on referrals from lindung_worker;
revoke select (id, agency, officer) on emergency_accesses from lindung_worker;
revoke select (id, agency, proposed_by) on proposals from lindung_worker;
drop policy worked on proposals;
drop policy worked on emergency_accesses;
set local role lindung_maintenance;
drop function policy.forget_notifications;
create or replace function policy.queues() returns table (queue text, depth bigint, oldest timestamptz) language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select 'fan-out', coalesce(max(h.next - s.next_number), 0), (select e.at from event_numbers n join events e on e.id = n.event_id
        where n.number = min(s.next_number))
    from subscriptions s cross join (select next from sequencers where log = 'events') h where s.status = 'active' and s.next_number < h.next
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
drop index subscriptions_untold;
drop table notifier;
drop table notification_marks;
drop table notifications;
drop table notification_rules;
