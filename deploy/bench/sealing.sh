#!/usr/bin/env bash
# What the sealing of the access log costs, and whether it keeps up; make bench ends with it.
# SECONDS_EACH=10 is how long each comparison takes, KEEP_UP=60 for how many seconds it has to keep up under load.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

each=${SECONDS_EACH:-10} keep_up=${KEEP_UP:-60}
[[ $each =~ ^[1-9][0-9]*$ && $keep_up =~ ^[1-9][0-9]*$ ]] || fail "SECONDS_EACH and KEEP_UP are whole numbers"

# As the worker logs in.
number() { LINDUNG_WORKER_DATABASE_URL=$(database_url run lindung_bench lindung_worker) "$lindung" work --once; }
unnumbered() {
  sql "select count(*) from sequencers s join access_log a on a.xid >= pg_snapshot_xmax(s.seen)
       where s.log = 'accesses' and not exists (select from access_leaves l where l.entry_id = a.id)"
}

number >/dev/null
printf '\n%-26s %5s %12s %9s %9s %7s\n' 'sealing' conns 'API req/s' 'p50 ms' 'p99 ms' errors
# Each before and after the other, since a machine warms up and slows down.
for sealing in off on on off; do
  serve "LINDUNG_WORK=$sealing"
  for what in read refer; do
    read -r rate p50 p99 errors < <(load "$what" 8 "$each")
    printf '%-26s %5s %12.0f %9.2f %9.2f %7s\n' "$what, sealing $sealing" 8 "$rate" "$p50" "$p99" "$errors"
  done
done

# A backlog, sealed with nothing beside it: how fast it can be.
serve LINDUNG_WORK=off
load read 8 "$each" >/dev/null
stop_service
behind=$(unnumbered)
began=$(date +%s%N)
number >/dev/null
took=$((($(date +%s%N) - began) / 1000000))
printf '\nA backlog of %s accesses was numbered and sealed in %s ms: %s a second.\n' "$behind" "$took" $((behind * 1000 / (took + 1)))

serve LINDUNG_WORK=on
before=$(sql 'select count(*) from access_log') most=0
# One load does not outlive a token.
loads() {
  local left=$keep_up part
  while ((left > 0)); do
    part=$((left < 300 ? left : 300)) left=$((left - 300))
    load read 4 "$part" &
    load refer 4 "$part" >/dev/null
    wait $!
  done
}
loads >"$work/loads" &
loading=$!
while kill -0 "$loading" 2>/dev/null; do
  now=$(unnumbered)
  ((now <= most)) || most=$now
  sleep 1
done
wait "$loading"
written=$(($(sql 'select count(*) from access_log') - before))
sleep 1
printf 'For %s seconds %s accesses a second were written; at most %s had no number yet, and %s a second after the last.\n' \
  "$keep_up" $((written / keep_up)) "$most" "$(unnumbered)"
