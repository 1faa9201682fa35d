set local role lindung_maintenance;

create or replace function policy.forget_notifications(acknowledged_before timestamptz, told_before timestamptz) returns bigint language sql security definer set search_path = pg_catalog, public, pg_temp as $$
    with gone as (delete from notifications where id in (select id from notifications
        where acknowledged_at < acknowledged_before or told_at < told_before limit 10000) returning 1)
    select count(*) from gone
$$;

set local role lindung_owner;

drop index notifications_told;
drop index notifications_noted;
drop index notifications_of_no_event;
drop index notifications_open;
drop index notifications_of_case;
drop index notifications_by_name;

drop policy told on notifications;
create policy told on notifications for select to lindung_api using (agency = policy.agency() and (roles && policy.roles() or officer = policy.officer())
    and told_at <= policy.now() and policy.tells(kind, case_id, subject_type, subject_id));
