#!/bin/sh
# The main job from end to end on this machine, with small stand-ins for Higress and its registries: build, carry, verify,
# push, rewrite, prove, serve. Needs Node >= 20.19 and npm; sets up the rest. Usage: ./scripts/demo.sh [FOLDER]
set -eu
here=$(pwd)
cd "$(dirname "$0")/.."

if ! command -v node >/dev/null 2>&1 || ! command -v npm >/dev/null 2>&1; then
  echo "This needs Node >= 20.19 with npm, and one of them is not on PATH. 需要 Node >= 20.19 和 npm。" >&2
  exit 1
fi
if ! node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)'; then
  echo "This needs Node >= 20.19, and this is $(node --version). 需要 Node >= 20.19。" >&2
  exit 1
fi

if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo "npm ci: libraries, helm and kubectl into node_modules, once; about a minute ..."
  npm ci --no-audit --no-fund --loglevel=error
fi
if [ ! -f dist/main.mjs ] || [ -n "$(find src manifests scripts/build.mjs package.json -newer dist/main.mjs)" ]; then
  echo "npm run build ..."
  npm run --silent build
fi

case "${1-}" in
  "") exec node scripts/demo.mjs ;;
  /*) exec node scripts/demo.mjs "$1" ;;
  *) exec node scripts/demo.mjs "$here/$1" ;;
esac
