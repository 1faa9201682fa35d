set local role lindung_maintenance;
delete from events where subject_type in ('handoff', 'grant');
delete from grants where source in ('handoff', 'by-hand');
drop function policy.referrals_of_lead;
drop function policy.manifest;
create or replace function policy.sees_clock(subject_type text, subject uuid, asked uuid, asker text, holder text) returns boolean language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    return case subject_type
        when 'referral' then policy.sees_referral(subject)
        when 'child' then policy.sees_child(asked, subject)
        else (policy.agency() in (asker, holder) or policy.coordinates()) and (asked is null or policy.sees(asked))
    end;
end $$;
drop function policy.takes_over;
set local role lindung_owner;
alter table referrals drop column chain;
alter table grants drop constraint grants_lead;
alter table grants drop constraint grants_source_check;
alter table grants add constraint grants_source_check check (source in ('lead', 'referral', 'break-glass'));
alter table grants drop column end_reason, drop column ended_by, drop column ground, drop column reason, drop column chain, drop column handoff_id;
drop table handoffs;
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
            or (head.shield is null and policy.coordinates())
        then
            return true;
        end if;
    end if;
    return asked = policy.opening();
end $$;
set local role lindung_owner;
