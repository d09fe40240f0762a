# Sourced by the scripts that build or fetch a program once and keep it. Each says where it is, and makes it only where it
# is not; what is there is whole, since it is made beside and renamed.
cache=${HIGRESS_AIRGAP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/higress-airgap}

# beside PATH: makes the folder $partial beside it, which goes with the script, however that ends.
beside() {
  mkdir -p "$(dirname "$1")"
  partial=$(mktemp -d "$1.XXXXXX")
  trap 'rm -rf "$partial"' EXIT
  trap 'exit 130' INT TERM
}
