-- The feed: for each agency the numbers of the events that it is told of.

create table feed (
    agency   text not null,
    number   bigint not null,
    event_id uuid not null,
    primary key (agency, number)
);
create index feed_number on feed (number);
comment on table feed is 'Whom each event is told, in the order of events; an agency''s cursor is a number';

set local role lindung_maintenance;

insert into feed (agency, number, event_id)
select told, n.number, e.id from event_numbers n join events e on e.id = n.event_id cross join unnest(e.recipients) told;

create function policy.child_of(subject_type text, subject uuid) returns uuid language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select case subject_type when 'child' then subject when 'consent' then (select child_id from consents where id = subject) end
$$;
comment on function policy.child_of is 'The child that an event is about, if it is about one';

create function policy.erased(child uuid) returns boolean language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$ select exists (select from child_keys where child_id = child and destroyed_at is not null) $$;
comment on function policy.erased is 'Whether what was known of the child is gone';

-- Recipients stand as they were written, so that whoever lost a grant hears of that: only a shield or an erasure hides it.
create function policy.tells(kind text, asked uuid, subject_type text, subject uuid) returns boolean language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    child uuid := policy.child_of(subject_type, subject);
begin
    return (asked is null or exists (select from cases c where c.id = asked and policy.lets_through(asked, c.shield)))
        and (child is null or (exists (select from children k where k.id = child and policy.lets_through(asked, k.shield))
            and (kind = 'my.gov.lindung.child.erased' or not policy.erased(child))));
end $$;
comment on function policy.tells is 'Whether nothing hides an event, of which one was told, from whoever asks';

create function policy.tells_agency(told text, kind text, asked uuid, subject_type text, subject uuid) returns boolean language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    child uuid := policy.child_of(subject_type, subject);
begin
    return exists (select from agencies a where a.code = told and a.active)
        and (asked is null or exists (select from cases c where c.id = asked and (c.shield is null or told = any(c.shield))))
        and (child is null or (exists (select from children k where k.id = child and (k.shield is null or told = any(k.shield)))
            and (kind = 'my.gov.lindung.child.erased' or not policy.erased(child))));
end $$;
comment on function policy.tells_agency is 'The same for an agency that does not ask: what is sent to it';

create function policy.told_since(known bigint) returns table (head bigint, agencies text[]) language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select s.next, array(select distinct f.agency from feed f where f.number >= known) from sequencers s where s.log = 'events'
$$;
comment on function policy.told_since is 'The number of the next event, and who is told of those from `known` on: only that there is something';

revoke execute on function policy.child_of, policy.erased, policy.tells, policy.tells_agency, policy.told_since from public;
grant execute on function policy.tells, policy.told_since to lindung_api;
grant execute on function policy.tells_agency to lindung_worker;

set local role lindung_owner;

drop policy told on events;
create policy told on events for select to lindung_api
    using (policy.agency() = any(recipients) and policy.tells(kind, case_id, subject_type, subject_id));

alter table feed enable row level security;
alter table feed force row level security;
create policy own on feed for select to lindung_api using (agency = policy.agency());
create policy worked on feed for select to lindung_worker using (true);
create policy sequenced on feed for insert to lindung_worker with check (true);

grant select on feed to lindung_api;
grant select, insert on feed to lindung_worker;
grant select on events to lindung_worker;
