#!/bin/sh
# Builds the program of the test gateway and prints its folder: the program, and the agent's template for Envoy.
#   build.sh          builds when it is not there yet (cold 4 CPU minutes, beside downloads; then nothing)
#   build.sh --path   only prints where it is or would be
set -eu
. "$(dirname "$0")/../cache.sh"
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/program"
hash=$(cat go.mod go.sum ./*.go | sha256sum | cut -c 1-12)
folder=$cache/gateway-$hash

if [ "${1:-}" != --path ] && [ ! -d "$folder" ]; then
  beside "$cache/gateway"
  echo "building the Istio agent and a control plane; this takes minutes when nothing is cached" >&2
  mkdir "$partial/gateway"
  CGO_ENABLED=0 go build -mod=readonly -trimpath -ldflags "-s -w" -o "$partial/gateway/gateway" . >&2
  cp "$(go list -mod=readonly -m -f '{{.Dir}}' istio.io/istio)/tools/packaging/common/envoy_bootstrap.json" "$partial/gateway/"
  mv "$partial/gateway" "$folder"
fi
echo "$folder"
