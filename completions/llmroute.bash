# Completions of llmroute for bash.

_llmroute_is_command() {
  case $1 in
    run | explain | batch | bench | train | models | usage | feedback | replay | config | completion | help | version) return 0 ;;
  esac
  return 1
}

# False for an option without a value.
_llmroute_value() {
  case $1 in
    --prompt= | -p | --prompt) : ;;
    --file= | -f | --file) _llmroute_files ;;
    --system= | -s | --system) : ;;
    --system-file= | --system-file) _llmroute_files ;;
    --stdin-timeout= | --stdin-timeout) : ;;
    --template= | --template) : ;;
    --prompt-field= | --prompt-field) : ;;
    --skip= | --skip) : ;;
    --limit= | --limit) : ;;
    --shard= | --shard) : ;;
    --model= | -m | --model) _llmroute_names models ;;
    --route= | -r | --route) _llmroute_names routes ;;
    --profile= | --profile) _llmroute_names profiles ;;
    --worth= | --worth) : ;;
    --wait= | --wait) : ;;
    --tier= | --tier) _llmroute_names tiers ;;
    --min-tier= | --min-tier) _llmroute_names tiers ;;
    --max-tier= | --max-tier) _llmroute_names tiers ;;
    --allow= | --allow) _llmroute_names models ;;
    --deny= | --deny) _llmroute_names models ;;
    --require= | --require) : ;;
    --fallback= | --fallback) _llmroute_names models ;;
    --tag= | --tag) : ;;
    --split= | --split) _llmroute_files ;;
    --collect= | --collect) _llmroute_files ;;
    --max-tokens= | --max-tokens) : ;;
    --temperature= | --temperature) : ;;
    --stop= | --stop) : ;;
    --seed= | --seed) : ;;
    --option= | -O | --option) : ;;
    --schema= | --schema) _llmroute_files ;;
    --tools= | --tools) _llmroute_files ;;
    --output= | -o | --output) _llmroute_files ;;
    --journal= | --journal) _llmroute_files ;;
    --errors= | --errors) _llmroute_files ;;
    --out= | --out) _llmroute_reply 'native openai' ;;
    --match= | --match) _llmroute_reply 'line id' ;;
    --fsync= | --fsync) _llmroute_reply 'group always none' ;;
    --progress= | --progress) _llmroute_reply 'auto always never json' ;;
    --summary= | --summary) _llmroute_files ;;
    --card= | --card) _llmroute_files ;;
    --format= | --format) _llmroute_reply 'text json jsonl' ;;
    --by= | --by) : ;;
    --since= | --since) : ;;
    --until= | --until) : ;;
    --with= | --with) _llmroute_files ;;
    --purge-before= | --purge-before) : ;;
    --expect= | --expect) : ;;
    --diff= | --diff) _llmroute_files ;;
    --why-not= | --why-not) _llmroute_names models ;;
    --baseline= | --baseline) _llmroute_files ;;
    --plot= | --plot) _llmroute_files ;;
    --target-quality= | --target-quality) : ;;
    --fail-if= | --fail-if) : ;;
    --check= | --check) : ;;
    --fail-on= | --fail-on) : ;;
    --sanitize= | --sanitize) _llmroute_reply 'auto always never' ;;
    --transcript= | --transcript) _llmroute_files ;;
    --error-format= | --error-format) _llmroute_reply 'text json' ;;
    --color=) _llmroute_reply 'auto always never' ;;
    --max-cost= | --max-cost) : ;;
    --jobs= | -j | --jobs) : ;;
    --rpm= | --rpm) : ;;
    --tpm= | --tpm) : ;;
    --max-errors= | --max-errors) : ;;
    --timeout= | --timeout) : ;;
    --connect-timeout= | --connect-timeout) : ;;
    --first-token-timeout= | --first-token-timeout) : ;;
    --idle-timeout= | --idle-timeout) : ;;
    --retries= | --retries) : ;;
    --models= | --models) : ;;
    --part= | --part) _llmroute_reply 'all test' ;;
    --folds= | --folds) : ;;
    --train= | --train) _llmroute_files ;;
    --seconds= | --seconds) : ;;
    --speed= | --speed) _llmroute_files ;;
    --threads= | --threads) : ;;
    --config= | -c | --config) _llmroute_files ;;
    --key-fd= | --key-fd) : ;;
    --ledger= | --ledger) _llmroute_files ;;
    --session= | --session) : ;;
    --heads= | --heads) : ;;
    --without= | --without) : ;;
    --init= | --init) _llmroute_files ;;
    --model-file= | --model-file) _llmroute_files ;;
    *) return 1 ;;
  esac
}

_llmroute_options() {
  case $1 in
    '' | run) echo '-p --prompt -f --file -s --system --system-file --no-stdin --stdin-timeout --lossy -m --model -r --route --profile --worth --wait --tier --min-tier --max-tier --allow --deny --require --fallback --no-fallback --tag --show-route -n --dry-run --max-tokens --temperature --stop --seed -O --option --schema --tools -o --output --format --json --no-stream --check -x --extract --fail-on --strict-model --sanitize --stats --transcript --error-format --color -q --quiet -v --verbose --max-cost --allow-unpriced --timeout --connect-timeout --first-token-timeout --idle-timeout --retries -c --config --key-fd --tls-keylog --ledger --no-ledger --no-learn --strict-ledger --session --no-config -h --help -V --version' ;;
    explain) echo '-p --prompt -f --file -s --system --system-file --no-stdin --stdin-timeout --lossy -m --model -r --route --profile --worth --wait --tier --min-tier --max-tier --allow --deny --require --fallback --no-fallback --tag --max-tokens --temperature --stop --seed -O --option --schema --tools --json --expect --jsonl --diff --why-not --no-timing --error-format --color -q --quiet -v --verbose --max-cost --allow-unpriced --timeout --connect-timeout --first-token-timeout --idle-timeout --retries -c --config --ledger --no-ledger --session --no-config -h --help -V --version' ;;
    batch) echo '--template --prompt-field --lines -0 --null -s --system --system-file --ignore-unknown --skip --limit --shard -m --model -r --route --profile --worth --wait --tier --min-tier --max-tier --allow --deny --require --fallback --no-fallback --tag --reroute -n --dry-run --validate --split --collect --max-tokens --temperature --stop --seed -O --option -o --output --journal --errors --out --unordered --echo --no-extras --no-timing --force --repair --retry-errors --match --accept-config-change --fsync --progress --summary --json --error-format --color -q --quiet -v --verbose -j --jobs --rpm --tpm --max-cost --allow-unpriced --max-errors --strict --timeout --connect-timeout --retries -c --config --ledger --no-ledger --no-learn --strict-ledger --no-config -h --help -V --version' ;;
    bench) echo '--json --baseline --plot --target-quality --robust --fail-if --error-format --color -q --quiet -v --verbose --models --part --folds --groups --unseen --train --seconds --speed -c --config --no-config --model-file --seed -h --help -V --version' ;;
    train) echo '-o --output --card --force --json --error-format --color -q --quiet -v --verbose --threads -c --config --ledger --no-ledger --no-config --heads --from-ledger --without --init --seed -h --help -V --version' ;;
    models) echo '--json --all --error-format --color -q --quiet -v --verbose -c --config --ledger --no-ledger --no-config -h --help -V --version' ;;
    usage) echo '--json --by --since --until --format --recount --release-orphans --purge-before --error-format --color -q --quiet -v --verbose -c --config --ledger --no-config -h --help -V --version' ;;
    feedback) echo '--error-format --color -q --quiet -v --verbose --ledger -h --help -V --version' ;;
    replay) echo '--json --since --with --error-format --color -q --quiet -v --verbose --ledger -h --help -V --version' ;;
    config) echo '--force --origin --error-format --color -q --quiet -v --verbose -c --config --no-config -h --help -V --version' ;;
    completion) echo '--error-format -h --help -V --version' ;;
    help) echo '--error-format -h --help -V --version' ;;
    version) echo '--error-format -h --help -V --version' ;;
  esac
}

_llmroute_operand() {
  case $1 in
    '') _llmroute_reply 'run explain batch bench train models usage feedback replay config completion help version' ;;
    batch) _llmroute_files ;;
    bench) _llmroute_files ;;
    train) _llmroute_files ;;
    models) _llmroute_names models ;;
    config) _llmroute_reply 'path show check init get' ;;
    completion) _llmroute_reply 'bash zsh fish' ;;
    help) _llmroute_reply 'run explain batch bench train models usage feedback replay config completion help version toml jsonl' ;;
  esac
}

_llmroute_reply() {
  COMPREPLY=($(compgen -W "$1" -- "$current"))
}

_llmroute_names() {
  _llmroute_reply "$("${COMP_WORDS[0]}" __complete "$1" "$current" 2>/dev/null)"
}

_llmroute_files() {
  local IFS=$'\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen -f -- "$current"))
}

_llmroute_trim() {
  local head=${current%"${current##*:}"} i
  [[ $COMP_WORDBREAKS == *:* && -n $head ]] || return 0
  for i in "${!COMPREPLY[@]}"; do
    COMPREPLY[i]=${COMPREPLY[i]#"$head"}
  done
}

_llmroute() {
  local line=${COMP_LINE:0:COMP_POINT} command= option current word
  current=${line##*[[:space:]]}
  if [[ $current == --*=* ]]; then
    option=${current%%=*}=
    current=${current#*=}
  else
    option=${line%"$current"}
    option=${option%"${option##*[![:space:]]}"}
    option=${option##*[[:space:]]}
  fi
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    _llmroute_is_command "$word" && command=$word && break
  done
  COMPREPLY=()
  if ! _llmroute_value "$option"; then
    if [[ $current == -* ]]; then
      _llmroute_reply "$(_llmroute_options "$command")"
    else
      _llmroute_operand "$command"
    fi
  fi
  _llmroute_trim
}

complete -F _llmroute llmroute
