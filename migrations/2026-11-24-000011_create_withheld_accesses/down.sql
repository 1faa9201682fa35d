drop table releases;
drop table withheld_accesses;
set local role lindung_maintenance;
drop function policy.releasable;
drop function policy.access_by;
drop function policy.accesses_to;
drop function policy.tells_of;
drop function policy.supervises;
set local role lindung_owner;
