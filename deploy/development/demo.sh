#!/usr/bin/env bash
# make demo: plays the stories against the service that runs, or against one that lives just as long as they do.
# Nobody waits for a checkpoint here: neither signer nor witnesses, unless they are asked for.
export LINDUNG_SEALING=${LINDUNG_SEALING:-off}
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

require curl
if ours_answers; then
  build
else
  prepare
  start_service
fi
code=0
"$lindung" demo deploy/demo/story.json deploy/demo/responsibility.json deploy/demo/doors.json || code=$?
exit "$code"
