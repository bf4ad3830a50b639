#!/usr/bin/env bash
# render.sh FOLDER: builds every overlay, the base, and every component alone on the base, each into a file of FOLDER.
#
# Needs kubectl or kustomize. Exit codes: 0 all built, 1 one did not, 2 no tool or no folder named.
set -euo pipefail

out=${1:?write render.sh FOLDER}
k8s=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$out"
out=$(cd "$out" && pwd)

# Where tools.sh puts it.
cached=$(compgen -G "${XDG_CACHE_HOME:-$HOME/.cache}/bookwatch/tools/sigs.k8s.io-kustomize-*/kustomize" | tail --lines=1 || true)

if command -v kubectl >/dev/null; then
    build() { kubectl kustomize "$1"; }
elif command -v kustomize >/dev/null; then
    build() { kustomize build "$1"; }
elif [ -n "$cached" ]; then
    build() { "$cached" build "$1"; }
else
    echo "needs kubectl, or kustomize: go install sigs.k8s.io/kustomize/kustomize/v5@v5.8.1" >&2
    exit 2
fi

# Beside the components, since kustomize takes only relative paths; gone again in any case.
alone=$(mktemp --directory "$k8s/.alone-XXXXXX")
trap 'rm -rf "$alone"' EXIT

failed=0
# render NAME FOLDER
render() {
    if ! build "$2" >"$out/$1.yaml"; then
        echo "$1 does not build" >&2
        rm -f "$out/$1.yaml"
        failed=1
    fi
}

render base "$k8s/base"
for overlay in "$k8s"/overlays/*/; do
    render "overlay-$(basename "$overlay")" "$overlay"
done
for component in "$k8s"/components/*/; do
    name=$(basename "$component")
    cat >"$alone/kustomization.yaml" <<EOT
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../base]
components: [../components/$name]
EOT
    render "component-$name" "$alone"
done
exit $failed
