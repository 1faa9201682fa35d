#!/usr/bin/env bash
# make openapi: the contracts as the code has them; an old file stays if the new one cannot be made.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

require_compiler
mkdir -p openapi
trap 'rm -f openapi/*.new' EXIT
# write COMMAND FILE
write() {
  cargo run --quiet -p lindung -- "$1" >"openapi/$2.new"
  chmod 644 "openapi/$2.new"
  mv "openapi/$2.new" "openapi/$2"
}
write openapi lindung.json
write asyncapi events.json
