// Any bytes as a configuration with rules, then a line "---", then a prompt.
// What matches is a rule of the configuration, the first whose trace says so;
// a second look, and one at the evidence that the first left, find the same;
// each pattern finds by itself what was found of it among the others.
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "config/load.h"
#include "config/read_config.h"
#include "core/text_pattern.h"
#include "routing/rules.h"

namespace {

namespace core = llmroute::core;
namespace config = llmroute::config;
namespace routing = llmroute::routing;

void check(bool holds) {
  if (!holds) std::abort();
}

void check_match(const std::vector<core::Rule>& rules,
                 const routing::RuleMatch& match,
                 const std::vector<core::RuleTrace>& traces) {
  check(traces.size() == rules.size());
  const core::Rule* first = nullptr;
  for (size_t i = 0; i < rules.size(); ++i) {
    check(!traces[i].why.empty());
    if (!traces[i].matched) continue;
    check(first == nullptr);
    first = &rules[i];
  }
  check(match.rule == first);
}

routing::Evidence evidence_of(const std::vector<core::Rule>& rules,
                              const std::vector<core::RuleTrace>& traces) {
  routing::Evidence evidence;
  for (size_t i = 0; i < rules.size(); ++i) {
    const core::RuleTrace& trace = traces[i];
    if (trace.pattern_matched) {
      evidence.patterns[rules[i].pattern] = *trace.pattern_matched;
    }
    if (trace.file_matched) {
      evidence.files[rules[i].files] = *trace.file_matched;
    }
  }
  return evidence;
}

core::Prompt prompt_of(std::string_view text) {
  core::Prompt prompt;
  prompt.messages.push_back(
      {.role = core::Role::kUser, .text = std::string(text)});
  prompt.files.emplace_back(text.substr(0, text.find('\n')));
  return prompt;
}

void check_patterns(const std::vector<core::Rule>& rules,
                    const std::vector<core::RuleTrace>& traces,
                    std::string_view text) {
  for (size_t i = 0; i < rules.size(); ++i) {
    if (rules[i].pattern.empty()) continue;
    const auto alone = core::TextPattern::compile(rules[i].pattern);
    check(alone.has_value());
    check(alone->matches_part_of(text) == traces[i].pattern_matched);
  }
}

void check_rules(const std::vector<core::Rule>& rules, std::string_view text) {
  const auto set = routing::RuleSet::compile(rules);
  if (!set) return check(!set.error().message.empty());
  const core::Prompt prompt = prompt_of(text);
  const core::Analysis analysis;
  const std::map<std::string, std::string> tags = {{"team", "search"}};
  routing::Facts facts{prompt, analysis, 100, tags};
  std::vector<core::RuleTrace> traces, traces_again;
  const routing::RuleMatch match = set->match(facts, traces);
  check_match(rules, match, traces);
  check_patterns(rules, traces, text);
  check(!match.undecided);
  const routing::Evidence evidence = evidence_of(rules, traces);
  facts.evidence = &evidence;
  const routing::RuleMatch again = set->match(facts, traces_again);
  check(again.rule == match.rule && !again.undecided);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr std::string_view kMark = "\n---\n";
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t mark = text.find(kMark);
  const bool has_prompt = mark != std::string_view::npos;
  const auto read = config::read_config(config::builtin(), text.substr(0, mark),
                                        {.file = "fuzz"});
  if (!read) return 0;
  check_rules(read->rules,
              has_prompt ? text.substr(mark + kMark.size()) : "hello");
  return 0;
}
