#!/usr/bin/env bash
# engine.sh COMMAND..: runs COMMAND where a Docker engine answers, and starts one for as long as it runs where none does.
#
# An engine that answers (DOCKER_HOST, or the usual socket) is taken as it is. Otherwise root can start one, Debian's, which
# keeps images and layers between runs in a folder of its own and listens on a socket of its own. COMMAND finds the engine by
# DOCKER_HOST, and the client that fits it in DOCKER.
#
# What it reads from the environment:
#   BOOKWATCH_DOCKER   where a started engine keeps images and layers.   Default: ~/.cache/bookwatch/docker
#   CI                 `true`: on Debian as root the engine is installed if need be, and has to run
#
# Exit codes: that of COMMAND; 69 where no engine can be had here, which is said on standard error.
set -euo pipefail

unavailable=69
data=${BOOKWATCH_DOCKER:-${XDG_CACHE_HOME:-$HOME/.cache}/bookwatch/docker}

say() {
    echo "engine: $*" >&2
}

# The client that came with the engine, before any newer one on the way, which may lack the builder that it relies on.
find_client() {
    if [ -x /usr/bin/docker ]; then
        DOCKER=/usr/bin/docker
    else
        DOCKER=$(command -v docker || true)
    fi
    export DOCKER
}

answers() {
    [ -n "$DOCKER" ] && "$DOCKER" version --format '{{ .Server.Version }}' >/dev/null 2>&1
}

is_debian() {
    grep --quiet '^ID=debian$' /etc/os-release 2>/dev/null
}

install() {
    say "installing Debian's docker.io"
    apt-get update --quiet --quiet
    # To stderr, since the output belongs to COMMAND.
    DEBIAN_FRONTEND=noninteractive apt-get install --option DPkg::Lock::Timeout=300 --quiet --quiet --yes \
        --no-install-recommends docker.io iptables >&2
}

find_client
if answers; then
    exec "$@"
fi
if [ "$(id -u)" -ne 0 ]; then
    say "no Docker engine answers, and only root can start one"
    exit $unavailable
fi
if ! command -v dockerd >/dev/null; then
    if [ "${CI:-}" != true ] || ! is_debian; then
        say "no Docker engine answers, and there is none to start (Debian: apt-get install docker.io)"
        exit $unavailable
    fi
    install
    find_client
fi

work=$(mktemp --directory)
mkdir -p "$data"
# One engine a data folder: a second one waits here instead of spoiling it.
exec 9>"$data/.lock"
flock 9
export DOCKER_HOST="unix://$work/docker.sock"
dockerd --data-root "$data" --exec-root "$work/exec" --pidfile "$work/dockerd.pid" --host "$DOCKER_HOST" \
    >"$work/dockerd.log" 2>&1 9>&- &
dockerd=$!

# shellcheck disable=SC2329 # the trap calls it
finish() {
    local code=$?
    kill "$dockerd" 2>/dev/null || true
    wait "$dockerd" 2>/dev/null || true
    # Mounts of containers that the engine did not get to end.
    rm -rf "$work" 2>/dev/null || true
    exit "$code"
}
trap finish EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

for _ in $(seq 300); do
    if answers; then
        "$@" 9>&-
        exit 0
    fi
    if ! kill -0 "$dockerd" 2>/dev/null; then
        break
    fi
    sleep 0.2
done
say "the Docker engine does not start here; the end of its log:"
tail --lines=20 "$work/dockerd.log" >&2
if [ "${CI:-}" = true ] && is_debian; then
    exit 1
fi
exit $unavailable
