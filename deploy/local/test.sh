#!/bin/sh
# Everything that must hold, in the order of how fast it fails: format, lint, types, then all tests. The last line is
# `N passed, N failed`.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root"
PATH="$root/node_modules/.bin:$PATH"
export PATH

check() {
  what=$1
  shift
  if "$@"; then return; fi
  printf '\n%s failed, no test was run: %s\n\n0 passed, 1 failed\n' "$what" "$*"
  exit 1
}

check "format check" oxfmt --check .
check lint oxlint --type-aware --deny-warnings
check "type check" tsc -p packages
check "type check" tsc -p test
exec vitest run --config test/vitest.config.ts --project unit --project cluster --project durability \
  --project boot "$@"
