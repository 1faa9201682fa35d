alter table access_log drop constraint access_log_whole_check;
drop policy sequenced on events;
drop policy sequenced on access_log;
revoke select (id, case_id, subject_id, case_version, xid) on events from lindung_worker;
revoke select on access_log from lindung_worker;
revoke insert (id, at, request_id, client_id, agency, officer, roles, purpose, action, target, outcome, rule, case_ids, child_ids, sections, count)
    on access_log from lindung_api;
revoke insert (id, kind, case_id, case_version, subject_type, subject_id, causation_id, at, agency, client_id, data, recipients)
    on events from lindung_api, lindung_worker;
grant insert on access_log, events to lindung_api;
grant insert on events to lindung_worker;
drop index events_xid, proposals_erased;
drop table access_cosignatures, access_checkpoints, access_tiles, access_erasures, access_openings, access_leaves, event_numbers, sequencers;
set local role lindung_maintenance;
create or replace function policy.accesses_to(asked uuid, after_xid xid8, after_id uuid, at_most bigint) returns setof access_log language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select a.id, a.at, a.xid, a.request_id, a.client_id, a.agency, a.officer, a.roles, a.purpose, a.action, a.outcome, a.rule, null::text, array[asked],
        array(select k.id from children k where k.case_id = asked and k.id = any(a.child_ids) and policy.lets_through(asked, k.shield) order by k.id),
        a.sections, a.count
    from access_log a where a.case_ids @> array[asked] and policy.leads(asked) and policy.supervises()
        and a.xid < pg_snapshot_xmin(pg_current_snapshot()) and (a.xid, a.id) > (after_xid, after_id) and policy.tells_of(asked, a.child_ids, a.target)
    order by a.xid, a.id limit at_most
$$;
drop function policy.erase_accesses;
drop function policy.audits_leaf;
drop function policy.unsigned_since;
set local role lindung_owner;
