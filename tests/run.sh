#!/bin/sh
# Installs what is missing, builds, and runs every test.
#   tests/run.sh [PRESET]    dev (the default), release, asan, tsan
set -eu
cd "$(dirname "$0")/.."
preset=${1:-dev}
tools/setup.sh --tests
cmake --preset "$preset"
cmake --build --preset "$preset"
ctest --test-dir "build/$preset" --output-on-failure --parallel 2
