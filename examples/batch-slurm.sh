#!/bin/sh
# One batch in N parts as a Slurm job array; the nodes share this directory and
# have llmroute and its keys:
#   examples/batch-slurm.sh N IN.jsonl OUT.jsonl [OPTION of llmroute batch]...
# Part K writes OUT.jsonl.K (with --errors FILE also FILE.K) and keeps a journal:
# after anything that breaks, the same command goes on. Each part has the N-th part
# of --max-cost, and the pace of --rpm and --tpm for itself. SBATCH_PARTITION and
# the like are Slurm's own.
set -eu
parts=$1 in=$2 out=$3
shift 3

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

# In the array, or in one task of it that is sent again: --array=3.
if [ -n "${SLURM_ARRAY_TASK_ID:-}" ]; then
  exec llmroute batch --shard "$SLURM_ARRAY_TASK_ID/$parts" "$in" \
    -o "$out.$SLURM_ARRAY_TASK_ID" \
    ${errors:+--errors "$errors.$SLURM_ARRAY_TASK_ID"} "$@"
fi

# 0: all answered; 1: some records failed; anything else: not done yet.
status=0
sbatch --wait --array="1-$parts" --job-name=llmroute --output="$out.%a.log" \
  "$0" "$parts" "$in" "$out" ${errors:+--errors "$errors"} "$@" || status=$?
for part in $(seq "$parts"); do
  # Death by a signal is status 1 to Slurm, but leaves no output.
  [ "$status" -gt 1 ] || [ -e "$out.$part" ] || status=75
done
if [ "$status" -gt 1 ]; then
  echo "batch-slurm: a part ended with status $status ($out.*.log); the same command goes on" >&2
  exit "$status"
fi

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
