#!/bin/sh
# One batch in N parts as a Slurm job array; the nodes share this directory and
# have llmroute and its keys:
#   examples/batch-slurm.sh N IN.jsonl OUT.jsonl [OPTION of llmroute batch]...
# Part K writes OUT.jsonl.K and keeps a journal: after anything that breaks, the
# same command goes on. Each part has the N-th part of --max-cost, and the pace
# of --rpm and --tpm for itself. SBATCH_PARTITION and the like are Slurm's own.
set -eu
parts=$1 in=$2 out=$3
shift 3

# In the array, or in one task of it that is sent again: --array=3.
if [ -n "${SLURM_ARRAY_TASK_ID:-}" ]; then
  exec llmroute batch --shard "$SLURM_ARRAY_TASK_ID/$parts" "$in" -o "$out.$SLURM_ARRAY_TASK_ID" "$@"
fi

# 0: all answered; 1: some records failed; anything else: not done yet.
status=0
sbatch --wait --array="1-$parts" --job-name=llmroute --output="$out.%a.log" \
  "$0" "$parts" "$in" "$out" "$@" || status=$?
for part in $(seq "$parts"); do
  # Death by a signal is status 1 to Slurm, but leaves no output.
  [ "$status" -gt 1 ] || [ -e "$out.$part" ] || status=75
done
if [ "$status" -gt 1 ]; then
  echo "batch-slurm: a part ended with status $status ($out.*.log); the same command goes on" >&2
  exit "$status"
fi

# Line by line from each part in turn: the order of the input.
set --
for part in $(seq "$parts"); do set -- "$@" "$out.$part"; done
paste -d '\n' "$@" | sed '/^$/d' >"$out.whole"
mv "$out.whole" "$out"
exit "$status"
