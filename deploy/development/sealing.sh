# shellcheck shell=bash
# The access log's signer and five witnesses, beside the development service; sourced by lib.sh. In earnest the signer has a
# machine of its own, and each witness is with somebody else: see deploy/witness.

# Education, Home, Women, Communications, and the Children's Commissioner. Three of them make a quorum.
witnesses=(kpm kdn kpwkm kk suhakam)
quorum=3

# LINDUNG_SEALING=off leaves them out: entries still get their numbers, but nobody signs. With LINDUNG_WORK=off they get none, and
# there is nothing to sign.
[[ ${LINDUNG_SEALING:=on} =~ ^(on|off)$ ]] || fail "LINDUNG_SEALING is on or off"
sealed() { [[ $LINDUNG_SEALING == on && ${LINDUNG_WORK:-on} == on ]]; }

# A reader's own settings must not lead to another log.
unset LINDUNG_LOG_POLICY LINDUNG_SIGN_KEYS LINDUNG_SIGN_STATE LINDUNG_SIGNER_DATABASE_URL

# witness_address INDEX: the ports behind the service's own, on loopback whatever that listens on.
witness_address() { printf '127.0.0.1:%s' $((10#${LINDUNG_LISTEN##*:} + 1 + $1)); }

# require_free_witness_addresses: stops if something listens where a witness would.
require_free_witness_addresses() {
  sealed || return 0
  local index address
  for index in "${!witnesses[@]}"; do
    address=$(witness_address "$index")
    ((${address##*:} <= 65535)) || fail "No port is left for the witnesses behind $LINDUNG_LISTEN: choose a lower one"
    ! listens "$address" ||
      fail "Something listens on $address already, where the access log's witness ${witnesses[index]} has its place:" \
        "stop it, choose another address for all, as in LINDUNG_LISTEN=127.0.0.1:9080, or do without: LINDUNG_SEALING=off"
  done
}

# as_superuser [ARGUMENT...]: psql in the service's database.
as_superuser() { "$(postgres_programs "")/psql" -qXAt -v ON_ERROR_STOP=1 "$LINDUNG_DATABASE_URL" "$@"; }

# prepare_sealing: the keys, states and policy of this log; sets `log` to their folder. A log is called after the service's
# URL, and its entries are those of one database: with another of either it is another log, which has a folder of its own.
prepare_sealing() {
  local place name index origin
  place=$(as_superuser -c "select datname || '.' || oid from pg_database where datname = current_database()")
  name=${LINDUNG_ISSUER#*://} name=${name%/}
  log=$state/access-log/$place/${name//\//_}
  # A database keeps the checkpoints of one log. Those of another go, all of them where this one is new, and the entries
  # stay: this log signs them, from the first or from where its own state ends.
  origin=$([[ ! -d $log ]] || cut -d + -f 1 "$log/log.pub")
  as_superuser -v "origin=$origin" <<'SQL'
delete from access_cosignatures c using access_checkpoints p where p.size = c.size and split_part(p.note, E'\n', 1) <> :'origin';
delete from access_checkpoints where split_part(note, E'\n', 1) <> :'origin';
SQL
  # The folder gets its name when it is complete.
  if [[ ! -d $log ]]; then
    rm -rf "$log.new"
    mkdir -p "$log.new"
    "$lindung" sign key "$log.new/log.key" >"$log.new/log.pub"
    LINDUNG_SIGN_STATE=$log.new/signer "$lindung" sign init
    for name in "${witnesses[@]}"; do
      "$lindung" witness key "$name.witness.localhost" "$log.new/$name.key" >"$log.new/$name.pub"
      "$lindung" witness init --state "$log.new/$name" --log "$(<"$log.new/log.pub")"
    done
    mv "$log.new" "$log"
  fi
  {
    printf 'log %s %s/v1/access-log\n' "$(<"$log/log.pub")" "${LINDUNG_ISSUER%/}"
    for index in "${!witnesses[@]}"; do
      name=${witnesses[index]}
      printf 'witness %s %s http://%s\n' "$name" "$(<"$log/$name.pub")" "$(witness_address "$index")"
    done
    printf 'group ministries %s %s\nquorum ministries\n' "$quorum" "${witnesses[*]}"
  } >"$log/policy"
}

# start_sealing: starts signer and witnesses; notes their processes in `sealers`, by name. The signer logs in to the database as
# lindung_signer, which reads the log's entries and changes none.
declare -A sealers=()
start_sealing() {
  local index name
  for index in "${!witnesses[@]}"; do
    name=${witnesses[index]}
    setsid "$lindung" witness --key "$log/$name.key" --state "$log/$name" --log "$(<"$log/log.pub")" \
      --listen "$(witness_address "$index")" </dev/null >"$log/$name.log" 2>&1 &
    sealers[$name]=$!
  done
  LINDUNG_SIGNER_DATABASE_URL=${LINDUNG_DATABASE_URL/user=lindung/user=lindung_signer} LINDUNG_LOG_POLICY=$log/policy \
    LINDUNG_SIGN_KEYS=$log/log.key LINDUNG_SIGN_STATE=$log/signer \
    setsid "$lindung" sign </dev/null >"$log/signer.log" 2>&1 &
  sealers[signer]=$!
}

# require_sealing: that none of them ended again at once.
require_sealing() {
  local name
  for name in "${!sealers[@]}"; do
    if ! kill -0 "${sealers[$name]}" 2>/dev/null; then
      tail -n 20 "$log/$name.log" >&2
      fail "The access log's $name ended at once; the lines above end its log, $log/$name.log"
    fi
  done
}
