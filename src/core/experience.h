// What the ledger's statistics say of models, as far as a decision uses it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/cell.h"
#include "core/verdicts.h"

namespace llmroute::core {

// How fast a model answered. Later calls count more (learning/latency.h).
struct Pace {
  int64_t calls = 0;
  double first_token = 0;           // seconds
  std::optional<double> per_token;  // seconds; nothing: not known
  double freshness = 1;             // 1: just measured, towards 0: long ago
  int64_t failed = 0;               // of the calls; each counts as its time-out
  std::optional<int64_t> failed_ago;  // seconds; nothing: the last one answered
};

// A model that was slow long ago may be at most this share of the registry's
// first-token time: the optimism that has it tried again.
inline constexpr double kBestShare = 0.2;

// Verdicts on a model's answers in one cell.
struct Judged {
  Cell cell;
  Verdicts verdicts;
  int64_t count = 0;
};

// What a session's next request loses by going to another model.
struct Session {
  std::string name;
  std::string model;          // that answered last
  int64_t cached_tokens = 0;  // of its prompt that the model still has cached
};

struct Experience {
  std::map<std::string, Pace> paces;  // by model
  // Share of the registry's first-token time that is expected of a model that
  // was never called, kBestShare..1: it is tried some time.
  double unseen = 1;
  // Models that are not to be asked now, and why: failing, or throttled.
  std::map<std::string, std::string> held;
  std::map<std::string, std::vector<Judged>> judged;  // by model
  PerCell verdicts{};  // in each cell, on all models
  std::optional<Session> session;
};

// Nothing: no verdict on the model in that cell.
const Judged* find_judged(const Experience& experience,
                          const std::string& model, const Cell& cell);

}  // namespace llmroute::core
