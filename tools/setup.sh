#!/bin/sh
# Installs the Debian or Ubuntu packages that building and testing need, if
# any is missing; asks for sudo only then. On other systems it names them.
set -eu

packages="g++ cmake ninja-build pkg-config ca-certificates curl
libcli11-dev libcurl4-openssl-dev libsimdjson-dev libtomlplusplus-dev
libfmt-dev libre2-dev zlib1g-dev libsqlite3-dev doctest-dev libssl-dev
libnghttp2-dev python3"
# What the tests need beside: documents, shells and format.
test_packages="mandoc bash zsh fish clang-format jq git strace parallel sqlite3
iproute2"
[ "${1:-}" = "--tests" ] && packages="$packages $test_packages"

if ! command -v dpkg-query >/dev/null 2>&1; then
  echo "setup: not a Debian system; it needs the counterparts of:" $packages >&2
  exit 0
fi

missing=""
for package in $packages; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo"
echo "setup: installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
# shellcheck disable=SC2086  # a list of words
$sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
