revoke insert on events from lindung_worker;
revoke select (id, sender, recipient, listed, former) on referrals from lindung_worker;
revoke select (id, lead_agency, shield, event_count), update (event_count) on cases from lindung_worker;
drop policy happened_by_itself on events;
drop policy worked on referrals;
drop policy worked on cases;
alter policy parties on referrals to public;
alter policy parties on cases to public;
drop table occurrences;
drop table clocks;
drop policy happened on events;
create policy happened on events for insert with check (agency = policy.agency() and policy.sees(case_id));
drop policy told on events;
create policy told on events for select using (
    policy.agency() = any(recipients) and policy.sees(case_id) and (subject_type <> 'child' or policy.sees_child(case_id, subject_id))
);
set local role lindung_maintenance;
drop function policy.response_times(timestamptz, timestamptz, text[]);
drop function policy.sees_clock(text, uuid, uuid, text, text);
delete from events where agency is null or case_id is null
    or subject_type not in ('case', 'child', 'referral', 'emergency-access', 'proposal');
set local role lindung_owner;
alter table events drop constraint events_subject_type_check;
alter table events add constraint events_subject_type_check
    check (subject_type in ('case', 'child', 'referral', 'emergency-access', 'proposal'));
drop index events_subject_version;
alter table events drop constraint events_case;
alter table events alter column case_id set not null;
alter table events alter column client_id set not null;
alter table events alter column agency set not null;
comment on column events.agency is null;
comment on column events.case_version is 'Dense per case: taken under the case''s lock';
