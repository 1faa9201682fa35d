#!/usr/bin/env bash
# make token: an access token of the running service, alone on standard output. Without OFFICER it is the client's own.
# With PROOF it is bound to a key, and what is printed are the header fields of that one request, as curl -H @- takes them.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[[ -n ${AGENCY-} && ( -z ${OFFICER-} || -n ${ROLE-} ) ]] ||
  fail "usage: make token AGENCY=KDN.PDRM.D11.KL [OFFICER=insp.tan ROLE=officer PURPOSE=investigation]" \
    "[PROOF='GET $LINDUNG_ISSUER/v1/inbox']"
if [[ ! -x $lindung ]] || ! ours_answers; then
  fail "No Lindung answers at $LINDUNG_ISSUER: start it with make run, in another terminal."
fi

arguments=(--agency "$AGENCY")
if [[ -n ${OFFICER-} ]]; then
  arguments+=(--officer "$OFFICER")
  IFS=, read -ra roles <<<"$ROLE"
  for role in "${roles[@]}"; do arguments+=(--role "$role"); done
  if [[ -n ${PURPOSE-} ]]; then arguments+=(--purpose "$PURPOSE"); fi
fi
if [[ -n ${PROOF-} ]]; then
  read -ra proof <<<"$PROOF"
  ((${#proof[@]} == 2)) || fail "PROOF is a method and a URL, as in PROOF='GET $LINDUNG_ISSUER/v1/inbox'"
  arguments+=(--dpop "${proof[@]}")
fi
exec "$lindung" token "${arguments[@]}"
