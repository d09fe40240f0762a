#!/bin/sh
# Builds the Rust plugin of the tests and prints its path: with Debian's compiler, since that brings what WebAssembly
# needs of Rust as a package, where rustup would have to download a target.
#   build-rust.sh          builds when it is not there yet (some 40 s cold)
#   build-rust.sh --path   only prints where it is or would be
set -eu
. "$(dirname "$0")/../cache.sh"
here=$(cd "$(dirname "$0")" && pwd)/rust-plugin
hash=$(cat "$here"/* | sha256sum | cut -c 1-12)
module=$cache/rust-plugin-$hash.wasm

if [ "${1:-}" = --path ] || [ -s "$module" ]; then
  echo "$module"
  exit 0
fi

for part in bin/cargo bin/rustc lib/rustlib/wasm32-wasi; do
  [ -e "/usr/$part" ] || { echo "no /usr/$part: it takes Debian's cargo, libstd-rust-dev-wasm32 and lld" >&2; exit 1; }
done
beside "$cache/rust-plugin"
cp "$here"/* "$partial/"
cd "$partial"
# Debian's cargo reads the index of crates.io with git, all of it, so whichever is first on PATH fetches.
cargo vendor --quiet --locked >/dev/null
RUSTC=/usr/bin/rustc CARGO_HOME=$partial/home /usr/bin/cargo build --quiet --release --target wasm32-wasi --locked --offline \
  --config 'source.crates-io.replace-with="vendored"' --config 'source.vendored.directory="vendor"' >&2
mv target/wasm32-wasi/release/plugin.wasm "$module"
echo "$module"
