#!/usr/bin/env bash
# The commands of walkthrough.md, in its order. CI runs them from the images that it has built (Dockerfiles/ci/compose.sh);
# k8s/manifests tests that each command of the page stands here. Between them are the waits that a person makes by reading.
#
# What needs a cluster or an account stands in the second part, which CI runs against the rendered manifests: see there.
set -euo pipefail

# soon COMMAND..: tries it for a minute.
soon() {
    for _ in $(seq 120); do
        if "$@" >/dev/null 2>&1; then
            return
        fi
        sleep 0.5
    done
    echo "walkthrough: not within a minute: $*" >&2
    return 1
}

# fails_with CODE COMMAND..: expects it to fail, and so.
fails_with() {
    local wanted=$1 code=0
    shift
    "$@" || code=$?
    [ "$code" -eq "$wanted" ] || { echo "walkthrough: exit code $code, to be $wanted: $*" >&2; return 1; }
}

# contains TEXT: whether the input has it.
contains() {
    grep --fixed-strings --quiet -- "$1" <<<"$(cat)"
}

step() {
    printf '\n## %s\n' "$1"
}


on_this_machine() {
    step "1. An agent"
    docker compose up --detach
    soon curl --silent --fail http://127.0.0.1:9080/readyz
    curl --silent http://127.0.0.1:9080/api/v1/products/0 | contains '"author":"William Shakespeare"'

    step "2. What lights up"
    soon eval "curl --silent http://127.0.0.1:8080/api/v1/metrics | contains '\"my_metric\"'"
    soon eval "curl --silent http://127.0.0.1:8080/api/v1/metrics | contains '\"http.server.request.duration\"'"
    curl --silent http://127.0.0.1:8080/api/v1/telemetry >/dev/null
    docker compose logs --no-color productpage | curl --silent --fail --data-binary @- "http://127.0.0.1:8080/intake/logs?service=productpage"

    step "3. APM"
    curl --silent http://127.0.0.1:9080/productpage | contains "The Comedy of Errors"
    soon eval "curl --silent http://127.0.0.1:8080/api/v1/traces | contains 'productpage'"
    soon eval "curl --silent http://127.0.0.1:8080/api/v1/overview | contains '\"details\"'"

    step "4. Synthetic checks, and 5. objectives"
    docker compose run --rm --no-deps synthetics config >/dev/null
    docker compose run --rm --no-deps synthetics gate --for 20s
    soon eval "curl --silent http://127.0.0.1:8080/api/v1/slos | contains 'availability'"
    curl --silent --fail http://127.0.0.1:8081/badge/availability.svg | contains "<svg"

    step "6. Break it"
    docker compose stop details
    curl --silent http://127.0.0.1:9080/productpage | contains "product details are currently unavailable"
    fails_with 1 docker compose run --rm --no-deps synthetics gate --for 20s

    step "7. Heal it"
    docker compose start details
    soon eval "curl --silent http://127.0.0.1:9080/productpage | contains 'William Shakespeare'"
    docker compose run --rm --no-deps synthetics gate --for 20s
    docker compose down
}

# CI has no cluster: there `kubectl` is a function that renders what is to be applied, makes secrets and namespaces as far as
# a client can, and looks up in the rendered manifests whatever else is named.
on_a_cluster() {
    step "The same on a cluster, with the console"
    kubectl apply -k k8s/overlays/local
    kubectl -n bookwatch wait --for=condition=Available --timeout=120s deployment --all
    kubectl -n bookwatch port-forward service/productpage 9080 &
    kubectl -n bookwatch port-forward service/console 8080 &
    kubectl -n bookwatch port-forward service/synthetics-tokyo 8081 &
    kubectl -n bookwatch scale deployment/details --replicas=0
    kubectl -n bookwatch scale deployment/details --replicas=1
    kubectl delete -k k8s/overlays/local
    wait

    step "With the Datadog Agent"
    kubectl create namespace datadog
    kubectl -n datadog create secret generic datadog-secret --from-literal=api-key="$DD_API_KEY" --from-literal=app-key="$DD_APP_KEY"
    kubectl -n datadog create secret generic datadog-cluster-agent --from-literal=token="$(openssl rand -hex 16)"
    kubectl apply -k k8s/overlays/datadog
    kubectl -n datadog rollout status daemonset/datadog-agent --timeout=300s
    kubectl -n bookwatch create secret generic productpage-session --from-literal=session-key="$(openssl rand -hex 32)"
    kubectl -n bookwatch rollout restart deployment/productpage
    kubectl -n datadog exec daemonset/datadog-agent -c agent -- agent status
}

case ${1:-machine} in
    machine) on_this_machine ;;
    cluster) on_a_cluster ;;
    *) echo "write walkthrough.sh machine, or walkthrough.sh cluster" >&2; exit 2 ;;
esac
