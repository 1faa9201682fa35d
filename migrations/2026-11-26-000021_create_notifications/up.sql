-- What people are notified of, by the rules of their agency.

create table notification_rules (
    agency      text primary key references agencies (code),
    rules       jsonb,
    quiet_hours jsonb,
    version     bigint not null,
    updated_at  timestamptz not null
);
comment on table notification_rules is 'Who hears of what in an agency; where there is no row, the defaults hold: crates/domain/reference/notification-rules.json';
comment on column notification_rules.rules is 'Null where the defaults hold again';

create table notifications (
    id              uuid primary key,
    agency          text not null,
    number          bigint,
    event_id        uuid,
    kind            text not null,
    case_id         uuid,
    subject_type    text not null,
    subject_id      uuid not null,
    priority        text check (priority in ('immediate', 'urgent', 'routine')),
    done_by         text,
    at              timestamptz not null,
    roles           text[] not null,
    officer         text,
    told_at         timestamptz not null,
    acknowledged_by text,
    acknowledged_at timestamptz,
    unique (agency, number),
    constraint notifications_event check ((event_id is null) = (number is null)),
    constraint notifications_acknowledged check ((acknowledged_by is null) = (acknowledged_at is null))
);
create index notifications_list on notifications (agency, told_at desc, id desc);
comment on table notifications is 'What people of an agency are notified of: an event of its feed, or that a subscription was disabled';
comment on column notifications.number is 'Of the event in the feed';
comment on column notifications.priority is 'How fast what it is about had to move then';
comment on column notifications.done_by is 'Which agency did it; null where it happened by itself';
comment on column notifications.at is 'When it happened';
comment on column notifications.roles is 'Whoever has one of these hears of it';
comment on column notifications.officer is 'And this one';
comment on column notifications.told_at is 'From when on it is to be seen: later than it was made where it came in quiet hours';
comment on column notifications.acknowledged_by is 'The first of those who hear of it who took note for all';

create table notification_marks (
    notification_id uuid not null references notifications (id) on delete cascade,
    agency          text not null,
    officer         text not null,
    read_at         timestamptz not null,
    primary key (notification_id, officer)
);
comment on table notification_marks is 'Who has read what';

create table notifier (
    one  boolean primary key default true check (one),
    next bigint not null
);
comment on table notifier is 'How far notifications are made; whoever has the row locked makes them';
comment on column notifier.next is 'Every event of the feed before this number was asked about';

create index subscriptions_untold on subscriptions (id) where status = 'disabled' and told_at is null;

set local role lindung_maintenance;

-- What happened before there were notifications is nobody's news.
insert into notifier (next) select next from sequencers where log = 'events';

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

create function policy.forget_notifications(acknowledged_before timestamptz, told_before timestamptz) returns bigint language sql security definer set search_path = pg_catalog, public, pg_temp as $$
    with gone as (delete from notifications where id in (select id from notifications
        where acknowledged_at < acknowledged_before or told_at < told_before limit 10000) returning 1)
    select count(*) from gone
$$;
comment on function policy.forget_notifications is 'Forgets notifications of which note was taken, and those that nobody wanted to know of for long; their events stay';

revoke execute on function policy.forget_notifications from public;
grant execute on function policy.forget_notifications to lindung_api;

set local role lindung_owner;

alter table notification_rules enable row level security;
alter table notification_rules force row level security;
create policy own on notification_rules to lindung_api using (agency = policy.agency()) with check (agency = policy.agency());
create policy worked on notification_rules for select to lindung_worker using (true);

-- What a shield or an erasure hides later is gone from here too.
alter table notifications enable row level security;
alter table notifications force row level security;
create policy told on notifications for select to lindung_api using (agency = policy.agency() and (roles && policy.roles() or officer = policy.officer())
    and told_at <= policy.now() and policy.tells(kind, case_id, subject_type, subject_id));
create policy acknowledged on notifications for update to lindung_api using (agency = policy.agency()) with check (agency = policy.agency());
create policy worked on notifications for insert to lindung_worker with check (true);

alter table notification_marks enable row level security;
alter table notification_marks force row level security;
create policy own on notification_marks to lindung_api
    using (agency = policy.agency() and officer = policy.officer()) with check (agency = policy.agency() and officer = policy.officer() and exists (select from notifications n where n.id = notification_id));

-- The one officer whom something concerns.
create policy worked on emergency_accesses for select to lindung_worker using (true);
create policy worked on proposals for select to lindung_worker using (true);
grant select (assignee) on referrals to lindung_worker;
grant select (id, agency, officer) on emergency_accesses to lindung_worker;
grant select (id, agency, proposed_by) on proposals to lindung_worker;

grant select, insert, update on notification_rules to lindung_api;
grant select, update (acknowledged_by, acknowledged_at) on notifications to lindung_api;
grant select, insert on notification_marks to lindung_api;
grant select on notification_rules to lindung_worker;
grant insert on notifications to lindung_worker;
grant select, update on notifier to lindung_worker;
