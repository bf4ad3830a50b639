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
# Where none has them, a stand-in takes the place of each (terraform/standin): it has the schema of the real one, as
# HashiCorp published it with the bindings of its CDK on PyPI. Arguments, blocks and types are checked then, and the tests
# run; what a provider checks by itself is not, and the exit code says so. It takes go, pip and some minutes, once.
#
# Exit codes:
#   0   all that was asked for is formatted and valid, and its tests pass
#   1   something is wrong with the code
#   2   wrong usage
#   3   nothing wrong was found, but something could not be checked: no terraform, or no way to a provider or a module
set -euo pipefail

# Datadog's provider has kept the module path of its first years, and has no /v4, so its releases are pseudo-versions.
datadog_version=4.25.0
datadog_module=github.com/terraform-providers/terraform-provider-datadog
datadog_source=github.com/DataDog/terraform-provider-datadog
datadog_commit=v1.9.1-0.20261007133030-ca0801dc7050

# What the stand-ins know, and the version that each passes itself off as: the oldest that our code asks for.
bindings=(
    "datadog    cdktf-cdktf-provider-datadog==12.15.2   datadog/datadog       4.0.0"
    "aws        cdktf-cdktf-provider-aws==21.22.1       hashicorp/aws         6.28.0"
    "helm       cdktf-cdktf-provider-helm==12.1.2       hashicorp/helm        3.0.0"
    "kubernetes cdktf-cdktf-provider-kubernetes==12.1.1 hashicorp/kubernetes  2.38.0"
)

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bookwatch
plugins=${TERRAFORM_PLUGINS:-$cache/terraform-plugins}
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

# configure MIRROR: tells terraform to take from the mirror what it has, and from the registry the rest.
configure() {
    local plugins=$1 folder mirrored=()
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

# build_standins: one for each provider, into a mirror of their own. Fails where go or the bindings cannot be had.
build_standins() {
    local key line name address version folder packages
    key=$(cat "$here"/standin/{main.go,go.sum,schema.py} <(printf '%s\n' "${bindings[@]}") | sha256sum | cut --characters=1-16)
    standins="$cache/terraform-standins/$key"
    if [ ! -x "$standins/standin" ]; then
        have go || { say "no go on this machine to build stand-ins for the providers with"; return 1; }
        say "building stand-ins for the providers"
        mapfile -t packages < <(printf '%s\n' "${bindings[@]}" | awk '{ print $2 }')
        mkdir -p "$standins/wheels" &&
            python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$standins/wheels" \
                "${packages[@]}" &&
            (cd "$here/standin" && GOFLAGS=-mod=readonly nice go build -o "$standins/standin" .) || return 1
    fi
    # The schemas each time: they have what the code names today.
    for line in "${bindings[@]}"; do
        read -r name _ address version <<<"$line"
        folder="$work/standins/registry.terraform.io/$address/$version/$(platform)"
        mkdir -p "$folder"
        python3 "$here/standin/schema.py" "$standins/wheels" "$name" "$here" >"$folder/schema.json" || return 1
        cp "$standins/standin" "$folder/terraform-provider-${address#*/}_v$version"
        published="${published:-} $name $(sed -n '1s/^{"version": "\([^"]*\)".*/\1/p' "$folder/schema.json"),"
    done
}

# stand_in ROOT: has terraform take the stand-ins, and what stands for the modules of the registry.
stand_in() {
    [ -d "$work/standins" ] || build_standins || return 1
    configure "$work/standins"
    sed -i --regexp-extended '/source += "terraform-aws-modules\/(eks|vpc)\/aws"/ {
        s#terraform-aws-modules/(eks|vpc)/aws#../standin/modules/\1#
        n
        d
    }' "$work/terraform/$1"/*.tf
    rm -rf "$work/terraform/$1/.terraform" "$work/terraform/$1/.terraform.lock.hcl"
}

# init ROOT: its providers and modules. The state's backend is left out.
init() {
    timeout 300 terraform -chdir="$work/terraform/$1" init -backend=false -input=false -no-color >"$work/init.log" 2>&1
}

# ready ROOT: 0 with the real providers, 3 with stand-ins, 4 with nothing.
ready() {
    local root=$1
    configure "$plugins"
    init "$root" && return 0
    # What is missing for the Datadog root alone can be built; what the others need cannot in any useful time.
    if [ "$root" = datadog ] && build_datadog; then
        configure "$plugins"
        init "$root" && return 0
    fi
    sed -n '/^Error/,$p' "$work/init.log" | grep . | head -n 6 | sed 's/^/    /' >&2
    if stand_in "$root" && init "$root"; then
        return 3
    fi
    sed 's/^/    /' "$work/init.log" >&2
    return 4
}

# check ROOT: 0 valid, 1 wrong, 3 not wholly checked.
check() {
    local root=$1 code=0
    ready "$root" || code=$?
    if [ $code -eq 4 ]; then
        say "$root: NOT VALIDATED: its providers or modules are out of reach from here"
        return 3
    fi
    terraform -chdir="$work/terraform/$root" validate -no-color || return 1
    if [ -d "$work/terraform/$root/tests" ]; then
        terraform -chdir="$work/terraform/$root" test -no-color || return 1
    fi
    if [ $code -eq 3 ]; then
        say "$root: valid by the published schemas of${published%,}; NOT VALIDATED by the providers themselves, which are out of reach"
        return 3
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
