#!/bin/sh
# Builds pilot-discovery, Istio's control plane, of the version that the agent of the rig has, and prints its path. It is for
# the nightly suite alone: 5 CPU minutes and more than 1 GiB of Go's cache, for a binary of 127 MB.
#   build-pilot.sh          builds when it is not there yet
#   build-pilot.sh --path   only prints where it is or would be
set -eu
. "$(dirname "$0")/../cache.sh"
cd "$(dirname "$0")/program"
version=$(sed -n 's/^\tistio.io\/istio //p' go.mod)
binary=$cache/pilot-$version/pilot-discovery

if [ "${1:-}" != --path ] && [ ! -x "$binary" ]; then
  beside "$cache/pilot"
  echo "building pilot-discovery $version; this takes minutes" >&2
  go mod download istio.io/istio
  # In Istio's own module: its go.sum has what the checksum database does not know.
  (cd "$(go list -mod=readonly -m -f '{{.Dir}}' istio.io/istio)" &&
    CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$partial/pilot-discovery" ./pilot/cmd/pilot-discovery) >&2
  mkdir -p "$cache/pilot-$version"
  mv "$partial/pilot-discovery" "$binary"
fi
echo "$binary"
