#!/bin/sh
# Builds the control plane of the test cluster and prints the path of the binary.
#   build.sh          builds when it is not there yet (cold 6 min on 2 cores, beside 1 min of downloads; then nothing)
#   build.sh --path   only prints where it is or would be; cluster/kube-binary.ts asks this, so the path is computed once
set -eu
. "$(dirname "$0")/../cache.sh"
here=$(cd "$(dirname "$0")" && pwd)
cd "$here"

version=$(awk '$1 == "require" && $2 == "k8s.io/kubernetes" { print $3 } $1 == "k8s.io/kubernetes" && $2 != "=>" { print $2 }' go.mod | head -n 1)
hash=$(cat go.sum main.go | sha256sum | cut -c 1-12)
binary=$cache/kube-$version-$hash/kube

if [ "${1:-}" = --path ] || [ -x "$binary" ]; then
  echo "$binary"
  exit 0
fi

beside "$binary"

# Without these the server says v0.0.0-master, and charts that compare .Capabilities.KubeVersion take the wrong branch.
numbers=${version#v}
major=${numbers%%.*}
rest=${numbers#*.}
minor=${rest%%.*}
package=k8s.io/component-base/version
flags="-s -w -X $package.gitVersion=$version -X $package.gitMajor=$major -X $package.gitMinor=$minor"

echo "building the Kubernetes $version control plane; this takes minutes when nothing is cached" >&2
# -mod=readonly: `go mod tidy` would pull the test dependencies of all of Kubernetes into go.sum.
CGO_ENABLED=0 go build -mod=readonly -trimpath -ldflags "$flags" -o "$partial/kube" . >&2
mv "$partial/kube" "$binary"
echo "$binary"
