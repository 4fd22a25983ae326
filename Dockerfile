# `docker build --tag hearth .` in this folder, then
# `docker run --rm --volume "$PWD:/data" hearth run examples/quickstart.json`
FROM rust:1.88-slim-bookworm AS build
WORKDIR /hearth
COPY . .
RUN cargo build --locked --profile dist --package hearth-sim --all-features

# Compiled policies that are loaded need a dynamic C library, at least as new as the one that they were built with.
FROM debian:bookworm-slim
# Object storage is reached by TLS.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
COPY --from=build /hearth/target/dist/hearth /usr/local/bin/
COPY --from=build /hearth/LICENSE-APACHE /hearth/LICENSE-MIT /hearth/cli/assets/DejaVuSans-LICENSE.txt /usr/local/share/doc/hearth/
WORKDIR /data
ENTRYPOINT ["hearth"]
