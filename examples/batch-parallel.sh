#!/bin/sh
# One batch in N parts with GNU parallel, on this machine:
#   examples/batch-parallel.sh N IN.jsonl OUT.jsonl [OPTION of llmroute batch]...
# or over ssh on machines that share this directory and have llmroute and keys:
#   SSHLOGIN=2/alpha,2/beta examples/batch-parallel.sh 4 IN.jsonl OUT.jsonl
# Part K writes OUT.jsonl.K (with --errors FILE also FILE.K) and keeps a journal:
# after anything that breaks, the same command goes on. Each part has the N-th part
# of --max-cost, and the pace of --rpm and --tpm for itself.
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

# --errors is of the whole; each part has a file of its own.
errors=
left=$#
while [ "$left" -gt 0 ]; do
  left=$((left - 1))
  case $1 in
    --errors) errors=$2 && shift && left=$((left - 1)) ;;
    --errors=*) errors=${1#--errors=} ;;
    *) set -- "$@" "$1" ;;
  esac
  shift
done

log=$(mktemp)
trap 'rm -f "$log"' EXIT
where="--jobs $parts"
[ -z "${SSHLOGIN:-}" ] || where="--sshlogin $SSHLOGIN --workdir $PWD"
# shellcheck disable=SC2086,SC2046  # lists of words
parallel -q --joblog "$log" $where \
  llmroute batch --shard "auto/$parts" "$in" -o "$out.{#}" \
  ${errors:+--errors "$errors.{#}"} "$@" \
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

# The parts of a file, in the order of the input: line by line from each in turn,
# or, where lines are in two files, by their numbers.
join_parts() {
  file=$1
  set --
  for part in $(seq "$parts"); do set -- "$@" "$file.$part"; done
  if [ -z "$errors" ]; then
    paste -d '\n' "$@" | sed '/^$/d'
  else
    LC_ALL=C awk '
      match($0, /^[{]"id":"batch_req_[0-9a-z]+_[0-9]+","custom_id"/) {
        number = substr($0, 1, RLENGTH - 13)
        sub(/.*_/, "", number)
        print number "\t" $0
        next
      }
      match($0, /,"line":[0-9]+/) {
        print substr($0, RSTART + 8, RLENGTH - 8) "\t" $0
      }' "$@" | LC_ALL=C sort -n | cut -f 2-
  fi >"$file.whole"
  mv "$file.whole" "$file"
}
join_parts "$out"
[ -z "$errors" ] || join_parts "$errors"
exit "$status"
