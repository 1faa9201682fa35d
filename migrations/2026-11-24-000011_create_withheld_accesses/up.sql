-- "Who has seen this file": accesses withheld from a child's lawful representative, and what was released to one.

create table withheld_accesses (
    id         uuid primary key,
    case_id    uuid not null references cases (id),
    entry_id   uuid not null,
    ground     text not null check (ground in ('s15-c', 's15-e', 's15-f')),
    reason     text not null,
    by_agency  text not null references agencies (code),
    by_officer text not null,
    at         timestamptz not null
);
create index withheld_accesses_entry on withheld_accesses (entry_id);
create index withheld_accesses_case on withheld_accesses (case_id);
comment on table withheld_accesses is 'Accesses that no release tells of (Act 864 s.15), each with who said so and why; nothing lifts one';
comment on column withheld_accesses.entry_id is 'In the access log';

create table releases (
    id             uuid primary key,
    case_id        uuid not null references cases (id),
    child_id       uuid not null references children (id),
    representative text not null check (representative in ('child', 'parent', 'guardian', 'lawyer')),
    reason         text not null,
    by_agency      text not null references agencies (code),
    by_officer     text not null,
    at             timestamptz not null,
    document       jsonb not null
);
create index releases_case on releases (case_id);
comment on table releases is 'What was released to children''s lawful representatives about who has seen their file';
comment on column releases.representative is 'In which capacity; who it is stands nowhere';
comment on column releases.document is 'The accesses that it tells of, as they stood then: codes and times, of no person';

set local role lindung_maintenance;

create function policy.supervises() returns boolean language sql stable
    as $$ select coalesce('supervisor' = any(policy.roles()), false) $$;
comment on function policy.supervises is 'Whether whoever asks is a supervisor';

create function policy.tells_of(asked uuid, touched uuid[], target text) returns boolean language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select coalesce(bool_or(known and k.id = any(touched)) or not bool_or(not known and (k.id = any(touched) or coalesce(target like '%' || k.id || '%', false))), true)
    from (select id, policy.lets_through(asked, shield) as known from children where case_id = asked) k
$$;
comment on function policy.tells_of is 'Whether an access to the case is about more than children that a shield hides from whoever asks';

create function policy.accesses_to(asked uuid, after_xid xid8, after_id uuid, at_most bigint) returns setof access_log language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select a.id, a.at, a.xid, a.request_id, a.client_id, a.agency, a.officer, a.roles, a.purpose, a.action, a.outcome, a.rule, null::text, array[asked],
        array(select k.id from children k where k.case_id = asked and k.id = any(a.child_ids) and policy.lets_through(asked, k.shield) order by k.id),
        a.sections, a.count
    from access_log a where a.case_ids @> array[asked] and policy.leads(asked) and policy.supervises()
        and a.xid < pg_snapshot_xmin(pg_current_snapshot()) and (a.xid, a.id) > (after_xid, after_id) and policy.tells_of(asked, a.child_ids, a.target)
    order by a.xid, a.id limit at_most
$$;
comment on function policy.accesses_to is 'The accesses that touch the case, for its lead''s supervisors: nothing of other cases, nor of children that a shield hides from them';

create function policy.access_by(asked uuid, entry uuid) returns text language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select a.agency from access_log a where a.case_ids @> array[asked] and a.id = entry and a.outcome = 'permitted'
        and (a.agency = policy.agency() or policy.leads(asked)) and policy.tells_of(asked, a.child_ids, a.target)
$$;
comment on function policy.access_by is 'Whose access to the case it was, for the lead and for that agency itself';

create function policy.releasable(asked uuid, child uuid) returns jsonb language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select coalesce(jsonb_agg(jsonb_build_object('at', a.at, 'agency', a.agency, 'action', a.action, 'sections', a.sections, 'purpose', a.purpose)
        order by a.xid, a.id), '[]')
    from access_log a join cases c on c.id = asked join children k on k.case_id = c.id and k.id = child
    where a.case_ids @> array[asked] and policy.leads(asked) and policy.supervises() and policy.lets_through(asked, k.shield)
        and a.outcome = 'permitted' and a.purpose is distinct from 'investigation' and (a.child_ids = '{}' or child = any(a.child_ids))
        and ((c.shield is null and k.shield is null) or a.agency = c.lead_agency)
        and not exists (select from withheld_accesses w where w.entry_id = a.id and w.case_id = asked)
$$;
comment on function policy.releasable is 'What a child''s lawful representative may be told, who may be the suspect: of a shielded case or child the lead''s own accesses alone';

revoke execute on all functions in schema policy from public;
grant execute on all functions in schema policy to lindung_api;

set local role lindung_owner;

grant select, insert on withheld_accesses, releases to lindung_api;

alter table withheld_accesses enable row level security;
alter table withheld_accesses force row level security;
create policy parties on withheld_accesses for select using (by_agency = policy.agency() or policy.leads(case_id));
create policy withheld on withheld_accesses for insert with check (
    by_agency = policy.agency() and by_officer = policy.officer() and policy.supervises() and policy.access_by(case_id, entry_id) is not null
);

alter table releases enable row level security;
alter table releases force row level security;
create policy lead on releases for select using (policy.leads(case_id) and policy.sees_child(case_id, child_id));
create policy released on releases for insert with check (
    by_agency = policy.agency() and by_officer = policy.officer() and policy.supervises() and policy.leads(case_id)
);
