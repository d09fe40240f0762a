#!/bin/sh
# Fetches the CRDs of Argo CD and Flux out of their Go modules, and prints the folder that holds them. They are what a real
# API server holds the output of `render --for` against.
#   fetch.sh          fetches what is not there yet
#   fetch.sh --path   only prints where they are or would be
set -eu
. "$(dirname "$0")/../cache.sh"
argocd=github.com/argoproj/argo-cd/v2@v2.14.21
kustomize=github.com/fluxcd/kustomize-controller@v1.10.1
source=github.com/fluxcd/source-controller@v1.10.1
folder=$cache/gitops-$(echo "$argocd $kustomize $source" | sha256sum | cut -c 1-12)
if [ "${1:-}" = --path ] || [ -d "$folder" ]; then
  echo "$folder"
  exit 0
fi

beside "$cache/gitops"

# The zip is there also where this Go is too old for the module; of it one file is taken.
crd() {
  zip=$(go mod download -json "$1" | sed -n 's/.*"Zip": "\(.*\)".*/\1/p')
  unzip -p "$zip" "$1/$2" > "$partial/$3"
}
crd "$argocd" manifests/crds/application-crd.yaml argocd.yaml
crd "$kustomize" config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml flux-kustomization.yaml
crd "$source" config/crd/bases/source.toolkit.fluxcd.io_gitrepositories.yaml flux-source.yaml
chmod 755 "$partial"
mv "$partial" "$folder"
echo "$folder"
