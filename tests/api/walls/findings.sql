-- Everything that is wrong with the walls, each on a line. The test fills in about.sql, and the list of tables about no case.
with about as ({about}),
relations as (
    select oid, oid::regclass::text as name, relkind, relowner, relrowsecurity, relforcerowsecurity, reloptions, relacl,
        case relkind when 'v' then 'view ' when 'm' then 'view ' when 'S' then 'sequence ' else 'table ' end || oid::regclass as thing,
        oid in (select oid from about) as guarded
    from pg_class where relkind in ('r', 'p', 'v', 'm', 'S') and relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
),
granted as (
    select name, thing, guarded, grantee::regrole::text as who, privilege_type as may from relations cross join aclexplode(relacl)
    where grantee not in ('lindung_owner'::regrole, 'lindung_maintenance'::regrole)
),
functions as (
    select 'function ' || oid::regprocedure as thing, prosecdef, proowner, proconfig, coalesce(proacl, acldefault('f', proowner)) as acl
    from pg_proc where pronamespace::regnamespace::text !~ '^(pg_|information_schema)'
),
roles as (select 'role ' || rolname as thing, * from pg_roles where rolname ~ '^lindung_')

select thing || ': neither about a case nor listed as about none' as text from relations
where relkind in ('r', 'p') and not guarded and name not in ({listed})
union all select thing || ': listed as about no case, but it is' from relations where guarded and name in ({listed})
union all select thing || ': no row security' from relations where guarded and not relrowsecurity
union all select thing || ': row security is not forced' from relations where guarded and not relforcerowsecurity
union all select thing || ': no policy' from relations where guarded and oid not in (select polrelid from pg_policy)
union all select thing || ': does not belong to the owner' from relations
where relowner <> 'lindung_owner'::regrole and name !~ '^__diesel'
union all select thing || ': passes row security' from relations
where relkind = 'm' or (relkind = 'v' and not coalesce('security_invoker=true' = any(reloptions), false))
-- Row security does not stop the first three; the log and what is made of it are only ever added to; `-` is everybody.
union all select thing || ': ' || who || ' may ' || lower(may) from granted
where (guarded and may in ('TRUNCATE', 'TRIGGER', 'REFERENCES')) or (name = any('{access_log, access_leaves, access_openings, access_checkpoints, access_cosignatures, event_numbers}') and may not in ('SELECT', 'INSERT')) or who = '-'
-- Where pg_temp is not named, PostgreSQL looks there first for tables.
union all select thing || ': no fixed search_path, pg_temp last' from functions
where prosecdef and not coalesce('search_path=pg_catalog, public, pg_temp' = any(proconfig), false)
union all select thing || ': does not belong to maintenance' from functions
where prosecdef and proowner <> 'lindung_maintenance'::regrole
union all select thing || ': open to everybody' from functions where exists (select from aclexplode(acl) where grantee = 0)
union all select thing || ': can do too much' from roles
where rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls <> (rolname = 'lindung_maintenance')
union all select thing || ': can log in' from roles where rolcanlogin and rolname in ('lindung_owner', 'lindung_maintenance')
union all select 'role ' || member::regrole || ': is a member of ' || roleid::regrole from pg_auth_members
where member::regrole::text in ('lindung_api', 'lindung_worker', 'lindung_signer', 'lindung_auditor')
