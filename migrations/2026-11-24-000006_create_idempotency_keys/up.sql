create table idempotency_keys (
    client_id   text not null,
    officer     text not null,
    purpose     text not null,
    key         text not null,
    route       text not null,
    digest      bytea not null,
    case_id     uuid,
    referral_id uuid,
    status      smallint not null,
    response    jsonb not null,
    created_at  timestamptz not null,
    primary key (client_id, officer, purpose, key)
);
create index idempotency_keys_age on idempotency_keys (created_at);
comment on table idempotency_keys is 'Answers to repeat when a POST is repeated within 24 hours; ids, codes and links only';
comment on column idempotency_keys.officer is 'Empty when the client acted alone';
comment on column idempotency_keys.digest is 'HMAC-SHA-256 of the request body';
comment on column idempotency_keys.case_id is 'What the answer tells of: a repeat needs the right to see it still';
