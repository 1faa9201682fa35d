do $$
begin
    if exists (select from child_identities) or exists (select from sections where child_id is not null) then
        raise exception 'sections of children are here in plain text, which this version neither keeps nor loses by itself: '
            'development data goes with `make wipe YES=1`';
    end if;
end
$$;

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
