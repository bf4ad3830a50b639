#!/usr/bin/env bash
# compose.sh: `docker compose up` for real, the default profile from the images that build.sh made, and in it every step of
# docs/walkthrough.sh; then down, and nothing stays.
#
# Where there is no `docker compose`, Debian's docker-compose does, which is older: it takes the project's name by an option
# and not from the file.
#
# What it reads from the environment:
#   DOCKER   the client                                            Default: docker
#   CI       `true`: as root on Debian docker-compose is installed if need be
# Exit codes: 0 every step showed what it is to show, 1 one did not, 69 there is no compose.
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

for profile in "" datadog collector; do
    COMPOSE_PROFILES=$profile "${compose[@]}" config >/dev/null
done
echo "ok      compose.yaml with each profile"

# The walkthrough asks for `docker compose` and for the ports that everybody has; here it gets the compose that there is, and
# ports of its own.
cat >"$work/as-here.sh" <<EOT
docker() {
    shift
    $(printf '%q ' "${compose[@]}") "\$@"
}
curl() {
    local words=("\$@")
    words=("\${words[@]/127.0.0.1:9080/127.0.0.1:$SHOP_PORT}")
    words=("\${words[@]/127.0.0.1:8080/127.0.0.1:$CONSOLE_PORT}")
    words=("\${words[@]/127.0.0.1:8081/127.0.0.1:$SYNTHETICS_PORT}")
    command curl --max-time 10 "\${words[@]}"
}
export -f docker curl
EOT
# In a shell of its own, which has the functions before the script begins.
if ! BASH_ENV=$work/as-here.sh bash "$root/docs/walkthrough.sh" machine; then
    "${compose[@]}" ps >&2 || true
    "${compose[@]}" logs --tail=5 >&2 || true
    echo "FAILED  docs/walkthrough.sh machine" >&2
    exit 1
fi
echo "ok      docs/walkthrough.sh on this machine"
