drop table overrides;
drop table consent_confirmations;
drop table consents;
set local role lindung_maintenance;
drop function policy.was_told;
drop function policy.sees_consent;
drop function policy.bases_of;
set local role lindung_owner;
alter table grants drop column override_id;
alter table grants drop column consents;
set local role lindung_maintenance;
delete from events where subject_type in ('consent', 'override');
set local role lindung_owner;
alter table events drop constraint events_subject_type_check;
alter table events add constraint events_subject_type_check
    check (subject_type in ('case', 'child', 'referral', 'emergency-access', 'proposal'));
