-- Row-level security binds the owner too, who would see none.
set local role lindung_maintenance;
do $$
begin
    if exists (select from child_identities) or exists (select from sections where child_id is not null) then
        raise exception 'sections of children are here in plain text, which this version neither keeps nor loses by itself: '
            'development data goes with `make wipe YES=1`';
    end if;
end
$$;
set local role lindung_owner;

create table child_keys (
    child_id     uuid primary key references children (id),
    case_id      uuid not null references cases (id),
    wrapped      bytea,
    kek_version  integer,
    created_at   timestamptz not null,
    destroyed_at timestamptz,
    constraint child_keys_tombstone check ((wrapped is null) = (destroyed_at is not null) and (wrapped is null) = (kek_version is null))
);
create index child_keys_version on child_keys (kek_version) where wrapped is not null;
comment on table child_keys is 'The key of each child, with which its sections are sealed; without it they are noise. A destroyed key leaves its row, so that no other takes its place';
comment on column child_keys.wrapped is 'Opened by the key-encryption key of kek_version alone; null when destroyed';
comment on column child_keys.kek_version is 'Which key-encryption key wrapped it';
comment on column child_keys.destroyed_at is 'When the child was erased';

alter table child_identities drop column content;
alter table child_identities add column sealed bytea not null;
comment on column child_identities.sealed is 'Content, sealed with the child''s key for this column, row and version';

alter table sections alter column content drop not null;
alter table sections add column sealed bytea;
alter table sections add constraint sections_sealed
    check (case when child_id is null then content is not null and sealed is null else content is null and sealed is not null end);
comment on column sections.content is 'Of sections of a case';
comment on column sections.sealed is 'Of sections of a child: content, sealed with the child''s key for this column, row and version';

create table identity_indexes (
    child_id      uuid not null references children (id),
    case_id       uuid not null references cases (id),
    token         bytea not null,
    index_version integer not null,
    primary key (child_id, token)
);
create index identity_indexes_token on identity_indexes (token);
create index identity_indexes_version on identity_indexes (index_version);
comment on table identity_indexes is 'Blind indexes of children''s identifiers: a token may stand for several, so that a hit is confirmed by opening the identity';
comment on column identity_indexes.token is 'Keyed and truncated: tells nothing without the index key';
comment on column identity_indexes.index_version is 'Of the index key that made the token';

grant select, insert, update on child_keys to lindung_api;
grant select, insert, delete on identity_indexes to lindung_api;
alter table child_keys enable row level security;
alter table child_keys force row level security;
create policy parties on child_keys for select using (policy.sees_child(case_id, child_id));
create policy made on child_keys for insert with check (policy.sees(case_id) and policy.works());
create policy destroyed on child_keys for update using (policy.leads(case_id));
alter table identity_indexes enable row level security;
alter table identity_indexes force row level security;
create policy read on identity_indexes for select using (policy.reads(case_id, child_id, 'identity'));
create policy added on identity_indexes for insert with check (policy.writes(case_id, child_id, 'identity'));
create policy removed on identity_indexes for delete using (policy.writes(case_id, child_id, 'identity'));

set local role lindung_maintenance;
create function policy.key_versions() returns setof integer language sql stable security definer set search_path = pg_catalog, public as $$
    with recursive keys as (select min(kek_version) as version from child_keys where wrapped is not null union all
    select (select min(kek_version) from child_keys where wrapped is not null and kek_version > k.version)
    from keys k where k.version is not null),
    indexes as (select min(index_version) as version from identity_indexes union all
    select (select min(index_version) from identity_indexes where index_version > i.version)
    from indexes i where i.version is not null)
    select version from keys where version is not null union select version from indexes where version is not null
$$;
comment on function policy.key_versions is 'Which versions of the key-encryption keys are in use; looks at each once, however many children there are';
revoke execute on function policy.key_versions from public;
grant execute on function policy.key_versions to lindung_api;
set local role lindung_owner;
