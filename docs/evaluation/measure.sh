#!/bin/sh
# Measures the default model by every protocol: measure.sh DAVIS PEOPLE OUT [EVAL_OPTIONS...]
#
# DAVIS is a folder in DAVIS's layout, PEOPLE one of pairs NNNN.jpg, NNNN.png. OUT gets a table, JSON, CSV, curves
# and a sheet of the worst frames for each. ROTOMASK names the program, otherwise it is looked for in PATH.
set -eu
[ $# -ge 3 ] || { echo "measure.sh: $# arguments, expected DAVIS PEOPLE OUT" >&2; exit 2; }
davis=$1 people=$2 out=$3
shift 3
mkdir -p "$out"

measure() {
  root=$1 name=$2
  shift 2
  echo "$name"
  "${ROTOMASK:-rotomask}" eval "$root" "$@" --json "$out/$name.json" --csv "$out/$name.csv" \
    --plot "$out/$name.svg" --contact-sheet "$out/$name.png" | tee "$out/$name.txt"
}

for prompt in mask box click1 click3 click5; do
  measure "$davis" "$prompt" --prompt "$prompt" "$@"
done
measure "$davis" image --protocol image --clicks 1,2,3,5 "$@"
measure "$people" people-whole --protocol image --targets whole --range 905-1004 --clicks 1,2,3,5 "$@"
measure "$people" people-parts --protocol image --range 905-1004 --clicks 1,2,3,5 "$@"
measure "$davis" interactive-online --protocol interactive-online "$@"
measure "$davis" interactive-offline --protocol interactive-offline "$@"
