-- The order of events and accesses, and the transparency log over the latter.

create table sequencers (
    log         text primary key check (log in ('events', 'accesses')),
    next        bigint not null,
    seen        pg_snapshot,
    cluster     text,
    complete_at timestamptz
);
insert into sequencers (log, next) values ('events', 0), ('accesses', 0);
comment on table sequencers is 'How far rows have their numbers; whoever has the row locked leads';
comment on column sequencers.next is 'The number of the next row; they are dense, and begin with 0';
comment on column sequencers.seen is 'Whatever this snapshot sees has its number';
comment on column sequencers.cluster is 'The system identifier of the cluster whose transactions the snapshot means';
comment on column sequencers.complete_at is 'What was committed before then has its number';

-- Empty lists of occurrences used to tell of a child that was none; what is sealed has to be whole.
set local role lindung_maintenance;
update access_log set child_ids = array_remove(child_ids, null) where array_position(child_ids, null) is not null;
set local role lindung_owner;
alter table access_log add constraint access_log_whole_check
    check (array_position(case_ids, null) is null and array_position(child_ids, null) is null and array_position(sections, null) is null and count >= 0);

create index events_xid on events (xid);

create table event_numbers (
    number   bigint primary key,
    event_id uuid not null unique
);
comment on table event_numbers is 'The order of events; those of one case are in the order of their case_version';

create table access_leaves (
    number       bigint primary key,
    kind         text not null check (kind in ('access', 'erasure')),
    entry_id     uuid not null unique,
    agency       text,
    leaf         bytea not null,
    sequenced_at timestamptz not null
);
create index access_leaves_agency on access_leaves (agency, number);
comment on table access_leaves is 'The leaves of the transparency log (RFC 6962), in their order';
comment on column access_leaves.entry_id is 'The access, or the erasure';
comment on column access_leaves.agency is 'In whose name the access was made, or who erased';
comment on column access_leaves.leaf is 'The very bytes that are hashed: canonical JSON (RFC 8785)';

create table access_openings (
    number bigint primary key,
    agency text,
    salt   bytea not null,
    detail bytea not null
);
comment on table access_openings is 'What opens the commitment of a leaf: of whom it tells. Gone where a child was erased';

create table access_erasures (
    proposal_id uuid primary key
);
create index proposals_erased on proposals (id) where kind = 'erase-child' and status = 'confirmed';
comment on table access_erasures is 'The erasures of children after which no access is left that could tell of them';

create table access_tiles (
    level  smallint not null,
    index  bigint not null,
    hashes bytea not null,
    primary key (level, index)
);
comment on table access_tiles is 'The tree over the leaves (C2SP tlog-tiles): up to 256 hashes of 32 bytes; a narrower tile is the beginning of a wider one';

create table access_checkpoints (
    size      bigint primary key,
    note      text not null,
    signed_at timestamptz not null
);
comment on table access_checkpoints is 'What the signer signed (C2SP tlog-checkpoint)';

create table access_cosignatures (
    size bigint not null references access_checkpoints (size),
    key  text not null,
    line text not null,
    at   timestamptz not null,
    primary key (size, key)
);
comment on table access_cosignatures is 'Who witnessed a checkpoint (C2SP tlog-cosignature)';
comment on column access_cosignatures.key is 'The witness''s key, by name and id';
comment on column access_cosignatures.line is 'The signature''s line of the note';

set local role lindung_maintenance;

create function policy.audits_leaf(kind text, of_agency text) returns boolean language sql stable
    as $$ select policy.audits(of_agency) or (kind = 'erasure' and 'auditor' = any(policy.roles())) $$;
comment on function policy.audits_leaf is 'Whether an auditor may read the leaf: every auditor may know what was erased';

-- What is erased is decided where a proposal is confirmed: nothing can be named here. Accesses that were still being
-- written then come within the hour; machines' clocks differ by less than a minute.
create function policy.erase_accesses(at timestamptz)
returns table (proposal uuid, agency text, proposed_by text, decided_by text, numbers bigint[])
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    asked proposals;
begin
    for asked in
        select p.* from proposals p where p.kind = 'erase-child' and p.status = 'confirmed'
        and not exists (select from access_erasures e where e.proposal_id = p.id)
    loop
        return query
            with named as (
                select o.number, a.xid, a.id
                from access_log a join access_leaves l on l.entry_id = a.id join access_openings o on o.number = l.number
                where a.case_ids @> array[asked.case_id] and a.at <= asked.decided_at + interval '1 minute'
                and (asked.child_id = any(a.child_ids) or position(asked.child_id::text in a.target) > 0)
            ), closed as (
                delete from access_openings o using named where o.number = named.number
            ), blanked as (
                update access_log a set target = null, case_ids = '{}', child_ids = '{}', sections = '{}'
                from named where a.xid = named.xid and a.id = named.id
            )
            select asked.id, asked.agency, asked.proposed_by, asked.decided_by, array_agg(named.number) from named having count(*) > 0;
        if asked.decided_at < at - interval '1 hour' then
            insert into access_erasures values (asked.id);
        end if;
    end loop;
end $$;
comment on function policy.erase_accesses is 'Erases of whom accesses tell, where a child was erased since: the openings of their leaves, and what the log itself says';

create function policy.unsigned_since() returns timestamptz language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$ select sequenced_at from access_leaves where number = coalesce((select max(size) from access_checkpoints), 0) $$;
comment on function policy.unsigned_since is 'Since when there is a leaf that no checkpoint covers';

-- As before, but what a restored database brought from another cluster is not waited for.
create or replace function policy.accesses_to(asked uuid, after_xid xid8, after_id uuid, at_most bigint) returns setof access_log language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select a.id, a.at, a.xid, a.request_id, a.client_id, a.agency, a.officer, a.roles, a.purpose, a.action, a.outcome, a.rule, null::text, array[asked],
        array(select k.id from children k where k.case_id = asked and k.id = any(a.child_ids) and policy.lets_through(asked, k.shield) order by k.id),
        a.sections, a.count
    from access_log a where a.case_ids @> array[asked] and policy.leads(asked) and policy.supervises()
        and (a.xid < pg_snapshot_xmin(pg_current_snapshot()) or a.xid >= pg_snapshot_xmax(pg_current_snapshot()))
        and (a.xid, a.id) > (after_xid, after_id) and policy.tells_of(asked, a.child_ids, a.target)
    order by a.xid, a.id limit at_most
$$;

revoke execute on function policy.unsigned_since, policy.audits_leaf, policy.erase_accesses from public;
grant execute on function policy.audits_leaf, policy.unsigned_since to lindung_api;
grant execute on function policy.erase_accesses to lindung_worker;

set local role lindung_owner;

-- Whoever names the transaction of a row could keep it from ever getting a number.
revoke insert on access_log, events from lindung_api;
revoke insert on events from lindung_worker;
grant insert (id, at, request_id, client_id, agency, officer, roles, purpose, action, target, outcome, rule, case_ids, child_ids, sections, count)
    on access_log to lindung_api;
grant insert (id, kind, case_id, case_version, subject_type, subject_id, causation_id, at, agency, client_id, data, recipients)
    on events to lindung_api, lindung_worker;

grant select, update on sequencers to lindung_worker;
grant select on sequencers to lindung_api;
grant select (id, case_id, subject_id, case_version, xid) on events to lindung_worker;
grant select, insert on event_numbers, access_leaves to lindung_worker;
grant insert on access_openings to lindung_worker;
grant select on access_log to lindung_worker;
grant select, insert, update on access_tiles to lindung_worker;
grant select on access_leaves, access_openings, access_tiles, access_checkpoints, access_cosignatures to lindung_api, lindung_auditor;
grant select (number, leaf) on access_leaves to lindung_signer;
grant select on access_tiles to lindung_signer;
grant select, insert on access_checkpoints, access_cosignatures to lindung_signer;

create policy sequenced on events for select to lindung_worker using (true);
create policy sequenced on access_log for select to lindung_worker using (true);

alter table access_leaves enable row level security;
alter table access_leaves force row level security;
create policy audited on access_leaves for select to lindung_api using (policy.audits_leaf(kind, agency));
create policy audited_whole on access_leaves for select to lindung_auditor, lindung_signer, lindung_worker using (true);
create policy sequenced on access_leaves for insert to lindung_worker with check (true);

alter table access_openings enable row level security;
alter table access_openings force row level security;
create policy audited on access_openings for select to lindung_api using (policy.audits(agency));
create policy audited_whole on access_openings for select to lindung_auditor using (true);
create policy sequenced on access_openings for insert to lindung_worker with check (true);
