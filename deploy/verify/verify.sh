#!/usr/bin/env bash
# make verify: exports of the access log, good ones and altered ones, before judges that we did not write; what they need
# is installed; then a real log, altered a thousand times in its database, before our own tools. With FOLDER=, and POLICY=
# and OLDER= where there are such files, the judges look at that export instead.
folder=${FOLDER:+$(realpath -- "$FOLDER")} policy=${POLICY:+$(realpath -- "$POLICY")} older=${OLDER:+$(realpath -- "$OLDER")}
. "$(dirname "${BASH_SOURCE[0]}")/../development/lib.sh"
. deploy/verify/lib.sh

mapfile -t missing < <(judges_missing)
((${#missing[@]} == 0)) || install_packages "${missing[@]}"
if ! judges_ready; then
  rm -rf "$judges/venv"
  "$judge_python" -m venv --system-site-packages "$judges/venv"
  "$judges/venv/bin/pip" install -q --no-deps --require-hashes -r deploy/verify/requirements.txt ||
    fail "pip could not install what deploy/verify/requirements.txt names (pymerkle needs Python 3.11 or later)"
fi
build_judges

if [[ -n $folder ]]; then
  failed=0
  printf 'Go, x/mod/sumdb: '
  "$judges/judge" ${policy:+-policy "$policy"} ${older:+-older "$older"} "$folder" || failed=1
  printf 'Python, pymerkle: '
  "$judges/venv/bin/python" "$judges/judge.py" ${policy:+--policy "$policy"} ${older:+--older "$older"} "$folder" || failed=1
  exit "$failed"
fi
require_compiler
LINDUNG_JUDGES=$judges cargo test -p lindung-audit --test judges -- --nocapture

require postgresql
deploy/development/cluster.sh start test
LINDUNG_TEST_DATABASE_URL=$(database_url test postgres)
export LINDUNG_TEST_DATABASE_URL
LINDUNG_TEST_ALTERATIONS=${LINDUNG_TEST_ALTERATIONS:-1000} cargo test -p lindung-tests --test api -- audit::altered --nocapture
