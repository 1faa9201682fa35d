create table referrals (
    id                   uuid primary key,
    case_id              uuid not null references cases (id),
    case_reference       text not null,
    sender               text not null references agencies (code),
    status               text not null check (status in ('draft', 'requested', 'received', 'accepted', 'in-progress', 'on-hold', 'completed', 'rejected', 'failed', 'cancelled', 'entered-in-error')),
    kind                 text not null,
    priority             text not null check (priority in ('immediate', 'urgent', 'routine')),
    request              text not null,
    named                text,
    alternatives         text[] not null,
    open_to              text[],
    children             uuid[],
    shares               jsonb not null,
    contributes          text[] not null,
    purposes             text[] not null,
    onward               boolean not null,
    retention_days       integer not null,
    recipient            text,
    listed               text[] not null,
    former               text[] not null,
    redirects            smallint not null,
    awaiting_information boolean not null,
    cancel_requested     boolean not null,
    assignee             text,
    due_at               timestamptz,
    outcome              text,
    reason               text,
    suggested            text,
    version              bigint not null,
    created_at           timestamptz not null,
    requested_at         timestamptz,
    arrived_at           timestamptz,
    updated_at           timestamptz not null
) with (fillfactor = 85);
create index referrals_case on referrals (case_id);
create index referrals_outbox on referrals (sender, created_at desc, id desc);
create index referrals_inbox on referrals (recipient, arrived_at desc, id desc);
create index referrals_inbox_open on referrals (recipient, arrived_at desc, id desc)
    where status in ('requested', 'received', 'accepted', 'in-progress', 'on-hold');
comment on table referrals is 'What one agency asks of another about a case';
comment on column referrals.case_reference is 'Of its case, which never changes: lists need it without a look at the case';
comment on column referrals.named is 'The recipient that the sender named; recipient is who has it now';
comment on column referrals.open_to is 'Those that the sender listed, when it is open to several; null when it is not';
comment on column referrals.listed is 'Those of open_to that may still claim it';
comment on column referrals.former is 'Who had it before it was redirected';
comment on column referrals.arrived_at is 'When it came to its present recipient: the order of the inbox';

create table referral_listings (
    agency      text not null,
    referral_id uuid not null references referrals (id),
    arrived_at  timestamptz not null,
    primary key (agency, referral_id)
);
create index referral_listings_inbox on referral_listings (agency, arrived_at desc, referral_id desc);
comment on table referral_listings is 'Open referrals in the inboxes of those that may still claim them';

create table messages (
    id          uuid primary key,
    case_id     uuid not null references cases (id),
    referral_id uuid,
    kind        text not null,
    code        text,
    text        text not null,
    agency      text not null,
    officer     text,
    at          timestamptz not null
);
create index messages_case on messages (case_id, id);
comment on table messages is 'What people wrote on a case or a referral: reasons, questions, answers, notes';
