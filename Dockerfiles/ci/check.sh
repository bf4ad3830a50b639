#!/usr/bin/env bash
# check.sh: all that is checked with a Docker engine: builds the images, runs `bookwatch up` from its image's program on this
# machine (the smoke run, so that CI compiles a release build once and not twice), then the shop from its images, then
# compose.yaml. Run it through engine.sh.
#
# What it reads from the environment:
#   SMOKE_FOR   how long the smoke run goes   Default: 20s
# Exit codes: 0 all hold, 1 something does not.
set -euo pipefail

docker=${DOCKER:-docker}
here=$(cd "$(dirname "$0")" && pwd)
version=$(sed --quiet 's/^version = "\(.*\)"$/\1/p' "$here/../../Cargo.toml")

echo "--- images"
"$here/build.sh" "$@"

echo "--- smoke run of the program from its image"
work=$(mktemp --directory)
trap 'rm -rf "$work"' EXIT
container=$("$docker" create "bookwatch/bookwatch:$version")
"$docker" cp "$container:/usr/local/bin/bookwatch" "$work/bookwatch"
"$docker" rm "$container" >/dev/null
"$work/bookwatch" up --for "${SMOKE_FOR:-20s}" --port-base 29080 --quiet

echo "--- the shop from its images"
"$here/shop.sh"

echo "--- compose.yaml"
code=0
"$here/compose.sh" || code=$?
if [ $code -eq 69 ] && [ "${CI:-}" != true ]; then
    echo "NOT CHECKED: compose.yaml, since there is no compose"
    code=0
fi
exit $code
