// models/registry.toml -> the tables of src/config/builtin_rows.h, on stdout.
// Runs on the build machine; reads with the reader of the program itself, so
// the registry and a user's configuration have one syntax.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json_writer.h"
#include "base/sha256.h"
#include "config/builtin_rows.h"
#include "config/read_config.h"

namespace llmroute {
namespace {

std::string literal(std::string_view text) {
  std::string out;
  base::append_json_string(out, text);
  return out;
}

class Writer {
 public:
  std::string config(const core::Config& config);

 private:
  void begin(std::string_view type, std::string_view name);
  void end() { tables_ += "};\n"; }
  void add(const std::string& row) { tables_ += row; }

  std::string text(std::string_view text);
  std::string words(const std::vector<std::string>& words);
  std::string steps(const std::vector<core::PriceTier>& tiers);
  std::string provider(const core::Provider& provider);
  std::string model(const core::Model& model);

  std::string text_;                // what Text is a place in
  std::vector<std::string> words_;  // Texts
  std::vector<std::string> steps_;  // PriceTierRows
  std::string tables_;
};

// The rows' place among `all`, to which they are added if they are not there.
std::string place(std::vector<std::string>& all,
                  const std::vector<std::string>& rows) {
  auto at = std::search(all.begin(), all.end(), rows.begin(), rows.end());
  const auto first = at - all.begin();
  if (at == all.end()) all.insert(all.end(), rows.begin(), rows.end());
  return fmt::format("{{{}, {}}}", first, rows.size());
}

std::string Writer::text(std::string_view text) {
  size_t at = text_.find(text);
  if (at == std::string::npos) {
    at = text_.size();
    text_ += text;
  }
  return fmt::format("{{{}, {}}}", at, text.size());
}

void Writer::begin(std::string_view type, std::string_view name) {
  tables_ += fmt::format("constexpr {} {}[] = {{\n", type, name);
}

std::string Writer::words(const std::vector<std::string>& words) {
  std::vector<std::string> texts;
  for (const std::string& word : words) texts.push_back(text(word));
  return place(words_, texts);
}

std::string number(const std::optional<int64_t>& value) {
  return value ? fmt::format("{}", *value) : "kUnset";
}

std::string money(const std::optional<core::Money>& price) {
  return price ? fmt::format("{}", price->pico) : "kUnset";
}

std::string price(const core::Price& price) {
  return fmt::format("{{{}, {}, {}, {}, {}}}", money(price.input),
                     money(price.output), money(price.cached_input),
                     money(price.cache_write), money(price.reasoning));
}

std::string Writer::steps(const std::vector<core::PriceTier>& tiers) {
  std::vector<std::string> rows;
  for (const core::PriceTier& tier : tiers) {
    rows.push_back(
        fmt::format("{{{}, {}}}", tier.above_input_tokens, price(tier.price)));
  }
  return place(steps_, rows);
}

std::string protocol(core::Protocol protocol) {
  return fmt::format("static_cast<core::Protocol>({})",
                     static_cast<int>(protocol));
}

std::string Writer::provider(const core::Provider& p) {
  return fmt::format("  {{{}, {}, {}, {}, {}, {}, {}, {}, {}}},\n",
                     text(p.name), protocol(p.protocol), text(p.base_url),
                     words(p.key_env), words(p.tags), text(p.token_limit_field),
                     p.stream_usage, text(p.seed_field), p.reported_cost);
}

std::string Writer::model(const core::Model& m) {
  std::string row =
      fmt::format("  {{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, ",
                  text(m.name), text(m.provider), text(m.id), words(m.aliases),
                  text(m.tier), words(m.tags), text(m.description),
                  number(m.context_window), number(m.max_output_tokens),
                  price(m.price), steps(m.price_tiers), text(m.price_as_of));
  row += fmt::format("{{{}}}, ", fmt::join(m.ability, ", "));
  row += fmt::format("{}, {}, {}, {}, {}}},\n", m.accepts_temperature,
                     text(m.token_limit_field), m.verbosity,
                     m.tokens_per_second, m.first_token_seconds);
  return row;
}

std::string Writer::config(const core::Config& config) {
  begin("TierRow", "kTierRows");
  for (const core::Tier& tier : config.tiers) {
    add(fmt::format("  {{{}, {}}},\n", text(tier.name), words(tier.aliases)));
  }
  end();
  begin("ProfileRow", "kProfileRows");
  for (const core::Profile& profile : config.profiles) {
    add(fmt::format("  {{{}, {}, {}}},\n", text(profile.name),
                    profile.worth.good_answer, profile.worth.second));
  }
  end();
  begin("RouteRow", "kRouteRows");
  for (const core::Route& route : config.routes) {
    add(fmt::format("  {{{}, {}}},\n", text(route.name),
                    text(route.description)));
  }
  end();
  begin("ProviderRow", "kProviderRows");
  for (const core::Provider& p : config.providers) add(provider(p));
  end();
  begin("ModelRow", "kModelRows");
  for (const core::Model& m : config.models) add(model(m));
  end();
  const std::string rows =
      fmt::format("constexpr char kText[] = {};\n", literal(text_)) +
      fmt::format("constexpr Text kWords[] = {{{}}};\n",
                  fmt::join(words_, ", ")) +
      fmt::format("constexpr PriceTierRow kPriceTierRows[] = {{{}}};\n",
                  fmt::join(steps_, ", ")) +
      tables_;
  return "// Made from models/registry.toml by tools/compile_registry.cc.\n" +
         rows +
         fmt::format("constexpr char kRegistrySha256[] = \"{}\";\n",
                     base::hex(base::sha256(rows)));
}

// What the tables have no place for.
base::Status check(const core::Config& config) {
  bool fine = config.rules.empty();
  for (const core::Route& route : config.routes) {
    fine = fine && route.models.empty() && route.prompt_template.empty() &&
           route.selection == core::Selection::kBest && !route.no_fallback;
  }
  for (const core::Provider& p : config.providers) {
    fine = fine && p.key_file.empty() && p.key_command.empty() &&
           p.key_header.empty() && p.api_version.empty() && p.headers.empty() &&
           p.ca_file.empty() && p.command.empty() && !p.allow_http;
  }
  for (const core::ConfigValue& value : config.values) {
    fine = fine && !value.key.starts_with("limits.") &&
           value.key != "profile" && value.key != "route" &&
           value.key != "model_file";
  }
  if (fine) return {};
  return base::Error{base::ErrorKind::kConfig,
                     "the registry uses keys that builtin_rows.h leaves out"};
}

base::Result<std::string> compile(const std::string& path) {
  LLMROUTE_TRY(const std::string text, base::read_file(path, size_t{64} << 20));
  LLMROUTE_TRY(const core::Config config,
               config::read_config({}, text, {.file = path}));
  LLMROUTE_CHECK(check(config));
  return Writer().config(config);
}

}  // namespace
}  // namespace llmroute

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: compile_registry registry.toml\n");
    return 64;
  }
  const auto text = llmroute::compile(argv[1]);
  if (!text) {
    fmt::print(stderr, "compile_registry: {}\n", text.error().message);
    return 78;
  }
  fmt::print("{}", *text);
  return std::fflush(stdout) == 0 ? 0 : 74;
}
