-- Row-level security: the second line behind the service's own policy. It goes by the context of the transaction, which
-- the service sets as it begins one; without a context nothing about a case is visible.

alter table referral_listings add column case_id uuid references cases (id);
update referral_listings l set case_id = r.case_id from referrals r where r.id = l.referral_id;
alter table referral_listings alter column case_id set not null;
comment on column referral_listings.case_id is 'Of its referral: what row-level security goes by';

create schema policy authorization lindung_maintenance;
comment on schema policy is 'What row-level security asks';
grant usage on schema policy to lindung_owner, lindung_api, lindung_worker;

set local role lindung_maintenance;

-- Who asks: small enough to be inlined.
create function policy.agency() returns text language sql stable
    as $$ select nullif(current_setting('lindung.agency', true), '') $$;
create function policy.officer() returns text language sql stable
    as $$ select nullif(current_setting('lindung.officer', true), '') $$;
create function policy.client() returns text language sql stable
    as $$ select nullif(current_setting('lindung.client', true), '') $$;
create function policy.purpose() returns text language sql stable
    as $$ select nullif(current_setting('lindung.purpose', true), '') $$;
create function policy.roles() returns text[] language sql stable
    as $$ select string_to_array(current_setting('lindung.roles', true), ',') $$;
create function policy.now() returns timestamptz language sql stable
    as $$ select nullif(current_setting('lindung.now', true), '')::timestamptz $$;
create function policy.coordinates() returns boolean language sql stable
    as $$ select coalesce('coordinator' = any(policy.roles()), false) $$;
create function policy.works() returns boolean language sql stable
    as $$ select coalesce(policy.roles() && array['officer', 'supervisor'], false) $$;

create function policy.leads(asked uuid) returns boolean language plpgsql stable security definer set search_path = pg_catalog, public as $$
begin
    return exists (select from cases c where c.id = asked and c.lead_agency = policy.agency());
end $$;
comment on function policy.leads is 'Whether the agency leads the case, for whatever purpose';

create function policy.sees(asked uuid) returns boolean language plpgsql stable security definer set search_path = pg_catalog, public as $$
declare
    own text := policy.agency();
    at timestamptz := policy.now();
begin
    return exists (select from grants g where g.case_id = asked and g.agency = own and g.since <= at and (g.until is null or g.until > at))
        or policy.leads(asked)
        or exists (select from referrals r where r.case_id = asked and (r.sender = own
            or (r.requested_at is not null and (r.recipient = own or own = any(r.listed) or own = any(r.former)))))
        or (policy.coordinates() and exists (select from cases c where c.id = asked and not c.shielded));
end $$;
comment on function policy.sees is 'Whether the agency may know of the case: through a live grant, a referral of it, or by coordinating';

create function policy.sees_child(asked uuid, child uuid) returns boolean language plpgsql stable security definer set search_path = pg_catalog, public as $$
begin
    return policy.leads(asked) or exists (
        select from grants g where g.case_id = asked and g.agency = policy.agency() and g.since <= policy.now()
        and (g.until is null or g.until > policy.now()) and (g.children is null or child = any(g.children)));
end $$;
comment on function policy.sees_child is 'Whether the agency may know of the child: a live grant reaches it';

create function policy.sees_referral(asked uuid) returns boolean language plpgsql stable security definer set search_path = pg_catalog, public as $$
declare
    own text := policy.agency();
begin
    return exists (select from referrals r join cases c on c.id = r.case_id where r.id = asked and (r.sender = own
        or (r.requested_at is not null and (r.recipient = own or own = any(r.listed) or own = any(r.former) or c.lead_agency = own
        or (policy.coordinates() and not c.shielded)))));
end $$;
comment on function policy.sees_referral is 'Whether the agency may know of the referral: its sender, and once it is sent who has or had it, the lead, and coordinators';

create function policy.reads(asked uuid, child uuid, wanted text) returns boolean language plpgsql stable security definer set search_path = pg_catalog, public as $$
declare
    own text := policy.agency();
    at timestamptz := policy.now();
    use text := policy.purpose();
begin
    return policy.works() and ((policy.leads(asked) and use <> 'emergency') or exists (
        select from grants g where g.case_id = asked and g.agency = own and g.since <= at and (g.until is null or g.until > at)
        and use = any(g.purposes) and wanted = any(g.sections) and (child is null or g.children is null or child = any(g.children))));
end $$;
comment on function policy.reads is 'Whether an officer may read the section for the purpose';

create function policy.writes(asked uuid, child uuid, wanted text) returns boolean language plpgsql stable security definer set search_path = pg_catalog, public as $$
declare
    own text := policy.agency();
    at timestamptz := policy.now();
    use text := policy.purpose();
begin
    return policy.works() and ((policy.leads(asked) and use <> 'emergency') or exists (
        select from grants g where g.case_id = asked and g.agency = own and g.since <= at and (g.until is null or g.until > at)
        and use = any(g.purposes) and wanted = any(g.sections) and wanted = any(g.contributes)
        and (child is null or g.children is null or child = any(g.children))));
end $$;
comment on function policy.writes is 'Whether an officer may write the section for the purpose';

create function policy.audits(of_agency text) returns boolean language sql stable
    as $$ select coalesce('auditor' = any(policy.roles()) and (policy.agency() in ('PP', 'SUHAKAM.OCC') or of_agency = policy.agency()), false) $$;
comment on function policy.audits is 'Whether an auditor may read the accesses made in the agency''s name';

-- Conditions on arrays are not leakproof, so that their index would not be used behind a policy; behind this function it is.
create function policy.accesses_of(asked uuid) returns setof access_log language sql stable security definer set search_path = pg_catalog, public
    as $$ select * from access_log a where a.case_ids @> array[asked] and policy.audits(a.agency) $$;
comment on function policy.accesses_of is 'The accesses that touch the case, as far as the auditor may read them';

create function policy.log_complete_until() returns timestamptz language sql stable security definer set search_path = pg_catalog, public
    as $$ select least(min(xact_start), statement_timestamp()) from pg_stat_activity where pid <> pg_backend_pid() $$;
comment on function policy.log_complete_until is 'Before when every transaction has ended';

create function policy.forget(kept_until timestamptz, spent_until timestamptz) returns bigint language sql security definer set search_path = pg_catalog, public as $$
    with keys as (delete from idempotency_keys where created_at < kept_until returning 1),
    assertions as (delete from spent_assertions where expires_at < spent_until returning 1)
    select (select count(*) from keys) + (select count(*) from assertions)
$$;
comment on function policy.forget is 'Forgets answers and assertions that have served their time';

create function policy.touches(asked uuid) returns uuid[] language sql stable security definer set search_path = pg_catalog, public as $$
    select coalesce(array_agg(it), '{}') from (select id from cases where id = asked union select case_id from referrals where id = asked) found (it)
$$;
comment on function policy.touches is 'The case that an id names, so that a refused attempt stands in the log of the case whoever made it; tells only the log';

revoke execute on all functions in schema policy from public;
grant execute on all functions in schema policy to lindung_api;
grant execute on function policy.forget to lindung_worker;

set local role lindung_owner;

grant all on all tables in schema public to lindung_maintenance;
grant all on all sequences in schema public to lindung_maintenance;
alter default privileges for role lindung_owner in schema public grant all on tables to lindung_maintenance;

grant select on agencies, clients, client_keys, code_lists, codes to lindung_api;
grant insert, update on agencies to lindung_api;
grant select, insert, update on officers to lindung_api;
grant select, insert on spent_assertions to lindung_api;
grant usage on case_numbers to lindung_api;
grant select, insert, update on cases, sections, child_identities, grants, case_parties, referrals, idempotency_keys to lindung_api;
grant select, insert on children, messages, events, access_log to lindung_api;
grant select, insert, delete on referral_listings to lindung_api;
grant select on access_log to lindung_auditor;

alter table cases enable row level security;
alter table cases force row level security;
create policy parties on cases using (lead_agency = policy.agency() or policy.sees(id))
    with check (lead_agency = policy.agency() or policy.sees(id));

alter table children enable row level security;
alter table children force row level security;
create policy parties on children for select using (policy.sees_child(case_id, id));
create policy added on children for insert with check (policy.leads(case_id));

alter table sections enable row level security;
alter table sections force row level security;
create policy read on sections for select using (policy.reads(case_id, child_id, section));
create policy added on sections for insert with check (policy.writes(case_id, child_id, section));
create policy written on sections for update using (policy.writes(case_id, child_id, section));

alter table child_identities enable row level security;
alter table child_identities force row level security;
create policy read on child_identities for select using (policy.reads(case_id, child_id, 'identity'));
create policy added on child_identities for insert with check (policy.writes(case_id, child_id, 'identity'));
create policy written on child_identities for update using (policy.writes(case_id, child_id, 'identity'));

alter table grants enable row level security;
alter table grants force row level security;
create policy parties on grants using (agency = policy.agency() or policy.sees(case_id)) with check (policy.sees(case_id));

alter table case_parties enable row level security;
alter table case_parties force row level security;
create policy parties on case_parties using (agency = policy.agency() or policy.sees(case_id)) with check (policy.sees(case_id));

alter table referrals enable row level security;
alter table referrals force row level security;
create policy parties on referrals using (
    sender = policy.agency()
    or (requested_at is not null and (recipient = policy.agency() or policy.agency() = any(listed) or policy.agency() = any(former)))
    or policy.sees_referral(id)
) with check (policy.sees(case_id));

alter table referral_listings enable row level security;
alter table referral_listings force row level security;
create policy parties on referral_listings using (agency = policy.agency() or policy.sees_referral(referral_id)) with check (policy.sees(case_id));

alter table messages enable row level security;
alter table messages force row level security;
create policy parties on messages for select using (
    not policy.coordinates() and case when referral_id is null then policy.leads(case_id) else policy.sees_referral(referral_id) end
);
create policy written on messages for insert with check (agency = policy.agency() and policy.sees(case_id));

alter table events enable row level security;
alter table events force row level security;
create policy told on events for select using (policy.agency() = any(recipients) and policy.sees(case_id));
create policy happened on events for insert with check (agency = policy.agency() and policy.sees(case_id));

alter table access_log enable row level security;
alter table access_log force row level security;
create policy audited on access_log for select to lindung_api using (policy.audits(agency));
create policy audited_whole on access_log for select to lindung_auditor using (true);
create policy logged on access_log for insert with check (agency is not distinct from policy.agency());

alter table idempotency_keys enable row level security;
alter table idempotency_keys force row level security;
create policy own on idempotency_keys using (client_id = policy.client());
