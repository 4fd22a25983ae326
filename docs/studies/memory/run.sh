#!/bin/sh
# Runs the study, prints its tables, and draws its report and figures into target/studies/memory.
set -eu
cd "$(dirname "$0")/../../.."
output=target/studies/memory
cargo run --release --quiet -- sweep docs/studies/memory/scenario.json --seeds 1..5 \
    --vary 'platform.hosts[server].ram=48GB,64GB,96GB,128GB,192GB' \
    --vary workload.generate.arrivals.poisson.rate=2,10,40 \
    --policy eviction.containers=lru \
    --policy eviction.containers=size \
    --policy eviction.containers=greedy-dual \
    --policy eviction.containers=greedy-dual,clock=function \
    --policy keep_alive=fixed,timeout=10min \
    --baseline eviction.containers=lru --metric cold_start_ratio --metric waiting_mean --metric latency_mean \
    --output "$output" --resume
cargo run --release --quiet -- report "$output"
cargo run --release --quiet -- report "$output" --format svg
# The same bytes each time: a difference is a change of what Hearth simulates or draws.
for figure in cold-start-ratio latency-mean; do cp "$output/figures/$figure.svg" docs/studies/memory/; done
# How much of it hangs on how popularity and start times are spread.
cargo run --release --quiet -- sweep docs/studies/memory/scenario.json --seeds 1..5 \
    --set 'platform.hosts[server].ram=64GB' --set workload.generate.arrivals.poisson.rate=10 \
    --vary workload.generate.functions.zipf=0.8,1.2,1.6 \
    --vary workload.generate.functions.cold_start.lognormal.sigma=0,0.8,1.6 \
    --policy eviction.containers=lru \
    --policy eviction.containers=size \
    --policy eviction.containers=greedy-dual \
    --baseline eviction.containers=lru --metric cold_start_ratio --metric waiting_mean \
    --output "$output-spread" --resume
