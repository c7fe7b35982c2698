#!/bin/sh
# write_documents.sh PROGRAM DIRECTORY: asks the program for every document it
# has and writes each below the directory.
set -eu
for name in $("$1" __document); do
  "$1" __document "$name" >"$2/$name"
done
