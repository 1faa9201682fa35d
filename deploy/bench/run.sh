#!/usr/bin/env bash
# make bench: the API beside the same SQL through pgbench, on this machine, in one run, on a durable database.
# CASES=10000 is the least size of the database; SECONDS_EACH=10 is how long each measurement takes. deploy/bench/sealing.sh
# follows: what the sealing of the access log costs.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

each=${SECONDS_EACH:-10}
[[ $each =~ ^[1-9][0-9]*$ ]] || fail "SECONDS_EACH is a whole number"

# script WORKLOAD TOKEN PATH BODY: the statements that one request of it makes, as a script for pgbench.
script() {
  sql "alter database lindung_bench set log_statement = 'all'; alter database lindung_bench set log_error_verbosity = 'default';
       alter database lindung_bench set log_parameter_max_length = -1"
  # What runs by itself would stand between the statements of the request.
  serve LINDUNG_WORK=off
  local from
  from=$(stat -c %s "$folder/log")
  local token=$2 path=$3 body=$4 head=(-H "Authorization: Bearer $2")
  [[ -z $body ]] || head+=(-H 'Content-Type: application/json' -H "Idempotency-Key: 0190ffff-ffff-7fff-8fff-$(printf %012d "$RANDOM$RANDOM")" -d "$body")
  curl -fsS -o /dev/null "${head[@]}" "$LINDUNG_ISSUER$path"
  tail -c +"$((from + 1))" "$folder/log" >"$work/$1.log"
  sql "alter database lindung_bench reset all"
  python3 deploy/bench/capture.py "$bin/psql" "$api_url" "$BENCH_CASES" <"$work/$1.log" >"$work/$1.sql"
}

serve LINDUNG_WORK=off
case4=01900000-0000-7000-8000-000000000004
script read "$(school)" "/v1/cases/$case4" ''
script refer "$(school)" "/v1/cases/$case4/referrals" "$(<deploy/bench/referral.json)"
script inbox "$(police)" "/v1/inbox?limit=50" ''
serve LINDUNG_WORK=on

printf '%s cases, %s s each, %s cores, PostgreSQL %s, fsync %s, synchronous_commit %s\n\n' "$(sql 'select count(*) from cases')" \
  "$each" "$(nproc)" "$(sql 'show server_version')" "$(sql 'show fsync')" "$(sql 'show synchronous_commit')"
printf '%-26s %5s %10s %9s %9s %7s %12s %7s\n' what conns 'API req/s' 'p50 ms' 'p99 ms' errors 'pgbench tps' ratio
declare -A titles=([read]='audited read of a case' [refer]='create a referral' [inbox]='inbox page of 50')
for what in read refer inbox; do
  for conns in 1 8 32; do
    threads=$((conns > 1 ? 2 : 1))
    read -r rate p50 p99 errors < <(load "$what" "$conns" "$each")
    tps=$("$bin/pgbench" -n -M prepared -c "$conns" -j $threads -T "$each" -f "$work/$what.sql" "$api_url" 2>"$work/pgbench.log" |
      awk '/^tps/ { print $3 }') || { cat "$work/pgbench.log" >&2; fail "pgbench could not play $what"; }
    ratio=$(awk -v a="$rate" -v b="$tps" 'BEGIN { printf "%.2f", a / b }')
    printf '%-26s %5s %10.0f %9.2f %9.2f %7s %12.0f %7s\n' "${titles[$what]}" "$conns" "$rate" "$p50" "$p99" "$errors" "$tps" "$ratio"
  done
done
awk '/VmHWM/ { printf "\nMost memory that the service used: %.0f MB\n", $2 / 1024 }' "/proc/$service/status"

stop_service
deploy/bench/sealing.sh
