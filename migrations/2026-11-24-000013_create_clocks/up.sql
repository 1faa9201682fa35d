-- Clocks, occurrences, and events that nobody made or that are about no case.

create table clocks (
    id           uuid primary key,
    code         text not null,
    case_id      uuid references cases (id),
    subject_type text not null,
    subject_id   uuid not null,
    asker        text,
    holder       text,
    priority     text check (priority in ('immediate', 'urgent', 'routine')),
    started_at   timestamptz not null,
    due_at       timestamptz,
    escalate_at  timestamptz,
    paused_at    timestamptz,
    paused_for   bigint not null,
    overdue_at   timestamptz,
    escalated_at timestamptz,
    ended        text check (ended in ('met', 'void')),
    ended_at     timestamptz,
    constraint clocks_end check ((ended is null) = (ended_at is null))
) with (fillfactor = 85);
-- A referral makes two clocks: few indexes, and narrow ones.
create index clocks_case on clocks (case_id, subject_id) where ended_at is null;
create index clocks_pending on clocks (due_at, id) where ended_at is null and overdue_at is null;
create index clocks_overdue on clocks (due_at, id) where ended_at is null and overdue_at is not null;
create index clocks_unescalated on clocks (escalate_at, id) where ended_at is null and overdue_at is not null and escalated_at is null;
create index clocks_holder on clocks (holder, due_at, id) where ended_at is null;
create index clocks_asker on clocks (asker, due_at, id) where ended_at is null;
create index clocks_started on clocks using brin (started_at);
comment on table clocks is 'By when something has to be answered; a clock ends and is kept, for how fast agencies answer';
comment on column clocks.code is 'Which of the table, crates/domain/reference/clocks.json';
comment on column clocks.case_id is 'Null where it runs on what is about no case yet';
comment on column clocks.subject_id is 'On what it runs';
comment on column clocks.asker is 'Who waits';
comment on column clocks.holder is 'Who has to act; null while it is open to several';
comment on column clocks.due_at is 'Moved by as long as the clock has paused; null where no date was agreed';
comment on column clocks.paused_for is 'Seconds, without the pause that lasts';
comment on column clocks.overdue_at is 'When it was found overdue, and those concerned were told';
comment on column clocks.ended_at is 'When what ended it happened';

create table occurrences (
    id          uuid primary key,
    case_id     uuid not null references cases (id),
    child_id    uuid not null references children (id),
    kind        text not null check (kind in ('custody-taken', 'brought-before-protector', 'released', 'examination-directed', 'examined', 'direction-withdrawn', 'placed-in-care', 'protector-notified')),
    occurred_at timestamptz not null,
    agency      text not null references agencies (code),
    officer     text not null,
    recorded_at timestamptz not null
);
create index occurrences_case on occurrences (case_id, id);
comment on table occurrences is 'What happened to children outside the system; never changed';
comment on column occurrences.occurred_at is 'When it happened, before it was recorded';

-- What happens by itself has no agency; what is about no case counts its own events.
alter table events alter column agency drop not null;
alter table events alter column client_id drop not null;
alter table events alter column case_id drop not null;
alter table events add constraint events_case check (case_id is not null or subject_type = 'data-sharing-request');
create unique index events_subject_version on events (subject_id, case_version) where case_id is null;
alter table events drop constraint events_subject_type_check;
alter table events add constraint events_subject_type_check check (subject_type in ('case', 'child', 'referral', 'emergency-access',
    'proposal', 'handoff', 'grant', 'consent', 'override', 'occurrence', 'data-sharing-request'));
comment on column events.agency is 'Who did it; null where it happened by itself';
comment on column events.case_version is 'Dense per case, or per subject where there is no case: taken under its lock';

set local role lindung_maintenance;

create function policy.sees_clock(subject_type text, subject uuid, asked uuid, asker text, holder text) returns boolean language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    return case subject_type
        when 'referral' then policy.sees_referral(subject)
        when 'child' then policy.sees_child(asked, subject)
        else (policy.agency() in (asker, holder) or policy.coordinates()) and (asked is null or policy.sees(asked))
    end;
end $$;
comment on function policy.sees_clock is 'Whether the agency may know of the clock: of what it runs on';

create function policy.response_times(since timestamptz, until timestamptz, codes text[])
    returns table (code text, asker text, holder text, priority text, count bigint, median double precision, p90 double precision, late bigint)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select w.code, w.asker, w.holder, w.priority, count(*),
        percentile_cont(0.5) within group (order by extract(epoch from w.ended_at - w.started_at) - w.paused_for),
        percentile_cont(0.9) within group (order by extract(epoch from w.ended_at - w.started_at) - w.paused_for),
        count(*) filter (where w.ended_at > w.due_at)
    from clocks w join cases c on c.id = w.case_id
    where w.started_at >= since and w.started_at < until and w.ended = 'met' and w.code = any(codes) and c.shield is null
        and w.asker is not null and w.holder is not null
        and (policy.coordinates() or (policy.at_work() and policy.agency() in (w.asker, w.holder)))
    group by w.code, w.asker, w.holder, w.priority
$$;
comment on function policy.response_times is 'How fast agencies answered, pauses left out; nothing of shielded cases';

revoke execute on all functions in schema policy from public;
grant execute on function policy.sees_clock, policy.response_times to lindung_api;

set local role lindung_owner;

grant select, insert, update on clocks to lindung_api;
grant select, insert on occurrences to lindung_api;

drop policy told on events;
create policy told on events for select to lindung_api using (
    policy.agency() = any(recipients) and (case_id is null or policy.sees(case_id))
    and (subject_type <> 'child' or policy.sees_child(case_id, subject_id))
);
drop policy happened on events;
create policy happened on events for insert to lindung_api with check (agency = policy.agency() and (case_id is null or policy.sees(case_id)));

alter table clocks enable row level security;
alter table clocks force row level security;
create policy concerned on clocks for select to lindung_api using (policy.sees_clock(subject_type, subject_id, case_id, asker, holder));
create policy started on clocks for insert to lindung_api
    with check (case when case_id is null then policy.agency() in (asker, holder) else policy.sees(case_id) end);
create policy moved on clocks for update to lindung_api using (policy.sees_clock(subject_type, subject_id, case_id, asker, holder))
    with check (case_id is null or policy.sees(case_id));

alter table occurrences enable row level security;
alter table occurrences force row level security;
create policy reached on occurrences for select using (policy.at_work() and policy.sees_child(case_id, child_id));
create policy recorded on occurrences for insert
    with check (agency = policy.agency() and officer = policy.officer() and policy.at_work() and policy.sees_child(case_id, child_id));

-- What runs by itself sees when clocks pass and of whom to tell, and no content.
alter policy parties on cases to lindung_api;
alter policy parties on referrals to lindung_api;
grant select (id, lead_agency, shield, event_count), update (event_count) on cases to lindung_worker;
grant select (id, sender, recipient, listed, former) on referrals to lindung_worker;
grant select, update (overdue_at, escalated_at) on clocks to lindung_worker;
grant insert on events to lindung_worker;
create policy worked on cases to lindung_worker using (true);
create policy worked on referrals for select to lindung_worker using (true);
create policy watched on clocks for select to lindung_worker using (true);
create policy passed on clocks for update to lindung_worker using (ended_at is null) with check (true);
create policy happened_by_itself on events for insert to lindung_worker with check (agency is null and client_id is null);
