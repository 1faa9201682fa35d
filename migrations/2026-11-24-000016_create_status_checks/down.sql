drop table status_checks;
set local role lindung_maintenance;
drop function policy.status_of;
drop function policy.checkable;
set local role lindung_owner;
