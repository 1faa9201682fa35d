#!/usr/bin/env bash
# make wipe: as if this checkout had never run; what cargo built stays.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[[ ${YES-} == 1 ]] || fail "This deletes both PostgreSQL clusters, all keys and credentials in $state: make wipe YES=1"
deploy/development/cluster.sh delete run
deploy/development/cluster.sh delete test
rm -rf "$state"
