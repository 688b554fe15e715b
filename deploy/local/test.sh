#!/bin/sh
# In the order of how fast it fails: format, lint, types, then tests. The last line is `N passed, N failed`.
#
#   sh deploy/local/test.sh       for `npm test`: unit tests and the main promises, in minutes
#   sh deploy/local/test.sh all   for `npm run test:all`: everything but `failover` and `fresh`, which take half an hour more
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
case ${1:-} in
  all)
    shift
    # Each group in its full form.
    export DURABILITY_KILLS=100 DURABILITY_FAILOVERS=3
    set -- --project slow --project cluster --project boot --project durability --project measured "$@"
    ;;
  *) set -- --project promises "$@" ;;
esac
exec vitest run --config test/vitest.config.ts --project unit "$@"
