#!/usr/bin/env bash
# make test: every test, on a cluster apart from make run's. ARGS are cargo's: ARGS="-p lindung-tests -- accept".
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

require postgresql
require_compiler
deploy/development/cluster.sh start test
LINDUNG_TEST_DATABASE_URL=$(database_url test postgres)
export LINDUNG_TEST_DATABASE_URL
. deploy/verify/lib.sh
if judges_ready; then
  build_judges
  export LINDUNG_JUDGES=$judges
else
  say "Skipped the judges' test of the access log: what it needs is not installed (make verify)."
fi
. deploy/examples/lib.sh
if prepare_receivers; then
  export LINDUNG_RECEIVERS=$receivers
else
  say "Skipped the test of the example receivers: it needs python3-venv, nodejs and npm."
fi
read -ra arguments <<<"${ARGS-}"
cargo test --workspace "${arguments[@]}"
if [ -z "${ARGS-}" ]; then
  # The service without its own check, in a build of its own: what stands behind it keeps agencies apart.
  # In the whole workspace, so that no dependency is built once more.
  cargo test --workspace --features lindung-tests/unchecked --test apart
fi
