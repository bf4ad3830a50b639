#!/usr/bin/env bash
# build.sh [--warm]: builds the image of each program with plain `docker build`, and prints their sizes, each with a
# fingerprint of its files: the same sources and base images give the same one, whatever machine or day built them.
#
# --warm   then changes one line of a service in a copy of the sources, and prints how long its image takes with what is
#          compiled already.
#
# What it reads from the environment:
#   DOCKER      the client                                     Default: docker
#   REGISTRY    what stands before the name of each program    Default: bookwatch
#   SIZE_LIMIT  the most megabytes of an image, but for that of all programs in one   Default: 25
# Exit codes: 0 built, 1 not, or one is larger.
set -euo pipefail

docker=${DOCKER:-docker}
registry=${REGISTRY:-bookwatch}
limit=${SIZE_LIMIT:-25}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# The engine's other builder does as well, but builds the stages of all programs before the one that is wanted.
export DOCKER_BUILDKIT=${DOCKER_BUILDKIT:-1}

version=$(sed --quiet 's/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml")
mapfile -t programs < <(sed --quiet 's/^FROM runtime AS //p' "$root/Dockerfiles/Dockerfile")

# build FOLDER PROGRAM TAG
build() {
    "$docker" build --file "$1/Dockerfiles/Dockerfile" --target "$2" --build-arg "VERSION=$version" \
        --build-arg "REVISION=$(git -C "$root" rev-parse HEAD 2>/dev/null || echo unknown)" --tag "$3" "$1"
}

# fingerprint IMAGE: of its files: their names, modes and contents.
fingerprint() {
    local container
    container=$("$docker" create "$1")
    # shellcheck disable=SC2016 # tar's own variables
    "$docker" export "$container" |
        tar --extract --to-command='printf "%s %s " "$TAR_FILENAME" "$TAR_MODE"; sha256sum' | sort | sha256sum | cut --characters=1-16
    "$docker" rm "$container" >/dev/null
}

warm_rebuild() {
    local copy from
    copy=$(mktemp --directory)
    # With the time stamps of the files, as an editor would leave all the others alone.
    git -C "$root" ls-files -z | tar --create --directory "$root" --null --files-from - | tar --extract --directory "$copy"
    echo "// One line more, and another one each time: $(date +%s%N)" >>"$copy/services/details/src/lib.rs"
    from=$SECONDS
    build "$copy" details "$registry/details:warm" >"$copy/build.log" 2>&1 || { cat "$copy/build.log"; return 1; }
    echo "one line changed in details: its image in $((SECONDS - from)) s"
    "$docker" image rm "$registry/details:warm" >/dev/null
    rm -rf "$copy"
}

"$here/bases.sh"
for program in "${programs[@]}"; do
    from=$SECONDS
    log=$(mktemp)
    if ! build "$root" "$program" "$registry/$program:$version" >"$log" 2>&1; then
        cat "$log"
        rm -f "$log"
        echo "the image of $program does not build" >&2
        exit 1
    fi
    rm -f "$log"
    echo "$registry/$program:$version built in $((SECONDS - from)) s"
done

failed=0
for program in "${programs[@]}"; do
    bytes=$("$docker" image inspect --format '{{ .Size }}' "$registry/$program:$version")
    printf '%-24s %3d.%d MB  %s\n' "$registry/$program" $((bytes / 1000000)) $((bytes / 100000 % 10)) \
        "$(fingerprint "$registry/$program:$version")"
    # The one of all programs in one is no image of a service.
    if [ "$program" != bookwatch ] && [ "$bytes" -gt $((limit * 1000000)) ]; then
        echo "the image of $program is larger than $limit MB" >&2
        failed=1
    fi
done
if [ "${1:-}" = --warm ]; then
    warm_rebuild
fi
# What no build has used for long, so that the engine's folder does not grow for ever.
"$docker" builder prune --force --filter type=regular --keep-storage 20GB >/dev/null 2>&1 || true
exit $failed
