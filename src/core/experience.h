// What the ledger's statistics say of models, as far as a decision uses it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace llmroute::core {

// How fast a model answered. Later calls count more (learning/latency.h).
struct Pace {
  int64_t calls = 0;
  double first_token = 0;           // seconds
  std::optional<double> per_token;  // seconds; nothing: not known
  double freshness = 1;             // 1: just measured, towards 0: long ago
};

// A model that was slow long ago may be at most this share of the registry's
// first-token time: the optimism that has it tried again.
inline constexpr double kBestShare = 0.2;

struct Experience {
  std::map<std::string, Pace> paces;  // by model
  // Share of the registry's first-token time that is expected of a model that
  // was never called, kBestShare..1: it is tried some time.
  double unseen = 1;
  // Models that are not to be asked now, and why: failing, or throttled.
  std::map<std::string, std::string> held;
};

}  // namespace llmroute::core
