#!/bin/sh
# Every figure of how well the shipped router model routes, by one command:
#
#   bench/quality.sh DATA [LLMROUTE] >> models/CARD.md
#
# DATA is a folder with outcomes/ and prompts/ as models/sources.tsv names them.
# Models for "trained on others" are fitted on the way: some minutes.
set -eu
data=$1
here=$(cd "$(dirname "$0")/.." && pwd)
llmroute=${2:-$here/build/release/llmroute}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
outcomes=$data/outcomes

# The files that the shipped model is trained on, where DATA has them.
training_files() {
  cut -f1 "$here/models/sources.tsv" | while read -r name; do
    for file in "$outcomes/$name" "$data/prompts/$name" "$here/models/$name" \
      "$data/$name"; do
      if [ -f "$file" ]; then echo "$file"; fi
    done
  done
}

# study OUT BENCH-OPTION...: measures into $work/OUT.json.
study() {
  out=$work/$1.json
  shift
  echo "bench $*" >&2
  "$llmroute" bench --no-config --json "$@" < /dev/null > "$out"
}

# without OUT GLOB...: the shipped model's training, without those sources.
without() {
  out=$work/$1.model
  shift
  options=
  for glob; do options="$options --without $glob"; done
  set -f  # the globs are the program's, not the shell's
  echo "train$options" >&2
  # shellcheck disable=SC2046,SC2086
  "$llmroute" train --no-config --force --quiet --threads 2 $options -o "$out" \
    $(training_files) "$here/models/sources.tsv" > /dev/null
  set +f
}

# The benchmarks of RouteLLM with the grades that were published with them.
python3 "$here/bench/as_published.py" < "$outcomes/routellm_gsm8k.jsonl" \
  > "$work/gsm8k-published.jsonl"
gzip -dc "$outcomes/routellm_mmlu.jsonl.gz" |
  python3 "$here/bench/as_published.py" > "$work/mmlu-published.jsonl"
python3 "$here/bench/first_turns.py" < "$outcomes/mt_bench.jsonl" \
  > "$work/mtbench-questions.jsonl"
study mmlu-published --folds 5 "$work/mmlu-published.jsonl"
study mmlu-published-groups --groups "$work/mmlu-published.jsonl"
study gsm8k-published --folds 5 "$work/gsm8k-published.jsonl"
study mmlu-folds --folds 5 "$outcomes/routellm_mmlu.jsonl.gz"
study mmlu-groups --groups "$outcomes/routellm_mmlu.jsonl.gz"
study gsm8k-folds --folds 5 "$outcomes/routellm_gsm8k.jsonl"
study mtbench-folds --folds 5 "$outcomes/mt_bench.jsonl" \
  --models 'gpt-4-1106-preview,*ixtral-8x7B*'
study routerbench --folds 5 "$outcomes/routerbench_arc.jsonl" \
  "$outcomes/routerbench_winogrande.jsonl" \
  "$outcomes/routerbench_mbpp.jsonl"
study redux-robust --part test --robust "$outcomes/mmlu_redux.jsonl.gz"
study arc-robust --robust "$outcomes/routerbench_arc.jsonl"

without no-mmlu '*mmlu*'
without no-gsm8k '*gsm8k*' '*mgsm*'
without no-math '*math*' 'olympiadbench*' 'theoremqa*' 'llmrouter_nvidia:mmlu'
without no-code '*crux*' '*mbpp*' '*humaneval*' 'evalperf*'
without no-common '*winogrande*' '*commonsense*'
without no-tools 'bfcl*'
without no-mtbench 'mt_bench*'
study zero-mmlu --model-file "$work/no-mmlu.model" \
  "$outcomes/routellm_mmlu.jsonl.gz"
study zero-mmlu-published --model-file "$work/no-mmlu.model" \
  "$work/mmlu-published.jsonl"
study zero-gsm8k-published --model-file "$work/no-gsm8k.model" \
  "$work/gsm8k-published.jsonl"
study zero-redux --model-file "$work/no-mmlu.model" \
  "$outcomes/mmlu_redux.jsonl.gz"
study zero-pro --model-file "$work/no-mmlu.model" "$outcomes/mmlu_pro.jsonl.gz"
study zero-gsm8k --model-file "$work/no-gsm8k.model" \
  "$outcomes/routellm_gsm8k.jsonl"
study zero-math --model-file "$work/no-math.model" \
  "$outcomes/zeroeval_math_l5.jsonl"
study zero-crux --model-file "$work/no-code.model" \
  "$outcomes/zeroeval_crux.jsonl.gz"
study zero-winogrande --model-file "$work/no-common.model" \
  "$outcomes/routerbench_winogrande.jsonl"
study zero-bfcl --model-file "$work/no-tools.model" "$outcomes/bfcl.jsonl.gz"
study zero-mtbench --model-file "$work/no-mtbench.model" \
  "$outcomes/mt_bench.jsonl" --models 'gpt-4-1106-preview,*ixtral-8x7B*'
study zero-mtbench-questions --model-file "$work/no-mtbench.model" \
  "$work/mtbench-questions.jsonl" --models 'gpt-4-1106-preview,*ixtral-8x7B*'

# Pairs none of whose outcomes are fitted to, beside heads fitted to them: every
# pair of cheap and strong that the data's own table names, of files with four
# models and 500 rows or more.
new_pair() {
  name=new-$1
  file=$outcomes/$2
  study "$name-labels" --folds 5 --models "$3" "$file"
  study "$name-unseen" --folds 5 --unseen --models "$3" "$file"
}
while read -r name file pair; do
  new_pair "$name" "$file" "$pair"
done << 'PAIRS'
gsm8k-gpt zeroeval_gsm8k.jsonl.gz gpt-4o-mini-2024-07-18,gpt-4o-2024-08-06
gsm8k-claude zeroeval_gsm8k.jsonl.gz claude-3-haiku-20240307,claude-3-5-sonnet-20241022
gsm8k-llama zeroeval_gsm8k.jsonl.gz Meta-Llama-3.1-8B-Instruct,Meta-Llama-3.1-70B-Instruct
math-gpt zeroeval_math_l5.jsonl gpt-4o-mini-2024-07-18,gpt-4o-2024-08-06
math-o1 zeroeval_math_l5.jsonl gpt-4o-2024-08-06,o1-mini-2024-09-12
math-qwen zeroeval_math_l5.jsonl Qwen2.5-7B-Instruct,Qwen2.5-72B-Instruct
crux-gpt zeroeval_crux.jsonl.gz gpt-4o-mini-2024-07-18,gpt-4o-2024-08-06
crux-claude zeroeval_crux.jsonl.gz claude-3-haiku-20240307,claude-3-5-sonnet-20241022
crux-o1 zeroeval_crux.jsonl.gz gpt-4o-2024-08-06,o1-preview-2024-09-12
pro-gemini mmlu_pro.jsonl.gz gemini-1.5-flash-002,gemini-1.5-pro-002
pro-llama mmlu_pro.jsonl.gz Llama-3.1-8B-Instruct,Llama-3.1-70B-Instruct
redux-gemini mmlu_redux.jsonl.gz gemini-1.5-flash-preview-0514,gemini-1.5-pro-001
redux-gpt mmlu_redux.jsonl.gz mixtral-8x22b,gpt-4o-2024-05-13
redux-claude mmlu_redux.jsonl.gz llama-3.1-70b-instruct-turbo,claude-3-5-sonnet-20240620
nvidia llmrouter_nvidia.jsonl.gz llama-3.1-8b-instruct,llama-3.1-nemotron-51b-instruct
arc routerbench_arc.jsonl mistralai/mixtral-8x7b-chat,gpt-4-1106-preview
winogrande routerbench_winogrande.jsonl mistralai/mixtral-8x7b-chat,gpt-4-1106-preview
bfcl-gpt3.5 bfcl.jsonl.gz gpt-3.5-turbo-0125,gpt-4-turbo-2024-04-09
bfcl-claude bfcl.jsonl.gz claude-3-haiku-20240307,claude-3-5-sonnet-20240620
bfcl-gpt4 bfcl.jsonl.gz gpt-4o-mini-2024-07-18,gpt-4-turbo-2024-04-09
truthfulqa truthfulqa_multi.jsonl Llama-3.1-8B-Instruct,Llama-3.1-70B-Instruct
PAIRS

# Domains of sources that the model was not trained on: two that it never is, others
# trained without.
study domains-t0_tasks "$data/prompts/t0_tasks.jsonl.gz"
study domains-routerbench_arc "$outcomes/routerbench_arc.jsonl"
for name in xquad flan_templates nq_open folio odex jmmlu; do
  without no-domain "$name*"
  study "domains-$name" --model-file "$work/no-domain.model" \
    "$data/prompts/$name.jsonl"
done

python3 "$here/bench/quality_table.py" "$work"
