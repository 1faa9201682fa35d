# shellcheck shell=bash
# The example receivers with the libraries that they use; sourced behind development/lib.sh.

receivers=$CARGO_TARGET_DIR/receivers

# prepare_receivers: both in one folder, as the test wants them; fails where Python or Node is missing, or nothing can be fetched.
prepare_receivers() {
  command -v node >/dev/null && command -v npm >/dev/null && python3 -c 'import ensurepip' 2>/dev/null || return 1
  mkdir -p "$receivers"
  cp deploy/examples/receive.* deploy/examples/package*.json "$receivers/"
  [[ -x $receivers/venv/bin/python ]] || python3 -m venv "$receivers/venv" || return 1
  "$receivers/venv/bin/pip" install -q -r deploy/examples/requirements.txt || return 1
  [[ -d $receivers/node_modules/standardwebhooks ]] || (cd "$receivers" && npm ci --silent --no-audit --no-fund) || return 1
}
