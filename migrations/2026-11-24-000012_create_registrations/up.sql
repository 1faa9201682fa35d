create table registrations (
    id           uuid primary key,
    client       jsonb not null,
    key          jsonb not null,
    proposed_by  text not null default session_user,
    proposed_at  timestamptz not null,
    confirmed_by text,
    confirmed_at timestamptz,
    constraint registrations_by_two check (confirmed_by <> proposed_by)
);
comment on table registrations is 'Changes to which system may vouch for what: proposed by one operator, confirmed by another';
comment on column registrations.client is 'The client as it is to be registered';
comment on column registrations.key is 'The public key that it gets';
comment on column registrations.proposed_by is 'The database login of the operator: each has their own';
