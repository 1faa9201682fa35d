create table agencies (
    code       text primary key check (code ~ '^[A-Z0-9]+(\.[A-Z0-9]+)*$' and length(code) <= 64),
    parent     text references agencies (code),
    ministry   text not null,
    kind       text not null check (kind in ('heading', 'organisation', 'unit')),
    name_ms    text not null,
    name_en    text not null,
    contacts   jsonb not null default '[]',
    confidence text not null,
    active     boolean not null default true,
    version    bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index agencies_parent on agencies (parent);
comment on table agencies is 'Organisations that take part, and the units registered under them';
comment on column agencies.parent is 'The tree; the dots in the code are only a name';
comment on column agencies.kind is 'A heading (all schools) can be no party; an organisation and a unit can';
comment on column agencies.contacts is 'Desks with telephone and hours';
comment on column agencies.confidence is 'How sure the fact is: H, M, L, setting';

create table clients (
    id         text primary key,
    agency     text not null references agencies (code),
    units      text[] not null,
    roles      text[] not null,
    name       text not null,
    active     boolean not null default true,
    created_at timestamptz not null
);
comment on table clients is 'Ministry systems that may ask for tokens';
comment on column clients.units is 'Units below the agency that it may speak for as well';
comment on column clients.roles is 'Roles that it may vouch for';

create table client_keys (
    client_id  text not null references clients (id),
    kid        text not null,
    jwk        jsonb not null,
    created_at timestamptz not null,
    primary key (client_id, kid)
);
comment on table client_keys is 'Public keys with which clients sign assertions (RFC 7523)';

create table officers (
    agency    text not null references agencies (code),
    id        text not null,
    name      text not null,
    client_id text not null references clients (id),
    seen_at   timestamptz not null,
    primary key (agency, id)
);
comment on table officers is 'Officers as their agency''s system last vouched for them';

create table spent_assertions (
    client_id  text not null,
    jti        text not null,
    expires_at timestamptz not null,
    primary key (client_id, jti)
);
create index spent_assertions_expiry on spent_assertions (expires_at);
comment on table spent_assertions is 'Assertions already used; kept until they would have expired anyway';

create table code_lists (
    list    text primary key,
    version text not null,
    name_ms text not null,
    name_en text not null
);
comment on table code_lists is 'Code lists by name';

create table codes (
    list        text not null references code_lists (list),
    code        text not null,
    position    integer not null,
    label_ms    text not null,
    label_en    text not null,
    confidence  text not null,
    translated  boolean not null default false,
    source      text,
    valid_from  date not null,
    valid_until date,
    primary key (list, code, valid_from)
);
comment on table codes is 'Codes with their labels and the time in which each is in force';
comment on column codes.translated is 'The Malay label is our translation, not the source''s words';
