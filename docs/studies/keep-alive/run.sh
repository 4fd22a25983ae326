#!/bin/sh
# Runs the study, prints its tables, and draws its report and figures into target/studies/keep-alive.
set -eu
cd "$(dirname "$0")/../../.."
output=target/studies/keep-alive
cargo run --release --quiet -- sweep docs/studies/keep-alive/scenario.json --seeds 1..5 \
    --policy keep_alive=fixed,timeout=10min \
    --policy keep_alive=fixed,timeout=5min \
    --policy keep_alive=fixed,timeout=20min \
    --policy keep_alive=fixed,timeout=60min \
    --policy keep_alive=fixed,timeout=120min \
    --policy keep_alive=hybrid-histogram,bins=60 \
    --policy keep_alive=hybrid-histogram,bins=120 \
    --policy keep_alive=hybrid-histogram,bins=240 \
    --policy keep_alive=adaptive \
    --baseline keep_alive=fixed,timeout=10min --metric cold_start_ratio \
    --metric cold_start_ratio_of_functions_p75 --metric memory_byte_seconds_idle \
    --output "$output" --resume
cargo run --release --quiet -- report "$output"
cargo run --release --quiet -- report "$output" --format svg
# The same bytes each time: a difference is a change of what Hearth simulates or draws.
for figure in function-cold-starts-against-memory; do cp "$output/figures/$figure.svg" docs/studies/keep-alive/; done
# How much of it hangs on who calls: other shares of timers, more requests, longer pauses.
cargo run --release --quiet -- sweep docs/studies/keep-alive/scenario.json --seeds 1..5 \
    --vary workload.generate.arrivals=@docs/studies/keep-alive/callers.json \
    --policy keep_alive=fixed,timeout=60min \
    --policy keep_alive=fixed,timeout=120min \
    --policy keep_alive=hybrid-histogram,bins=60 \
    --policy keep_alive=hybrid-histogram,bins=240 \
    --baseline keep_alive=fixed,timeout=60min --metric cold_start_ratio \
    --metric cold_start_ratio_of_functions_p75 --metric memory_byte_seconds_idle \
    --output "$output-callers" --resume
