-- Every table about a case: `cases`, whatever names a case in a column, whatever refers to such a table, and its partitions.
with recursive about (oid) as (
    select oid from pg_class where relkind in ('r', 'p') and relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
        and (oid = 'cases'::regclass or exists (
            select from pg_attribute a where a.attrelid = pg_class.oid and not a.attisdropped and a.attname in ('case_id', 'case_ids')))
    union
    select further.oid from about join (
        select conrelid as oid, confrelid as of from pg_constraint where contype = 'f'
        union all select inhrelid, inhparent from pg_inherits
    ) further on further.of = about.oid
)
select oid, oid::regclass::text as name from about
