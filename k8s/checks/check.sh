#!/usr/bin/env bash
# All checks of the deployment files that need no cluster and no build: lint, agreement, schemas.
#
# Needs what tools.sh installs: `k8s/checks/tools.sh k8s/checks/check.sh`, which is `just manifests`.
# Exit codes: 0 all pass, 1 at least one does not.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
failed=0
work=$(mktemp --directory)
trap 'rm -rf "$work"' EXIT

# check NAME COMMAND..: runs it and goes on, so that one run tells all.
check() {
    local name=$1
    shift
    if "$@"; then
        echo "ok      $name"
    else
        echo "FAILED  $name"
        failed=1
    fi
}

# Every script of the repository, wherever it is.
cd "$root"
mapfile -t scripts < <(git ls-files --cached --others --exclude-standard | while read -r file; do
    [ ! -f "$file" ] || ! head --bytes=64 "$file" | grep --quiet --text --extended-regexp '^#!.*(bash|/sh)' || echo "$file"
done)
check "shellcheck" shellcheck "${scripts[@]}"
check "hadolint" hadolint "$root/Dockerfiles/Dockerfile"
# Compose's own reader, which knows each field.
if command -v compose-go >/dev/null; then
    check "compose.yaml" compose-go "$root/compose.yaml" >"$work/compose"
    tail --lines=1 "$work/compose"
fi
if command -v actionlint >/dev/null; then
    check "workflows" actionlint
fi
check "agreement" "${PYTHON:-python3}" "$here/agree.py"
check "schemas" "$here/schemas.sh"
if command -v kubectl >/dev/null; then
    check "the cluster's part of the walkthrough" "$here/walkthrough.sh"
fi
exit $failed
