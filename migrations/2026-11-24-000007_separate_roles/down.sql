drop policy own on idempotency_keys;
drop policy logged on access_log;
drop policy audited_whole on access_log;
drop policy audited on access_log;
drop policy happened on events;
drop policy told on events;
drop policy written on messages;
drop policy parties on messages;
drop policy parties on referral_listings;
drop policy parties on referrals;
drop policy parties on case_parties;
drop policy parties on grants;
drop policy written on child_identities;
drop policy added on child_identities;
drop policy read on child_identities;
drop policy written on sections;
drop policy added on sections;
drop policy read on sections;
drop policy added on children;
drop policy parties on children;
drop policy parties on cases;

do $$
declare
    name text;
begin
    foreach name in array array['cases', 'children', 'sections', 'child_identities', 'grants', 'case_parties', 'referrals', 'referral_listings', 'messages', 'events', 'access_log', 'idempotency_keys']
    loop
        execute format('alter table %I disable row level security', name);
        execute format('alter table %I no force row level security', name);
    end loop;
end $$;

revoke all on all tables in schema public from lindung_maintenance, lindung_api, lindung_auditor;
revoke all on all sequences in schema public from lindung_maintenance, lindung_api;
alter default privileges for role lindung_owner in schema public revoke all on tables from lindung_maintenance;
set local role lindung_maintenance;
drop schema policy cascade;
set local role lindung_owner;
alter table referral_listings drop column case_id;
