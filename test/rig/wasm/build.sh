#!/bin/sh
# Builds the Go plugin of the tests and prints its path.
#   build.sh          builds when it is not there yet (some 10 s cold)
#   build.sh --path   only prints where it is or would be
set -eu
. "$(dirname "$0")/../cache.sh"
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/go-plugin"
hash=$(cat go.mod go.sum main.go | sha256sum | cut -c 1-12)
module=$cache/go-plugin-$hash.wasm

if [ "${1:-}" = --path ] || [ -s "$module" ]; then
  echo "$module"
  exit 0
fi

beside "$cache/go-plugin"
# c-shared makes a reactor: without it the runtime leaves with proc_exit once main returns, and the gateway refuses it.
GOOS=wasip1 GOARCH=wasm go build -mod=readonly -trimpath -buildmode=c-shared -ldflags "-s -w" -o "$partial/plugin.wasm" . >&2
mv "$partial/plugin.wasm" "$module"
echo "$module"
