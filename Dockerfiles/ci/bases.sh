#!/usr/bin/env bash
# The two base images, under the names that the Dockerfile gives them. What is there stays, what can be pulled is pulled,
# and for the rest there is a stand-in: Debian 12 from the package archive by debootstrap, with this machine's Rust and the
# sources of the crates that Cargo.lock names, so that the build needs no network at all.
#
# Stand-ins carry the label bookwatch.stand-in, and are made again when what is in them changes. They are for checking the
# images on a machine that reaches no registry of images, not for publishing.
#
# What it reads from the environment:
#   DOCKER          the client                          Default: docker
#   BUILD_IMAGE, RUNTIME_IMAGE   other names            Default: those of the Dockerfile
# Exit codes: 0 both are there, 1 one could not be made.
set -euo pipefail

docker=${DOCKER:-docker}
root=$(cd "$(dirname "$0")/../.." && pwd)
suite=bookworm

# default_of NAME: the value of a build argument in the Dockerfile.
default_of() {
    sed --quiet "s/^ARG $1=//p" "$root/Dockerfiles/Dockerfile"
}

build_image=${BUILD_IMAGE:-$(default_of BUILD_IMAGE)}
runtime_image=${RUNTIME_IMAGE:-$(default_of RUNTIME_IMAGE)}

work=$(mktemp --directory)
trap 'rm -rf "$work"' EXIT

# stand_in_of IMAGE: what the stand-in of that name was made from; empty for a real image; fails where there is none.
stand_in_of() {
    "$docker" image inspect --format '{{ index .Config.Labels "bookwatch.stand-in" }}' "$1" 2>/dev/null
}

# wanted IMAGE KEY: whether a stand-in has to be made.
wanted() {
    local key
    if key=$(stand_in_of "$1"); then
        if [ -z "$key" ] || [ "$key" = "$2" ]; then
            return 1
        fi
    elif timeout 600 "$docker" pull --quiet "$1" 2>/dev/null; then
        return 1
    fi
    echo "bases: making a stand-in for $1"
}

# The plain system, once for both.
debian() {
    if [ -d "$work/debian" ]; then
        return
    fi
    if ! command -v debootstrap >/dev/null; then
        apt-get install --option DPkg::Lock::Timeout=300 --quiet --quiet --yes --no-install-recommends debootstrap >&2
    fi
    # The archive that this machine uses, so that it is one that can be reached.
    local archive
    # shellcheck disable=SC2016 # apt's own variable
    archive=$(apt-get indextargets --format '$(REPO_URI)' "Release: $suite" 2>/dev/null | head --lines=1 || true)
    if ! debootstrap --variant=minbase --include=gcc,libc6-dev,ca-certificates "$suite" "$work/debian" \
        "${archive:-http://deb.debian.org/debian}" >"$work/debootstrap.log" 2>&1; then
        tail --lines=20 "$work/debootstrap.log" >&2
        return 1
    fi
}

# import FOLDER IMAGE CHANGE..
import() {
    local folder=$1 image=$2 changes=()
    shift 2
    local change
    for change in "$@"; do
        changes+=(--change "$change")
    done
    tar --create --directory "$folder" --numeric-owner --sort=name . | "$docker" import "${changes[@]}" - "$image" >/dev/null
}

# The compiler, where the image of that name has it. Its documentation is the larger half and stays here.
toolchain() {
    local sysroot version
    sysroot=$(cd "$root" && rustc --print sysroot)
    version=$(cd "$root" && rustc --version)
    local image=bookwatch-stand-in/toolchain
    if [ "$(stand_in_of $image || true)" = "$version" ]; then
        return
    fi
    debian
    local cargo_home=$work/debian/usr/local/cargo rustup_home=$work/debian/usr/local/rustup
    mkdir -p "$cargo_home/bin" "$rustup_home"
    cp --recursive --dereference "$sysroot" "$rustup_home/toolchain-with-docs"
    mkdir -p "$rustup_home/toolchain"
    mv "$rustup_home/toolchain-with-docs"/{bin,lib} "$rustup_home/toolchain/"
    rm -rf "$rustup_home/toolchain-with-docs"
    local program
    for program in cargo rustc rustdoc; do
        ln --symbolic "/usr/local/rustup/toolchain/bin/$program" "$cargo_home/bin/$program"
    done
    rm -rf "$work"/debian/var/cache/apt/archives/*.deb
    import "$work/debian" $image \
        "ENV PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
        "ENV CARGO_HOME=/usr/local/cargo" "ENV RUSTUP_HOME=/usr/local/rustup" \
        "LABEL bookwatch.stand-in=\"$version\""
}

build_base() {
    # Only crates from elsewhere count: a change of our own would fetch the same again.
    local key
    key=$({ cd "$root" && rustc --version && grep --before-context=2 --after-context=1 '^source = ' Cargo.lock; } | sha256sum | cut --characters=1-16)
    wanted "$build_image" "$key" || return 0
    toolchain
    mkdir "$work/crates"
    # Vendored, and not a copy of the registry's cache: that has other names where a mirror takes its place.
    (cd "$root" && cargo vendor --locked --quiet --versioned-dirs "$work/crates/vendor" >/dev/null)
    cat >"$work/crates/config.toml" <<'EOT'
[source.crates-io]
replace-with = "vendored"
[source.vendored]
directory = "/usr/local/cargo/vendor"
[net]
offline = true
EOT
    cat >"$work/crates/Dockerfile" <<EOT
FROM bookwatch-stand-in/toolchain
COPY config.toml /usr/local/cargo/
COPY vendor /usr/local/cargo/vendor
LABEL bookwatch.stand-in="$key"
EOT
    DOCKER_BUILDKIT=1 "$docker" build --quiet --tag "$build_image" "$work/crates" >/dev/null
}

# Certificates, a user, a folder for temporary files; as little as the image of that name has.
runtime_base() {
    local key=1
    wanted "$runtime_image" "$key" || return 0
    debian
    local small=$work/small
    mkdir -p "$small"/{etc/ssl/certs,home/nonroot,usr/lib,var/lib/dpkg/status.d}
    mkdir --mode=1777 "$small/tmp"
    cp "$work/debian/etc/ssl/certs/ca-certificates.crt" "$small/etc/ssl/certs/"
    cp --dereference "$work/debian/etc/os-release" "$small/etc/"
    printf 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' >"$small/etc/passwd"
    printf 'root:x:0:\nnonroot:x:65532:\n' >"$small/etc/group"
    printf 'hosts: files dns\n' >"$small/etc/nsswitch.conf"
    import "$small" "$runtime_image" "USER 65532:65532" "ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt" \
        "LABEL bookwatch.stand-in=$key"
}

# The small one first: the other one adds to the system.
runtime_base
build_base
"$docker" images --format '{{ .Repository }}:{{ .Tag }}  {{ .Size }}' | grep --fixed-strings --regexp "$build_image" --regexp "$runtime_image" || true
