#!/bin/sh
# The trainer with an allocator that keeps its pages: page faults otherwise eat half the time on a CPU.
# usage: run.sh PYTHON OUT [options of train.py]
set -eu
python=$1
shift
cd "$(dirname "$0")/.."
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=34359738368 MALLOC_TRIM_THRESHOLD_=34359738368
exec "$python" -m train.train "$@"
