set local role lindung_maintenance;
drop function policy.officers_over;
set local role lindung_owner;
drop index access_log_at;
drop table spent_proofs;
