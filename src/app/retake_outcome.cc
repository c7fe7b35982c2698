#include <algorithm>

#include "app/retake.h"
#include "base/json_writer.h"
#include "base/packed.h"
#include "base/sha256.h"

namespace llmroute::app {
namespace {

using base::JsonWriter;
using base::Packer;

constexpr uint8_t kVersion = 1;

struct Chosen {
  std::string_view model;
  double good = 0;
  std::optional<int64_t> cost_pico;
  double seconds = 0;
  std::optional<int64_t> output_cap;
  double worth = 0;
};

struct Outcome {
  std::string_view requested, route, source;
  std::optional<std::string_view> rule;
  std::string_view profile;
  double worth = 0, wait = 0, difficulty_used = 0;
  std::vector<Chosen> candidates;  // the first ones
  std::string_view fingerprint;    // of everything
};

// To be packed or unpacked.
void each_field(auto& archive, auto& outcome) {
  archive(outcome.requested);
  archive(outcome.route);
  archive(outcome.source);
  archive(outcome.rule);
  archive(outcome.profile);
  archive(outcome.worth);
  archive(outcome.wait);
  archive(outcome.difficulty_used);
  archive.list(outcome.candidates, [&](auto& candidate) {
    archive(candidate.model);
    archive(candidate.good);
    archive(candidate.cost_pico);
    archive(candidate.seconds);
    archive(candidate.output_cap);
    archive(candidate.worth);
  });
  archive(outcome.fingerprint);
}

// What a decision is told apart by, but for its head. Before each item of a
// list is true, after the last false, so that no two decisions are the same
// bytes.

void take_candidates(Packer& all, const core::Decision& decision) {
  for (const core::Candidate& candidate : decision.candidates) {
    all(true);
    all(candidate.model->name);
    all(candidate.good);
    all(candidate.cost ? std::optional(candidate.cost->pico) : std::nullopt);
    all(candidate.seconds);
    all(candidate.worth);
    all(candidate.output_cap);
  }
  all(false);
}

void take_excluded(Packer& all, const core::Decision& decision) {
  for (const core::Exclusion& excluded : decision.excluded) {
    if (excluded.gate == core::Gate::kKey) continue;  // the inputs name them
    all(true);
    all(excluded.model->name);
    all(excluded.reason);
    all(static_cast<int64_t>(excluded.gate));
  }
  all(false);
}

base::Fingerprint fingerprint(const core::Decision& decision) {
  Packer all(kVersion);
  take_candidates(all, decision);
  take_excluded(all, decision);
  for (const core::RuleTrace& rule : decision.rules) {
    all(true);
    all(rule.rule->name);
    all(rule.matched);
    all(rule.why);
  }
  all(false);
  all(decision.prompt_template);
  all(decision.no_fallback);
  all(decision.notes);
  return base::fingerprint(all.take());
}

std::vector<Chosen> first_candidates(const core::Decision& decision) {
  constexpr size_t kKept = 8;
  std::vector<Chosen> kept;
  kept.reserve(std::min(kKept, decision.candidates.size()));
  for (const core::Candidate& candidate : decision.candidates) {
    if (kept.size() == kKept) break;
    kept.push_back(
        {candidate.model->name, candidate.good,
         candidate.cost ? std::optional(candidate.cost->pico) : std::nullopt,
         candidate.seconds, candidate.output_cap, candidate.worth});
  }
  return kept;
}

void add_candidate(JsonWriter& json, const Chosen& candidate) {
  json.begin_object().field("model", candidate.model);
  json.field("good", candidate.good);
  json.field("cost_pico", candidate.cost_pico);
  json.field("seconds", candidate.seconds);
  json.field("output_cap", candidate.output_cap);
  json.field("worth", candidate.worth).end_object();
}

std::string json_of(const Outcome& outcome) {
  JsonWriter json;
  json.begin_object().field("requested", outcome.requested);
  json.field("route", outcome.route).field("source", outcome.source);
  if (outcome.rule) json.field("rule", *outcome.rule);
  json.field("profile", outcome.profile).field("worth", outcome.worth);
  json.field("wait", outcome.wait);
  json.field("difficulty_used", outcome.difficulty_used);
  json.list("candidates", outcome.candidates, add_candidate);
  const auto* bytes =
      reinterpret_cast<const uint8_t*>(outcome.fingerprint.data());
  json.field("fingerprint", base::hex({bytes, outcome.fingerprint.size()}));
  json.end_object();
  return json.take();
}

}  // namespace

std::string pack_outcome(const core::Decision& decision) {
  const base::Fingerprint all = fingerprint(decision);
  Outcome outcome;
  outcome.requested = decision.requested;
  outcome.route = decision.route;
  outcome.source = core::source_name(decision.source);
  if (decision.rule) outcome.rule = *decision.rule;
  outcome.profile = decision.profile;
  outcome.worth = decision.worth.good_answer;
  outcome.wait = decision.worth.second;
  outcome.difficulty_used = decision.difficulty_used;
  outcome.candidates = first_candidates(decision);
  outcome.fingerprint = {reinterpret_cast<const char*>(all.data()), all.size()};
  Packer pack(kVersion);
  each_field(pack, outcome);
  return pack.take();
}

base::Result<std::string> outcome_json(std::string_view bytes) {
  Outcome outcome;
  base::Unpacker unpack(bytes, kVersion, base::Unpacker::Reals::kAny);
  each_field(unpack, outcome);
  if (unpack.whole()) return json_of(outcome);
  return base::Error{base::ErrorKind::kData,
                     "what the ledger kept of the outcome makes no sense"};
}

}  // namespace llmroute::app
