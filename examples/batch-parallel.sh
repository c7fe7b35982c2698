#!/bin/sh
# One batch in N parts with GNU parallel, on this machine:
#   examples/batch-parallel.sh N IN.jsonl OUT.jsonl [OPTION of llmroute batch]...
# or over ssh on machines that share this directory and have llmroute and keys:
#   SSHLOGIN=2/alpha,2/beta examples/batch-parallel.sh 4 IN.jsonl OUT.jsonl
# Part K writes OUT.jsonl.K and keeps a journal: after anything that breaks, the
# same command goes on. Each part has the N-th part of --max-cost, and the pace
# of --rpm and --tpm for itself.
set -eu
wrong() {
  echo "batch-parallel: $1" >&2
  echo "usage: batch-parallel.sh N IN.jsonl OUT.jsonl [OPTION of llmroute batch]..." >&2
  exit 64
}
[ $# -ge 3 ] || wrong "three arguments are needed"
parts=$1 in=$2 out=$3
shift 3
case $parts in
  '' | *[!0-9]* | 0*) wrong "the number of parts must be 1 or more, not '$parts'" ;;
esac
[ -r "$in" ] || wrong "cannot read '$in'"
[ -n "${SSHLOGIN:-}" ] || command -v llmroute >/dev/null || wrong "no llmroute in PATH"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
where="--jobs $parts"
[ -z "${SSHLOGIN:-}" ] || where="--sshlogin $SSHLOGIN --workdir $PWD"
# shellcheck disable=SC2086,SC2046  # lists of words
parallel -q --joblog "$log" $where \
  llmroute batch --shard "{}/$parts" "$in" -o "$out.{}" "$@" \
  ::: $(seq "$parts") || true # the log says how each part ended

# 0: all answered; 1: some records failed; anything else: not done yet.
status=$(awk -F '\t' 'NR > 1 { s = ($8 > 0 ? 128 + $8 : $7) + 0; if (s > max) max = s }
                      END { print (NR > 1 ? max + 0 : 71) }' "$log")
if [ "$status" -gt 1 ]; then
  echo "batch-parallel: a part ended with status $status; the same command goes on" >&2
  exit "$status"
fi

for part in $(seq "$parts"); do
  [ -e "$out.$part" ] || {
    echo "batch-parallel: part $part stopped before its end; the same command goes on" >&2
    exit 75
  }
done

# Line by line from each part in turn: the order of the input.
set --
for part in $(seq "$parts"); do set -- "$@" "$out.$part"; done
paste -d '\n' "$@" | sed '/^$/d' >"$out.whole"
mv "$out.whole" "$out"
exit "$status"
