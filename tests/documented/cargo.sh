#!/bin/sh
# The command `cargo` of the test of documented commands: `cargo run` runs the program that is there, and libraries of
# policies are built without optimisation, in folders where what they depend on is built already.
set -eu

# Runs Cargo with the arguments but for --release.
unoptimised() {
    for argument do
        shift
        [ "$argument" = --release ] || set -- "$@" "$argument"
    done
    "$REAL_CARGO" "$@"
}

# Puts a library where an optimised build would have put it.
as_release() {
    mkdir -p target/release
    cp "$1/debug/lib$(echo "$2" | tr - _).so" target/release/
}

case $1 in
metadata) exec "$REAL_CARGO" "$@" ;;
run)
    while shift && [ "$1" != -- ]; do
        case $1 in
        --release | --quiet) ;;
        *) echo "cargo run $1: say in tests/documented/cargo.sh what that does" >&2 && exit 2 ;;
        esac
    done
    shift
    exec hearth "$@"
    ;;
rustc)
    package=$(echo "$*" | sed -n 's/.* -p \([^ ]*\).*/\1/p')
    (cd "$PROJECT" && CARGO_TARGET_DIR="$PROJECT_TARGET" unoptimised "$@" --offline)
    as_release "$PROJECT_TARGET" "$package"
    ;;
test | build)
    if [ "$PWD" = "$CLONE" ]; then
        echo "cargo $*: Hearth itself is not built here: leave the block out by <!-- not run: why -->" >&2 && exit 2
    fi
    [ -f Cargo.lock ] || cp "$PROJECT/Cargo.lock" .
    CARGO_TARGET_DIR="$AUTHORS_TARGET" CARGO_NET_OFFLINE=true unoptimised "$@"
    [ "$1" = test ] || as_release "$AUTHORS_TARGET" "$(sed -n 's/^name = "\(.*\)"/\1/p' Cargo.toml | head -1)"
    ;;
*) echo "cargo $1: say in tests/documented/cargo.sh what that does" >&2 && exit 2 ;;
esac
