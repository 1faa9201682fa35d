create table events (
    id           uuid primary key,
    kind         text not null,
    case_id      uuid not null references cases (id),
    case_version bigint not null,
    subject_type text not null check (subject_type in ('case', 'child', 'referral')),
    subject_id   uuid not null,
    causation_id uuid not null,
    at           timestamptz not null,
    agency       text not null,
    client_id    text not null,
    data         jsonb not null,
    recipients   text[] not null,
    xid          xid8 not null default pg_current_xact_id(),
    unique (case_id, case_version)
);
comment on table events is 'What happened, once; timeline and feed are views of it';
comment on column events.case_version is 'Dense per case: taken under the case''s lock';
comment on column events.causation_id is 'The command that all its events have in common';
comment on column events.recipients is 'Who is told, fixed at writing: those entitled before or after the change';
comment on column events.xid is 'The transaction that wrote it, for the sequencer';
