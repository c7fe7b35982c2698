#!/bin/sh
# From a fresh Debian or Ubuntu machine to answered prompts: installs what is
# missing, builds, and sends the prompts of examples/prompts through llmroute.
# Who answers: a provider whose key is set, or an Ollama on this machine, else
# the bundled stub provider over real HTTP. It says which.
#   examples/quickstart.sh [BUILD]    BUILD: a folder that is built already
set -eu
cd "$(dirname "$0")/.."

build=${1:-build/release}
if [ $# = 0 ]; then
  tools/setup.sh
  [ -f "$build/build.ninja" ] || cmake --preset release >/dev/null
  cmake --build "$build" --target llmroute llmroute-stub
fi
llmroute=$build/llmroute

scratch=$(mktemp -d)
stub_pid=""
finish() {
  [ -z "$stub_pid" ] || kill "$stub_pid" 2>/dev/null || true
  rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT TERM

# The name of the first key variable that is set, of those llmroute knows.
key_in_environment() {
  for name in OPENAI_API_KEY ANTHROPIC_API_KEY GEMINI_API_KEY GOOGLE_API_KEY \
    XAI_API_KEY MISTRAL_API_KEY DEEPSEEK_API_KEY GROQ_API_KEY CEREBRAS_API_KEY \
    TOGETHER_API_KEY FIREWORKS_API_KEY OPENROUTER_API_KEY MOONSHOT_API_KEY \
    ZHIPU_API_KEY; do
    eval "value=\${$name:-}"
    # shellcheck disable=SC2154  # set by eval
    [ -z "$value" ] || { echo "$name"; return; }
  done
}

# An Ollama that answers on loopback and has at least one model.
ollama_answers() {
  curl -fs --noproxy '*' --max-time 1 http://127.0.0.1:11434/api/tags 2>/dev/null |
    grep -q '"name"'
}

start_stub() {
  : >"$scratch/ready"
  "$build/tests/stub/llmroute-stub" --port 0 >>"$scratch/ready" &
  stub_pid=$!
  port=""
  for _ in $(seq 100); do
    port=$(sed -n 's/.*"port": *\([0-9][0-9]*\).*/\1/p' "$scratch/ready")
    [ -n "$port" ] && break
    sleep 0.1
  done
  [ -n "$port" ] || { echo "quickstart: the stub provider did not start" >&2; exit 1; }
  sed "s/@PORT@/$port/" examples/quickstart.toml >"$scratch/config.toml"
  chmod 600 "$scratch/config.toml"
  LLMROUTE_LEDGER=$scratch/ledger.db # made-up answers are no spending
  export LLMROUTE_LEDGER
}

key=$(key_in_environment)
if [ -n "$key" ]; then
  echo "Answering: the provider of $key. Each prompt may cost at most \$0.05."
  set -- --max-cost 0.05
elif ollama_answers; then
  echo "Answering: the Ollama on this machine."
  set --
else
  start_stub
  echo "Answering: the bundled stub provider at http://127.0.0.1:$port, over real HTTP."
  echo "It echoes instead of thinking; set a provider's key, or start Ollama, for real answers."
  set -- --config "$scratch/config.toml"
fi

for prompt in examples/prompts/*.txt; do
  printf '\n$ llmroute --show-route %s < %s\n' "$*" "$prompt"
  "$llmroute" run --show-route "$@" <"$prompt"
done

printf '\n$ llmroute explain %s < examples/prompts/6-race.txt\n' "$*"
"$llmroute" explain "$@" <examples/prompts/6-race.txt
echo
echo "Built: $llmroute   Next: $llmroute --help, or README.md"
