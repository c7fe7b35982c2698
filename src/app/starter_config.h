// The file that `llmroute config init` writes.
#pragma once

#include <string_view>

namespace llmroute::app {

// Explanations start with "# "; lines that work once the "#" is taken off start
// with "#" alone. As it stands it changes nothing.
inline constexpr std::string_view kStarterConfig =
    R"(# llmroute configuration. Every key is in llmroute.toml(5).
# Check it: llmroute config check      See it all: llmroute config show --origin
#
# Nothing here is needed: with a provider's key in the environment
# (OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY ...) or a running Ollama,
# its models are candidates already. `llmroute models` lists them.

# What a good answer and a second of waiting are worth to you:
# quality, balanced (the default), cost, fast, or one of your own below.
#profile = "balanced"

#[profiles.careful]
#worth = 0.5     # dollars for a good answer
#wait = 0.0001   # dollars for a second of waiting

[limits]
# Refuse a request that could cost more than this, in dollars.
#max_cost = 0.25
#timeout = "5m"

# --- Models -----------------------------------------------------------------
# A model that Ollama serves. What is not said is taken from what is known.
#[models."llama3.2:3b"]
#provider = "ollama"
#tier = "small"
#price = { input = 0, output = 0 }
#ability = -1.2  # 0 is the GPT-4o class, current large models are near 3

# A server of your own that speaks OpenAI's protocol.
#[providers.office]
#protocol = "openai-chat"
#base_url = "https://llm.example.org/v1"
#key_command = ["pass", "show", "llm/office"]
#tags = ["eu"]

#[models.office-large]
#provider = "office"
#id = "large"
#context_window = 131072
#price = { input = 0.4, output = 1.6 }  # dollars per million tokens
#ability = 0.9

# Change a built-in model, or take it out.
#[models.gpt-4o]
#enabled = false

# --- Routes and rules -------------------------------------------------------
# A route is a set of models; -r NAME or a rule uses it.
#[routes.private]
#models = ["llama3.2:3b", "office-large"]
#select = "ordered"  # the first that works; "best" is the one worth most
#hedge = true  # while a model is silent, ask the next one as well

# The first rule whose conditions all hold acts.
#[[rules]]
#name = "commit messages"
#pattern = '(?i)commit message'
#max_tokens = 4000
#max_tier = "small"

#[[rules]]
#name = "nothing of ours leaves the house"
#tag = "confidential"
#route = "private"
#no_fallback = true
)";

}  // namespace llmroute::app
