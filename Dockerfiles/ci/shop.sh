#!/usr/bin/env bash
# shop.sh: the shop from its images on a network of its own, as strictly as k8s/ runs it (read-only, no capabilities, no
# new privileges, not root, nothing writable but the data of the store), and `synthetics gate` against it. Then what the containers do where
# something is missing. build.sh makes the images.
#
# What it reads from the environment:
#   DOCKER      the client                                     Default: docker
#   REGISTRY    what stands before the name of each program    Default: bookwatch
#   GATE_FOR    how long the gate probes                       Default: 20s
# Exit codes: 0 all holds, 1 something does not; the logs of the container that it is about are printed.
set -euo pipefail

docker=${DOCKER:-docker}
registry=${REGISTRY:-bookwatch}
root=$(cd "$(dirname "$0")/../.." && pwd)
version=$(sed --quiet 's/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml")
id=bookwatch-$$
checks=0

# shellcheck disable=SC2329 # the trap calls it
clean() {
    "$docker" ps --all --quiet --filter "label=bookwatch.check=$id" | xargs --no-run-if-empty "$docker" rm --force >/dev/null
    "$docker" network rm "$id" >/dev/null 2>&1 || true
}
trap clean EXIT

ok() {
    checks=$((checks + 1))
    echo "ok      $*"
}

# wrong NAME WHAT: tells it with the end of the container's log, and ends.
wrong() {
    echo "FAILED  $2" >&2
    "$docker" logs --tail 8 "$id-$1" >&2 2>&1 || true
    exit 1
}

strict=(--read-only --cap-drop ALL --security-opt no-new-privileges --pids-limit 64 --memory 256m
    --network "$id" --label "bookwatch.check=$id")

# start NAME IMAGE [OPTION..] [-- ARGUMENT..]
start() {
    local name=$1 image=$2 options=()
    shift 2
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    [ $# -eq 0 ] || shift
    "$docker" run --detach "${strict[@]}" --name "$id-$name" --hostname "$name" --network-alias "$name" \
        --env DD_SERVICE="$name" --env DD_ENV=ci "${options[@]}" "$registry/$image:$version" "$@" >/dev/null
}

# asked NAME PORT PATH: whether the program in the container answers with 2xx.
asked() {
    "$docker" exec "$id-$1" /usr/local/bin/healthcheck "$2" "$3" >/dev/null 2>&1
}

is_running() {
    [ "$("$docker" inspect --format '{{ .State.Running }}' "$id-$1")" = true ]
}

# until_true WHAT NAME COMMAND..: waits up to a minute for the command; a container that ended is not waited for.
until_true() {
    local what=$1 name=$2
    shift 2
    for _ in $(seq 240); do
        if "$@"; then
            ok "$what"
            return
        fi
        is_running "$name" || wrong "$name" "$what: $name has ended"
        sleep 0.25
    done
    wrong "$name" "$what: not within a minute"
}

# has_logged NAME TEXT
has_logged() {
    "$docker" logs "$id-$1" 2>&1 | grep --quiet --fixed-strings -- "$2"
}

# ends_with NAME CODE TEXT: waits for the container's end, its exit code, and its last word.
ends_with() {
    local code
    code=$(timeout 60 "$docker" wait "$id-$1") || wrong "$1" "$1 does not end"
    [ "$code" = "$2" ] || wrong "$1" "$1 ends with $code, to be $2"
    has_logged "$1" "$3" || wrong "$1" "$1 does not say: $3"
    ok "$1 ends with exit code $2 and says: $3"
}

# ask PATH: what the program at this address of the network answers, asked from this machine.
ask() {
    curl --silent --show-error --max-time 10 --output - --write-out '\n%{http_code}' "$1"
}

address_of() {
    "$docker" inspect --format "{{ (index .NetworkSettings.Networks \"$id\").IPAddress }}" "$id-$1"
}

"$docker" network create "$id" >/dev/null
telemetry=(--env DD_AGENT_HOST=console)
store=(--env DYNAMODB_ENDPOINT=http://dynamodb:8000 --env TABLE_PREFIX=ci-)
drain=(--env DRAIN_DELAY=1s --env GRACE_PERIOD=5s)

# ---- the shop, in no order: each waits by itself for what it needs
start productpage productpage "${telemetry[@]}" "${drain[@]}" --env REVIEWS_HOSTNAME=reviews-v1,reviews-v2,reviews-v3
start loadgen loadgen "${telemetry[@]}" --env TARGET_URL=http://productpage:9080 --env LOADGEN_RATE=5 --env LOADGEN_QUIET=true
start mymetric mymetric "${telemetry[@]}" --env INTERVAL=1
start reviews-v1 reviews "${telemetry[@]}" "${store[@]}" "${drain[@]}"
start reviews-v2 reviews "${telemetry[@]}" "${store[@]}" "${drain[@]}" --env ENABLE_RATINGS=true
start reviews-v3 reviews "${telemetry[@]}" "${store[@]}" "${drain[@]}" --env ENABLE_RATINGS=true --env STAR_COLOR=red
start ratings ratings "${telemetry[@]}" "${store[@]}" "${drain[@]}"
start details details "${telemetry[@]}" "${store[@]}" "${drain[@]}"
start console console --env CONSOLE_LISTEN_ADDRESS=0.0.0.0
# The one thing that can be written to: the data of the engine, as in k8s/components/dynamodb-embedded.
start dynamodb bookwatch --env BOOKWATCH_DYNAMODB_ADDRESS=0.0.0.0 --env BOOKWATCH_DYNAMODB_PORT=8000 \
    --tmpfs /data:uid=65532,gid=65532,mode=0700 --env BOOKWATCH_DATA=/data/ \
    --env BOOKWATCH_DYNAMODB_SEED=true --env TABLE_PREFIX=ci- -- dynamodb
for name in productpage details ratings reviews-v1 reviews-v2 reviews-v3; do
    until_true "$name is ready" "$name" asked "$name" 9080 /readyz
done
until_true "console is ready" console asked console 8080 /readyz

start synthetics synthetics "${telemetry[@]}" --env SYNTHETICS_TARGET=http://productpage:9080 --env SYNTHETICS_PORT=8081 \
    --env SYNTHETICS_LISTEN_ADDRESS=0.0.0.0
until_true "the prober's page is ready" synthetics asked synthetics 8081 /readyz

code=0
"$docker" run --rm "${strict[@]}" --env SYNTHETICS_TARGET=http://productpage:9080 \
    "$registry/synthetics:$version" gate --for "${GATE_FOR:-20s}" || code=$?
[ $code -eq 0 ] || wrong productpage "synthetics gate ends with $code"
ok "synthetics gate passes"
console=http://$(address_of console):8080
for metric in my_metric http.server.request.duration loadgen.request.count; do
    until_true "the console has $metric" console \
        eval "ask '$console/api/v1/metrics' | grep --quiet --fixed-strings '\"$metric\"'"
done

# ---- what holds of every image and container
for name in productpage details ratings reviews-v1 mymetric loadgen synthetics console dynamodb; do
    is_running "$name" || wrong "$name" "$name has ended"
    user=$("$docker" inspect --format '{{ .Config.User }}' "$id-$name")
    [ "$user" = 65532:65532 ] || wrong "$name" "$name runs as $user"
    # Where the data is mounted is a folder that the engine made.
    [ -z "$("$docker" diff "$id-$name" | sed '/^A \/data$/d')" ] || wrong "$name" "$name has written to its image"
    health=$("$docker" inspect --format '{{ if .State.Health }}{{ .State.Health.Status }}{{ else }}none{{ end }}' "$id-$name")
    [ "$health" != unhealthy ] || wrong "$name" "$name is $health by its own health check"
done
ok "all run as 65532, have written nothing, and are well by their own health checks"
if "$docker" run --rm --entrypoint /bin/sh "$registry/details:$version" -c true >/dev/null 2>&1; then
    wrong details "there is a shell in the image of details"
fi
ok "no shell in the image"
for name in productpage details mymetric loadgen synthetics console dynamodb; do
    "$docker" stop --time 20 "$id-$name" >/dev/null
    code=$("$docker" inspect --format '{{ .State.ExitCode }}' "$id-$name")
    [ "$code" = 0 ] || wrong "$name" "$name ends with $code on SIGTERM"
done
ok "SIGTERM ends each with exit code 0"

# ---- something is missing (k8s/README.md has the same as a table)
# No agent, or a name that nobody has: all works, the log says it.
start lonely productpage --env DD_AGENT_HOST=nobody.invalid --env REVIEWS_HOSTNAME=reviews-v1
until_true "with no agent: ready" lonely asked lonely 9080 /readyz
asked lonely 9080 /productpage || wrong lonely "with no agent: no page"
until_true "with no agent: the log says so" lonely has_logged lonely "no receiver for traces"
# A wrong endpoint of the store: it runs, is live, is not ready, and says why; the page says what it cannot show.
start nowhere details "${telemetry[@]}" --env DYNAMODB_ENDPOINT=http://nowhere.invalid:8000
until_true "with a wrong endpoint: live" nowhere asked nowhere 9080 /livez
answer=$(ask "http://$(address_of nowhere):9080/readyz")
[[ $answer == *503 ]] || wrong nowhere "with a wrong endpoint: /readyz answers $answer"
[[ $answer == *store* ]] || wrong nowhere "with a wrong endpoint: /readyz does not say why: $answer"
ok "with a wrong endpoint: /readyz answers ${answer//$'\n'/ }"
start page productpage "${telemetry[@]}" --env DETAILS_HOSTNAME=nowhere --env REVIEWS_HOSTNAME=reviews-v1
until_true "with a wrong endpoint: the page is ready" page asked page 9080 /readyz
answer=$(ask "http://$(address_of page):9080/productpage")
[[ $answer == *"product details are currently unavailable"*200 ]] || wrong page "the page does not say that details are missing"
ok "with a wrong endpoint: the page answers 200 and says that details are missing"
is_running nowhere || wrong nowhere "with a wrong endpoint: it has ended"
# What cannot be right at all ends at once, with what would do.
start homeless details
ends_with homeless 2 "no AWS region: set AWS_REGION, or DYNAMODB_ENDPOINT"
start crooked details --env DYNAMODB_ENDPOINT=dynamodb
ends_with crooked 2 "is not usable: write http://host:port"
start typo mymetric --env INTERVAL=often
ends_with typo 2 "often"

echo "$checks passed, 0 failed"
