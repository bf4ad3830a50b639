#!/usr/bin/env bash
# Renders everything (render.sh) and checks it against the schemas of Kubernetes and of the custom resources.
#
# Needs kubernetes-validate: pip install kubernetes-validate==1.37.0.
# What it reads from the environment:
#   KUBERNETES   versions to check against             Default: "1.33 1.36"
#   CRDS         folder of CustomResourceDefinitions   Default: ../shared/schemas/crds beside the checkout
#   PYTHON       the Python that has the package       Default: python3
# kubeconform is used where it is there: go install github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0
#
# Exit codes: 0 all valid, 1 at least one is not.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
crds=${CRDS:-$here/../../../shared/schemas/crds}
python=${PYTHON:-python3}
read -ra versions <<<"${KUBERNETES:-1.33 1.36}"

work=$(mktemp --directory)
trap 'rm -rf "$work"' EXIT
mkdir "$work/all" "$work/builtin" "$work/custom"

"$here/render.sh" "$work/all"
echo "$(find "$work/all" -name '*.yaml' | wc -l) builds: base, overlays, and each component alone"

failed=0
if [ -d "$crds" ]; then
    "$python" "$here/schemas.py" custom "$crds" "$work/all" "$work/builtin" "$work/custom" || failed=1
    all_kinds=$work/all
else
    # With nothing to check them against, custom resources are only set aside.
    echo "no definitions in $crds: custom resources are not checked" >&2
    "$python" "$here/schemas.py" custom "$work/custom" "$work/all" "$work/builtin" "$work/custom" >/dev/null 2>&1 || true
    all_kinds=$work/builtin
fi

for version in "${versions[@]}"; do
    # It warns where it has no schema, and that is no success.
    code=0
    said=$("$python" -m kubernetes_validate --strict --quiet --kubernetes-version "$version.0" "$work"/builtin/*.yaml 2>&1) || code=1
    if [ $code -ne 0 ] || [ -n "$said" ]; then
        echo "$said" >&2
        failed=1
        echo "kubernetes-validate, strict, $version: NOT valid"
    else
        echo "kubernetes-validate, strict, $version: valid"
    fi
    if command -v kubeconform >/dev/null; then
        mkdir "$work/$version"
        "$python" "$here/schemas.py" bundled "$version" "$work/$version"
        kubeconform -strict -summary -kubernetes-version "$version.0" \
            -schema-location "$work/$version/{{.ResourceKind}}{{.KindSuffix}}.json" \
            -schema-location "$work/custom/{{.ResourceKind}}{{.KindSuffix}}.json" "$all_kinds" || failed=1
    fi
done
exit $failed
