create table spent_proofs (
    slot       smallint not null,
    period     bigint not null,
    jkt        text not null,
    jti        text not null,
    request_id uuid not null,
    primary key (slot, period, jkt, jti)
) partition by list (slot);
comment on table spent_proofs is 'Proofs of possession (RFC 9449) that were used, each once. A ring of partitions: one whose time is over is emptied whole';
comment on column spent_proofs.slot is 'The place in the ring: the period modulo the number of partitions';
comment on column spent_proofs.period is 'When the proof was made, in whole periods since 1970: tells it from what an earlier round left behind';
comment on column spent_proofs.jkt is 'Thumbprint (RFC 7638) of the key that signed the proof';
comment on column spent_proofs.jti is 'The proof''s own id';
comment on column spent_proofs.request_id is 'The request that it came with';
create table spent_proofs_0 partition of spent_proofs for values in (0);
create table spent_proofs_1 partition of spent_proofs for values in (1);
create table spent_proofs_2 partition of spent_proofs for values in (2);
create table spent_proofs_3 partition of spent_proofs for values in (3);
create table spent_proofs_4 partition of spent_proofs for values in (4);
create table spent_proofs_5 partition of spent_proofs for values in (5);
comment on table spent_proofs_0 is 'Slot 0 of spent_proofs';
comment on table spent_proofs_1 is 'Slot 1 of spent_proofs';
comment on table spent_proofs_2 is 'Slot 2 of spent_proofs';
comment on table spent_proofs_3 is 'Slot 3 of spent_proofs';
comment on table spent_proofs_4 is 'Slot 4 of spent_proofs';
comment on table spent_proofs_5 is 'Slot 5 of spent_proofs';

create index access_log_at on access_log using brin (at);
comment on index access_log_at is 'For what was seen today: the log is written in the order of time';

grant select, insert, update on spent_proofs to lindung_api;
grant select, truncate on spent_proofs_0, spent_proofs_1, spent_proofs_2, spent_proofs_3, spent_proofs_4, spent_proofs_5 to lindung_api;

set local role lindung_maintenance;
create function policy.officers_over(since timestamptz, budget bigint) returns table (agency text, officer text, children bigint)
    language sql stable security definer set search_path = pg_catalog, public as $$
    select a.agency, a.officer, count(distinct child) from access_log a cross join unnest(a.child_ids) child
    where a.at >= since and a.officer is not null and a.outcome = 'permitted'
    group by a.agency, a.officer having count(distinct child) > budget
$$;
comment on function policy.officers_over is 'The officers who saw more children than the budget since then';
revoke execute on function policy.officers_over from public;
grant execute on function policy.officers_over to lindung_api, lindung_worker;
set local role lindung_owner;
