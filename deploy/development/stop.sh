#!/usr/bin/env bash
# make stop: both clusters; make run and make test start theirs again.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

deploy/development/cluster.sh stop run
deploy/development/cluster.sh stop test
