#include "routing/rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace llmroute::routing {
namespace {

std::string user_text(const core::Prompt& prompt) {
  std::string text;
  for (const core::Message& message : prompt.messages) {
    if (message.role == core::Role::kTool) continue;  // nobody's words
    if (!text.empty()) text += '\n';
    text += message.text;
  }
  return text;
}

bool has_tag(const std::map<std::string, std::string>& tags,
             const std::string& wanted) {
  const size_t equals = wanted.find('=');
  const auto found = tags.find(wanted.substr(0, equals));
  if (found == tags.end()) return false;
  return equals == std::string::npos ||
         found->second == wanted.substr(equals + 1);
}

bool contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

bool file_matches(const std::vector<std::string>& globs,
                  const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    const std::string base_name = file.substr(file.find_last_of('/') + 1);
    for (const std::string& glob : globs) {
      if (base::glob_match(glob, file) || base::glob_match(glob, base_name)) {
        return true;
      }
    }
  }
  return false;
}

// The first condition that does not hold, in words; "" if all hold, but for
// those on text of which nothing is known.
std::string unmet_condition(const core::Rule& rule, const Facts& facts,
                            const core::RuleTrace& text) {
  const core::Analysis& analysis = facts.analysis;
  const double hard = core::hardness(analysis);
  const std::string domain(core::kDomainNames[core::largest(analysis.domain)]);
  if (text.pattern_matched == false) return "pattern did not match";
  if (!rule.domains.empty() && !contains(rule.domains, domain)) {
    return fmt::format("domain is {}", domain);
  }
  if (rule.min_difficulty && hard < *rule.min_difficulty) {
    return fmt::format("hard {:.2f} < {:.2f}", hard, *rule.min_difficulty);
  }
  if (rule.max_difficulty && hard > *rule.max_difficulty) {
    return fmt::format("hard {:.2f} > {:.2f}", hard, *rule.max_difficulty);
  }
  if (rule.min_tokens && facts.input_tokens < *rule.min_tokens) {
    return fmt::format("{} tokens < {}", facts.input_tokens, *rule.min_tokens);
  }
  if (rule.max_tokens && facts.input_tokens > *rule.max_tokens) {
    return fmt::format("{} tokens > {}", facts.input_tokens, *rule.max_tokens);
  }
  for (const std::string& tag : rule.tags) {
    if (!has_tag(facts.tags, tag)) return fmt::format("no tag {}", tag);
  }
  if (!rule.languages.empty() && !contains(rule.languages, analysis.language)) {
    return fmt::format("script is {}", analysis.language.empty()
                                           ? "unknown"
                                           : analysis.language);
  }
  if (text.file_matched == false) return "no file name matched";
  return {};
}

// Fills what the conditions on text found.
void look_at_text(const core::Rule& rule, const Facts& facts,
                  bool pattern_matched, core::RuleTrace& trace) {
  const Evidence* evidence = facts.evidence;
  if (!rule.pattern.empty()) {
    trace.pattern_matched = evidence == nullptr
                                ? pattern_matched
                                : evidence->pattern_matched(rule.pattern);
  }
  if (!rule.files.empty()) {
    trace.file_matched = evidence == nullptr
                             ? file_matches(rule.files, facts.prompt.files)
                             : evidence->file_matched(rule.files);
  }
}

bool knows_text(const core::Rule& rule, const core::RuleTrace& trace) {
  return (rule.pattern.empty() || trace.pattern_matched) &&
         (rule.files.empty() || trace.file_matched);
}

}  // namespace

RuleSet::RuleSet(const std::vector<core::Rule>& rules, PatternSet patterns)
    : rules_(&rules), patterns_(std::move(patterns)) {}

base::Result<RuleSet> RuleSet::compile(const std::vector<core::Rule>& rules) {
  PatternSet patterns;
  for (const core::Rule& rule : rules) {
    if (rule.pattern.empty()) continue;
    const base::Status added = patterns.add(rule.pattern);
    if (!added) {
      return base::Error{
          base::ErrorKind::kConfig,
          fmt::format("{}:{}: rule '{}': bad pattern: {}", rule.file, rule.line,
                      rule.name, added.error().message)};
    }
  }
  patterns.compile();
  return RuleSet(rules, std::move(patterns));
}

RuleMatch RuleSet::match(const Facts& facts,
                         std::vector<core::RuleTrace>& traces) const {
  std::vector<bool> found;
  if (patterns_.size() > 0 && facts.evidence == nullptr) {
    found = patterns_.found_in(user_text(facts.prompt));
  }
  RuleMatch result;
  traces.reserve(rules_->size());
  size_t pattern = 0;  // of those added
  for (const core::Rule& rule : *rules_) {
    const size_t number = rule.pattern.empty() ? SIZE_MAX : pattern++;
    core::RuleTrace& trace = traces.emplace_back();
    trace.rule = &rule;
    look_at_text(rule, facts, number < found.size() && found[number], trace);
    trace.why = unmet_condition(rule, facts, trace);
    if (!trace.why.empty()) continue;
    trace.matched = result.rule == nullptr;
    if (trace.matched) {
      result.rule = &rule;
      result.undecided = result.undecided || !knows_text(rule, trace);
    }
    trace.why = trace.matched ? "matched" : "matched, but an earlier rule acts";
  }
  return result;
}

}  // namespace llmroute::routing
