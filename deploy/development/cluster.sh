#!/usr/bin/env bash
# cluster.sh start|stop|delete run|test
#
# A PostgreSQL cluster of this checkout's own: a unix socket that only its owner reaches, so no TCP and no password.
# `run` keeps what it is told; `test` is fast and forgets.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

verb=${1-} kind=${2-}
[[ $verb =~ ^(start|stop|delete)$ && $kind =~ ^(run|test)$ ]] || fail "usage: cluster.sh start|stop|delete run|test"
folder=$(cluster_folder "$kind")
data=$folder/data

# PostgreSQL refuses to run as root. The working directory is one that any user can enter.
owner=$EUID
((EUID != 0)) || owner=$(id -u postgres 2>/dev/null || true)
as_owner() (
  cd /
  if ((EUID == 0)); then
    exec setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"
  fi
  exec "$@"
)

# /var/tmp is everybody's: a folder of this name that somebody else made is not to be trusted.
require_own_folder() {
  [[ ! -L $folder && -d $folder && $(stat -c '%u %a' "$folder") == "$owner 700" ]] ||
    fail "$folder is not a folder of mode 700 of user $owner: remove it, or set LINDUNG_CLUSTERS to another place"
}

# programs: the folder of the version that made the data, or of the newest.
programs() {
  local major='' bin
  if [[ -f $data/PG_VERSION ]]; then major=$(<"$data/PG_VERSION"); fi
  bin=$(postgres_programs "$major")
  [[ -n $bin ]] || fail "PostgreSQL $major, which made $data, is gone: install it, or delete the data with make wipe YES=1"
  printf '%s' "$bin"
}

# postmaster: the process id of the running server; fails if there is none. After a kill or a reboot the file stays, and
# its number may by now be another process's.
postmaster() {
  local pid
  [[ -f $data/postmaster.pid ]] && pid=$(head -n 1 "$data/postmaster.pid") &&
    [[ $(readlink "/proc/$pid/cwd") == "$data" ]] && printf '%s' "$pid"
}

settings() {
  cat <<CONF
listen_addresses = ''
unix_socket_directories = '$folder'
unix_socket_permissions = 0700
shared_buffers = 256MB
jit = off
# The log never holds a value: errors go to the client that caused them, not into the log.
log_statement = none
log_min_messages = log
log_min_error_statement = panic
log_error_verbosity = terse
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
CONF
  if [[ $kind == run ]]; then
    cat <<CONF
max_connections = 100
fsync = on
# A million cases are loaded without a checkpoint in between.
max_wal_size = 4GB
checkpoint_timeout = 15min
CONF
  else
    cat <<CONF
max_connections = 300
fsync = off
synchronous_commit = off
full_page_writes = off
CONF
  fi
}

# create: in a folder that gets its name only when it is complete, so that an interrupted one is not taken for a cluster.
create() {
  say "Creating the PostgreSQL cluster $folder"
  local options=(--username=lindung --auth-local=trust --auth-host=reject --encoding=UTF8 --locale=C.UTF-8 --no-instructions)
  [[ $kind == run ]] || options+=(--no-sync)
  as_owner rm -rf "$data.new"
  as_owner "$bin/initdb" -D "$data.new" "${options[@]}" >/dev/null
  as_owner mv "$data.new" "$data"
}

# forget_reused_numbers: PostgreSQL overcomes a lock file that a dead server left, but not one whose process number has
# gone to another process since.
forget_reused_numbers() {
  local file
  for file in "$data/postmaster.pid" "$folder/.s.PGSQL.5432.lock"; do
    if [[ -f $file && -d /proc/$(head -n 1 "$file") ]]; then as_owner rm -f "$file"; fi
  done
}

# start_server: the children of a killed server may need a moment to notice that it is gone, hence the tries.
start_server() {
  settings | as_owner tee "$data/postgresql.conf" >/dev/null
  for _ in 1 2 3 4 5; do
    forget_reused_numbers
    if as_owner "$bin/pg_ctl" start -D "$data" -l "$folder/log" -w -t 120 -s 9>&-; then return; fi
    sleep 1
  done
  tail -n 20 "$folder/log" >&2
  fail "PostgreSQL did not start; the lines above end its log, $folder/log"
}

start() {
  [[ -n $owner ]] || fail "the system user postgres is missing, which Debian's package postgresql makes"
  if [[ ! -e $folder ]]; then as_owner mkdir -m 700 "$folder"; fi
  require_own_folder
  local bin
  bin=$(programs)
  if ! postmaster >/dev/null; then
    # Without fsync nothing is certain after an unclean end, and its databases are leftovers: make it anew.
    if [[ $kind == test && -f $data/postmaster.pid ]]; then as_owner rm -rf "$data"; fi
    [[ -d $data ]] || create
    start_server
  fi
  [[ $kind == test ]] || create_database
}

create_database() {
  local psql=("$bin/psql" -X -q -At -h "$folder" -U lindung -d postgres -v ON_ERROR_STOP=1)
  [[ $("${psql[@]}" -c "select 1 from pg_database where datname = 'lindung'") == 1 ]] ||
    "${psql[@]}" -c 'create database lindung'
}

stop() {
  [[ -e $folder ]] || return 0
  require_own_folder
  postmaster >/dev/null || return 0
  local bin
  bin=$(programs)
  as_owner "$bin/pg_ctl" stop -D "$data" -m fast -w -t 120 -s 9>&-
  say "Stopped the PostgreSQL cluster $folder"
}

delete() {
  [[ -e $folder ]] || return 0
  stop
  rm -rf "$folder"
  # What was signed of its access logs goes with it: no other log continues that.
  [[ $kind == test ]] || rm -rf "$state/access-log"
  say "Deleted the PostgreSQL cluster $folder"
}

# Two commands at once must not start it twice; the server itself does not inherit the lock (9>&- above).
exec 9>"$state/$kind-cluster.lock"
flock 9
"$verb"
