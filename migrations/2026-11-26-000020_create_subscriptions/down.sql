set local role lindung_maintenance;
drop function policy.queues, policy.attempts, policy.forget_deliveries;
set local role lindung_owner;
drop policy sent on access_log;
alter policy logged on access_log to public;
revoke insert (id, at, request_id, client_id, agency, officer, roles, purpose, action, target, outcome, rule, case_ids, child_ids, sections, count)
    on access_log from lindung_worker;
revoke select (priority) on cases, referrals from lindung_worker;
drop table delivery_attempts;
drop table deliveries;
drop table subscriptions;
