//! The programs take what their pods give them, and have the time to end.

use crate::told;

#[test]
fn variables_are_those_that_the_program_reads() {
    told(
        "base",
        "name: DRAIN_DELAY",
        "name: DRAIN_DELLAY",
        "reads no variable DRAIN_DELLAY; the nearest is DRAIN_DELAY",
    );
    told("base", "value: 10s", "value: ten", "invalid value 'ten'");
    told(
        "base",
        "TABLE_PREFIX: bookwatch-",
        "TABLE_PREFFIX: bookwatch-",
        "reads no variable TABLE_PREFFIX",
    );
    told(
        "base",
        "AWS_REGION: ",
        "AWS_REGIO: ",
        "reads no variable AWS_REGIO",
    );
    told(
        "base",
        "name: STAR_COLOR",
        "name: STAR_COLOUR",
        "the nearest is STAR_COLOR",
    );
    told(
        "base",
        "name: INTERVAL",
        "name: INTERVALL",
        "the nearest is INTERVAL",
    );
    told(
        "component-loadgen",
        "name: LOADGEN_RATE",
        "name: LOADGEN_RATES",
        "the nearest is LOADGEN_RATE",
    );
    told("component-console", "value: 128MiB", "value: 128", "128");
    told(
        "component-dynamodb-embedded",
        "name: BOOKWATCH_DYNAMODB_SEED",
        "name: BOOKWATCH_SEED",
        "reads no variable BOOKWATCH_SEED",
    );
    told(
        "component-dynamodb-embedded",
        "- dynamodb\n",
        "- dynamo\n",
        "unrecognized subcommand",
    );
    told(
        "component-synthetics",
        "- run\n",
        "- run\n        - --taget=x\n",
        "--taget",
    );
    // What the services read, a program of another kind does not.
    told(
        "component-loadgen",
        "name: LOADGEN_RATE",
        "name: PORT",
        "reads no variable PORT",
    );
    told(
        "overlay-datadog",
        "name: DD_DOGSTATSD_NON_LOCAL_TRAFFIC",
        "name: DD_DOGSTATSD_NONLOCAL_TRAFFIC",
        "the nearest is DD_DOGSTATSD_NON_LOCAL_TRAFFIC",
    );
    told(
        "overlay-prometheus",
        "name: GF_LOG_MODE",
        "name: GF_LOGMODE",
        "the nearest is GF_LOG_MODE",
    );
    told(
        "component-otel-collector",
        "name: DD_SITE",
        "name: DD_SITES",
        "DD_SITE",
    );
}

#[test]
fn ports_and_probes_fit_the_program() {
    told(
        "base",
        "containerPort: 9080",
        "containerPort: 9081",
        "the program listens on 9080/TCP, which is not written",
    );
    told(
        "base",
        "name: GRACE_PERIOD\n          value: 10s",
        "name: PORT\n          value: \"80\"",
        "the program listens on 80/TCP",
    );
    told(
        "component-console",
        "value: 0.0.0.0",
        "value: 127.0.0.1",
        "where no other pod reaches it",
    );
    told(
        "component-console",
        "protocol: UDP\n        ",
        "protocol: TCP\n        ",
        "the program listens on 8125/UDP",
    );
    told(
        "base",
        "path: /livez",
        "path: /live",
        "asks /live, which it does not answer",
    );
    told(
        "base",
        "path: /readyz",
        "path: /livez",
        "the other probe's question",
    );
    told(
        "base",
        "readinessProbe:",
        "readiness:",
        "lacks one of the three probes",
    );
    told(
        "overlay-datadog",
        "path: /healthz",
        "path: /health",
        "asks /health, which nginxinc/nginx-unprivileged does not answer",
    );
}

#[test]
fn a_pod_has_the_time_to_drain() {
    told(
        "base",
        "terminationGracePeriodSeconds: 20",
        "terminationGracePeriodSeconds: 12",
        "it is killed after 12s, and needs 17s",
    );
    told(
        "base",
        "name: DRAIN_DELAY\n          value: 5s",
        "name: DRAIN_DELAY\n          value: 1s",
        "DRAIN_DELAY is shorter",
    );
}
