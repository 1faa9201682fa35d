#!/usr/bin/env bash
# make openapi: the contract as the code has it; the old file stays if the new one cannot be made.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

require_compiler
mkdir -p openapi
trap 'rm -f openapi/lindung.json.new' EXIT
cargo run --quiet -p lindung -- openapi >openapi/lindung.json.new
chmod 644 openapi/lindung.json.new
mv openapi/lindung.json.new openapi/lindung.json
