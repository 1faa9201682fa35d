-- Handoffs of the lead, and grants that are given or ended by hand.

create table handoffs (
    id             uuid primary key,
    case_id        uuid not null references cases (id),
    case_reference text not null,
    status         text not null check (status in ('asked', 'offered', 'accepted', 'declined', 'refused', 'withdrawn', 'expired')),
    from_agency    text not null references agencies (code),
    to_agency      text not null references agencies (code),
    keeps          text check (keeps in ('outcome-only', 'read-only')),
    ask_reason     text,
    offer_reason   text,
    answer_reason  text,
    manifest       jsonb,
    version        bigint not null,
    created_at     timestamptz not null,
    offered_at     timestamptz,
    ended_at       timestamptz
);
create unique index handoffs_offered on handoffs (case_id) where status = 'offered';
create index handoffs_case on handoffs (case_id);
create index handoffs_from on handoffs (from_agency, id desc);
create index handoffs_to on handoffs (to_agency, id desc);
comment on table handoffs is 'The lead of a case: asked for, offered, and taken or not; one is offered at a time';
comment on column handoffs.from_agency is 'Who leads, or led when it ended';
comment on column handoffs.keeps is 'What the former lead keeps';
comment on column handoffs.manifest is 'The versions of everything in the case as it was offered; as it was accepted, once it is';

alter table grants add column handoff_id uuid;
alter table grants add column chain uuid[] not null default '{}';
alter table grants add column reason text;
alter table grants add column ground jsonb;
alter table grants add column ended_by text;
alter table grants add column end_reason text;
comment on column grants.handoff_id is 'The handoff by which a former lead keeps it';
comment on column grants.chain is 'The referrals through which it came, the lead''s first';
comment on column grants.reason is 'Why it was given by hand';
comment on column grants.ground is 'What it rests on, where it was given by hand';
comment on column grants.ended_by is 'The officer of the lead who ended it by hand';
comment on column grants.end_reason is 'Why it was ended by hand';
alter table grants drop constraint grants_source_check;
alter table grants add constraint grants_source_check check (source in ('lead', 'referral', 'handoff', 'break-glass', 'by-hand'));
alter table grants add constraint grants_lead
    exclude using btree (case_id with =) where (source = 'lead' and until is null) deferrable initially deferred;
comment on constraint grants_lead on grants is 'Never more than one agency is responsible for a case; within the statement that hands it over there are two';

alter table referrals add column chain uuid[] not null default '{}';
comment on column referrals.chain is 'The referrals through which its sender came to what it shares, the lead''s first';

set local role lindung_maintenance;

create or replace function policy.sees(asked uuid) returns boolean language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
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
            or exists (select from handoffs h where h.case_id = asked and (h.to_agency = own or h.from_agency = own))
            or (head.shield is null and policy.coordinates())
        then
            return true;
        end if;
    end if;
    return asked = policy.opening();
end $$;

create function policy.takes_over(asked uuid) returns boolean language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    return policy.at_work() and policy.sees(asked) and (policy.leads(asked)
        or exists (select from handoffs h where h.case_id = asked and h.status = 'offered' and h.to_agency = policy.agency()));
end $$;
comment on function policy.takes_over is 'Whether the agency leads the case, or is offered it';

create or replace function policy.sees_clock(subject_type text, subject uuid, asked uuid, asker text, holder text) returns boolean language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    return case subject_type
        when 'referral' then policy.sees_referral(subject)
        when 'child' then policy.sees_child(asked, subject)
        else (policy.agency() in (asker, holder) or policy.coordinates()) and (asked is null or policy.sees(asked))
    end or policy.takes_over(asked);
end $$;
comment on function policy.sees_clock is 'Whether the agency may know of the clock: of what it runs on, or of the whole case, which it is offered';

create function policy.manifest(asked uuid) returns jsonb language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    items jsonb;
begin
    if not policy.takes_over(asked) then
        return null;
    end if;
    select jsonb_agg(item order by item) into items from (
        select jsonb_build_object('of', 'header', 'version', c.version) from cases c where c.id = asked
        union all select jsonb_build_object('of', 'child', 'child', k.id) from children k where k.case_id = asked
        union all select jsonb_build_object('of', 'section', 'section', s.section, 'child', s.child_id, 'version', s.version)
            from sections s where s.case_id = asked
        union all select jsonb_build_object('of', 'section', 'section', 'identity', 'child', i.child_id, 'version', i.version)
            from child_identities i where i.case_id = asked
        union all select jsonb_build_object('of', 'referral', 'referral', r.id, 'version', r.version)
            from referrals r where r.case_id = asked and r.status in ('requested', 'received', 'accepted', 'in-progress', 'on-hold')
    ) parts (item);
    return jsonb_build_object('version', encode(sha256(convert_to(items::text, 'UTF8')), 'hex'), 'items', items);
end $$;
comment on function policy.manifest is 'The versions of everything in the case, for its lead and for whoever is offered it';

create function policy.referrals_of_lead(asked uuid) returns setof referrals language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    return query select r.* from referrals r join cases c on c.id = r.case_id where r.case_id = asked and policy.takes_over(asked)
        and r.status in ('requested', 'received', 'accepted', 'in-progress', 'on-hold')
        and (r.sender = c.lead_agency or exists (select from handoffs h where h.case_id = asked and h.status = 'offered'
            and h.to_agency = policy.agency() and (r.recipient = h.to_agency or h.to_agency = any(r.listed))));
end $$;
comment on function policy.referrals_of_lead is 'The open referrals that move with the lead: its own, and what it is asked itself';

revoke execute on all functions in schema policy from public;
grant execute on all functions in schema policy to lindung_api;

set local role lindung_owner;

grant select, insert, update on handoffs to lindung_api;
alter table handoffs enable row level security;
alter table handoffs force row level security;
create policy sides on handoffs for select to lindung_api using (
    policy.sees(case_id) and (to_agency = policy.agency() or from_agency = policy.agency() or policy.coordinates()
        or (policy.leads(case_id) and policy.at_work()))
);
create policy made on handoffs for insert to lindung_api with check (
    policy.at_work() and policy.sees(case_id) and case status when 'offered' then policy.leads(case_id) else to_agency = policy.agency() or policy.leads(case_id) end
);
create policy moved on handoffs for update to lindung_api using (policy.at_work() and (to_agency = policy.agency() or policy.leads(case_id)));

-- What is not answered in time expires by itself.
grant select, update (status, version, ended_at) on handoffs to lindung_worker;
grant update (ended, ended_at) on clocks to lindung_worker;
create policy expiring on handoffs to lindung_worker using (true);
