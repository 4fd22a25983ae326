#!/bin/sh
# The command `hearth` of the test of documented commands. Studies are made short: a minute and one seed instead of many.
set -eu
case "$*" in
*docs/studies/*.json*)
    for argument do
        shift
        case $argument in 1..*) argument=1..1 ;; esac
        set -- "$@" "$argument"
    done
    set -- "$@" --set workload.generate.duration_s=60
    ;;
esac
exec "$HEARTH" "$@"
