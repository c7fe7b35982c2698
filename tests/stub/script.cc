#include "stub/script.h"

#include "base/text.h"

namespace llmroute::stub {
namespace {

bool header_matches(const std::string& wanted, const Request& request) {
  const std::string lower = base::to_lower_ascii(wanted);
  for (const auto& [name, value] : request.headers) {
    const std::string line = base::to_lower_ascii(name + ": " + value);
    if (line.find(lower) != std::string::npos) return true;
  }
  return false;
}

bool conditions_hold(const Rule& rule, const Facts& facts) {
  const Request& request = facts.request;
  const bool named = rule.method || rule.path;
  if (!named && request.method != "POST") return false;
  if (rule.method && *rule.method != request.method) return false;
  if (rule.path && !base::glob_match(*rule.path, request.path)) return false;
  if (rule.model && !base::glob_match(*rule.model, facts.model)) return false;
  if (rule.header && !header_matches(*rule.header, request)) return false;
  if (rule.stream && *rule.stream != facts.stream) return false;
  return !rule.body || request.body.find(*rule.body) != std::string::npos;
}

// Counts this request against the rule.
bool takes(Rule& rule, uint64_t random) {
  ++rule.seen;
  if (rule.nth != kOff && rule.seen != rule.nth) return false;
  if (rule.times != kOff && rule.used >= rule.times) return false;
  if (unit_of(random) >= rule.chance) return false;
  ++rule.used;
  return true;
}

}  // namespace

uint64_t mix(uint64_t seed, uint64_t number) {
  uint64_t z = seed + (number + 1) * 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

double unit_of(uint64_t bits) {
  return static_cast<double>(bits >> 11) * 0x1.0p-53;
}

base::Result<std::vector<Rule>> Script::parse(std::string_view text) {
  std::vector<Rule> rules;
  int number = 0;
  for (const std::string& line : base::split(text, '\n')) {
    ++number;
    const std::string_view content = base::trim(line);
    if (content.empty() || content.starts_with('#')) continue;
    LLMROUTE_TRY(Rule rule, parse_rule(content, number));
    rules.push_back(std::move(rule));
  }
  return rules;
}

const Rule* Script::match(const Facts& facts) {
  const std::lock_guard lock(mutex_);
  for (Rule& rule : rules_) {
    if (rule.reply.at_accept() || !conditions_hold(rule, facts)) continue;
    if (takes(rule, mix(facts.random, static_cast<uint64_t>(rule.line)))) {
      return &rule;
    }
  }
  return nullptr;
}

const Rule* Script::match_accept() {
  const std::lock_guard lock(mutex_);
  for (Rule& rule : rules_) {
    if (rule.reply.at_accept() && takes(rule, 0)) return &rule;
  }
  return nullptr;
}

}  // namespace llmroute::stub
