create sequence case_numbers;
comment on sequence case_numbers is 'The number in a case''s reference; orders nothing';

create table cases (
    id          uuid primary key,
    reference   text not null unique,
    status      text not null check (status in ('open', 'closed')),
    priority    text not null check (priority in ('immediate', 'urgent', 'routine')),
    lead_agency text not null references agencies (code),
    offences    text[] not null,
    grounds     text[] not null,
    techniques  text[] not null,
    outcome     text,
    shielded    boolean not null default false,
    version     bigint not null,
    event_count bigint not null default 0,
    created_at  timestamptz not null
) with (fillfactor = 85);
comment on table cases is 'Headers of cases; content is in sections';
comment on column cases.event_count is 'How many events the case has: the caseVersion of the last one';
comment on column cases.version is 'Of the header alone, so that no hidden change shows in it';

create table children (
    id         uuid primary key,
    case_id    uuid not null references cases (id),
    created_at timestamptz not null
);
create index children_case on children (case_id);
comment on table children is 'The children a case concerns; who they are is in child_identities';

create table sections (
    case_id    uuid not null references cases (id),
    child_id   uuid references children (id),
    section    text not null check (section in ('summary', 'narrative', 'investigation', 'digital-evidence', 'plan', 'contacts', 'guardians', 'risk', 'education', 'health')),
    content    jsonb not null,
    version    bigint not null,
    agency     text not null,
    updated_at timestamptz not null,
    unique nulls not distinct (case_id, child_id, section)
);
comment on table sections is 'Content of cases and children, by unit of disclosure';
comment on column sections.agency is 'Who wrote it last';

create table child_identities (
    child_id   uuid primary key references children (id),
    case_id    uuid not null references cases (id),
    content    jsonb not null,
    version    bigint not null,
    agency     text not null,
    updated_at timestamptz not null
);
comment on table child_identities is 'The identity section of each child, kept apart from all others';

create table grants (
    id          uuid primary key,
    case_id     uuid not null references cases (id),
    agency      text not null references agencies (code),
    source      text not null check (source in ('lead', 'referral')),
    referral_id uuid,
    sections    text[] not null,
    contributes text[] not null,
    children    uuid[],
    purposes    text[] not null,
    onward      boolean not null,
    since       timestamptz not null,
    until       timestamptz
);
create index grants_case on grants (case_id, agency);
comment on table grants is 'Who may see what of a case; access is the union of the live ones';
comment on column grants.children is 'The children that it reaches; all of the case''s when null';
comment on column grants.until is 'Exclusive; open-ended when null';

create table case_parties (
    agency      text not null,
    case_id     uuid not null references cases (id),
    activity_at timestamptz not null,
    primary key (agency, case_id)
);
create index case_parties_activity on case_parties (agency, activity_at desc, case_id desc);
comment on table case_parties is 'When something last happened to a case that an agency was told of: the order of its list of cases. Gives no access; grants do.';
