# What a person or CI does with this repository. `just` lists it; `.ci/run` is all that has to pass.

set shell := ["bash", "-euo", "pipefail", "-c"]

target := env("CARGO_TARGET_DIR", justfile_directory() / "target")
artifacts := env("ARTIFACTS_DIR", justfile_directory() / "target" / "artifacts")
cache := env("XDG_CACHE_HOME", home_directory() / ".cache") / "bookwatch"

# Raise it by hand: a newer one has new rules.
checkov_version := "3.3.30"

[private]
default:
    @just --list --unsorted

# Runs the shop with everything round it, and opens nothing: the addresses are in the table it prints.
[group("run")]
run *args:
    cargo run --release -- {{ args }}

# The tables and the catalogue, in the DynamoDB that the environment points to.
[group("run")]
seed *args:
    cargo run --release -- seed {{ args }}

# Compiles everything, tests too, without linking.
[group("work")]
check:
    cargo check --workspace --all-targets

# Formats the code.
[group("work")]
fmt:
    cargo fmt --all

# Tests of all crates, or of what the arguments choose: `just test -p details`.
[group("work")]
test *args="--workspace":
    cargo test {{ args }}

# The documentation of our crates, without those of others. What is private is in it, so it may be linked to.
[group("work")]
doc:
    RUSTDOCFLAGS="--deny warnings --allow rustdoc::private_intra_doc_links" cargo doc --workspace --no-deps --document-private-items

# All that CI does, in its order.
[group("ci")]
ci:
    .ci/run

# Fails where `just fmt` would change something.
[group("ci")]
fmt-check:
    cargo fmt --all -- --check

# Warnings are errors here, and only here.
[group("ci")]
lint:
    cargo clippy --workspace --all-targets -- --deny warnings

# Licences, sources, duplicates, and which crate may use what: see deny.toml.
[group("ci")]
deny: && layers
    cargo deny --log-level error --locked check --deny unmatched-skip --deny unnecessary-skip --deny unused-wrapper bans licenses sources

# What deny.toml cannot say, since it takes tests for programs: who may link what tests stand on.
[group("ci")]
[private]
layers:
    #!/usr/bin/env bash
    set -euo pipefail
    # only_for_tests SPEC [ALLOWED..]: nobody but ALLOWED links it outside of tests.
    only_for_tests() {
        local tree user
        tree=$(cargo tree --workspace --edges normal,build --invert "$1" --depth 1 --prefix none)
        for user in $(tail --lines=+2 <<<"$tree" | cut --delimiter=' ' --fields=1); do
            if [[ " ${*:2} " != *" $user "* ]]; then
                echo "$user links ${1##*/}, which is for [dev-dependencies]" >&2
                return 1
            fi
        done
    }
    only_for_tests sandbox
    only_for_tests "path+file://{{ justfile_directory() }}/console" demo manifests

# Fails where `terraform fmt` would change something. Says so where there is no terraform.
[group("ci")]
terraform-fmt:
    @if command -v terraform >/dev/null; then terraform fmt -check -diff -recursive terraform; \
    else echo "NOT CHECKED: there is no terraform on this machine"; fi

# The Terraform code with Terraform itself: format, validate, test. Exit code 3 says that something was out of reach.
[group("ci")]
terraform-validate *roots:
    terraform/validate.sh {{ roots }}

# As in CI: what is out of reach is told, and is no failure.
[group("ci")]
[private]
terraform-ci:
    terraform/validate.sh || [ $? -eq 3 ]

# The Terraform code against the rules of checkov, which is installed into the cache folder on first use.
[group("ci")]
checkov:
    #!/usr/bin/env bash
    set -euo pipefail
    folder="{{ cache }}/tools/checkov-{{ checkov_version }}"
    if [ ! -f "$folder/.complete" ]; then
        echo "installing checkov {{ checkov_version }} into $folder"
        python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action ignore \
            --target "$folder" "checkov=={{ checkov_version }}"
        touch "$folder/.complete"
    fi
    # checkov takes a suppression without a reason; we do not.
    if grep --recursive --line-number --include='*.tf' --extended-regexp 'checkov:skip=[A-Z0-9_]+:? *$' terraform; then
        echo "a suppression needs its reason: checkov:skip=<check>: <reason>" >&2
        exit 1
    fi
    PYTHONPATH="$folder" python3 -m checkov.main --directory terraform --config-file terraform/.checkov.yaml

# The deployment files, with no cluster and no build: scripts, Dockerfile, versions, schemas of all that kustomize renders.
[group("ci")]
manifests:
    k8s/checks/tools.sh k8s/checks/check.sh

# The images for real, with plain `docker build`, and how large they are; `--warm` also times a rebuild after a small change.
[group("ci")]
images *args:
    Dockerfiles/ci/engine.sh Dockerfiles/ci/build.sh {{ args }}

# The shop from its images as a cluster runs them, the gate against it, and what they do where something is missing.
[group("ci")]
images-check *args:
    Dockerfiles/ci/engine.sh Dockerfiles/ci/check.sh {{ args }}

# Known vulnerabilities. Needs the advisory database from the network, so it is no part of `ci`.
[group("ci")]
advisories:
    cargo deny check advisories

# All programs, optimised.
[group("ci")]
build:
    cargo build --workspace --release --locked

# Runs the release build with load and prober for a while; fails unless the verdict on all three SLOs is a pass.
[group("ci")]
smoke seconds="20": build
    "{{ target }}/release/bookwatch" up --for {{ seconds }}s --port-base 29080 --quiet

# The browser tests, which leave their screenshots in target/artifacts.
[group("ci")]
screenshots:
    mkdir -p "{{ artifacts }}"
    CI=true ARTIFACTS_DIR="{{ artifacts }}" cargo test --workspace browser
    ls -l "{{ artifacts }}"/*.png

# What the shop costs: processor time a page, throughput and latency with telemetry on, off and with a dead agent, memory, start, sizes.
[group("bench")]
bench: build
    cargo bench --package demo --bench shop

# What the console bears, and what it costs the shop; `--minutes 10` for the long run, `--rotel PATH` for PyPI's collector beside it.
[group("bench")]
bench-console *args:
    cargo bench --package console@0.1.0 --bench console -- {{ args }}
    cargo bench --package demo --bench shop -- --console

# What a probe costs and how exact it is, beside the blackbox exporter; memory; what verdicts and the status page cost after a week of 50 checks at 4 locations
[group("bench")]
bench-synthetics:
    cargo bench --package synthetics --bench probes
    cargo bench --package synthetics --bench page

# Seconds for a cold release build, in a target directory that goes away again.
[group("bench")]
bench-build:
    @cold=$(mktemp --directory); trap 'rm -rf "$cold"' EXIT; \
    cargo fetch --locked --quiet; from=$SECONDS; \
    CARGO_TARGET_DIR="$cold" cargo build --workspace --release --locked --quiet; \
    echo "cold release build: $((SECONDS - from)) s on $(nproc) cores, $(du --summarize --block-size=1M "$cold" | cut --fields=1) MiB"

# Seconds for .ci/run from a fresh clone of HEAD and with nothing built before; tools stay installed.
[group("bench")]
bench-ci:
    @cold=$(mktemp --directory); trap 'rm -rf "$cold"' EXIT; \
    git clone --quiet . "$cold/bookwatch"; \
    CI=true CARGO_TARGET_DIR="$cold/target" ARTIFACTS_DIR="$cold/artifacts" "$cold/bookwatch/.ci/run"
