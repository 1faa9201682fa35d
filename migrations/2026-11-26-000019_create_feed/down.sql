revoke select on events from lindung_worker;
grant select (id, case_id, subject_id, case_version, xid) on events to lindung_worker;
drop policy told on events;
create policy told on events for select to lindung_api using (
    policy.agency() = any(recipients) and (case_id is null or policy.sees(case_id))
    and (subject_type <> 'child' or policy.sees_child(case_id, subject_id))
);
drop table feed;
set local role lindung_maintenance;
drop function policy.told_since, policy.tells, policy.tells_agency, policy.erased, policy.child_of;
set local role lindung_owner;
