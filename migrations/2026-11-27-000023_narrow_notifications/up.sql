-- What is for an officer by name is for them at their work: whoever also audits or administers sees none of it then.
drop policy told on notifications;
create policy told on notifications for select to lindung_api using (agency = policy.agency()
    and (roles && policy.roles() or (officer = policy.officer() and policy.roles() && array['officer', 'supervisor', 'coordinator']))
    and told_at <= policy.now() and policy.tells(kind, case_id, subject_type, subject_id));

-- Few of an inbox, found without looking at all the others.
create index notifications_by_name on notifications (agency, officer, told_at desc, id desc) where officer is not null;
create index notifications_of_case on notifications (case_id, agency, told_at desc, id desc);
create index notifications_open on notifications (agency, told_at desc, id desc) where acknowledged_at is null;
create index notifications_of_no_event on notifications (agency, told_at desc, id desc) where event_id is null;
-- And what is forgotten.
create index notifications_noted on notifications (acknowledged_at) where acknowledged_at is not null;
create index notifications_told on notifications (told_at);

set local role lindung_maintenance;

create or replace function policy.forget_notifications(acknowledged_before timestamptz, told_before timestamptz) returns bigint language sql security definer set search_path = pg_catalog, public, pg_temp as $$
    with gone as (delete from notifications where id in (
        (select id from notifications where acknowledged_at < acknowledged_before order by acknowledged_at limit 5000)
        union all
        (select id from notifications where told_at < told_before order by told_at limit 5000)) returning 1)
    select count(*) from gone
$$;

set local role lindung_owner;
