#!/bin/sh
# Runs the study, prints its tables, and draws its report and figures into target/studies/failures.
set -eu
cd "$(dirname "$0")/../../.."
output=target/studies/failures
cargo run --release --quiet -- sweep docs/studies/failures/scenario.json --seeds 1..10 \
    --vary workload.generate.arrivals.poisson.rate=38,77,102 \
    --vary recovery=@docs/studies/failures/recovery.json \
    --baseline recovery=none --metric service_level_within_deadline --metric latency_p99 --metric latency_p999 \
    --metric faults_lost_core_seconds \
    --output "$output" --resume
cargo run --release --quiet -- report "$output"
cargo run --release --quiet -- report "$output" --format svg
# The same bytes each time: a difference is a change of what Hearth simulates or draws.
for figure in latency-p999 faults-lost-core-seconds; do cp "$output/figures/$figure.svg" docs/studies/failures/; done
# How much of it hangs on the tail of the run times.
cargo run --release --quiet -- sweep docs/studies/failures/scenario.json --seeds 1..10 \
    --vary workload.generate.arrivals.poisson.rate=38,77,102 \
    --vary workload.generate.run_time=@docs/studies/failures/tails.json \
    --vary 'recovery={},{"retry":{"max_attempts":5}},{"retry":{"max_attempts":5},"hedge":{"after":"2s"}}' \
    --baseline 'recovery={}' --metric service_level_within_deadline --metric latency_p99 --metric latency_p999 \
    --metric faults_lost_core_seconds \
    --output "$output-tails" --resume
