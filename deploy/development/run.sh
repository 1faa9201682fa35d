#!/usr/bin/env bash
# make run: sets up all that is missing and serves until Ctrl-C. The cluster stays up, so that the next start is quick.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

prepare
start_service
trap 'exit 0' INT TERM HUP

make_token=(make -s -C "$root" token AGENCY=KDN.PDRM.D11.KL OFFICER=insp.tan ROLE=officer PURPOSE=investigation)
[[ $LINDUNG_LISTEN == 127.0.0.1:8080 ]] || make_token+=("LINDUNG_LISTEN=$LINDUNG_LISTEN")
[[ $LINDUNG_ISSUER == "http://$LINDUNG_LISTEN" ]] || make_token+=("LINDUNG_ISSUER=$LINDUNG_ISSUER")
printf -v token '%q ' "${make_token[@]}"
access_log=
! sealed || access_log="
  Access log     $LINDUNG_ISSUER/v1/access-log/checkpoint, signed every ten seconds where there is something new
                 keys, policy, and logs of the signer and of five witnesses: $log"
cat <<TEXT

Lindung serves.
  Base URL       $LINDUNG_ISSUER
  Documentation  $LINDUNG_ISSUER/docs/
  Log            $state/serve.log
  Mail           $LINDUNG_MAIL_FOLDER, a file each: subscriptions by mail write there$access_log
  A first call, from another terminal:

curl -sS -H "Authorization: Bearer \$(${token% })" $LINDUNG_ISSUER/v1/inbox

Ctrl-C stops it; the database stays up until make stop.
TEXT

code=0
wait "$service" || code=$?
tail -n 20 "$state/serve.log" >&2
fail "The service ended by itself with code $code; the lines above end its log, $state/serve.log"
