#!/usr/bin/env bash
# Sets up the real programs that tests hold us against: registry, skopeo and others from Debian where this is root, a
# Kubernetes control plane, a gateway and a Wasm plugin built where Go is there, plugins in Rust and AssemblyScript.
# Anything that is missing is said, never fatal: tests that need it say so too.
set -uo pipefail
cd "$(dirname "$0")/.."

packages=()
need() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || packages+=("$2"); }
need docker-registry docker-registry
need skopeo skopeo
need ctr containerd
need umoci umoci
need etcd etcd-server
need openssl openssl
need unzip unzip
need nginx nginx-light
need htpasswd apache2-utils
need busybox busybox
need strace strace
need shellcheck shellcheck
need zsh zsh
need fish fish
need groff groff
need chromium chromium
need unshare util-linux
need ip iproute2
need qemu-aarch64-static qemu-user-static
[ -e /usr/aarch64-linux-gnu/lib/libstdc++.so.6 ] || packages+=(libc6-arm64-cross libstdc++6-arm64-cross libgcc-s1-arm64-cross)

{ [ -x /usr/bin/cargo ] && [ -e /usr/lib/rustlib/wasm32-wasi ]; } || packages+=(cargo libstd-rust-dev-wasm32 lld)

if [ "${#packages[@]}" -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing: ${packages[*]}"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"; } >/dev/null 2>&1 ||
      echo "could not install: ${packages[*]}"
  else
    echo "not here, and this is not root on Debian: ${packages[*]}"
  fi
fi

if command -v go >/dev/null 2>&1; then
  for script in test/rig/kube/build.sh test/rig/wasm/build.sh test/rig/gateway/build.sh test/rig/gitops/fetch.sh; do
    [ -x "$script" ] && { "$script" || echo "failed: $script"; }
  done
else
  echo "no Go here: no Kubernetes control plane, no Wasm plugin of our own, no gateway"
fi
for script in test/rig/wasm/build-assemblyscript.sh test/rig/wasm/build-rust.sh; do
  "$script" || echo "failed: $script"
done
if command -v pip >/dev/null 2>&1 && [ -x test/rig/wasm/fetch-real.sh ]; then
  test/rig/wasm/fetch-real.sh || echo "failed: test/rig/wasm/fetch-real.sh"
  for version in 1.36.4 1.40.0; do
    test/rig/gateway/fetch-envoy.sh "$version" || echo "failed: test/rig/gateway/fetch-envoy.sh $version"
  done
fi
exit 0
