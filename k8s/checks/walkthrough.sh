#!/usr/bin/env bash
# Runs the commands of docs/walkthrough.md that are for a cluster, as far as they can be had without one: what is applied is
# rendered, namespaces and secrets are made by the client alone, and all else that is named is looked up in what was applied.
#
# Needs kubectl. Exit codes: 0 each command fits the manifests, 1 one does not, 69 there is no kubectl.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
kubectl=$(command -v kubectl) || { echo "NOT CHECKED: the cluster's part of the walkthrough, for want of kubectl" >&2; exit 69; }
work=$(mktemp --directory)
trap 'rm -rf "$work"' EXIT

cat >"$work/as-here.sh" <<EOT
kubectl() {
    local namespace=default words=()
    while [ \$# -gt 0 ]; do
        case \$1 in
            --) break ;;
            -n) namespace=\$2; shift ;;
            *) words+=("\$1") ;;
        esac
        shift
    done
    case \${words[0]} in
        apply) (cd "$root" && "$kubectl" kustomize "\${words[2]}" >"$work/applied.yaml") ;;
        delete) cmp --silent <(cd "$root" && "$kubectl" kustomize "\${words[2]}") "$work/applied.yaml" ;;
        create) "$kubectl" --namespace "\$namespace" "\${words[@]}" --dry-run=client --output yaml >/dev/null ;;
        exec | port-forward | rollout | scale | wait) named "\$namespace" "\${words[@]}" ;;
        *) echo "walkthrough: kubectl \${words[0]} is not known here" >&2; return 1 ;;
    esac
}
# named NAMESPACE WORD..: whether each KIND/NAME among the words was applied.
named() {
    local namespace=\$1 word
    shift
    for word in "\$@"; do
        [[ \$word =~ ^[a-z]+/[a-z0-9-]+\$ ]] || continue
        python3 - "$work/applied.yaml" "\$namespace" "\${word%/*}" "\${word#*/}" <<'PYTHON' || { touch "$work/failed"; return 1; }
import sys
text, namespace, kind, name = open(sys.argv[1]).read(), *sys.argv[2:]
for document in text.split("\\n---\\n"):
    lines = document.splitlines()
    said = {line.partition(":")[0]: line.partition(":")[2].strip() for line in lines}
    if said.get("kind", "").lower() == kind and said.get("  name") == name and said.get("  namespace") == namespace:
        sys.exit(0)
sys.exit(f"walkthrough: there is no {kind} {name} in {namespace}")
PYTHON
    done
}
export -f kubectl named
EOT
DD_API_KEY=key DD_APP_KEY=key BASH_ENV=$work/as-here.sh bash "$root/docs/walkthrough.sh" cluster
# What ran in the background there has failed too.
[ ! -e "$work/failed" ]
