#!/usr/bin/env bash
# make check: what needs no database.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

require_compiler
cargo fmt --all --check
cargo clippy --workspace --all-targets --locked -- -D warnings
cargo clippy --workspace --features lindung-tests/unchecked --test apart --locked -- -D warnings
if cargo deny --version >/dev/null 2>&1; then
  # Not `advisories`: that check fetches a database, and this one must work offline.
  cargo deny --locked check bans licenses sources
else
  say "Skipped the check of dependencies: cargo-deny is not installed (cargo install --locked cargo-deny)."
fi
