-- Where agencies are told of events beside the feed, and what is on its way there.

create table subscriptions (
    id            uuid primary key,
    agency        text not null references agencies (code),
    channel       text not null check (channel in ('webhook', 'email')),
    url           text,
    address       text,
    language      text check (language in ('ms', 'en')),
    types         text[] not null,
    of_case       uuid,
    of_referral   uuid,
    status        text not null check (status in ('active', 'paused', 'disabled', 'ended')),
    reason        text check (reason in ('failing', 'gone', 'bounced')),
    generation    integer not null,
    rotated_at    timestamptz,
    next_number   bigint not null,
    replaying     bigint,
    failing_since timestamptz,
    failures      integer not null default 0,
    told_at       timestamptz,
    version       bigint not null,
    created_at    timestamptz not null,
    updated_at    timestamptz not null,
    constraint subscriptions_channel check (case channel when 'webhook' then url is not null and address is null and language is null
        else url is null and address is not null and language is not null end),
    constraint subscriptions_reason check ((status = 'disabled') = (reason is not null))
);
create index subscriptions_agency on subscriptions (agency, id);
comment on table subscriptions is 'Where an agency is told of its events, beside the feed';
comment on column subscriptions.types is 'Of which types; one that ends in .* stands for all that begin so; empty for all';
comment on column subscriptions.of_case is 'Only of this case, if set';
comment on column subscriptions.of_referral is 'Only of this referral, if set';
comment on column subscriptions.reason is 'Why it is disabled';
comment on column subscriptions.generation is 'Of the secret, which follows from it; the one before still signs for 24 hours after rotated_at';
comment on column subscriptions.next_number is 'Deliveries were made of every event of the feed before this number';
comment on column subscriptions.replaying is 'Events before this number are sent again as next_number passes them';
comment on column subscriptions.failing_since is 'Since when nothing but failure';
comment on column subscriptions.failures is 'How many attempts failed since then';
comment on column subscriptions.told_at is 'When the administrators were told that it is disabled';

create table deliveries (
    id              uuid primary key,
    subscription_id uuid not null references subscriptions (id),
    agency          text not null,
    kind            text not null check (kind in ('event', 'test')),
    number          bigint,
    event_id        uuid not null,
    about           uuid,
    urgent          boolean not null,
    status          text not null check (status in ('pending', 'delivered', 'parked', 'withheld')),
    attempts        integer not null default 0,
    again           boolean not null default false,
    due_at          timestamptz not null,
    leased_until    timestamptz,
    token           bigint not null default 0,
    created_at      timestamptz not null,
    settled_at      timestamptz,
    unique (subscription_id, number),
    constraint deliveries_event check ((kind = 'event') = (number is not null)),
    constraint deliveries_settled check ((status = 'pending') = (settled_at is null))
) with (fillfactor = 80);
create index deliveries_pending on deliveries (subscription_id, due_at) where status = 'pending';
create index deliveries_in_order on deliveries (subscription_id, about, number) where status = 'pending';
create index deliveries_list on deliveries (subscription_id, id desc);
comment on table deliveries is 'An event on its way to a subscription; parked ones stay until they are sent again';
comment on column deliveries.number is 'Of the event in the feed';
comment on column deliveries.event_id is 'The event''s id, which is the webhook-id; of a test an id of its own';
comment on column deliveries.about is 'The case, or what else the event is about: within it deliveries keep their order';
comment on column deliveries.urgent is 'Whether mail of it does not wait for a digest';
comment on column deliveries.status is 'withheld: a shield, an erasure or the agency''s end came before it was sent';
comment on column deliveries.attempts is 'How many attempts were begun since it was last made due by hand';
comment on column deliveries.again is 'Whether it was sent before and then redelivered or replayed by hand';
comment on column deliveries.leased_until is 'Until when somebody is sending it; it is anybody''s again after that';
comment on column deliveries.token is 'Of the lease: only whoever has the newest one may write how it ended';

create table delivery_attempts (
    delivery_id uuid not null references deliveries (id),
    number      integer not null,
    at          timestamptz not null,
    took_ms     integer not null,
    outcome     text not null check (outcome in ('delivered', 'failed')),
    code        integer,
    problem     text,
    primary key (delivery_id, number)
);
create index delivery_attempts_at on delivery_attempts (at);
comment on table delivery_attempts is 'What became of each try';
comment on column delivery_attempts.number is 'From 1; goes on when it is sent again by hand';
comment on column delivery_attempts.code is 'The receiver''s HTTP status, or the mail server''s reply code';
comment on column delivery_attempts.problem is 'What went wrong, as a code; never what the receiver wrote';

alter table subscriptions enable row level security;
alter table subscriptions force row level security;
create policy own on subscriptions to lindung_api using (agency = policy.agency()) with check (agency = policy.agency());
create policy worked on subscriptions to lindung_worker using (true);
alter table deliveries enable row level security;
alter table deliveries force row level security;
create policy own on deliveries to lindung_api using (agency = policy.agency()) with check (agency = policy.agency());
create policy worked on deliveries to lindung_worker using (true);
alter table delivery_attempts enable row level security;
alter table delivery_attempts force row level security;
create policy own on delivery_attempts for select to lindung_api
    using (exists (select from deliveries d where d.id = delivery_id and d.agency = policy.agency()));
create policy worked on delivery_attempts to lindung_worker using (true);

-- What is sent by itself is an access too, in the agency's name and nobody else's.
alter policy logged on access_log to lindung_api;
create policy sent on access_log for insert to lindung_worker
    with check (agency is not null and client_id is null and officer is null and action in ('deliver_events', 'mail_events'));
grant insert (id, at, request_id, client_id, agency, officer, roles, purpose, action, target, outcome, rule, case_ids, child_ids, sections, count)
    on access_log to lindung_worker;
grant select (priority) on cases, referrals to lindung_worker;

set local role lindung_maintenance;

create function policy.queues() returns table (queue text, depth bigint, oldest timestamptz) language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
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
comment on function policy.queues is 'How much waits in each queue (up to 10,000), and since when: sums alone';

create function policy.attempts(since timestamptz) returns table (channel text, outcome text, count bigint) language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select it, how, (select count(*) from delivery_attempts a join deliveries d on d.id = a.delivery_id
        join subscriptions s on s.id = d.subscription_id where a.at >= since and s.channel = it and a.outcome = how)
    from unnest(array['webhook', 'email']) it cross join unnest(array['delivered', 'failed']) how
$$;
comment on function policy.attempts is 'How many attempts were made since then, and how they ended';

create function policy.forget_deliveries(settled_before timestamptz) returns bigint language sql security definer set search_path = pg_catalog, public, pg_temp as $$
    with old as (select id from deliveries where status in ('delivered', 'withheld') and settled_at < settled_before limit 10000),
    attempts as (delete from delivery_attempts a using old where a.delivery_id = old.id returning 1),
    gone as (delete from deliveries d using old where d.id = old.id and (select count(*) from attempts) >= 0 returning 1)
    select count(*) from gone
$$;
comment on function policy.forget_deliveries is 'Forgets deliveries that arrived long ago; what is parked stays';

revoke execute on function policy.queues, policy.attempts, policy.forget_deliveries from public;
grant execute on function policy.queues, policy.attempts, policy.forget_deliveries to lindung_api;

set local role lindung_owner;

create index deliveries_settled on deliveries (settled_at) where status in ('delivered', 'withheld');
create index deliveries_parked on deliveries (id) where status = 'parked';

grant select, insert, update on subscriptions, deliveries to lindung_api;
grant select on delivery_attempts to lindung_api;
grant select, update on subscriptions to lindung_worker;
grant select, insert, update on deliveries to lindung_worker;
grant select, insert on delivery_attempts to lindung_worker;
