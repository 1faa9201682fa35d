#!/usr/bin/env bash
# make soak: load, with kills of what serves and of what works at random, and a journal on the clients' side; then it is held
# against what reached the feed and the webhooks. DURATION=60 seconds of load at RATE=200 commands a second, a kill every KILL=10
# seconds (0: none); SEED= repeats the kills.
. "$(dirname "${BASH_SOURCE[0]}")/../development/lib.sh"

for number in "${DURATION:=60}" "${RATE:=200}" "${KILL:=10}" "${SEED:=1}"; do
  [[ $number =~ ^[0-9]+$ ]] || fail "DURATION, RATE, KILL and SEED are whole numbers"
done
((DURATION > 0 && DURATION <= 3600 && RATE > 0 && RATE <= 2000)) || fail "DURATION is at most an hour, RATE at most 2000"

require postgresql curl python3
export LINDUNG_LISTEN=${LINDUNG_SOAK_LISTEN:-127.0.0.1:8099}
export LINDUNG_ISSUER=http://$LINDUNG_LISTEN
# One client asks for all.
export LINDUNG_CLIENT_RATE=0 LINDUNG_OFFICER_RATE=0 LINDUNG_LOG=warn
require_free_address
deploy/development/cluster.sh start run
build
# A database of its own, begun anew each time.
psql=$(postgres_programs "")/psql
"$psql" -qX "$(database_url run postgres)" -c 'drop database if exists lindung_soak' -c 'create database lindung_soak'
LINDUNG_DATABASE_URL=$(database_url run lindung_soak)
export LINDUNG_DATABASE_URL
umask 077
mkdir -p "$LINDUNG_MAIL_FOLDER"
"$lindung" migrate >/dev/null
"$lindung" seed --development
python3 deploy/soak/soak.py "$lindung" --duration "$DURATION" --rate "$RATE" --kill "$KILL" --seed "$SEED"
