-- Data-sharing requests (Act 864): one agency asks another for data, and about no case.

create sequence data_sharing_numbers;
comment on sequence data_sharing_numbers is 'The number in a data-sharing request''s reference; orders nothing';

create table data_sharing_requests (
    id             uuid primary key,
    reference      text not null unique,
    status         text not null check (status in ('received', 'granted', 'granted-with-conditions', 'refused', 'deferred', 'withdrawn')),
    requester      text not null references agencies (code),
    provider       text not null references agencies (code),
    data           text not null,
    purpose        text not null check (purpose in ('A864.13.a', 'A864.13.b', 'A864.13.c', 'A864.13.d', 'A864.13.e')),
    purpose_text   text not null,
    handling       text not null,
    deferred_at    timestamptz,
    deferred_until timestamptz,
    defer_reason   text,
    grounds        text[] not null,
    refuse_reason  text,
    conditions     text,
    shared_until   timestamptz,
    version        bigint not null,
    event_count    bigint not null,
    created_at     timestamptz not null,
    ended_at       timestamptz
);
create index data_sharing_requests_requester on data_sharing_requests (requester, id desc);
create index data_sharing_requests_provider on data_sharing_requests (provider, id desc);
create index data_sharing_requests_created on data_sharing_requests using brin (created_at);
comment on table data_sharing_requests is 'One agency asks another for data about children whom it cannot see, and how that was answered';
comment on column data_sharing_requests.data is 'Act 864 s.12(2), as are purpose, provider and handling';
comment on column data_sharing_requests.deferred_until is 'The new date for the answer, s.14(3)';
comment on column data_sharing_requests.grounds is 'Of a refusal, s.15';
comment on column data_sharing_requests.shared_until is 'Exclusive; the grants it gave end then';
comment on column data_sharing_requests.event_count is 'Counts its own events, which are about no case: taken under its lock';

alter table grants add column request_id uuid;
comment on column grants.request_id is 'The data-sharing request that gave it';
alter table grants drop constraint grants_source_check;
alter table grants add constraint grants_source_check check (source in ('lead', 'referral', 'handoff', 'break-glass', 'by-hand', 'data-sharing'));

grant usage on data_sharing_numbers to lindung_api;
grant select, insert, update on data_sharing_requests to lindung_api;
alter table data_sharing_requests enable row level security;
alter table data_sharing_requests force row level security;
create policy sides on data_sharing_requests for select to lindung_api
    using (requester = policy.agency() or provider = policy.agency() or policy.coordinates());
create policy asked on data_sharing_requests for insert to lindung_api
    with check (policy.at_work() and requester = policy.agency() and status = 'received');
create policy answered on data_sharing_requests for update to lindung_api
    using (policy.at_work() and (requester = policy.agency() or provider = policy.agency()))
    with check (policy.at_work() and case status when 'withdrawn' then requester = policy.agency() else provider = policy.agency() end);

-- A clock that passes counts an event.
grant select (id, event_count), update (event_count) on data_sharing_requests to lindung_worker;
create policy counted on data_sharing_requests to lindung_worker using (true);
