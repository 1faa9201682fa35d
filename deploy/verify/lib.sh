# shellcheck shell=bash
# The two judges of an export; sourced behind development/lib.sh.

judges=$CARGO_TARGET_DIR/judges
# Debian's Python, whose packages the environment sees.
judge_python=/usr/bin/python3

# judges_missing: the Debian packages that are not there.
judges_missing() {
  command -v go >/dev/null || printf '%s\n' golang-go
  [[ -d /usr/share/gocode/src/golang.org/x/mod/sumdb/tlog ]] || printf '%s\n' golang-golang-x-mod-dev
  "$judge_python" -c 'import ensurepip' 2>/dev/null || printf '%s\n' python3-venv
  "$judge_python" -c 'import cryptography' 2>/dev/null || printf '%s\n' python3-cryptography
}

# judges_ready: whether nothing has to be fetched any more.
judges_ready() {
  [[ -z $(judges_missing) && -x $judges/venv/bin/python ]] &&
    "$judges/venv/bin/python" -c 'import pymerkle, cryptography' 2>/dev/null
}

# build_judges: both in one folder, as the test wants them.
build_judges() {
  mkdir -p "$judges"
  # From Debian's sources alone: no module is looked up, nothing is fetched.
  GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$judges/go-cache GOTOOLCHAIN=local GOFLAGS='' \
    go build -o "$judges/judge" deploy/verify/judge.go deploy/verify/policy.go
  cp deploy/verify/judge.py "$judges/judge.py"
}
