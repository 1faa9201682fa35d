# shellcheck shell=bash
# What the scripts of this folder share; sourced by them, from any working directory.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
cd "$root"

# Keys, credentials and logs of the development service: for its owner's eyes alone.
state=$root/.lindung
[[ -d $state ]] || mkdir -m 700 "$state"

# libpq would let a reader's own PG* settings lead these scripts to another database.
# shellcheck disable=SC2086
unset ${!PG@}

# A fresh rustup is found before its owner has logged in again.
PATH=$PATH:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}
lindung=$CARGO_TARGET_DIR/release/lindung

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# --- what must be installed -------------------------------------------------------------------------------------------

# Without this file Debian's package would create and start a cluster that nobody asked for. It goes again afterwards, so
# that the machine's own choice stays as it was.
no_main_cluster=/etc/postgresql-common/createcluster.d/zz-lindung.conf

# install_packages PACKAGE...: through apt where that needs no password, else says what to type and stops.
install_packages() {
  local script="umask 022; export DEBIAN_FRONTEND=noninteractive; mkdir -p ${no_main_cluster%/*}"
  script+=" && echo create_main_cluster = false >$no_main_cluster && apt-get -q update"
  script+=" && apt-get -q install -y --no-install-recommends $*; code=\$?; rm -f $no_main_cluster; exit \$code"
  command -v apt-get >/dev/null || fail "Missing: $*. Install what this system has in place of these Debian packages."
  if ((EUID == 0)); then
    say "Installing $*"
    sh -c "$script" </dev/null >&2 || fail "apt could not install $*"
  elif sudo -n true 2>/dev/null; then
    say "Installing $* with sudo"
    sudo -n sh -c "$script" </dev/null >&2 || fail "apt could not install $*"
  else
    fail "Missing: $*. Type this, then try again:"$'\n\n'"sudo sh -c '$script'"$'\n'
  fi
}

# require PACKAGE...: installs those that are missing. Most Debian packages are named like the command they bring.
require() {
  local package missing=()
  for package in "$@"; do
    case $package in
      postgresql) [[ -n $(postgres_programs "") ]] ;;
      libssl-dev) pkg-config --exists openssl 2>/dev/null ;;
      *) command -v "$package" >/dev/null ;;
    esac || missing+=("$package")
  done
  ((${#missing[@]} == 0)) || install_packages "${missing[@]}"
}

# require_compiler: what cargo needs here. PostgreSQL's client library is built from source and links to OpenSSL.
require_compiler() {
  command -v cargo >/dev/null || fail "cargo is missing: install Rust with rustup, then try again."
  command -v cc >/dev/null || fail "A C compiler is missing: install gcc and libc6-dev, then try again."
  require pkg-config libssl-dev
}

# postgres_programs MAJOR: the folder of that version's server programs (psql and pgbench too), or of the newest version's
# where MAJOR is empty; prints nothing if there is none.
postgres_programs() {
  local bin major newest=0 found=
  for bin in /usr/lib/postgresql/*/bin; do
    major=${bin#/usr/lib/postgresql/} major=${major%/bin}
    [[ $major =~ ^[0-9]+$ && -x $bin/initdb && -x $bin/postgres && -x $bin/psql ]] || continue
    [[ -z $1 || $major == "$1" ]] || continue
    if ((major >= 15 && major > newest)); then newest=$major found=$bin; fi
  done
  printf '%s' "$found"
}

# --- where things are -------------------------------------------------------------------------------------------------

# cluster_folder run|test: data, log and socket of a cluster. Outside the checkout, because root's cluster belongs to the
# user postgres, who may not reach a home, and because a socket's path ends at 107 bytes. LINDUNG_CLUSTERS moves it.
cluster_folder() {
  printf '%s/lindung-%s-%.8s-%s' "${LINDUNG_CLUSTERS:-/var/tmp}" "$EUID" "$(printf '%s' "$root" | sha256sum)" "$1"
}

# database_url run|test DATABASE [LOGIN]: as the cluster's superuser, who shapes and fills it, where no login is named.
database_url() { printf 'postgresql:///%s?host=%s&user=%s' "$2" "$(cluster_folder "$1")" "${3-lindung}"; }

# The service's settings. All but its address are fixed: settings that a reader keeps for another database or for other
# keys must not receive development data.
export LINDUNG_LISTEN=${LINDUNG_LISTEN:-127.0.0.1:8080}
export LINDUNG_ISSUER=${LINDUNG_ISSUER:-http://$LINDUNG_LISTEN}
export LINDUNG_ENVIRONMENT=development
export LINDUNG_TOKEN_KEYS=$state/token-key.pem
export LINDUNG_DIGEST_KEY=$state/digest-key
export LINDUNG_WEBHOOK_KEY=$state/webhook-key
# Mail is written to a folder, a file each; a mail server that a reader keeps for something else gets none.
unset LINDUNG_SMTP_URL
export LINDUNG_MAIL_FROM="Lindung <lindung@localhost.localdomain>"
export LINDUNG_MAIL_FOLDER=$state/mail
export LINDUNG_IDENTITY_KEYS=$state/identity-keys
unset LINDUNG_IDENTITY_KEYS_COMMAND
export LINDUNG_CREDENTIALS=$state/credentials
LINDUNG_DATABASE_URL=$(database_url run lindung)
export LINDUNG_DATABASE_URL

# --- building and serving ---------------------------------------------------------------------------------------------

build() {
  require_compiler
  cargo build --release -p lindung
}

# answers URL: whether something answers there with success.
answers() { curl --noproxy '*' -fsS -o /dev/null --max-time 2 "$1" 2>/dev/null; }

# ours_answers: whether a Lindung that calls itself LINDUNG_ISSUER is there.
ours_answers() {
  local metadata
  metadata=$(curl --noproxy '*' -fsS --max-time 2 "$LINDUNG_ISSUER/.well-known/oauth-authorization-server" 2>/dev/null) &&
    [[ $metadata == *"\"$LINDUNG_ISSUER\""* ]]
}

# listens ADDRESS: whether something listens there already.
listens() {
  local host=${1%:*} port=${1##*:}
  host=${host#[} host=${host%]}
  (exec 3<>"/dev/tcp/$host/$port") 2>/dev/null
}

# require_free_address: stops if something listens on LINDUNG_LISTEN already, or where what runs beside it would.
require_free_address() {
  ! listens "$LINDUNG_LISTEN" ||
    fail "Something listens on $LINDUNG_LISTEN already: stop it, or choose another address, as in" \
      "LINDUNG_LISTEN=127.0.0.1:9080"
  require_free_witness_addresses
}

# prepare: all that the service needs before it can start; quick when nothing is left to do.
prepare() {
  require postgresql curl
  require_free_address
  deploy/development/cluster.sh start run
  build
  # The files that the service makes hold keys.
  umask 077
  mkdir -p "$LINDUNG_MAIL_FOLDER"
  "$lindung" migrate
  "$lindung" seed --development
}

# start_service: starts it, and what seals its access log, and waits until it is ready; sets `service` to its process. It
# logs in to the database as the role lindung_api, which owns nothing and cannot pass row-level security.
start_service() {
  local serve_log=$state/serve.log policy=()
  service= sealers=()
  trap stop_service EXIT
  trap 'exit 130' INT TERM HUP
  if sealed; then
    prepare_sealing
    start_sealing
    policy=("LINDUNG_LOG_POLICY=$log/policy")
  fi
  # In a session of its own, so that a Ctrl-C reaches this script alone, which then stops it gracefully.
  LINDUNG_WORKER_DATABASE_URL=${LINDUNG_DATABASE_URL/user=lindung/user=lindung_worker} \
    LINDUNG_DATABASE_URL=${LINDUNG_DATABASE_URL/user=lindung/user=lindung_api} \
    setsid env "${policy[@]}" "$lindung" serve </dev/null >"$serve_log" 2>&1 &
  service=$!
  for _ in {1..300}; do
    if ! kill -0 "$service" 2>/dev/null; then
      tail -n 20 "$serve_log" >&2
      fail "The service ended before it was ready; the lines above end its log, $serve_log"
    fi
    if answers "http://$LINDUNG_LISTEN/readyz"; then
      require_sealing
      return
    fi
    sleep 0.2
  done
  tail -n 20 "$serve_log" >&2
  fail "The service was not ready within a minute; the lines above end its log, $serve_log"
}

# stop_service: ends it and what seals its access log gracefully, or after half a minute at once.
stop_service() {
  local processes=(${service:+"$service"} "${sealers[@]}")
  trap '' INT TERM HUP
  # Of several, kill fails only where it reached none.
  kill -TERM "${processes[@]}" 2>/dev/null || return 0
  for _ in {1..150}; do
    kill -0 "${processes[@]}" 2>/dev/null || return 0
    sleep 0.2
  done
  say "The service did not stop within half a minute; killing it."
  kill -KILL "${processes[@]}" 2>/dev/null || true
}

. "$root/deploy/development/sealing.sh"
