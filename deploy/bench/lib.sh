# shellcheck shell=bash
# What the measurements share: a database of their own that is filled once, and officers who ask. Sourced by them.
. "$(dirname "${BASH_SOURCE[0]}")/../development/lib.sh"

cases=${CASES:-10000}
[[ $cases =~ ^[1-9][0-9]*$ ]] || fail "CASES is a whole number"

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

work=$(mktemp -d)
officer() { "$lindung" token --agency "$1" --officer bench --role officer --purpose "$2"; }

# Every fourth case is open and led by the school; its id follows from its number: see persistence/src/bulk.rs.
last=$(sql "select max(('x' || right(id::text, 12))::bit(48)::bigint) from cases where id::text like '01900000-0000-7000-8000-%'")
export BENCH_CASES=$((last / 4))

# serve SETTING...: the service anew, with these settings.
serve() {
  [[ -z ${service-} ]] || stop_service
  if (($#)); then export "$@"; fi
  start_service
  trap 'stop_service; rm -rf "$work"' EXIT
}

school() { officer KPM.SEKOLAH.WBA0001 education-safeguarding; }
police() { officer KDN.PDRM.D11.KL investigation; }

# load WHAT CONNECTIONS SECONDS: asks for it, and prints requests a second, the median and p99 in ms, and errors. A token
# holds for ten minutes: each time there is another.
load() {
  local threads=$(($2 > 1 ? 2 : 1))
  BENCH_TOKEN=$(if [[ $1 == inbox ]]; then police; else school; fi)
  BENCH_BODY=$(<deploy/bench/referral.json)
  export BENCH_TOKEN BENCH_BODY
  wrk -t$threads -c"$2" -d"$3s" -s "deploy/bench/$1.lua" "$LINDUNG_ISSUER" | tail -n 1
}
