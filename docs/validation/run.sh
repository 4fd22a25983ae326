#!/bin/sh
# Compares Hearth with what was measured on real platforms; prints tables and draws figures.
#   sh docs/validation/run.sh [MEASURED.csv LOAD.csv.gz]
# The two files are other applications of FeMux's Knative run. HEARTH: the command that is run; OUT: where results go.
set -eu
cd "$(dirname "$0")"
measured=
if [ "$#" -eq 2 ]; then
    measured=$(cd "$OLDPWD" && realpath "$1")
    load=$(cd "$OLDPWD" && realpath "$2")
elif [ "$#" -ne 0 ]; then
    echo "usage: run.sh [MEASURED.csv LOAD.csv.gz]" >&2
    exit 2
fi
# No folders of compiled Python in the sources.
export PYTHONDONTWRITEBYTECODE=1
python3 femux/femux.py ${measured:+"$measured" "$load"}
for comparison in dirigent/dirigent.py stellar/stellar.py lambda/start.py huawei/huawei.py; do
    echo
    python3 "$comparison"
done
