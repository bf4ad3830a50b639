#!/usr/bin/env bash
# Checks the Terraform code with Terraform itself: format, then `validate` and `test` of each root against the real
# providers. Needs no account and creates nothing.
#
#   terraform/validate.sh [ROOT..]     roots: datadog, cluster, aws-integration. Default: all
#
# Providers come from the first place that has them:
#   1. a mirror outside of the checkout, $TERRAFORM_PLUGINS. Default: ~/.cache/bookwatch/terraform-plugins
#   2. registry.terraform.io
#   3. for Datadog's: its source as a Go module through GOPROXY, built once (minutes, one core, 2 GB) into the mirror
#
# Exit codes:
#   0   all that was asked for is formatted and valid, and its tests pass
#   1   something is wrong with the code
#   2   wrong usage
#   3   nothing wrong was found, but something could not be checked: no terraform, or no way to a provider
set -euo pipefail

# Datadog's provider has kept the module path of its first years, and has no /v4, so its releases are pseudo-versions.
datadog_version=4.25.0
datadog_module=github.com/terraform-providers/terraform-provider-datadog
datadog_source=github.com/DataDog/terraform-provider-datadog
datadog_commit=v1.9.1-0.20261007133030-ca0801dc7050

here=$(cd "$(dirname "$0")" && pwd)
plugins=${TERRAFORM_PLUGINS:-${XDG_CACHE_HOME:-$HOME/.cache}/bookwatch/terraform-plugins}
# What is compiled with changes nothing; what a person has set up for themselves must not either.
unset TF_CLI_CONFIG_FILE TF_DATA_DIR TF_WORKSPACE
export CHECKPOINT_DISABLE=1 TF_IN_AUTOMATION=1

say() {
    printf '%s\n' "$*" >&2
}

have() {
    command -v "$1" >/dev/null 2>&1
}

# platform: this machine, as terraform calls it, such as linux_amd64.
platform() {
    local machine
    machine=$(uname -m)
    case $machine in
        x86_64) machine=amd64 ;;
        aarch64) machine=arm64 ;;
    esac
    printf '%s_%s' "$(uname -s | tr '[:upper:]' '[:lower:]')" "$machine"
}

# configure: tells terraform to take from the mirror what it has, and from the registry the rest.
configure() {
    local folder mirrored=()
    for folder in "$plugins"/registry.terraform.io/*/*/; do
        [ -d "$folder" ] && mirrored+=("\"${folder#"$plugins"/}\"")
    done
    local list
    list=$(IFS=,; printf '%s' "${mirrored[*]:-}" | sed 's#/"#"#g')
    {
        printf 'provider_installation {\n'
        if [ -n "$list" ]; then
            printf '  filesystem_mirror {\n    path    = "%s"\n    include = [%s]\n  }\n' "$plugins" "$list"
        fi
        printf '  direct {\n    exclude = [%s]\n  }\n}\n' "$list"
    } >"$work/terraformrc"
    export TF_CLI_CONFIG_FILE="$work/terraformrc"
}

# build_datadog: its provider from source into the mirror. Fails where the module cannot be had.
build_datadog() {
    local folder
    have go || { say "no go on this machine to build the Datadog provider with"; return 1; }
    folder="$plugins/registry.terraform.io/datadog/datadog/$datadog_version/$(platform)"
    mkdir -p "$work/build"
    # Chained: `set -e` is off in a function whose result is asked for.
    (
        cd "$work/build" && export GOFLAGS=-mod=mod &&
            printf 'module mirror\n\ngo 1.24\n' >go.mod &&
            go mod edit -require="$datadog_module@$datadog_commit" -replace="$datadog_module=$datadog_source@$datadog_commit" &&
            go mod download "$datadog_module" &&
            say "building the Datadog provider $datadog_version" &&
            nice -n 19 go build -o provider "$datadog_module"
    ) || return 1
    mkdir -p "$folder"
    mv "$work/build/provider" "$folder/terraform-provider-datadog_v$datadog_version"
}

# init ROOT: its providers and modules. The state's backend is left out.
init() {
    timeout 300 terraform -chdir="$work/terraform/$1" init -backend=false -input=false -no-color >"$work/init.log" 2>&1
}

# check ROOT: 0 valid, 1 wrong, 3 not checked.
check() {
    local root=$1
    if ! init "$root"; then
        # What is missing for the Datadog root alone can be built; what the others need cannot in any useful time.
        if [ "$root" != datadog ] || ! build_datadog; then
            sed -n '/^Error/,$p' "$work/init.log" | grep . | head -n 12 | sed 's/^/    /' >&2
            say "$root: NOT VALIDATED: its providers or modules are out of reach from here"
            return 3
        fi
        configure
        if ! init "$root"; then
            sed 's/^/    /' "$work/init.log" >&2
            return 1
        fi
    fi
    terraform -chdir="$work/terraform/$root" validate -no-color || return 1
    if [ -d "$work/terraform/$root/tests" ]; then
        terraform -chdir="$work/terraform/$root" test -no-color || return 1
    fi
    say "$root: valid with $(terraform -chdir="$work/terraform/$root" version -no-color | sed -n 's/^+ provider //p' | tr '\n' ' ')"
}

roots=("$@")
[ ${#roots[@]} -gt 0 ] || roots=(datadog cluster aws-integration)
for root in "${roots[@]}"; do
    if [ ! -f "$here/$root/variables.tf" ]; then
        say "there is no root $root; there are datadog, cluster and aws-integration"
        exit 2
    fi
done

if ! have terraform; then
    say "NOT VALIDATED: terraform is not on this machine. It needs 1.11 or a later 1.x"
    exit 3
fi

work=$(mktemp --directory)
trap 'rm -rf "$work"' EXIT
configure

terraform fmt -check -diff -recursive "$here" || { say "format: run terraform fmt -recursive terraform"; exit 1; }

# A copy: the checkout stays as it is, without lock files of whatever provider was used here.
mkdir "$work/terraform"
(cd "$here" && tar --create --exclude=.terraform --exclude='*.tfstate*' --exclude='*.tfvars' --exclude='backend.tf' .) |
    tar --extract --directory "$work/terraform"

# What terraform/cluster reads of the manifests.
mkdir --parents "$work/k8s/components/datadog-operator"
cp "$here/../k8s/components/datadog-operator/datadog-agent.yaml" "$work/k8s/components/datadog-operator/"

result=0
for root in "${roots[@]}"; do
    code=0
    check "$root" || code=$?
    # 1 outweighs 3.
    if [ $code -eq 1 ] || [ $result -eq 0 ]; then
        result=$code
    fi
done
exit $result
