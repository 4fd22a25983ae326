#!/bin/sh
# Runs the study, prints its tables, and draws its report and figures into target/studies/memory.
set -eu
cd "$(dirname "$0")/../../.."
output=target/studies/memory
cargo run --release --quiet -- sweep docs/studies/memory/scenario.json --seeds 1..5 \
    --vary 'platform.hosts[server].ram=8GB,16GB,32GB,48GB,64GB,96GB,128GB' \
    --policy eviction.containers=lru \
    --policy eviction.containers=size \
    --policy eviction.containers=greedy-dual \
    --policy keep_alive=fixed,timeout=10min \
    --baseline eviction.containers=lru --metric cold_start_ratio --metric latency_mean \
    --output "$output" --resume
cargo run --release --quiet -- report "$output"
cargo run --release --quiet -- report "$output" --format svg
# The same bytes each time: a difference is a change of what Hearth simulates or draws.
for figure in cold-start-ratio latency-mean; do cp "$output/figures/$figure.svg" docs/studies/memory/; done
