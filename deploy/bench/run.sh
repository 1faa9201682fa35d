#!/usr/bin/env bash
# make bench: the API beside the same SQL through pgbench, on this machine, in one run, on a durable database.
# CASES=10000 is the least size of the database; SECONDS_EACH=10 is how long each measurement takes.
. "$(dirname "${BASH_SOURCE[0]}")/../development/lib.sh"

cases=${CASES:-10000} each=${SECONDS_EACH:-10}
[[ $cases =~ ^[1-9][0-9]*$ && $each =~ ^[1-9][0-9]*$ ]] || fail "CASES and SECONDS_EACH are whole numbers"

require postgresql curl wrk python3
export LINDUNG_LISTEN=${LINDUNG_BENCH_LISTEN:-127.0.0.1:8089}
export LINDUNG_ISSUER=http://$LINDUNG_LISTEN
LINDUNG_DATABASE_URL=$(database_url run lindung_bench)
export LINDUNG_DATABASE_URL
# pgbench does it as the service does: bound by row-level security.
api_url=$(database_url run lindung_bench lindung_api)
# One officer asks as often as the service can answer.
export LINDUNG_CLIENT_RATE=0 LINDUNG_OFFICER_RATE=0
require_free_address
deploy/development/cluster.sh start run
build
bin=$(postgres_programs "") folder=$(cluster_folder run)
sql() { "$bin/psql" -qXAt -v ON_ERROR_STOP=1 "$LINDUNG_DATABASE_URL" -c "$1"; }
exists=$("$bin/psql" -qXAt "$(database_url run postgres)" -c "select 1 from pg_database where datname = 'lindung_bench'")
[[ -n $exists ]] || "$bin/psql" -qX "$(database_url run postgres)" -c 'create database lindung_bench'
umask 077
"$lindung" migrate >/dev/null
"$lindung" seed --development
there=$(sql 'select count(*) from cases')
((there >= cases)) || "$lindung" seed --development --cases $((cases - there))
start_service

work=$(mktemp -d)
trap 'stop_service; rm -rf "$work"' EXIT
officer() { "$lindung" token --agency "$1" --officer bench --role officer --purpose "$2"; }

# Every fourth case is open and led by the school; its id follows from its number: see persistence/src/bulk.rs.
last=$(sql "select max(('x' || right(id::text, 12))::bit(48)::bigint) from cases where id::text like '01900000-0000-7000-8000-%'")
export BENCH_CASES=$((last / 4))

# script WORKLOAD: the statements that one request of it makes, as a script for pgbench.
script() {
  sql "alter database lindung_bench set log_statement = 'all'; alter database lindung_bench set log_error_verbosity = 'default';
       alter database lindung_bench set log_parameter_max_length = -1"
  stop_service
  start_service
  trap 'stop_service; rm -rf "$work"' EXIT
  local from
  from=$(stat -c %s "$folder/log")
  local token=$2 path=$3 body=$4 head=(-H "Authorization: Bearer $2")
  [[ -z $body ]] || head+=(-H 'Content-Type: application/json' -H "Idempotency-Key: 0190ffff-ffff-7fff-8fff-$(printf %012d "$RANDOM$RANDOM")" -d "$body")
  curl -fsS -o /dev/null "${head[@]}" "$LINDUNG_ISSUER$path"
  tail -c +"$((from + 1))" "$folder/log" >"$work/$1.log"
  sql "alter database lindung_bench reset all"
  python3 deploy/bench/capture.py "$bin/psql" "$api_url" "$BENCH_CASES" <"$work/$1.log" >"$work/$1.sql"
}

school=$(officer KPM.SEKOLAH.WBA0001 education-safeguarding) police=$(officer KDN.PDRM.D11.KL investigation)
case4=01900000-0000-7000-8000-000000000004
body=$(<deploy/bench/referral.json)
script read "$school" "/v1/cases/$case4" ''
script refer "$school" "/v1/cases/$case4/referrals" "$body"
script inbox "$police" "/v1/inbox?limit=50" ''
stop_service
start_service
trap 'stop_service; rm -rf "$work"' EXIT

printf '%s cases, %s s each, %s cores, PostgreSQL %s, fsync %s, synchronous_commit %s\n\n' "$(sql 'select count(*) from cases')" \
  "$each" "$(nproc)" "$(sql 'show server_version')" "$(sql 'show fsync')" "$(sql 'show synchronous_commit')"
printf '%-26s %5s %10s %9s %9s %7s %12s %7s\n' what conns 'API req/s' 'p50 ms' 'p99 ms' errors 'pgbench tps' ratio
declare -A titles=([read]='audited read of a case' [refer]='create a referral' [inbox]='inbox page of 50')
for what in read refer inbox; do
  for conns in 1 8 32; do
    # A token holds for ten minutes: each measurement has its own.
    if [[ $what == inbox ]]; then BENCH_TOKEN=$(officer KDN.PDRM.D11.KL investigation); else BENCH_TOKEN=$(officer KPM.SEKOLAH.WBA0001 education-safeguarding); fi
    export BENCH_TOKEN BENCH_BODY=$body
    threads=$((conns > 1 ? 2 : 1))
    read -r rate p50 p99 errors < <(wrk -t$threads -c"$conns" -d"${each}s" -s "deploy/bench/$what.lua" "$LINDUNG_ISSUER" | tail -n 1)
    tps=$("$bin/pgbench" -n -M prepared -c "$conns" -j $threads -T "$each" -f "$work/$what.sql" "$api_url" 2>"$work/pgbench.log" |
      awk '/^tps/ { print $3 }') || { cat "$work/pgbench.log" >&2; fail "pgbench could not play $what"; }
    ratio=$(awk -v a="$rate" -v b="$tps" 'BEGIN { printf "%.2f", a / b }')
    printf '%-26s %5s %10.0f %9.2f %9.2f %7s %12.0f %7s\n' "${titles[$what]}" "$conns" "$rate" "$p50" "$p99" "$errors" "$tps" "$ratio"
  done
done
awk '/VmHWM/ { printf "\nMost memory that the service used: %.0f MB\n", $2 / 1024 }' "/proc/$service/status"
