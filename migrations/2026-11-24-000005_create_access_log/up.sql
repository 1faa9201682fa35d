create table access_log (
    id         uuid not null,
    at         timestamptz not null,
    xid        xid8 not null default pg_current_xact_id(),
    request_id uuid not null,
    client_id  text,
    agency     text,
    officer    text,
    roles      text[] not null,
    purpose    text,
    action     text not null,
    outcome    text not null,
    rule       text,
    target     text,
    case_ids   uuid[] not null,
    child_ids  uuid[] not null,
    sections   text[] not null,
    count      integer not null,
    primary key (xid, id)
);
create index access_log_cases on access_log using gin (case_ids);
create index access_log_agency on access_log (agency, xid, id);
create index access_log_officer on access_log (officer, xid, id) where officer is not null;
create index access_log_refusals on access_log (xid, id) where outcome <> 'permitted';
comment on table access_log is 'Who asked for what, for which purpose, and what they were shown. Without foreign keys: it outlives what it tells of';
comment on column access_log.action is 'The operation''s id in the API description';
comment on column access_log.rule is 'The relation that permitted it';
comment on column access_log.target is 'What the request named, whether it exists or not';
comment on column access_log.count is 'How many items were shown';
comment on column access_log.xid is 'The transaction that wrote it: with id the order of the log, since whatever commits later has a higher one than all that has ended';
