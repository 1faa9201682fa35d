-- Status checks: whether some agency has a case of a child. Each is kept, of whomever it was; the identifier never is.

create table status_checks (
    id             uuid primary key,
    at             timestamptz not null,
    agency         text not null references agencies (code),
    officer        text not null,
    client_id      text not null references clients (id),
    purpose        text not null,
    care_scheduled boolean not null,
    token          bytea not null,
    case_id        uuid references cases (id),
    child_id       uuid references children (id),
    check ((case_id is null) = (child_id is null))
);
create index status_checks_client on status_checks (client_id, at);
create index status_checks_token on status_checks (token, at desc);
create index status_checks_child on status_checks (child_id, at desc) where child_id is not null;
comment on table status_checks is 'Who asked whether a child is known to the task force, whether it was or not';
comment on column status_checks.care_scheduled is 'Whether the child was expected; the lead is told of those who were not';
comment on column status_checks.token is 'Of the identifier, keyed as in identity_indexes: tells nothing without the index key';
comment on column status_checks.case_id is 'The case that was told of; null where nothing was, for whatever reason';

set local role lindung_maintenance;

create function policy.checkable(tokens bytea[])
    returns table (case_id uuid, child_id uuid, version bigint, sealed bytea, kek_version integer, wrapped bytea, destroyed_at timestamptz)
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    return query select i.case_id, i.child_id, s.version, s.sealed, y.kek_version, y.wrapped, y.destroyed_at
        from identity_indexes i join cases c on c.id = i.case_id join children k on k.id = i.child_id
        join child_identities s on s.child_id = i.child_id join child_keys y on y.child_id = i.child_id
        where i.token = any(tokens) and policy.at_work() and y.wrapped is not null
            and policy.lets_through(c.id, c.shield) and policy.lets_through(c.id, k.shield)
        order by c.status = 'closed', c.created_at desc, c.id desc, i.child_id;
end $$;
comment on function policy.checkable is 'The children that the blind index names and no shield hides from whoever asks, the newest open case first: each has still to be confirmed by opening its identity';

create function policy.status_of(asked uuid, tokens bytea[]) returns jsonb language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    return (
        with recursive up (code, parent, contacts, step) as (
            select a.code, a.parent, a.contacts, 0 from cases c join agencies a on a.code = c.lead_agency where c.id = (select k.case_id from children k where k.id = asked)
            union all select a.code, a.parent, a.contacts, u.step + 1 from up u join agencies a on a.code = u.parent where u.contacts = '[]'
        )
        select jsonb_build_object(
            'agency', a.code, 'name_ms', a.name_ms, 'name_en', a.name_en, 'open', c.status = 'open',
            'contact', (select u.contacts -> 0 from up u where u.contacts <> '[]' limit 1),
            'recent', (select coalesce(jsonb_agg(jsonb_build_object('at', r.at, 'agency', r.agency, 'care_scheduled', r.care_scheduled) order by r.at desc, r.id desc), '[]')
                from (select * from (
                    (select s.id, s.at, s.agency, s.care_scheduled from status_checks s where s.child_id = asked order by s.at desc, s.id desc limit 25)
                    union (select s.id, s.at, s.agency, s.care_scheduled from status_checks s where s.token = any(tokens) order by s.at desc, s.id desc limit 25)
                ) either order by at desc, id desc limit 25) r))
        from children k join cases c on c.id = k.case_id join agencies a on a.code = c.lead_agency
        where k.id = asked and policy.at_work() and policy.lets_through(c.id, c.shield) and policy.lets_through(c.id, k.shield)
            and exists (select from child_keys y where y.child_id = asked and y.wrapped is not null));
end $$;
comment on function policy.status_of is 'What a status check tells of a child that no shield hides: whom to call, whether its case is open, and the 25 latest checks. A unit without a desk is reached through the agency above it';

revoke execute on function policy.checkable, policy.status_of from public;
grant execute on function policy.checkable, policy.status_of to lindung_api;

set local role lindung_owner;

grant select, insert on status_checks to lindung_api;

alter table status_checks enable row level security;
alter table status_checks force row level security;
create policy counted on status_checks for select using (client_id = policy.client());
create policy made on status_checks for insert with check (
    client_id = policy.client() and agency = policy.agency() and officer = policy.officer() and policy.at_work()
    and (case_id is null or policy.sees(case_id))
);
