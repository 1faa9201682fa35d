-- The roles of a Lindung database, made where they are missing. `lindung migrate` runs this first, if its login may;
-- else a database administrator runs it once with psql, as a superuser, in the database itself.
--
--   lindung_owner        owns every table; no login; row-level security binds it too
--   lindung_maintenance  seeds, keeps clients, rotates keys, fills; no login; the only one past row-level security
--   lindung_api          the service: owns nothing, and sees what the context of its transaction lets it see
--   lindung_worker       what runs by itself: clocks, and the order of the logs
--   lindung_signer       signs checkpoints of the access log: reads its leaves, which tell of nobody, and changes none
--   lindung_auditor      reads the access log, writes nothing
--
-- Logins come without a password: how each is let in is for pg_hba.conf to say.
do $$
declare
    missing record;
begin
    for missing in
        select name, attributes from (values
            ('lindung_owner', 'nologin'),
            ('lindung_maintenance', 'nologin bypassrls'),
            ('lindung_api', 'login'),
            ('lindung_worker', 'login'),
            ('lindung_signer', 'login'),
            ('lindung_auditor', 'login')
        ) wanted (name, attributes)
        where not exists (select from pg_roles where rolname = name)
    loop
        execute format('create role %I %s', missing.name, missing.attributes);
    end loop;
end $$;

-- Functions that look past row-level security belong to maintenance; the owner makes them in its name.
grant lindung_maintenance to lindung_owner;
-- To know until when the access log is complete it must see when every transaction began.
grant pg_read_all_stats to lindung_maintenance;

do $$
declare
    thing record;
begin
    -- Nobody who serves has use for tables of their own.
    execute format('revoke temporary on database %I from public', current_database());
    execute format('grant connect, create on database %I to lindung_owner', current_database());
    execute format('grant connect on database %I to lindung_maintenance, lindung_api, lindung_worker, lindung_signer, lindung_auditor', current_database());
    grant usage, create on schema public to lindung_owner;
    grant usage on schema public to lindung_maintenance, lindung_api, lindung_worker, lindung_signer, lindung_auditor;
    -- What was made before there was an owner.
    for thing in
        select oid::regclass as name, relkind from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'S') and relowner <> 'lindung_owner'::regrole
        -- A sequence of a column's own goes with its table.
        and not exists (select from pg_depend where objid = pg_class.oid and deptype in ('a', 'i') and refclassid = 'pg_class'::regclass)
    loop
        execute format('alter %s %s owner to lindung_owner', case thing.relkind when 'S' then 'sequence' else 'table' end, thing.name);
    end loop;
end $$;
