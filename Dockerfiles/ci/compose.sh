#!/usr/bin/env bash
# compose.sh: `docker compose up` for real, the default profile from the images that build.sh made, until the shop shows a
# book and the console its metrics; then down, and nothing stays.
#
# Where there is no `docker compose`, Debian's docker-compose does, which is older: it takes the project's name by an option
# and not from the file.
#
# What it reads from the environment:
#   DOCKER   the client                                            Default: docker
#   CI       `true`: as root on Debian docker-compose is installed if need be
# Exit codes: 0 it came up and served, 1 not, 69 there is no compose.
set -euo pipefail

docker=${DOCKER:-docker}
root=$(cd "$(dirname "$0")/../.." && pwd)
version=$(sed --quiet 's/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml")
project=bookwatch-$$
# Ports of this machine that nobody has: the kernel's word for it a moment ago.
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
SHOP_PORT=$(free_port)
CONSOLE_PORT=$(free_port)
SYNTHETICS_PORT=$(free_port)
export SHOP_PORT CONSOLE_PORT SYNTHETICS_PORT VERSION=$version DD_ENV=ci

work=$(mktemp --directory)
if "$docker" compose version >/dev/null 2>&1; then
    compose=("$docker" compose --file "$root/compose.yaml")
else
    if ! command -v docker-compose >/dev/null; then
        if [ "${CI:-}" != true ] || [ "$(id -u)" -ne 0 ] || ! grep --quiet '^ID=debian$' /etc/os-release; then
            echo "compose: there is no docker compose here" >&2
            exit 69
        fi
        apt-get update --quiet --quiet
        DEBIAN_FRONTEND=noninteractive apt-get install --option DPkg::Lock::Timeout=300 --quiet --quiet --yes \
            --no-install-recommends docker-compose >/dev/null
    fi
    sed '/^name:/d' "$root/compose.yaml" >"$work/compose.yaml"
    compose=(docker-compose --file "$work/compose.yaml")
fi
compose+=(--project-directory "$root" --project-name "$project")

# shellcheck disable=SC2329 # the trap calls it
clean() {
    "${compose[@]}" down --timeout 20 --volumes >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap clean EXIT

# until_true WHAT COMMAND..: waits up to a minute for the command.
until_true() {
    local what=$1
    shift
    for _ in $(seq 120); do
        if "$@" >/dev/null 2>&1; then
            echo "ok      $what"
            return
        fi
        sleep 0.5
    done
    echo "FAILED  $what: not within a minute" >&2
    "${compose[@]}" ps >&2 || true
    "${compose[@]}" logs --tail=5 >&2 || true
    exit 1
}

# shows URL TEXT: whether the page has the text.
shows() {
    curl --silent --fail --max-time 10 "$1" | grep --quiet --fixed-strings -- "$2"
}

for profile in "" datadog collector; do
    COMPOSE_PROFILES=$profile "${compose[@]}" config >/dev/null
done
echo "ok      compose.yaml with each profile"
"${compose[@]}" up --detach --no-build 2>&1 | tail --lines=3
until_true "the shop shows a book" shows "http://127.0.0.1:$SHOP_PORT/productpage" "The Comedy of Errors"
until_true "the console has its metrics" shows "http://127.0.0.1:$CONSOLE_PORT/api/v1/metrics" '"http.server.request.duration"'
