#!/bin/sh
# Builds the AssemblyScript plugin of the tests and prints its path. Its compiler and SDK stay out of the project's own
# packages: 17 MiB of old releases that nothing else wants, the newest that fit each other.
#   build-assemblyscript.sh          builds when it is not there yet (some 5 s cold)
#   build-assemblyscript.sh --path   only prints where it is or would be
set -eu
. "$(dirname "$0")/../cache.sh"
here=$(cd "$(dirname "$0")" && pwd)/assemblyscript-plugin
hash=$(cat "$here"/* | sha256sum | cut -c 1-12)
module=$cache/assemblyscript-plugin-$hash.wasm

if [ "${1:-}" = --path ] || [ -s "$module" ]; then
  echo "$module"
  exit 0
fi

beside "$cache/assemblyscript-plugin"
cp "$here/package.json" "$here/package-lock.json" "$partial/"
cp "$here/plugin.as" "$partial/plugin.ts"
cd "$partial"
npm ci --no-audit --no-fund --ignore-scripts >&2
# Without abort_proc_exit it imports env.abort, which no gateway has.
node node_modules/assemblyscript/bin/asc plugin.ts -b plugin.wasm --use abort=abort_proc_exit --optimize >&2
mv plugin.wasm "$module"
echo "$module"
