#!/bin/sh
# Runs the study, prints its tables, and draws its report and figures into target/studies/images.
set -eu
cd "$(dirname "$0")/../../.."
output=target/studies/images
cargo run --release --quiet -- sweep docs/studies/images/scenario.json --seeds 1..5 \
    --vary 'platform.links[uplink].bandwidth=250MBps,500MBps,1.25GBps,2.5GBps' \
    --policy node_allocation=least-loaded \
    --policy node_allocation=image-locality \
    --policy node_allocation=hash-locality \
    --baseline node_allocation=least-loaded \
    --metric cold_start_ratio --metric latency_mean --metric latency_p99 --metric images_copies_bytes \
    --output "$output" --resume
cargo run --release --quiet -- report "$output"
cargo run --release --quiet -- report "$output" --format svg
# The same bytes each time: a difference is a change of what Hearth simulates or draws.
for figure in latency-p99 images-copies-bytes; do cp "$output/figures/$figure.svg" docs/studies/images/; done
# How much of it is the one link that all nodes share, and how much hangs on load and on the tail of the run times.
cargo run --release --quiet -- sweep docs/studies/images/scenario.json --seeds 1..10 \
    --vary platform=@docs/studies/images/uplinks.json \
    --vary workload.generate.arrivals.poisson.rate=1,2,4 \
    --vary workload.generate.run_time=@docs/studies/images/tails.json \
    --policy node_allocation=least-loaded \
    --policy node_allocation=image-locality \
    --policy node_allocation=hash-locality \
    --baseline node_allocation=least-loaded \
    --metric cold_start_ratio --metric latency_mean --metric latency_p99 --metric images_copies_bytes \
    --output "$output-uplinks" --resume
