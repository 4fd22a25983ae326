#!/bin/sh
# Runs the study, prints its tables, and draws its report and figures into target/studies/placement.
set -eu
cd "$(dirname "$0")/../../.."
output=target/studies/placement
cargo run --release --quiet -- sweep docs/studies/placement/scenario.json --seeds 1..10 \
    --vary workload.generate.arrivals.poisson.rate=19,38,58,67,77,86 \
    --vary workload.generate.run_time=@docs/studies/placement/tails.json \
    --policy node_allocation=hermod \
    --policy node_allocation=hash-locality \
    --policy node_allocation=least-loaded \
    --policy node_allocation=power-of-d \
    --policy node_allocation=consistent-hashing \
    --policy node_allocation=round-robin \
    --policy node_allocation=warm-first \
    --baseline node_allocation=hash-locality --metric cold_start_ratio --metric slowdown_mean --metric slowdown_p99 \
    --output "$output" --resume
cargo run --release --quiet -- report "$output"
cargo run --release --quiet -- report "$output" --format svg
# The same bytes each time: a difference is a change of what Hearth simulates or draws.
for figure in cold-start-ratio slowdown-p99; do cp "$output/figures/$figure.svg" docs/studies/placement/; done
