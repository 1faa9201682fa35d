-- What the roles that serve may do, and everybody: a line a role and thing.
with granted (thing, acl) as (
    select case relkind when 'S' then 'sequence ' when 'v' then 'view ' else 'table ' end || oid::regclass, relacl from pg_class
    where relkind in ('r', 'p', 'v', 'm', 'S') and relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
    union all select 'column ' || attrelid::regclass || '.' || attname, attacl from pg_attribute
    where attacl is not null and attrelid >= 16384
    union all select 'function ' || oid::regprocedure, coalesce(proacl, acldefault('f', proowner)) from pg_proc
    where pronamespace::regnamespace::text !~ '^(pg_|information_schema)'
    union all select 'schema ' || nspname, coalesce(nspacl, acldefault('n', nspowner)) from pg_namespace
    where nspname !~ '^(pg_|information_schema)'
    union all select 'database', coalesce(datacl, acldefault('d', datdba)) from pg_database where datname = current_database()
),
single (thing, who, may) as (
    select thing, case grantee when 0 then 'public' else pg_get_userbyid(grantee)::text end, lower(privilege_type)
    from granted cross join aclexplode(acl)
)
select rpad(who, 16) || rpad(string_agg(may, ', ' order by may), 31) || thing as text from single
where who in ('public', 'lindung_api', 'lindung_worker', 'lindung_signer', 'lindung_auditor') group by thing, who
