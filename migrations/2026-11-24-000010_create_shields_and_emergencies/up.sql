-- Shields, emergency access, what needs two people, and suspension.

alter table cases add column shield text[];
-- Row-level security binds the owner too: rows are changed by maintenance.
set local role lindung_maintenance;
update cases set shield = array[lead_agency] where shielded;
set local role lindung_owner;
alter table cases drop column shielded;
comment on column cases.shield is 'When it is visible only to those named: agencies, or officers as agency/officer';
alter table children add column shield text[];
comment on column children.shield is 'As of a case';
alter table referrals add column shielded boolean not null default false;
comment on column referrals.shielded is 'Whether its case has a shield: lists need it without a look at the case';
set local role lindung_maintenance;
update referrals r set shielded = true from cases c where c.id = r.case_id and c.shield is not null;
set local role lindung_owner;

alter table grants add column officer text;
comment on column grants.officer is 'The one officer of the agency whom it is for; all of them when null';
alter table grants drop constraint grants_source_check;
alter table grants add constraint grants_source_check check (source in ('lead', 'referral', 'break-glass'));
alter table events drop constraint events_subject_type_check;
alter table events add constraint events_subject_type_check
    check (subject_type in ('case', 'child', 'referral', 'emergency-access', 'proposal'));

alter table clients add column emergency text[] not null default '{}';
comment on column clients.emergency is 'The agencies whose officers may look at a case in an emergency';

create table emergency_accesses (
    id           uuid primary key,
    case_id      uuid not null references cases (id),
    agency       text not null references agencies (code),
    officer      text not null,
    client_id    text not null references clients (id),
    code         text not null check (code in ('imminent-danger', 'missing-child', 'medical-emergency', 'other')),
    reason       text not null,
    requested_at timestamptz not null,
    confirmed_by text,
    opened_at    timestamptz,
    until        timestamptz,
    review       text check (review in ('justified', 'not-justified')),
    review_note  text,
    reviewed_by  text,
    reviewed_at  timestamptz,
    version      bigint not null
);
create index emergency_accesses_case on emergency_accesses (case_id);
create index emergency_accesses_unreviewed on emergency_accesses (agency, officer, opened_at) where reviewed_at is null;
comment on table emergency_accesses is 'Who looked at a case in an emergency (break-glass), why, and what its review found';
comment on column emergency_accesses.officer is 'Of the agency: the only one whom it lets look';
comment on column emergency_accesses.confirmed_by is 'The colleague who agreed, where something was shielded';
comment on column emergency_accesses.until is 'Exclusive; the grant it gave ends then';

create table proposals (
    id          uuid primary key,
    case_id     uuid not null references cases (id),
    child_id    uuid references children (id),
    kind        text not null check (kind in ('unshield', 'erase-child')),
    admits      text[],
    reason      text not null,
    agency      text not null references agencies (code),
    proposed_by text not null,
    proposed_at timestamptz not null,
    status      text not null check (status in ('proposed', 'confirmed', 'declined')),
    decided_by  text,
    decided_at  timestamptz,
    version     bigint not null
);
create index proposals_case on proposals (case_id);
comment on table proposals is 'What needs two people of the lead: proposed by one, agreed to by another';
comment on column proposals.admits is 'Of a shield: whom it is to name then; it is lifted when null';

create table suspensions (
    id         uuid primary key,
    agency     text not null references agencies (code),
    officer    text,
    client_id  text references clients (id),
    reason     text not null,
    by_agency  text not null,
    by_officer text not null,
    since      timestamptz not null,
    lifted_at  timestamptz,
    lifted_by  text,
    check ((officer is null) <> (client_id is null))
);
create index suspensions_active on suspensions (agency, officer, client_id) where lifted_at is null;
comment on table suspensions is 'Officers and clients whose every request is refused until it is lifted';
comment on column suspensions.agency is 'Of the officer, or of the client';

set local role lindung_maintenance;

create function policy.admitted_as() returns text[] language sql stable
    as $$ select array[policy.agency(), policy.agency() || '/' || policy.officer()] $$;
comment on function policy.admitted_as is 'The names under which a shield may admit whoever asks';

create function policy.opening() returns uuid language sql stable
    as $$ select nullif(current_setting('lindung.opening', true), '')::uuid $$;
comment on function policy.opening is 'The case on whose opening in an emergency this transaction decides';

create function policy.at_work() returns boolean language sql stable
    as $$ select policy.works() and coalesce(policy.purpose(), 'emergency') <> 'emergency' $$;
comment on function policy.at_work is 'Whether an officer asks, for a purpose of work';

create function policy.lets_through(asked uuid, shield text[]) returns boolean language plpgsql stable security definer set search_path = pg_catalog, public as $$
begin
    return shield is null or shield && policy.admitted_as() or (policy.purpose() = 'emergency' and exists (
        select from grants g where g.case_id = asked and g.agency = policy.agency() and g.officer = policy.officer()
        and g.source = 'break-glass' and g.since <= policy.now() and g.until > policy.now()));
end $$;
comment on function policy.lets_through is 'Whether a shield of the case, or of a child of it, hides nothing from whoever asks';

create or replace function policy.leads(asked uuid) returns boolean language plpgsql stable security definer set search_path = pg_catalog, public as $$
begin
    return exists (select from cases c where c.id = asked and c.lead_agency = policy.agency() and policy.lets_through(c.id, c.shield));
end $$;

create or replace function policy.sees(asked uuid) returns boolean language plpgsql stable security definer set search_path = pg_catalog, public as $$
declare
    own text := policy.agency();
    own_officer text := policy.officer();
    at timestamptz := policy.now();
    head record;
begin
    select c.lead_agency, c.shield into head from cases c where c.id = asked;
    if head.shield is null or policy.lets_through(asked, head.shield) then
        if head.lead_agency = own
            or exists (select from grants g where g.case_id = asked and g.agency = own and (g.officer is null or g.officer = own_officer)
                and g.since <= at and (g.until is null or g.until > at))
            or exists (select from referrals r where r.case_id = asked and (r.sender = own
                or (r.requested_at is not null and (r.recipient = own or own = any(r.listed) or own = any(r.former)))))
            or (head.shield is null and policy.coordinates())
        then
            return true;
        end if;
    end if;
    return asked = policy.opening();
end $$;

create or replace function policy.sees_child(asked uuid, child uuid) returns boolean language plpgsql stable security definer set search_path = pg_catalog, public as $$
declare
    hidden text[] := (select k.shield from children k where k.id = child);
begin
    return (hidden is null or policy.lets_through(asked, hidden) or asked = policy.opening()) and policy.sees(asked) and (policy.coordinates() or policy.leads(asked) or exists (
        select from grants g where g.case_id = asked and g.agency = policy.agency() and (g.officer is null or g.officer = policy.officer())
        and g.since <= policy.now() and (g.until is null or g.until > policy.now()) and (g.children is null or child = any(g.children)))
        or asked = policy.opening());
end $$;

create or replace function policy.sees_referral(asked uuid) returns boolean language plpgsql stable security definer set search_path = pg_catalog, public as $$
declare
    own text := policy.agency();
begin
    return exists (select from referrals r join cases c on c.id = r.case_id where r.id = asked and policy.lets_through(c.id, c.shield)
        and (r.sender = own or (r.requested_at is not null and (r.recipient = own or own = any(r.listed) or own = any(r.former)
        or (c.lead_agency = own and policy.at_work()) or (policy.coordinates() and c.shield is null)))));
end $$;

create or replace function policy.reads(asked uuid, child uuid, wanted text) returns boolean language plpgsql stable security definer set search_path = pg_catalog, public as $$
declare
    own text := policy.agency();
    at timestamptz := policy.now();
    use text := policy.purpose();
begin
    return policy.works()
        and (child is null or policy.lets_through(asked, (select k.shield from children k where k.id = child)))
        and policy.lets_through(asked, (select c.shield from cases c where c.id = asked))
        and ((policy.leads(asked) and use <> 'emergency') or exists (
            select from grants g where g.case_id = asked and g.agency = own and (g.officer is null or g.officer = policy.officer())
            and g.since <= at and (g.until is null or g.until > at)
            and use = any(g.purposes) and wanted = any(g.sections) and (child is null or g.children is null or child = any(g.children))));
end $$;

create or replace function policy.writes(asked uuid, child uuid, wanted text) returns boolean language plpgsql stable security definer set search_path = pg_catalog, public as $$
declare
    own text := policy.agency();
    at timestamptz := policy.now();
    use text := policy.purpose();
begin
    return policy.reads(asked, child, wanted) and ((policy.leads(asked) and use <> 'emergency') or exists (
        select from grants g where g.case_id = asked and g.agency = own and (g.officer is null or g.officer = policy.officer())
        and g.since <= at and (g.until is null or g.until > at)
        and use = any(g.purposes) and wanted = any(g.sections) and wanted = any(g.contributes)
        and (child is null or g.children is null or child = any(g.children))));
end $$;

create function policy.case_named(wanted text) returns uuid language plpgsql stable security definer set search_path = pg_catalog, public as $$
begin
    return (select c.id from cases c where c.reference = wanted and policy.works());
end $$;
comment on function policy.case_named is 'The case of a reference, whoever may see it: for emergencies';

create function policy.identified(tokens bytea[])
    returns table (case_id uuid, child_id uuid, version bigint, sealed bytea, kek_version integer, wrapped bytea, destroyed_at timestamptz)
    language plpgsql stable security definer set search_path = pg_catalog, public as $$
begin
    -- Those that are open to the officer in an emergency already come last: to ask again is to ask for the next.
    return query select i.case_id, i.child_id, s.version, s.sealed, y.kek_version, y.wrapped, y.destroyed_at
        from identity_indexes i join cases c on c.id = i.case_id join child_identities s on s.child_id = i.child_id
        join child_keys y on y.child_id = i.child_id where i.token = any(tokens) and policy.works()
        order by exists (select from grants g where g.case_id = c.id and g.agency = policy.agency() and g.officer = policy.officer()
            and g.until > policy.now()), c.status = 'closed', c.created_at desc, c.id desc, i.child_id;
end $$;
comment on function policy.identified is 'The children that the blind index names, whoever may see them: each has still to be confirmed by opening its identity';

create or replace function policy.accesses_of(asked uuid) returns setof access_log language sql stable security definer set search_path = pg_catalog, public
    as $$ select * from access_log a where a.case_ids @> array[asked] and policy.audits(a.agency)
        and (policy.agency() in ('PP', 'SUHAKAM.OCC') or a.outcome in ('permitted', 'replayed', 'denied', 'stale', 'conflict')) $$;
comment on function policy.accesses_of is 'The accesses that touch the case, as far as the auditor may read them; whether a try that was not found would have hit something is for the oversight offices alone';

create function policy.veil(asked uuid, hidden boolean) returns void language sql security definer set search_path = pg_catalog, public as $$
    update referrals set shielded = hidden where case_id = asked and policy.leads(asked)
$$;
comment on function policy.veil is 'Lets the referrals of a case know that it has a shield, drafts of others too';

-- Where pg_temp is not named PostgreSQL looks there first: a temporary table could stand in for one of ours.
do $$
declare
    it regprocedure;
begin
    for it in select oid from pg_proc where pronamespace = 'policy'::regnamespace and prosecdef loop
        execute format('alter function %s set search_path = pg_catalog, public, pg_temp', it);
    end loop;
end $$;

revoke execute on all functions in schema policy from public;
grant execute on all functions in schema policy to lindung_api;

set local role lindung_owner;

grant update on children to lindung_api;
grant select, insert, update on emergency_accesses, proposals, suspensions to lindung_api;

drop policy parties on cases;
create policy parties on cases using ((shield is null and lead_agency = policy.agency()) or policy.sees(id))
    with check (lead_agency = policy.agency() or policy.sees(id));
drop policy parties on grants;
create policy parties on grants using (policy.sees(case_id)) with check (policy.sees(case_id));
drop policy parties on referrals;
create policy parties on referrals using (
    (not shielded and (sender = policy.agency() or (requested_at is not null
        and (recipient = policy.agency() or policy.agency() = any(listed) or policy.agency() = any(former)))))
    or policy.sees_referral(id) or (sender = policy.agency() and policy.sees(case_id))
) with check (policy.sees(case_id));
drop policy parties on messages;
create policy parties on messages for select using (
    policy.at_work() and case when referral_id is null then policy.leads(case_id) else policy.sees_referral(referral_id) end
);
drop policy told on events;
create policy told on events for select using (
    policy.agency() = any(recipients) and policy.sees(case_id) and (subject_type <> 'child' or policy.sees_child(case_id, subject_id))
);
create policy shielded on children for update using (policy.leads(case_id));

alter table emergency_accesses enable row level security;
alter table emergency_accesses force row level security;
create policy parties on emergency_accesses for select
    using (agency = policy.agency() or policy.audits(agency) or (policy.leads(case_id) and policy.sees(case_id)));
create policy asked on emergency_accesses for insert with check (agency = policy.agency() and officer = policy.officer());
create policy decided on emergency_accesses for update using (agency = policy.agency() or policy.leads(case_id));

alter table proposals enable row level security;
alter table proposals force row level security;
create policy lead on proposals using (policy.leads(case_id)) with check (policy.leads(case_id));
