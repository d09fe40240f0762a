#!/usr/bin/env bash
# Runs every test from a fresh clone, after setting up what it can. What cannot run on this machine is listed by name and
# reason; REQUIRE_ALL=1 makes that a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$1"; }

say "npm packages"
if [ ! -d node_modules ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then npm ci --no-audit --no-fund; fi

say "programs for the tests"
scripts/setup-programs.sh

say "gate: types, lint, format, unused code, unit tests"
npm run --silent check

say "build"
npm run --silent build
npm run --silent build:exe || echo "no executables: their tests are not run"

say "all tests"
mkdir -p .cache
status=0
npx --no-install vitest run --reporter=default --reporter=json --outputFile.json=.cache/tests.json || status=$?
node scripts/count-tests.mjs .cache/tests.json || status=$?
exit "$status"
