-- The older shape holds nothing sealed: who the children are is lost.
set local role lindung_maintenance;
drop function policy.key_versions;
delete from child_identities;
delete from sections where child_id is not null;
set local role lindung_owner;
drop table identity_indexes, child_keys;
alter table child_identities drop column sealed;
alter table child_identities add column content jsonb not null;
alter table sections drop constraint sections_sealed;
alter table sections drop column sealed;
alter table sections alter column content set not null;
comment on column sections.content is null;
