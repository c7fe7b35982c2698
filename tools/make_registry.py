#!/usr/bin/env python3
"""Makes models/registry.toml from a price list and an ability table.

    make_registry.py registry.json abilities.json > models/registry.toml

registry.json: {"generated", "sources", "models": [{"id", "provider", "api",
"name", "released", "context_window", "max_output_tokens", "usd_per_1m",
"tiers", "supports", "as_of", ...}]}, prices in USD per million tokens.
abilities.json: {"generated", "domains", "models": [{"id", "provider",
"default_effort", "abilities", "verbosity", "speed"}]}, abilities in logits.

The rules:

* Which models: those that the built-in providers' protocols can reach. Others are
  listed on stderr.
* Name: the id, or provider/id where several providers serve the same id.
* Tier, from the output price per million tokens and the general ability (mean
  over the domains):
      large    price > 15 and ability >= 1.3, or price > 5 and ability >= 3.3
      medium   ability >= 0.3 and price > 5, or ability >= 1.5 and price > 1.5
      small    everything else
* Ability: at the effort that applies when a request names none.
* Verbosity: measured tokens against the median model at that effort. The
  measurements are few and of mixed tasks, so their logarithm is shrunk towards
  the median by two imagined measurements, and kept within 1/4 and 4.
* Speed: as measured at any effort; a host's own figure counts for that host
  only. Unmeasured: the defaults of DEFAULT_SPEED and FAST_HOSTS below.
"""

import json
import math
import re
import sys
import textwrap

# Base URLs and key variables as the vendors document them.
PROVIDERS = [
    {"name": "openai", "protocol": "openai-chat",
     "base_url": "https://api.openai.com/v1", "key_env": "OPENAI_API_KEY"},
    {"name": "anthropic", "protocol": "anthropic",
     "base_url": "https://api.anthropic.com", "key_env": "ANTHROPIC_API_KEY"},
    {"name": "google", "protocol": "gemini",
     "base_url": "https://generativelanguage.googleapis.com",
     "key_env": ["GEMINI_API_KEY", "GOOGLE_API_KEY",
                 "GOOGLE_GENERATIVE_AI_API_KEY"]},
    {"name": "xai", "protocol": "openai-chat",
     "base_url": "https://api.x.ai/v1", "key_env": "XAI_API_KEY",
     "token_limit_field": "max_completion_tokens"},
    {"name": "mistral", "protocol": "openai-chat",
     "base_url": "https://api.mistral.ai/v1", "key_env": "MISTRAL_API_KEY",
     "token_limit_field": "max_tokens", "stream_usage": False,
     "seed_field": "random_seed"},
    {"name": "deepseek", "protocol": "openai-chat",
     "base_url": "https://api.deepseek.com", "key_env": "DEEPSEEK_API_KEY",
     "token_limit_field": "max_tokens"},
    {"name": "groq", "protocol": "openai-chat",
     "base_url": "https://api.groq.com/openai/v1", "key_env": "GROQ_API_KEY",
     "token_limit_field": "max_completion_tokens"},
    {"name": "cerebras", "protocol": "openai-chat",
     "base_url": "https://api.cerebras.ai/v1", "key_env": "CEREBRAS_API_KEY",
     "token_limit_field": "max_completion_tokens"},
    {"name": "together", "protocol": "openai-chat",
     "base_url": "https://api.together.xyz/v1", "key_env": "TOGETHER_API_KEY",
     "token_limit_field": "max_tokens"},
    {"name": "fireworks", "protocol": "openai-chat",
     "base_url": "https://api.fireworks.ai/inference/v1",
     "key_env": "FIREWORKS_API_KEY", "token_limit_field": "max_tokens"},
    {"name": "openrouter", "protocol": "openai-chat",
     "base_url": "https://openrouter.ai/api/v1",
     "key_env": "OPENROUTER_API_KEY", "token_limit_field": "max_tokens",
     "reported_cost": True},
    {"name": "moonshot", "protocol": "openai-chat",
     "base_url": "https://api.moonshot.ai/v1", "key_env": "MOONSHOT_API_KEY",
     "token_limit_field": "max_tokens"},
    {"name": "zai", "protocol": "openai-chat",
     "base_url": "https://api.z.ai/api/paas/v4", "key_env": "ZHIPU_API_KEY",
     "token_limit_field": "max_tokens"},
    {"name": "ollama", "protocol": "ollama",
     "base_url": "http://127.0.0.1:11434", "tags": ["local"]},
]

# An api of the price list that a provider also serves as openai-chat.
ALSO_OPENAI_CHAT = {"mistral": "mistral"}

TIERS = [{"name": "small", "aliases": ["haiku"]},
         {"name": "medium", "aliases": ["sonnet"]},
         {"name": "large", "aliases": ["opus"]}]
TIER_OF_FAMILY = {"haiku": "small", "sonnet": "medium", "opus": "large"}

PROFILES = {"quality": (1, 0.0005), "balanced": (0.05, 0.0005),
            "cost": (0.005, 0.0001), "fast": (0.05, 0.01)}

# Tokens per second and seconds to the first token, by tier.
DEFAULT_SPEED = {"small": (120, 0.6), "medium": (70, 1.0), "large": (50, 1.5)}
# Added to the first token of a model that thinks before it answers.
THINKING_SECONDS = 1.5
# Hosts with hardware built for speed; what thinking adds there.
FAST_HOSTS = {"groq": (300, 0.4), "cerebras": (300, 0.4)}
FAST_THINKING_SECONDS = 0.4
# Measurements that speak for one host only: their source and that host.
HOST_FIGURES = {"groq-docs": "groq"}

TAGS = [("tools", "tools"), ("json_schema", "json"), ("vision", "vision"),
        ("reasoning", "reasoning")]


def quoted(text):
    return json.dumps(text, ensure_ascii=False)


def key(name):
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else quoted(name)


def number(value):
    if isinstance(value, float):
        value = round(value, 6)
        if value == int(value):
            value = int(value)
    return str(value)


def value_text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return "[" + ", ".join(value_text(v) for v in value) + "]"
    if isinstance(value, dict):
        inside = ", ".join(f"{key(k)} = {value_text(v)}"
                           for k, v in value.items() if v is not None)
        return "{ " + inside + " }"
    return number(value)


def table(header, fields):
    lines = [header]
    for name, value in fields:
        if value is None or value == [] or value == {}:
            continue
        lines.append(f"{name} = {value_text(value)}")
    return "\n".join(lines) + "\n"


def servable(model):
    apis = set(model["api"]) & {"openai-chat", "anthropic", "gemini", "ollama"}
    return bool(apis) or ALSO_OPENAI_CHAT.get(model["provider"]) in model["api"]


def general(ability):
    return sum(ability.values()) / len(ability)


def tier_of(price, ability):
    if price is None:
        price = 0
    if (price > 15 and ability >= 1.3) or (price > 5 and ability >= 3.3):
        return "large"
    if ability >= 0.3 and (price > 5 or (ability >= 1.5 and price > 1.5)):
        return "medium"
    return "small"


def verbosity_of(row):
    measured = (row.get("verbosity") or {}).get(row["default_effort"])
    if not measured or not measured["relative_tokens"] > 0:
        return None
    trust = measured["n"] / (measured["n"] + 2)
    shrunk = math.exp(trust * math.log(measured["relative_tokens"]))
    return round(min(4, max(0.25, shrunk)), 2)


def measured_speed(row, provider):
    """(tokens per second, seconds to the first token), None if unknown."""
    speed = row.get("speed") or {}
    for one in speed.get("measured", []):
        if HOST_FIGURES.get(one["src"]) == provider:
            return one.get("tokens_per_second"), None
    if provider in FAST_HOSTS:  # measured elsewhere, on slower hardware
        return None, None
    return speed.get("tokens_per_second"), speed.get("ttft_s")


def speed_of(row, model, tier):
    rate, first = measured_speed(row, model["provider"])
    default_rate, default_first = FAST_HOSTS.get(model["provider"],
                                                 DEFAULT_SPEED[tier])
    thinks = (model["supports"]["reasoning"] and
              row["default_effort"] not in ("none", "fixed"))
    if rate is None:
        rate = default_rate
    if first is None:
        fast = model["provider"] in FAST_HOSTS
        thinking = FAST_THINKING_SECONDS if fast else THINKING_SECONDS
        first = default_first + (thinking if thinks else 0)
    return rate, first


def token_limit_field(model):
    if model["provider"] != "openai":
        return None  # the provider's
    reasoning = model["supports"]["reasoning"]
    return "max_completion_tokens" if reasoning else "max_tokens"


def version(model):
    """For ordering a family: the numbers of the id, then the date."""
    return ([int(n) for n in re.findall(r"\d+", model["id"])],
            model["released"] or "")


def family_aliases(models):
    newest = {}
    for model in models:
        found = re.match(r"claude-(haiku|sonnet|opus)-", model["id"])
        if model["provider"] != "anthropic" or not found:
            continue
        family = found.group(1)
        if family not in newest or version(model) > version(newest[family]):
            newest[family] = model
    return {id(model): family for family, model in newest.items()}


def price_fields(prices):
    return {name: prices.get(name)
            for name in ("input", "output", "cached_input", "cache_write")}


def model_table(model, row, name, alias):
    ability = {d: row["abilities"][d]["ability"] for d in row["abilities"]}
    prices = price_fields(model["usd_per_1m"])
    tier = tier_of(prices["output"], general(ability))
    if alias and tier != TIER_OF_FAMILY[alias]:
        sys.exit(f"{name}: tier {tier} does not fit its family {alias}")
    rate, first = speed_of(row, model, tier)
    steps = [{"above": step["above_input_tokens"], **price_fields(step)}
             for step in model["tiers"]]
    return table(f"[models.{key(name)}]", [
        ("provider", model["provider"]),
        ("id", None if name == model["id"] else model["id"]),
        ("aliases", [alias] if alias else []),
        ("tier", tier),
        ("tags", [tag for field, tag in TAGS if model["supports"][field]]),
        ("description", model["name"]),
        ("context_window", model["context_window"]),
        ("max_output_tokens", model["max_output_tokens"]),
        ("price", {k: v for k, v in prices.items() if v is not None}),
        ("price_tiers", steps),
        ("price_as_of", model["as_of"]),
        ("ability", {d: round(a, 2) for d, a in ability.items()}),
        ("temperature", None if model["supports"]["temperature"] else False),
        ("token_limit_field", token_limit_field(model)),
        ("verbosity", verbosity_of(row)),
        ("tokens_per_second", float(rate)),
        ("first_token_seconds", round(float(first), 2)),
    ])


def comment(text):
    return "\n".join("# " + line if line else "#" for line in
                     textwrap.wrap(text, 76, break_long_words=False))


def head(registry, abilities):
    notice = registry["sources"]["models.dev"]["notice"]
    return "\n#\n".join([
        comment("The built-in models: who serves them, what they cost, how "
                "good and how fast they are. Made by tools/make_registry.py; "
                "change the script or the data, not this file. Compiled into "
                "the program; a configuration file overrides any key."),
        comment(f"Prices and limits: of {registry['generated']}, in USD per "
                "million tokens; each model says of when its price is. Prices "
                "change: compare with the vendor's page before you rely on "
                "them. Sources: models.dev, cross-checked with the vendors' "
                "pages and simonw/llm-prices."),
        comment(f"Abilities: of {abilities['generated']}, in logits per "
                "domain, 0 being the GPT-4o class; fitted to "
                f"{len(abilities['benchmarks'])} columns of public benchmarks, "
                "at the reasoning effort that applies when a request names "
                "none. Where a vendor does not say which effort that is, it "
                "is assumed."),
        comment("Verbosity: tokens against the median model, shrunk towards 1 "
                "because the measurements are few. Speed: measured where "
                "somebody did; else by tier ("
                + ", ".join(f"{t} {r} tokens/s after {s} s"
                            for t, (r, s) in DEFAULT_SPEED.items())
                + f"; {THINKING_SECONDS} s more for a model that thinks "
                "first), or for Groq and Cerebras 300 tokens/s after 0.4 s "
                f"({FAST_THINKING_SECONDS} s more). "
                "Both are starting points that the observed speed replaces."),
        comment("Tiers: large if output costs over 15 USD and the mean "
                "ability is at least 1.3, or over 5 USD and at least 3.3; "
                "medium if over 5 USD and at least 0.3, or over 1.5 USD and "
                "at least 1.5; else small."),
        comment("Prices and limits from models.dev, under this licence: "
                + notice),
    ]) + "\n"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        registry = json.load(file)
    with open(sys.argv[2], encoding="utf-8") as file:
        abilities = json.load(file)
    rows = {(m["provider"], m["id"]): m for m in abilities["models"]}
    models, skipped = [], []
    for model in registry["models"]:
        known = (model["provider"], model["id"]) in rows
        (models if known and servable(model) else skipped).append(model)
    hosts = {}
    for model in models:
        hosts.setdefault(model["id"], []).append(model["provider"])
    aliases = family_aliases(models)

    parts = [head(registry, abilities)]
    parts += [table("[[tiers]]", tier.items()) for tier in TIERS]
    for name, (worth, wait) in PROFILES.items():
        parts.append(table(f"[profiles.{name}]",
                           [("worth", worth), ("wait", wait)]))
    parts.append(table("[routes.auto]", [("description", "every model")]))
    for provider in PROVIDERS:
        fields = [(k, v) for k, v in provider.items() if k != "name"]
        parts.append(table(f"[providers.{key(provider['name'])}]", fields))
    for model in models:
        shared = len(hosts[model["id"]]) > 1
        name = f"{model['provider']}/{model['id']}" if shared else model["id"]
        parts.append(model_table(model, rows[model["provider"], model["id"]],
                                 name, aliases.get(id(model))))
    sys.stdout.write("\n".join(parts))
    for model in skipped:
        print(f"skipped {model['provider']}/{model['id']} "
              f"({', '.join(model['api'])})", file=sys.stderr)


if __name__ == "__main__":
    main()
